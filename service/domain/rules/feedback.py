"""People's answers to a rule's alerts. Values, kept beside the data: withdrawn, they leave no trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from service.domain.rules.rule import Gates
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.scopes import ScopeKey

EACH_NOISE = 0.10
MOST_RAISED = 0.50
NOISE_LASTS = timedelta(days=90)


class FeedbackKind(StrEnum):
    EXPECTED = "expected"
    """This is how it is from now on: earlier days no longer say what is usual."""
    FIXED = "fixed"
    """It was real and it is over: its days never say what is usual."""
    NOISE = "noise"
    """Nobody needed to hear this: fire later, for a while."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One answer about one scope of one rule. Days are UTC, both included; `given_at` aware UTC."""

    scope: ScopeKey
    kind: FeedbackKind
    first_day: date
    last_day: date
    given_at: datetime


NO_FEEDBACK: tuple[Feedback, ...] = ()


def validate_feedback(feedback: Feedback) -> None:
    """Raises Invalid, with a pointer into the request body."""
    if feedback.last_day < feedback.first_day:
        raise Invalid("the last day does not come before the first", "/last_day")
    if feedback.first_day > feedback.given_at.date():
        raise Invalid("feedback is about days that have begun", "/first_day")


def of_scope(feedback: Iterable[Feedback], key: ScopeKey, now: datetime) -> tuple[Feedback, ...]:
    """The answers about a scope at an instant, so that the past is judged by what was known then."""
    return tuple(said for said in feedback if said.scope == key and said.given_at <= now)


def restarts_on(feedback: Iterable[Feedback], key: ScopeKey, now: datetime) -> date | None:
    """The first day that still says what is usual; None: all of them do."""
    said = of_scope(feedback, key, now)
    return max((one.first_day for one in said if one.kind is FeedbackKind.EXPECTED), default=None)


def days_out(feedback: Iterable[Feedback], key: ScopeKey, now: datetime) -> frozenset[date]:
    """The days that must not count towards what is usual."""
    fixed = [one for one in of_scope(feedback, key, now) if one.kind is FeedbackKind.FIXED]
    spans = [(one.first_day, (one.last_day - one.first_day).days + 1) for one in fixed]
    return frozenset(first + timedelta(days=offset) for first, length in spans for offset in range(length))


def counted(
    row: Sequence[float], days: Sequence[date], feedback: Sequence[Feedback], key: ScopeKey, now: datetime
) -> list[float]:
    """A row of daily figures as baselines may use it: NaN on every day that says nothing of what is usual."""
    start, out = restarts_on(feedback, key, now), days_out(feedback, key, now)
    return [
        float("nan") if day in out or (start is not None and day < start) else value
        for day, value in zip(days, row, strict=True)
    ]


def is_expected(feedback: Iterable[Feedback], key: ScopeKey, now: datetime, day: date) -> bool:
    """Whether a person has called what began on that day expected."""
    start = restarts_on(feedback, key, now)
    return start is not None and start >= day


def raised(feedback: Iterable[Feedback], key: ScopeKey, now: datetime) -> float:
    """The share by which thresholds rise: a tenth for each "noise", a half at most, fading evenly over 90 days."""
    ages = [now - one.given_at for one in of_scope(feedback, key, now) if one.kind is FeedbackKind.NOISE]
    return min(MOST_RAISED, sum(EACH_NOISE * max(0.0, 1 - age / NOISE_LASTS) for age in ages))


def stricter(gates: Gates, share: float) -> Gates:
    """The gates with their amount and percentage raised by a share, 0 to 0.5."""
    if share == 0:
        return gates
    factor = 1 + Decimal(share).quantize(Decimal("0.0001"))
    return replace(
        gates, min_amount=Money.rounded(gates.min_amount.usd * factor), min_percent=gates.min_percent * factor
    )


@dataclass(frozen=True, slots=True)
class GivenFeedback:
    """One answer of one person about one scope. `withdrawn_at` ends its effect: the past is judged as it was then."""

    id: str
    source_id: str
    rule_id: str
    alert_id: str
    feedback: Feedback
    given_by: str
    note: str = ""
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None

    def holds(self, now: datetime) -> bool:
        return self.feedback.given_at <= now and (self.withdrawn_at is None or now < self.withdrawn_at)

    def is_said_with(self, other: GivenFeedback) -> bool:
        """Whether both are one answer of a person, about several scopes of an alert, and stand or fell together."""
        return self._answer == other._answer

    @property
    def _answer(self) -> tuple[object, ...]:
        said = self.feedback
        return self.alert_id, said.kind, self.given_by, said.given_at, self.withdrawn_at


def holding(given: Iterable[GivenFeedback], rule_id: str, now: datetime) -> tuple[Feedback, ...]:
    """The answers that count for one rule at an instant."""
    return tuple(one.feedback for one in given if one.rule_id == rule_id and one.holds(now))
