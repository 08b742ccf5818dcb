"""When a snoozed alert wakes: at its time, or when what it is about has grown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason, apply
from service.domain.alerts.evidence import Evidence
from service.domain.values.errors import Invalid
from service.domain.values.money import Money

LONGEST_SNOOZE = timedelta(days=90)
"""Whoever wants to hear nothing for longer should edit the budget or the rule."""


@dataclass(frozen=True, slots=True)
class SnoozeRequest:
    """A person's request: quiet until a time, until the figure has grown by a percentage, or whichever is first."""

    until: datetime | None = None
    growth_percent: Decimal | None = None


def snooze(alert: Alert, request: SnoozeRequest, *, actor: str, note: str, now: datetime) -> AlertEvent:
    """A person's snooze. Raises Invalid for a request that means nothing, Conflict for a resolved alert."""
    if request.until is None and request.growth_percent is None:
        raise Invalid("say how long: until, for or until_growth_percent", "/until")
    if request.until is not None and not now < request.until <= now + LONGEST_SNOOZE:
        raise Invalid(f"must lie in the future, at most {LONGEST_SNOOZE.days} days ahead", "/until")
    event = apply(alert, Command.SNOOZE, actor=actor, reason=Reason.PERSON, now=now, note=note)
    above = _grown(event.alert.evidence, request.growth_percent) if request.growth_percent is not None else None
    return replace(event, alert=replace(event.alert, snoozed_until=request.until, snoozed_above=above))


def _grown(evidence: Evidence, percent: Decimal) -> Money:
    figure = evidence.figure
    if not figure:
        raise Invalid("this alert has no amount that could grow: give a time", "/until_growth_percent")
    return figure * (1 + percent / 100)


def has_outgrown(alert: Alert, evidence: Evidence) -> bool:
    """Whether a snoozed alert's figure, as it is found now, has reached the level that wakes it."""
    figure = evidence.figure
    if alert.state is not AlertState.SNOOZED or alert.snoozed_above is None or figure is None:
        return False
    return figure >= alert.snoozed_above


def is_over(alert: Alert, now: datetime) -> bool:
    """Whether a snoozed alert's time has come."""
    return alert.state is AlertState.SNOOZED and alert.snoozed_until is not None and alert.snoozed_until <= now


def wakes(alert: Alert, now: datetime) -> bool:
    """Whether a snoozed alert is to fire again: its time has come, and its condition is not over meanwhile."""
    return is_over(alert, now) and not alert.newest.is_calm
