"""Alerts in a digest: how many there were, and whether they were useful."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.rules.feedback import FeedbackKind, GivenFeedback
from service.domain.values.money import Money
from service.domain.values.scopes import Scope, ScopeKey

DISMISSING = frozenset({FeedbackKind.EXPECTED, FeedbackKind.NOISE})
"""Answers that say: nobody needed to hear this."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The alerts of a period. All but `resolved` are of those that were opened in it.

    `acknowledged_after` is the median time until somebody acknowledged, of those that somebody did; `at_detection` the
    median of the dollars that were gone when the alert opened (a budget's spend, a rule's excess). None: of none.
    """

    opened: int = 0
    resolved: int = 0
    acknowledged: int = 0
    dismissed: int = 0
    acknowledged_after: timedelta | None = None
    at_detection: Money | None = None


def tally(events: Iterable[AlertEvent], feedback: Iterable[GivenFeedback]) -> Tally:
    """Counts a period's events but those of drills, each alert's in their order. `feedback` may be about any alerts."""
    moves = [event for event in events if not event.alert.evidence.rehearses]
    opened = {event.alert.id: event for event in moves if event.command is Command.OPEN}
    acknowledged = _first_acknowledgements(moves, opened)
    waits = [(event.at - opened[id].at).total_seconds() for id, event in acknowledged.items()]
    detected = [event.alert.evidence.at_detection for event in opened.values()]
    dollars = [amount for amount in detected if amount is not None]
    dismissed = {
        given.alert_id for given in feedback if given.feedback.kind in DISMISSING and given.withdrawn_at is None
    }
    return Tally(
        opened=len(opened),
        resolved=sum(1 for event in moves if event.command is Command.RESOLVE),
        acknowledged=len(acknowledged),
        dismissed=len(dismissed & opened.keys()),
        acknowledged_after=timedelta(seconds=median(waits)) if waits else None,
        at_detection=Money.rounded(median(amount.usd for amount in dollars)) if dollars else None,
    )


def _first_acknowledgements(moves: list[AlertEvent], opened: Mapping[str, AlertEvent]) -> dict[str, AlertEvent]:
    first: dict[str, AlertEvent] = {}
    for event in moves:
        if event.command is Command.ACKNOWLEDGE and event.alert.id in opened:
            first.setdefault(event.alert.id, event)
    return first


def concerns(scope: Scope, key: ScopeKey, origin: Scope) -> bool:
    """Whether what a budget or rule with the scope `origin` says of one member is about spend inside a scope."""
    for dimension, wanted in scope.filters.items():
        own = (key.id,) if key.dimension is dimension else origin.filters[dimension]
        if wanted and not (own and set(own) <= set(wanted)):
            return False
    return True
