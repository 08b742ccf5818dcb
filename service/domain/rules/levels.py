"""From many ringing scopes to few incidents: one incident is one alert, of the highest scope that explains it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from service.domain.alerts import Contribution
from service.domain.names import name_of
from service.domain.rules.rule import Observation, Verdict
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
    ringing = [key for key, verdict in verdicts.items() if verdict.rings and _may_ring(key, verdict)]
    tops = [key for key in ringing if not any(family.contains(other, key) for other in ringing)]
    homes: dict[ScopeKey, list[ScopeKey]] = {}
    for key in tops:
        homes.setdefault(family.home(key, open_scopes), []).append(key)
    found = [_incident(view, family, verdicts, home, keys, home in open_scopes) for home, keys in homes.items()]
    return sorted(found, key=lambda incident: incident.verdict.observation.excess, reverse=True)


def _may_ring(key: ScopeKey, verdict: Verdict) -> bool:
    """The organisation has nothing above it that could explain it better."""
    return key == ORGANISATION or verdict.observation.stands_alone


@dataclass(frozen=True, slots=True)
class Family:
    """Which scope lies in which. `workspaces`: by API key, the workspaces of its cells."""

    workspaces: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, view: SpendView) -> Family:
        found: dict[str, set[str]] = {}
        for cell in view.cells:
            found.setdefault(cell.api_key, set()).add(cell.workspace)
        return cls({api_key: frozenset(ids) for api_key, ids in found.items()})

    def contains(self, above: ScopeKey, below: ScopeKey) -> bool:
        """Organisation over all; workspace over API key. A model and a workspace cross: neither contains the other."""
        if above == ORGANISATION:
            return below != ORGANISATION
        if above.dimension is not Dimension.WORKSPACE or below.dimension is not Dimension.API_KEY:
            return False
        return above.id in self.workspaces.get(below.id, frozenset())

    def home(self, key: ScopeKey, open_scopes: Collection[ScopeKey]) -> ScopeKey:
        """Whose alert a ringing scope belongs to: its own, else the highest open relative's, else a new one."""
        if key in open_scopes:
            return key
        relatives = [other for other in open_scopes if self.contains(other, key) or self.contains(key, other)]
        return min(relatives, key=lambda other: (LEVELS.index(other.dimension), other.id), default=key)


def _incident(
    view: SpendView,
    family: Family,
    verdicts: Mapping[ScopeKey, Verdict],
    home: ScopeKey,
    keys: Sequence[ScopeKey],
    amends: bool,
) -> Incident:
    found = max(keys, key=lambda key: verdicts[key].observation.excess)
    below = [key for key in verdicts if any(family.contains(top, key) for top in keys)]
    parts = {key: verdicts[key].observation for key in (*below, *keys) if key != found}
    contributions = _contributions(view, verdicts[found].observation, parts)
    return Incident(home, amends, found, verdicts[found], contributions)


def _contributions(
    view: SpendView, whole: Observation, parts: Mapping[ScopeKey, Observation]
) -> tuple[Contribution, ...]:
    """The parts that moved the same way. Each dimension divides the same excess anew, so each is ranked by itself."""
    excess = {key: part.excess for key, part in parts.items() if part.falls == whole.falls and part.excess > 0}
    ranked = sorted(excess, key=lambda key: (-excess[key], str(key)))
    chosen = [key for level in LEVELS for key in [key for key in ranked if key.dimension is level][:MOST_CONTRIBUTIONS]]
    largest = [key for key in ranked if key in set(chosen) and math.isfinite(excess[key])]
    return tuple(Contribution(key, name_of(key, view.names), approximate(excess[key])) for key in largest)
