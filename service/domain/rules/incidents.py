"""From many firing scopes to few incidents: one incident is one alert, of the highest scope that explains it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from service.domain.alerts.evidence import Contribution
from service.domain.rules.rule import Observation, Verdict
from service.domain.rules.verdicts import objected
from service.domain.rules.view import SpendView
from service.domain.rules.wording import approximate
from service.domain.values.names import Names, name_of
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey

LEVELS = (
    Dimension.ORGANISATION,
    Dimension.WORKSPACE,
    Dimension.PRODUCT,
    Dimension.MODEL,
    Dimension.API_KEY,
    Dimension.ACTOR,
)
"""From the highest down."""
MOST_CONTRIBUTIONS = 10
"""Contributions of each dimension in an alert's evidence."""


@dataclass(frozen=True, slots=True)
class Incident:
    """The content of one alert. `scope` is whose alert it is: one that is there already where `amends`, else a new one.

    `found` is the scope whose incident goes on longest, the largest of these, with its verdict; `contributions` are the
    scopes below and beside it, the largest share of the excess first.
    """

    scope: ScopeKey
    amends: bool
    found: ScopeKey
    verdict: Verdict
    contributions: tuple[Contribution, ...]


Span = tuple[date, date]
"""The first and the last UTC day of an incident."""


@dataclass(frozen=True, slots=True)
class AlertDays:
    """The days that an alert of a scope is about. `is_present`: it is open, or a person has resolved it meanwhile; one
    that has ended by itself takes in nothing new. `told`: the scopes that it has named.
    """

    days: Span
    is_present: bool = True
    told: frozenset[ScopeKey] = frozenset()


NO_ALERTS: Mapping[ScopeKey, AlertDays] = {}


def incidents(
    view: SpendView, verdicts: Mapping[ScopeKey, Verdict], alerts: Mapping[ScopeKey, AlertDays] = NO_ALERTS
) -> list[Incident]:
    """One incident for every alert that one rule's verdicts open or amend, the largest excess first.

    `verdicts` are those of all levels, firing or not; `alerts` the scopes that have an alert of the rule. Only what
    happened at the same time is the same incident.
    """
    firing = firing_alone(verdicts)
    if not firing:
        return []
    kinship = _Kinship(Family.of(view), firing, alerts, view.today, verdicts)
    homes: dict[ScopeKey, list[ScopeKey]] = {}
    for key in sorted(kinship.tops(), key=lambda key: _size(firing[key]), reverse=True):
        homes.setdefault(kinship.home_among(homes, key), []).append(key)
    found = [_incident(view, kinship.family, verdicts, home, keys, home in alerts) for home, keys in homes.items()]
    return sorted(found, key=lambda incident: _size(incident.verdict), reverse=True)


def firing_alone(verdicts: Mapping[ScopeKey, Verdict]) -> dict[ScopeKey, Verdict]:
    return {
        key: verdict
        for key, verdict in objected(verdicts).items()
        if verdict.fires and verdict.observation.stands_alone
    }


def span_of(seen: Observation, today: date) -> Span:
    """The days of the incident that an observation is about; today where the kind names none."""
    days = seen.days or (today,)
    return (seen.since.date() if seen.since else min(days), max(days))


def meet(one: Span, other: Span) -> bool:
    """Whether two incidents share a day."""
    return one[0] <= other[1] and other[0] <= one[1]


def covers(above: Span, below: Span) -> bool:
    """Whether one incident says all that is new of another: they share a day, and the other goes on no longer."""
    return meet(above, below) and below[1] <= above[1]


