"""The evidence of an alert: what it knows of its subject, and what the product may ask of every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import ScopeKey

MATERIAL_CHANGE = Decimal("0.10")
"""An open message is edited when its figure has moved by this share since it was last shown."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One of the largest parts of an alert's spend, named for people.

    Of a rule's alert `amount` is the part's excess, and `spent` all that it spent in the judged time, where known.
    `within` is the workspace of an API key that has one alone.
    """

    scope: ScopeKey
    name: str
    amount: Money
    spent: Money | None = None
    within: str = ""


class OriginKind(StrEnum):
    """Resources that bring alerts about. The word is also the label that routes match."""

    BUDGET = "budget"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class OriginRef:
    """The resource that brought an alert about, with its name at that time.

    Alerts are also found by it: evidence stores the id in a field called `budget_id` or `rule_id`.
    """

    kind: OriginKind
    id: str
    name: str


class Trend(StrEnum):
    """How a figure, or the condition, has moved since people last saw it."""

    GREW = "grew"
    RESTATED = "restated"
    CALM = "calm"
    RETURNED = "returned"
    CORRECTED = "corrected"
    """The figure was so wrong that people hear the new one in every channel."""


@dataclass(frozen=True, slots=True)
class KeptBucket:
    """A day or hour by its start, as it was known when people were told of the alert. US dollars, None where unknown.

    `low` to `high` is what the rule found usual; these and `expected` are None where nothing was expected.
    """

    start: datetime
    amount: Money | None
    expected: Money | None = None
    low: Money | None = None
    high: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The base of all evidence: one subclass a kind of alert, listed in `ALERT_KINDS`.

    A subclass is a frozen dataclass that gives `kind` its word as a default, typed as a literal. The word is stored,
    shown over REST, and a label. `contributions` are the largest parts of `whole`. `simulated`: the built-in
    simulator invented the spend. `buckets` are what its picture shows, where people were told of this evidence: they
    make it no other evidence. Amounts are US dollars, times UTC.

    A subclass overrides those members of which it has more to say. Its words are in `service/domain/messages/kinds/`.
    """

    kind: str
    contributions: tuple[Contribution, ...] = ()
    simulated: bool = False
    buckets: tuple[KeptBucket, ...] = field(default=(), compare=False, repr=False)

    repeats: ClassVar[bool] = False
    """Whether severe alerts are notified again while nobody answers, where their route does not say."""
    calls: ClassVar[bool] = True
    """Whether it may page somebody and begin escalation policies, where its routes lead to such."""
    rehearses: ClassVar[bool] = False
    """Whether nothing is wrong: digests do not count such alerts."""
    takes_feedback: ClassVar[bool] = False
    """Whether people's answers teach the rule that fired."""

    @property
    def origin(self) -> OriginRef | None:
        """The budget or rule that the alert is of; None for what Tocsin watches by itself."""
        return None

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of this kind, besides those that every alert has."""
        return {}

    @property
    def figure(self) -> Money | None:
        """The dollars that the alert is about, which a snooze by growth compares; None where it is about none."""
        return None

    @property
    def is_calm(self) -> bool:
        """Whether the condition is over by now, though the alert is not: then nobody is notified again."""
        return False

    @property
    def measured(self) -> Money | None:
        """The spend that was measured, as the alert's events show it; None where none is."""
        return None

    @property
    def whole(self) -> Money:
        """The dollars that `contributions` are parts of."""
        return self.figure or ZERO

    @property
    def at_detection(self) -> Money | None:
        """The dollars that were gone when it was found, for a digest's median; None where it is about none."""
        return self.figure

    def says_more_than(self, shown: Evidence) -> bool:
        """Whether a new finding of the same severity has to be heard by those who were notified of `shown`."""
        return True

    def inhibits(self, other: Evidence) -> bool:
        """Whether an open alert with this evidence keeps the other one of its scope quiet."""
        return False

    def may_be_silenced_by(self, silence_id: str) -> bool:
        """Whether that silence keeps the alert quiet where it matches: not where the alert is about it."""
        return True

    def moved_since(self, shown: Evidence) -> Trend | None:
        """The trend for which an open message must be edited; None while `shown` is close enough."""
        before, after = shown.figure, self.figure
        return material_trend(before, after) if before is not None and after is not None else None

    def trend_since(self, shown: Evidence) -> Trend:
        """The direction of any difference, however small."""
        before, after = shown.figure, self.figure
        return Trend.GREW if before is not None and after is not None and after > before else Trend.RESTATED

    def spoken(self, say: Callable[[str], str]) -> Evidence:
        """The evidence with its own words about its scope as `say` puts them."""
        return self

    def announced(self, at: datetime, shown: Evidence | None = None) -> Evidence:
        """The evidence as everybody hears it at `at`, who heard of `shown` before."""
        return self

    def edited_in(self, shown: Evidence) -> Evidence:
        """The evidence where it takes the place of `shown` in the messages that can be edited, and nobody is called."""
        return self

    def noted_beside(self, shown: Evidence) -> Evidence | None:
        """The evidence that an alert keeps besides `shown` while it stays as it is; None where `shown` says more."""
        return self


def material_trend(before: Money, after: Money) -> Trend | None:
    """The direction of a material change."""
    material = abs(after - before) >= abs(before) * MATERIAL_CHANGE and after != before
    return direction(before, after) if material else None


def direction(before: Money, after: Money) -> Trend:
    return Trend.RESTATED if after < before else Trend.GREW
