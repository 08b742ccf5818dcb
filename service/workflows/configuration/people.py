"""Looks after what is by person: it needs a source that says who spent, else it would say $0.00 of everybody."""

from __future__ import annotations

from collections.abc import Mapping

from service.domain.budgets.budget import Budget
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule
from service.domain.sources.source import People, ReportFamily, Source
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension
from service.workflows.ports.unit_of_work import UnitOfWork


def knows_people(source: Source) -> bool:
    """Only the bill of the analytics reports names actors."""
    return source.people is not People.OFF and source.prefer is ReportFamily.ANALYTICS


async def require_people(uow: UnitOfWork, spec: Budget | Rule[object]) -> None:
    """Raises Invalid for what is by person, of a source that does not tell people apart."""
    pointer = next((where for where, named in _dimensions(spec).items() if Dimension.ACTOR in named), None)
    if pointer is None:
        return
    source = await uow.sources.get(spec.source_id)
    if not knows_people(source.spec):
        need = "set its people to hashed or names, and have it read the analytics reports"
        raise Invalid(f"source {source.name!r} does not say who spent: {need}", pointer)


def reads_claude_code(source: Source) -> bool:
    """Whether a source reads what each person's use of Claude Code is estimated to cost."""
    return source.claude_code and source.people is not People.OFF


async def require_claude_code(uow: UnitOfWork, spec: Rule[object]) -> None:
    """Raises Invalid for a rule about people's use of Claude Code, of a source that does not read it."""
    if not kind_of(spec).claude_code_days:
        return
    source = await uow.sources.get(spec.source_id)
    if not reads_claude_code(source.spec):
        need = "set its claude_code to true, and its people to hashed or names"
        raise Invalid(f"source {source.name!r} does not read people's use of Claude Code: {need}", "/kind")


async def refuse_unread(uow: UnitOfWork, stored: Resource[Source], spec: Source) -> None:
    """Raises Conflict where the stored source reads what its budgets and rules judge, and by `spec` no longer would."""
    if knows_people(stored.spec) and not knows_people(spec):
        await _refuse_by_person(uow, stored.id)
    if reads_claude_code(stored.spec) and not reads_claude_code(spec):
        await _refuse_claude_code(uow, stored.id)


async def _refuse_claude_code(uow: UnitOfWork, source_id: str) -> None:
    rules = [one for one in await uow.rules.readable() if one.spec.source_id == source_id]
    judging = [f"rule {one.name!r}" for one in rules if kind_of(one.spec).claude_code_days]
    if judging:
        raise Conflict(f"People's use of Claude Code is judged by {', '.join(judging)}: delete them first")


async def _refuse_by_person(uow: UnitOfWork, source_id: str) -> None:
    """Raises Conflict where a budget or a rule of the source is by person."""
    of_source: list[tuple[str, Budget | Rule[object]]] = [
        *((f"budget {one.name!r}", one.spec) for one in await uow.budgets.readable()),
        *((f"rule {one.name!r}", one.spec) for one in await uow.rules.readable()),
    ]
    by_person = [
        words
        for words, spec in of_source
        if spec.source_id == source_id and any(Dimension.ACTOR in named for named in _dimensions(spec).values())
    ]
    if by_person:
        raise Conflict(
            f"By person are {', '.join(by_person)}: change or delete them before the source stops saying who spent"
        )


def _dimensions(spec: Budget | Rule[object]) -> Mapping[str, frozenset[Dimension]]:
    """Returns the dimensions by which it tells spend apart, by where they are written."""
    levels = kind_of(spec).levels(spec.params) if isinstance(spec, Rule) else ()
    return {
        "/scope/actors": spec.scope.grain,
        "/for_each": frozenset({spec.for_each} if spec.for_each is not None else ()),
        "/params/levels": frozenset(levels),
    }
