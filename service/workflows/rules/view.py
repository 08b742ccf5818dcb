"""Loading the view of a source's spend that rules are evaluated on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from service.domain.rules.evaluation import days_needed, grain_needed, hours_needed
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule
from service.domain.rules.view import LEARNING_DAYS, KnownFigures, SpendView
from service.domain.sources.source import People, Source, SourceKind, SourceState
from service.domain.spend.claude_code import ClaudeCodeDay
from service.domain.values.names import Names
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import SPENDERS, Grain
from service.domain.values.utc import DAY, day_start
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import names_of

Rules = Sequence[Resource[Rule[object]]]


async def load_view(uow: UnitOfWork, source: Resource[Source], rules: Rules, now: datetime) -> SpendView:
    """The spend of a source as it is known now, with as much of the past as these rules look at."""
    state = await uow.polling_states.get(source.id)
    return await load_view_in(uow, source, rules, now, state, await names_of(uow, state))


async def load_view_at(uow: UnitOfWork, source: Resource[Source], rules: Rules, at: datetime) -> SpendView:
    """The same as it was known at a past instant."""
    days, hours = _reach(rule.spec for rule in rules)
    figures = await uow.facts.figures_at(source.id, at, days=days, hours=hours, grain=_grain(source, rules))
    names = await names_of(uow, await uow.polling_states.get(source.id))
    return await _view(uow, source, figures, names, polling=None)


async def load_view_in(
    uow: UnitOfWork, source: Resource[Source], rules: Rules, now: datetime, state: SourceState, names: Names
) -> SpendView:
    """The same in a transaction that has read the polling state and the names already."""
    days, hours = _reach(rule.spec for rule in rules)
    figures = await uow.facts.figures(source.id, now, days=days, hours=hours, grain=_grain(source, rules))
    view = await _view(uow, source, figures, names, polling=state)
    return replace(view, claude_code=await _claude_code(uow, source.id, rules, now))


async def _claude_code(uow: UnitOfWork, source_id: str, rules: Rules, now: datetime) -> Sequence[ClaudeCodeDay]:
    """The days of people's use of Claude Code that these rules look at, today among them."""
    days, today = max((kind_of(rule.spec).claude_code_days for rule in rules), default=0), day_start(now)
    return await uow.claude_code.days(source_id, Window(today - days * DAY, today + DAY)) if days else ()


def _grain(source: Resource[Source], rules: Rules) -> Grain:
    """Tells actors and products apart where people are known at all: then any alert may name who it was."""
    return SPENDERS if source.spec.people is not People.OFF else grain_needed([rule.spec for rule in rules])


async def _view(
    uow: UnitOfWork, source: Resource[Source], figures: KnownFigures, names: Names, *, polling: SourceState | None
) -> SpendView:
    return SpendView(
        source_id=source.id,
        as_of=figures.as_of,
        days=figures.days,
        cells=figures.cells,
        unknown_days=figures.unknown_days,
        settled_until=figures.settled_until,
        late_since=figures.late_since,
        names=names,
        simulated=source.spec.kind is SourceKind.SIMULATOR,
        planned=await planned_for(uow, source.id, figures.as_of),
        polling=polling,
        hours=figures.hours,
        assumed_share=figures.assumed_share,
        locality=source.spec.locality,
        memo=figures.memo,
    )


async def planned_for(uow: UnitOfWork, source_id: str, at: datetime) -> tuple[PlannedActivity, ...]:
    """The activities that had been announced by an instant."""
    return tuple(
        activity.spec
        for activity in await uow.planned.readable()
        if activity.spec.source_id == source_id and activity.created_at <= at
    )


def _reach(rules: Iterable[Rule[object]]) -> tuple[int, int]:
    listed = list(rules)
    return max(map(days_needed, listed), default=LEARNING_DAYS), max(map(hours_needed, listed), default=0)
