"""From many ringing scopes to few incidents: one incident is one alert, of the highest scope that explains it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from service.domain.alerts import Contribution
from service.domain.names import name_of
from service.domain.rules.rule import Verdict
from service.domain.rules.view import SpendView
from service.domain.rules.wording import approximate
from service.domain.scopes import ORGANISATION, Dimension, ScopeKey

LEVELS = (Dimension.ORGANISATION, Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY)
"""From the highest down."""
MOST_CONTRIBUTIONS = 10
"""Of each dimension, in an alert's evidence."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What one alert is to say. `scope` is whose alert it is: an open one where `amends`, else a new one.

    `found` is the highest scope that rings just now, with its verdict; `contributions` are the scopes below and beside
    it, the largest share of the excess first.
    """

    scope: ScopeKey
    amends: bool
    found: ScopeKey
    verdict: Verdict
    contributions: tuple[Contribution, ...]


def incidents(
    view: SpendView, verdicts: Mapping[ScopeKey, Verdict], open_scopes: Collection[ScopeKey] = ()
) -> list[Incident]:
    """One incident for every alert that one rule's verdicts open or amend, the largest excess first.

    `verdicts` are those of all levels, ringing or not; `open_scopes` the scopes of the rule's open alerts.
    """
    family = Family.of(view)
    ringing = {key: verdict for key, verdict in verdicts.items() if verdict.rings and verdict.observation.stands_alone}
    tops = [key for key in ringing if not any(_explains(family, other, key, ringing[key]) for other in ringing)]
    homes: dict[ScopeKey, list[ScopeKey]] = {}
    for key in tops:
        homes.setdefault(_home(family, key, ringing, open_scopes), []).append(key)
    found = [_incident(view, family, verdicts, home, keys, home in open_scopes) for home, keys in homes.items()]
    return sorted(found, key=lambda incident: _size(incident.verdict), reverse=True)


def _explains(family: Family, above: ScopeKey, below: ScopeKey, verdict: Verdict) -> bool:
    """A scope explains what lies in it, and what crosses it on a lower level with most of its dollars inside."""
    higher = LEVELS.index(above.dimension) < LEVELS.index(below.dimension)
    return family.contains(above, below) or (higher and _lies_mostly_in(verdict, above))


def _lies_mostly_in(verdict: Verdict, other: ScopeKey) -> bool:
    """Whether at least half of a scope's excess was spent inside another one."""
    seen = verdict.observation
    return dict(seen.parts or ()).get(other, 0.0) * 2 >= seen.excess > 0


def _home(
    family: Family, key: ScopeKey, ringing: Mapping[ScopeKey, Verdict], open_scopes: Collection[ScopeKey]
) -> ScopeKey:
    """Whose alert a ringing scope belongs to: its own, else the highest open relative's, else a new one.

    Relatives lie in one another, or share most of their dollars.
    """
    if key in open_scopes:
        return key
    relatives = [
        other
        for other in open_scopes
        if family.contains(other, key)
        or family.contains(key, other)
        or _lies_mostly_in(ringing[key], other)
        or (other in ringing and _lies_mostly_in(ringing[other], key))
    ]
    return min(relatives, key=lambda other: (LEVELS.index(other.dimension), other.id), default=key)


def _size(verdict: Verdict) -> float:
    """What an incident has cost; its excess where that was not added up. Excesses of hours and days do not compare."""
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
    found = max(keys, key=lambda key: _size(verdicts[key]))
    moved: dict[ScopeKey, float] = {}
    for top in keys:
        for key, dollars in _below(family, verdicts, top).items():
            moved[key] = max(moved.get(key, 0.0), dollars)
    whole = verdicts[found].observation
    others = {key: verdicts[key].observation for key in keys if key != found}
    moved |= {key: other.excess for key, other in others.items() if other.falls == whole.falls}
    moved.pop(found, None)
    return Incident(home, amends, found, verdicts[found], _contributions(view, moved))


def _below(family: Family, verdicts: Mapping[ScopeKey, Verdict], top: ScopeKey) -> dict[ScopeKey, float]:
    """What moved the same way in or across a scope. Its own parts are about the same time as its excess."""
    whole = verdicts[top].observation
    if whole.parts is not None:
        return {key: dollars for key, dollars in whole.parts if not family.contains(key, top)}
    below = {key: verdict.observation for key, verdict in verdicts.items() if family.contains(top, key)}
    return {key: part.excess for key, part in below.items() if part.falls == whole.falls and part.excess > 0}


def _contributions(view: SpendView, moved: Mapping[ScopeKey, float]) -> tuple[Contribution, ...]:
    """The largest first. Each dimension divides the same excess anew, so each is ranked by itself."""
    ranked = sorted(moved, key=lambda key: (-moved[key], str(key)))
    chosen = {key for level in LEVELS for key in [key for key in ranked if key.dimension is level][:MOST_CONTRIBUTIONS]}
    largest = [key for key in ranked if key in chosen and math.isfinite(moved[key]) and moved[key] > 0]
    return tuple(Contribution(key, name_of(key, view.names), approximate(moved[key])) for key in largest)
