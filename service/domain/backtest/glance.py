"""Short cuts of a replay: cells that are added up, and scopes that are left out. They never change what is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from service.domain.backtest.history import Announced, Recorded
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule, Verdict
from service.domain.rules.verdicts import objected
from service.domain.rules.view import SpendView
from service.domain.spend.best_known import EstimatedDay, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Grain, ScopeKey


def merged(recorded: Recorded, rule: Resource[Rule[object]]) -> Recorded:
    """The same past with the cells added up that no scope of the rule tells apart.

    Left as it is where cells have a say beyond their sum: in planned activities, and in whether a fall is believed.
    """
    told_apart = grain_of(rule.spec, recorded.planned)
    if told_apart is None:
        return recorded
    homes: dict[Cell, Cell | None] = {}
    versions = []
    for version in recorded.versions:
        parts: dict[Cell, list[SpendDay]] = {}
        for cell, known in version.cells.items():
            if cell not in homes:
                homes[cell] = _along(cell, told_apart) if rule.spec.scope.holds(cell) else None
            home = homes[cell]
            if home is not None:
                parts.setdefault(home, []).append(known)
        versions.append(replace(version, cells={home: _sum(own) for home, own in parts.items()}))
    hours = recorded.hours and replace(
        recorded.hours, cells=[_along(cell, told_apart) for cell in recorded.hours.cells]
    )
    return replace(recorded, versions=versions, hours=hours)


def grain_of(rule: Rule[object], planned: Sequence[Announced]) -> Grain | None:
    """The dimensions whose members the rule tells apart, in its scope or for an alert; None: sums do not suffice."""
    if planned:
        return None
    own = frozenset([dimension for dimension, ids in rule.scope.filters.items() if ids or dimension is rule.for_each])
    more = kind_of(rule).backtesting.dimensions(rule)
    return None if more is None else own | more


def _sum(parts: Sequence[SpendDay]) -> SpendDay:
    if len(parts) == 1:
        return parts[0]
    used = [part.estimate for part in parts]
    return SpendDay(
        Spend.sum([part.spend for part in parts]),
        EstimatedDay(
            cost=Money.total([each.cost for each in used]),
            priority=Money.total([each.priority for each in used]),
            unpriced_tokens=sum([each.unpriced_tokens for each in used]),
            input_tokens=sum([each.input_tokens for each in used]),
            cache_read_tokens=sum([each.cache_read_tokens for each in used]),
            output_tokens=sum([each.output_tokens for each in used]),
        ),
    )


def _along(cell: Cell, dimensions: Collection[Dimension]) -> Cell:
    return cell.at(frozenset(dimensions))


def candidates(rule: Rule[object], verdicts: Mapping[ScopeKey, Verdict]) -> frozenset[ScopeKey]:
    """The scopes that may fire at this rule's setting; at a stricter one no others can."""
    waits = bool(rule.gates.pending_for)
    return frozenset(
        key
        for key, verdict in objected(verdicts).items()
        if verdict.stands and (waits or key == ORGANISATION or verdict.observation.stands_alone)
    )


def narrowed(view: SpendView, rule: Rule[object], scopes: Collection[ScopeKey]) -> SpendView:
    """The view of these scopes alone, where the others have no say in what is found of them."""
    if rule.for_each is None or kind_of(rule).backtesting.dimensions(rule) != frozenset():
        return view
    members = view.members(rule.for_each, rule.scope)
    return view.only(cell for scope in scopes for cell in members.get(scope, ()))
