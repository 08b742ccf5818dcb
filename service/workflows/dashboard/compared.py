"""Spend of a window by group, beside the same length of time before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.values.money import Money
from service.domain.values.names import Names, name_of
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import buckets, require_affordable

MOST_GROUPS, MOST_BEFORE = 50, 500


@dataclass(frozen=True, slots=True)
class ComparedGroup:
    """`before` is what was spent in as much time before; None where that is not among what is read of it."""

    key: ScopeKey
    name: str
    figure: Figure
    before: Money | None


@dataclass(frozen=True, slots=True)
class ComparedSpend:
    """`rest` is of the groups that are left out. Days are all of the window's."""

    total: Figure
    before: Money
    days: tuple[tuple[datetime, Figure], ...]
    groups: tuple[ComparedGroup, ...]
    rest: Money


async def compared(uow: UnitOfWork, question: SpendQuestion) -> ComparedSpend:
    """Answers by day and by group. Raises Invalid for a question that is too large."""
    await require_affordable(uow, question)
    window = question.window
    earlier = replace(question, window=Window(window.start - (window.end - window.start), window.start))
    now, then = await uow.facts.largest(question, MOST_GROUPS), await uow.facts.largest(earlier, MOST_BEFORE)
    names = await uow.directory.names(question.source_id, {key for key, _ in now.groups})
    shown = Money.total(figure.spend.total for _, figure in now.groups)
    return ComparedSpend(
        total=now.total,
        before=then.total.spend.total,
        days=await _days(uow, replace(question, group_by=Dimension.ORGANISATION)),
        groups=tuple(_groups(now.groups, dict(then.groups), names)),
        rest=now.total.spend.total - shown,
    )


def _groups(
    groups: Sequence[tuple[ScopeKey, Figure]], then: Mapping[ScopeKey, Figure], names: Names
) -> list[ComparedGroup]:
    whole = len(then) < MOST_BEFORE
    return [
        ComparedGroup(key, name_of(key, names), figure, _before(then.get(key), whole=whole)) for key, figure in groups
    ]


def _before(figure: Figure | None, *, whole: bool) -> Money | None:
    """Who is not among all groups has spent nothing."""
    if figure is not None:
        return figure.spend.total
    return Figure().spend.total if whole else None


async def _days(uow: UnitOfWork, question: SpendQuestion) -> tuple[tuple[datetime, Figure], ...]:
    days = list(buckets(question.window, question.width))
    found = await uow.facts.figures_by_bucket(question, len(days))
    return tuple((day.start, sum(found.figures.get(day.start, {}).values(), Figure())) for day in days)