@dataclass(frozen=True, slots=True)
class _Kinship:
    """Which firing scopes are one incident, and whose alert it is."""

    family: Family
    firing: Mapping[ScopeKey, Verdict]
    alerts: Mapping[ScopeKey, AlertDays]
    today: date
    verdicts: Mapping[ScopeKey, Verdict]

    def tops(self) -> list[ScopeKey]:
        """Scopes that no other firing scope explains, or that have an alert of their own about these days."""
        return [
            key
            for key in self.firing
            if self._has_alert(key) or not any(self._explains(other, key) for other in self.firing)
        ]

    def home(self, key: ScopeKey) -> ScopeKey:
        """The scope whose alert a firing one belongs to: its own, else that of the highest relative, else a new one.

        Relatives lie in one another, or share most of their dollars, on the same days. So are two of a level, where the
        whole organisation is up meanwhile, from then on.
        """
        if key in self.alerts:
            return key
        relatives = [other for other in self.alerts if self._are_one(key, other) and self._takes_in(other, key)]
        inside = dict(self.firing[key].observation.parts or ())
        return min(
            relatives,
            key=lambda other: (LEVELS.index(other.dimension), -inside.get(other, 0.0), other.id),
            default=key,
        )

    def home_among(self, homes: Iterable[ScopeKey], key: ScopeKey) -> ScopeKey:
        """The same, beside new alerts that others open at the same time."""
        home = self.home(key)
        return home if home in self.alerts else next((one for one in homes if self._rise_at_once(home, one)), home)

    def _rise_at_once(self, key: ScopeKey, other: ScopeKey) -> bool:
        if other not in self.firing or key.dimension is not other.dimension:
            return False
        return meet(self._span(key), self._span(other)) and self._all_is_up()

    def _has_alert(self, key: ScopeKey) -> bool:
        known = self.alerts.get(key)
        return known is not None and known.is_present and meet(known.days, self._span(key))

    def _takes_in(self, other: ScopeKey, key: ScopeKey) -> bool:
        known, now = self.alerts[other], self._span(key)
        return meet(self._grown(other), now) if known.is_present else covers(known.days, now)

    def _span(self, key: ScopeKey) -> Span:
        return span_of(self.firing[key].observation, self.today)

    def _grown(self, key: ScopeKey) -> Span:
        """The days that an alert is about: what it reported, and what has come to that since."""
        known = self.alerts[key].days
        if key not in self.firing or not meet(known, self._span(key)):
            return known
        now = self._span(key)
        return min(known[0], now[0]), max(known[1], now[1])

    def _explains(self, above: ScopeKey, below: ScopeKey) -> bool:
        """A scope explains what lies in it, and what crosses it on a lower level with most of its dollars inside."""
        higher = LEVELS.index(above.dimension) < LEVELS.index(below.dimension)
        inside = self.family.contains(above, below) or (higher and _lies_mostly_in(self.firing[below], above))
        return inside and covers(self._span(above), self._span(below))

    def _all_is_up(self) -> bool:
        """Whether the organisation is well above its usual, whether it fires yet or not."""
        calm = self.verdicts[ORGANISATION].observation.calm if ORGANISATION in self.verdicts else None
        return calm is not None and calm.up

    def _are_one(self, key: ScopeKey, other: ScopeKey) -> bool:
        return (
            self.family.contains(other, key)
            or self.family.contains(key, other)
            or _lies_mostly_in(self.firing[key], other)
            or (other in self.firing and _lies_mostly_in(self.firing[other], key))
            or (key.dimension is other.dimension and (key in self.alerts[other].told or self._all_is_up()))
        )


def _lies_mostly_in(verdict: Verdict, other: ScopeKey) -> bool:
    """Whether at least half of a scope's excess was spent inside another one."""
    seen = verdict.observation
    return dict(seen.parts or ()).get(other, 0.0) * 2 >= seen.excess > 0


def _size(verdict: Verdict) -> float:
    """The cost of an incident; its excess where that was not added up. Excesses of hours and days do not compare."""
    seen = verdict.observation
    return seen.excess if math.isnan(seen.impact) else seen.impact


