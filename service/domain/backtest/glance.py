"""Short cuts of a replay: cells that are added up, and scopes that are left out. They never change what is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from service.domain.backtest.history import Recorded
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule, Verdict
from service.domain.rules.verdicts import objected
from service.domain.rules.view import SpendView
from service.domain.spend.best_known import EstimatedDay, SpendDay
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, ScopeKey


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
    """The dimensions whose members the rule tells apart, in its scope or for an alert; None: sums do not suffice."""
    filters = {
        Dimension.WORKSPACE: rule.scope.workspaces,
        Dimension.MODEL: rule.scope.models,
        Dimension.API_KEY: rule.scope.api_keys,
    }
    own = frozenset([dimension for dimension, ids in filters.items() if ids or dimension is rule.for_each])
    more = kind_of(rule).backtesting.dimensions(rule)
    return None if more is None else own | more


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
