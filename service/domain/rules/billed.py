"""Settled bills against what a rule's alert was fired on."""

from __future__ import annotations

from dataclasses import replace

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.evidence import RuleEvidence
from service.domain.alerts.findings import Finding, over
from service.domain.rules.gates import exceeds
from service.domain.rules.rule import DOLLARS_A_DAY, DOLLARS_AN_HOUR, Gates, Observation
from service.domain.rules.view import SpendView
from service.domain.rules.wording import approximate
from service.domain.values.money import Money
from service.domain.values.scopes import Scope
from service.domain.values.utc import utc_day

_IN_DOLLARS = (DOLLARS_A_DAY, DOLLARS_AN_HOUR)


def contradicting_bill(alert: Alert, view: SpendView, scope: Scope, gates: Gates) -> Money | None:
    """The settled bill of an alert's only day, where that is not unusual by the gates; else None.

    An hour has no bill. It is contradicted where all of its day costs too little to be that hour. Of an incident of
    several days others may be confirmed.
    """
    shown = alert.newest
    if not isinstance(shown, RuleEvidence) or shown.falls or shown.unit not in _IN_DOLLARS or len(shown.days) != 1:
        return None
    (day,) = shown.days
    began_before = shown.since is not None and shown.since.date() < day
    settled = view.settled_until is not None and utc_day(day).end <= view.settled_until
    if began_before or not settled or day in view.unknown_days or day not in view.days:
        return None
    about = shown.about or alert.scope
    cells = view.members(about.dimension, scope).get(about, ())
    spent = view.spent_on(day, cells)
    billed = Observation(True, spent, float(shown.expected.usd), DOLLARS_A_DAY, "", (), 0)
    return None if exceeds(billed, gates) else approximate(spent)


def not_confirmed(alert: Alert, billed: Money) -> Finding:
    """The end of an alert that a settled bill contradicts."""
    shown = alert.newest
    evidence = replace(shown, billed=billed) if isinstance(shown, RuleEvidence) else shown
    return replace(over(alert, Reason.NOT_CONFIRMED), evidence=evidence)
