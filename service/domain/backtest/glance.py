"""Short cuts of a replay: what need not be told apart, and what cannot ring. They never change what is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from service.domain.backtest.history import Recorded
from service.domain.rules.kinds import change
from service.domain.rules.kinds.anomaly.ground import ground, judges
from service.domain.rules.kinds.anomaly.rule import Anomaly, Direction
from service.domain.rules.kinds.change import Change
from service.domain.rules.rule import Rule, RuleKind, Verdict
from service.domain.rules.view import SpendView
from service.domain.spend.best_known import EstimatedDay, SpendDay
from service.domain.spend.lateness import JUDGED_AGAIN_DAYS
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, ScopeKey

APART = frozenset({RuleKind.CHANGE, RuleKind.DORMANT_WOKE, RuleKind.CACHE_COLLAPSE, RuleKind.PRIORITY_TIER})
"""Kinds that judge each scope by nothing but its own figures."""


def merged(recorded: Recorded, rule: Resource[Rule[object]]) -> Recorded:
    """The same past with the cells added up that no scope of the rule tells apart.

    Left as it is where cells have a say beyond their sum: in planned activities, and in whether a fall is believed.
    """
    told_apart = _told_apart(rule.spec)
    if told_apart is None or recorded.planned:
        return recorded
    cells: dict[Cell, Cell] = {}
    versions = []
    for version in recorded.versions:
        sums: dict[Cell, SpendDay] = {}
        for cell, known in version.cells.items():
            if rule.spec.scope.holds(cell):
                home = cells.setdefault(cell, _along(cell, told_apart))
                sums[home] = _sum(sums[home], known) if home in sums else known
        versions.append(replace(version, cells=sums))
    hours = recorded.hours and replace(
        recorded.hours, cells=[_along(cell, told_apart) for cell in recorded.hours.cells]
    )
    return replace(recorded, versions=versions, hours=hours)


def _told_apart(rule: Rule[object]) -> frozenset[Dimension] | None:
    """The dimensions that the rule tells members of apart, in its scope or for an alert; None where it asks for more
    than their sums."""
    filters = {
        Dimension.WORKSPACE: rule.scope.workspaces,
        Dimension.MODEL: rule.scope.models,
        Dimension.API_KEY: rule.scope.api_keys,
    }
    own = frozenset([dimension for dimension, ids in filters.items() if ids or dimension is rule.for_each])
    if rule.kind in APART:
        return own
    if isinstance(rule.params, Anomaly) and rule.params.direction is Direction.UP:
        return own | frozenset(rule.params.levels)
    return None


def _sum(one: SpendDay, other: SpendDay) -> SpendDay:
    mine, theirs = one.estimate, other.estimate
    return SpendDay(
        one.spend + other.spend,
        EstimatedDay(
            cost=mine.cost + theirs.cost,
            priority=mine.priority + theirs.priority,
            unpriced_tokens=mine.unpriced_tokens + theirs.unpriced_tokens,
            input_tokens=mine.input_tokens + theirs.input_tokens,
            cache_read_tokens=mine.cache_read_tokens + theirs.cache_read_tokens,
            output_tokens=mine.output_tokens + theirs.output_tokens,
        ),
    )


def _along(cell: Cell, dimensions: Collection[Dimension]) -> Cell:
    return Cell(
        cell.workspace if Dimension.WORKSPACE in dimensions else "",
        cell.model if Dimension.MODEL in dimensions else "",
        cell.api_key if Dimension.API_KEY in dimensions else "",
    )


def may_ring(view: SpendView, rule: Rule[object]) -> bool:
    """False only where no scope can ring at this instant: of the scopes that may, no judged day is unusual.

    Of kinds without a cheap answer it is True. So it is where a rule waits before it rings: then what does not ring
    has to be remembered.
    """
    if not isinstance(rule.params, Anomaly) or rule.gates.pending_for or view.hours is not None:
        return True
    stands = ground(view, rule.scope)
    if not stands.cells:
        return False
    days = judges(stands, rule.params.sensitivity, ()).days
    last = days.open_day
    stirring = days.stirring(range(last, max(-1, last - JUDGED_AGAIN_DAYS - 1), -1))
    return any(stands.keys[row].dimension in ringing_levels(rule) for row in stirring)


def ringing_levels(rule: Rule[object]) -> frozenset[Dimension]:
    """The dimensions whose members may ring, the organisation always among them."""
    levels = rule.params.levels if isinstance(rule.params, Anomaly) else ()
    return frozenset({*levels, Dimension.ORGANISATION, *([rule.for_each] if rule.for_each else [])})


def exceeding(view: SpendView, rule: Rule[object]) -> frozenset[ScopeKey] | None:
    """The scopes that may ring, now or once they have held; None of a kind without a cheap answer."""
    if isinstance(rule.params, Change):
        typed: Rule[Change] = replace(rule, params=rule.params)  # type: ignore[assignment]
        return change.exceeding(view, typed)
    return None


def candidates(rule: Rule[object], verdicts: Mapping[ScopeKey, Verdict]) -> frozenset[ScopeKey]:
    """The scopes that may ring at this rule's setting; at a stricter one no others can."""
    waits = bool(rule.gates.pending_for)
    return frozenset(
        key
        for key, verdict in verdicts.items()
        if verdict.stands and (waits or key == ORGANISATION or verdict.observation.stands_alone)
    )


def narrowed(view: SpendView, rule: Rule[object], scopes: Collection[ScopeKey]) -> SpendView:
    """The view of these scopes alone, where the others have no say in what is found of them."""
    if rule.for_each is None or rule.kind not in APART:
        return view
    members = view.members(rule.for_each, rule.scope)
    return view.only(cell for scope in scopes for cell in members.get(scope, ()))