@dataclass(frozen=True, slots=True)
class Family:
    """Which scope lies in which. `workspaces`: by API key, the workspaces of its cells."""

    workspaces: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, view: SpendView) -> Family:
        found: dict[str, set[str]] = {}
        for cell in (*view.cells, *(view.hours.cells if view.hours else ())):
            found.setdefault(cell.api_key, set()).add(cell.workspace)
        return cls({api_key: frozenset(ids) for api_key, ids in found.items()})

    def home_of(self, key: ScopeKey, names: Names) -> str:
        """The name of the only workspace that an API key spends in; empty for all else."""
        ids = self.workspaces.get(key.id, frozenset()) if key.dimension is Dimension.API_KEY and key.id else ()
        return name_of(ScopeKey(Dimension.WORKSPACE, *ids), names) if len(ids) == 1 else ""

    def contains(self, above: ScopeKey, below: ScopeKey) -> bool:
        """Organisation over all; workspace over API key. A model and a workspace cross: neither contains the other."""
        if above == ORGANISATION:
            return below != ORGANISATION
        if above.dimension is not Dimension.WORKSPACE or below.dimension is not Dimension.API_KEY:
            return False
        return above.id in self.workspaces.get(below.id, frozenset())


def _incident(
    view: SpendView,
    family: Family,
    verdicts: Mapping[ScopeKey, Verdict],
    home: ScopeKey,
    keys: Sequence[ScopeKey],
    amends: bool,
) -> Incident:
    found = max(keys, key=lambda key: (span_of(verdicts[key].observation, view.today)[1], _size(verdicts[key])))
    moved: dict[ScopeKey, float] = {}
    for top in keys:
        for key, dollars in _below(family, verdicts, top).items():
            moved[key] = max(moved.get(key, 0.0), dollars)
    whole = verdicts[found].observation
    others = {key: verdicts[key].observation for key in keys if key != found}
    moved |= {key: other.excess for key, other in others.items() if other.falls == whole.falls}
    moved.pop(found, None)
    return Incident(
        home, amends, found, verdicts[found], _contributions(view, family, moved, _spent(verdicts, found, moved))
    )


def _below(family: Family, verdicts: Mapping[ScopeKey, Verdict], top: ScopeKey) -> dict[ScopeKey, float]:
    """Parts that moved the same way in or across a scope. Its own parts are about the same time as its excess."""
    whole = verdicts[top].observation
    if whole.parts is not None:
        return {key: dollars for key, dollars in whole.parts if not family.contains(key, top)}
    below = {key: verdicts[key].observation for key in verdicts if family.contains(top, key)}
    return {key: part.excess for key, part in below.items() if part.falls == whole.falls and part.excess > 0}


def _spent(verdicts: Mapping[ScopeKey, Verdict], top: ScopeKey, parts: Iterable[ScopeKey]) -> dict[ScopeKey, float]:
    """All that each part spent in the time that its excess is about, as far as that is known."""
    whole = verdicts[top].observation
    if whole.parts is not None:
        return dict(whole.spent_inside)
    seen = {key: verdicts[key].observation for key in parts if key in verdicts}
    return {key: each.actual for key, each in seen.items() if each.days == whole.days}


def _contributions(
    view: SpendView, family: Family, moved: Mapping[ScopeKey, float], spent: Mapping[ScopeKey, float]
) -> tuple[Contribution, ...]:
    """The largest first. Each dimension divides the same excess again, so each is ranked by itself."""
    ranked = sorted(moved, key=lambda key: (-moved[key], str(key)))
    chosen = {key for level in LEVELS for key in [key for key in ranked if key.dimension is level][:MOST_CONTRIBUTIONS]}
    largest = [key for key in ranked if key in chosen and math.isfinite(moved[key]) and moved[key] > 0]
    return tuple(
        Contribution(
            key,
            name_of(key, view.names),
            approximate(moved[key]),
            spent=approximate(spent[key]) if math.isfinite(spent.get(key, math.nan)) else None,
            within=family.home_of(key, view.names),
        )
        for key in largest
    )
