"""A rule's alert: spend that the rule objects to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal

from service.domain.alerts.evidence.evidence import Evidence, OriginKind, OriginRef, Trend, material_trend
from service.domain.values.money import Money
from service.domain.values.scopes import ScopeKey
from service.domain.values.utc import utc_day

_A_DAY = {"US dollars a day": 1, "US dollars an hour": 24}
"""How many of a unit's stretches a day has; other units say nothing of the days to come."""
MATERIAL_CORRECTION = Decimal("0.5")
"""People hear in every channel that a figure was wrong when it has moved by this share since they heard it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The figure that everybody was notified of last: US dollars of excess, whose, and of which days or hour.

    `was_over`: the judged days were over, so that time alone cannot add to them. `before` is what everybody had heard
    until then; None where this was the first. `told`: the most that everybody heard of each scope in this alert, as
    excess in 24 hours.
    """

    excess: Money
    about: ScopeKey | None
    days: tuple[date, ...]
    hour: datetime | None
    since: datetime | None
    was_over: bool
    before: Money | None = None
    told: tuple[tuple[ScopeKey, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class LevelChange:
    """An accepted level: US dollars a day before the UTC day `since`, and from it on. `scope_name`: whose."""

    scope_name: str
    since: date
    before: Money
    after: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEvidence(Evidence):
    """A rule's verdict when its alert last changed. US dollars of the judged day, hour or days, from float copies.

    `about` is the scope that it is about: the alert's own, or one that is the same incident. `cause` is one sentence
    that a person can check by hand, `inputs` what it leans on. `days` are the UTC days that
    `actual` covers. `since` is when the incident began, `impact` its excess in all; None where the kind does not add it
    up. `hour` is the beginning of the judged hour, None where days were judged. `falls`: too little was spent.
    `contributions` hold the excess of the scopes below and beside. `strained_budget` is the name of the budget that is
    used up first if it goes on, `used_up_on` that day in its zone.
    `calm_since`: since when the scope is
    back to normal, None while it is not; `closes_at`: when the alert ends if it stays so.
    `severity_reason`: why it is as severe as it is, in a few words. `billed`: the settled bill of the day, where it
    contradicts what the alert was fired on. `level`: the new level with whose acceptance it ended.
    `heard` is what the messages say that cannot be edited; None in what an older release stored.
    """

    repeats: ClassVar[bool] = True
    takes_feedback: ClassVar[bool] = True

    kind: Literal["rule"] = "rule"
    rule_id: str
    rule_name: str
    rule_kind: str
    scope_name: str
    actual: Money
    expected: Money
    unit: str
    cause: str
    inputs: tuple[tuple[str, str], ...]
    days: tuple[date, ...]
    since: datetime | None = None
    impact: Money | None = None
    falls: bool = False
    about: ScopeKey | None = None
    hour: datetime | None = None
    strained_budget: str = ""
    used_up_on: date | None = None
    severity_reason: str = ""
    billed: Money | None = None
    calm_since: datetime | None = None
    closes_at: datetime | None = None
    level: LevelChange | None = None
    heard: Heard | None = field(default=None, compare=False, repr=False)

    @property
    def excess(self) -> Money:
        """How far it is from what was expected, in the direction that the rule objects to."""
        return self.expected - self.actual if self.falls else self.actual - self.expected

    @property
    def excess_a_day(self) -> Money | None:
        """The excess in 24 hours, if it goes on; None where the unit says nothing of days to come."""
        by = _A_DAY.get(self.unit)
        return None if by is None else self.excess * Decimal(by)

    @property
    def origin(self) -> OriginRef:
        return OriginRef(OriginKind.RULE, self.rule_id, self.rule_name)

    @property
    def labels(self) -> Mapping[str, str]:
        return {"rule_kind": self.rule_kind}

    @property
    def figure(self) -> Money:
        """The excess of the whole incident, where the kind adds it up."""
        return self.excess if self.impact is None else self.impact

    @property
    def is_calm(self) -> bool:
        return self.calm_since is not None

    @property
    def measured(self) -> Money:
        return self.actual

    @property
    def whole(self) -> Money:
        return self.excess

    @property
    def at_detection(self) -> Money:
        return self.impact or self.excess

    def moved_since(self, shown: Evidence) -> Trend | None:
        """Compares the excess of the whole incident where both know it, else of the judged day alone.

        Too much and too little, or two kinds' figures, cannot be compared: then the message is corrected.
        """
        if not isinstance(shown, RuleEvidence):
            return None
        if shown.is_calm is not self.is_calm:
            return Trend.CALM if self.is_calm else Trend.RETURNED
        if (shown.rule_kind, shown.falls) != (self.rule_kind, self.falls):
            return Trend.RESTATED
        if shown.heard is not None and self._corrects(shown.heard):
            return Trend.CORRECTED
        if shown.impact is not None and self.impact is not None:
            return material_trend(shown.impact, self.impact)
        return material_trend(shown.excess, self.excess)

    def _corrects(self, heard: Heard) -> bool:
        """Whether it is another figure of the same: of days that were over, or of an incident that cannot shrink.

        A later day, or a longer incident, is how it goes on; that an hour grows is the report that fills up.
        """
        change = self.figure - heard.excess
        if heard.about != self.about or abs(change) < abs(heard.excess) * MATERIAL_CORRECTION:
            return False
        same_days = (heard.days, heard.hour) == (self.days, self.hour)
        if self.figure > heard.excess:
            return same_days and self.hour is None and heard.was_over
        return same_days or (self.impact is not None and heard.since == self.since)

    def spoken(self, say: Callable[[str], str]) -> RuleEvidence:
        return replace(self, scope_name=say(self.scope_name), cause=say(self.cause))

    def announced(self, at: datetime, shown: Evidence | None = None) -> RuleEvidence:
        before = shown.heard.excess if isinstance(shown, RuleEvidence) and shown.heard else None
        was_over = all(utc_day(day).end <= at for day in self.days)
        told = dict(shown.heard.told) if isinstance(shown, RuleEvidence) and shown.heard else {}
        for scope, amount in self._told():
            told[scope] = max(amount, told.get(scope, amount))
        heard = Heard(self.figure, self.about, self.days, self.hour, self.since, was_over, before, tuple(told.items()))
        return replace(self, heard=heard)

    def _told(self) -> Iterator[tuple[ScopeKey, Money]]:
        times = Decimal(_A_DAY.get(self.unit, 0))
        if times and self.about is not None:
            yield self.about, self.excess * times
            yield from ((part.scope, part.amount * times) for part in self.contributions)

    def is_new_beside(self, heard: Heard) -> bool:
        """Whether everybody heard of less than two thirds of it a day, or nothing of its scope."""
        a_day, told = self.excess_a_day, dict(heard.told)
        if self.about not in told or a_day is None:
            return True
        return a_day >= told[self.about] * (1 + MATERIAL_CORRECTION)

    def edited_in(self, shown: Evidence) -> RuleEvidence:
        return replace(self, heard=shown.heard if isinstance(shown, RuleEvidence) else None)

    def trend_since(self, shown: Evidence) -> Trend:
        if shown.is_calm is not self.is_calm:
            return Trend.CALM if self.is_calm else Trend.RETURNED
        if isinstance(shown, RuleEvidence) and shown.falls != self.falls:
            return Trend.RESTATED
        return Evidence.trend_since(self, shown)
