"""Spend of a window by what it was for, and beside the time before it or what is usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from service.domain.spend.lines import LineDimension, LinePart, LineQuestion, SpendLine, keys_of, line_name
from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.names import Names
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension
from service.domain.values.utc import midnight
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import buckets, require_affordable

MOST_GROUPS, MOST_BEFORE = 50, 500
USUAL_WINDOWS = 4
"""How many windows before are what is usual, if so many are known."""


class Comparison(StrEnum):
    BEFORE = "before"
    """The same length of time, directly before."""
    USUAL = "usual"
    """The mean of the last four such times, or of as many whole ones as are known."""


@dataclass(frozen=True, slots=True)
class ComparedGroup:
    """`ids` and `names`: one of each dimension. `before`: None where it is not among what is read of that time."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    figure: Figure
    before: Money | None


@dataclass(frozen=True, slots=True)
class ComparedSpend:
    """`rest` is of the groups that are left out. Days are all of the window's. `windows` are compared with."""

    total: Figure
    before: Money
    windows: int
    days: tuple[tuple[datetime, Figure], ...]
    groups: tuple[ComparedGroup, ...]
    rest: Money


async def compared(
    uow: UnitOfWork, question: SpendQuestion, by: Sequence[LineDimension], comparison: Comparison
) -> ComparedSpend:
    """Answers by day and by group. Raises Invalid for a question that is too large."""
    windows = await _windows(uow, question, comparison)
    length = question.window.end - question.window.start
    earlier = replace(question, window=Window(question.window.start - length * windows, question.window.start))
    for one in (question, earlier):
        await require_affordable(uow, _as_read(one, by))
    now = await uow.facts.largest_lines(LineQuestion(question, tuple(by)), MOST_GROUPS)
    then = await uow.facts.largest_lines(LineQuestion(earlier, tuple(by)), MOST_BEFORE)
    names = await uow.directory.names(question.source_id, keys_of(by, now.lines))
    shown = Money.total(line.figure.spend.total for line in now.lines)
    return ComparedSpend(
        total=now.total,
        before=_mean(then.total.spend.total, windows),
        windows=windows,
        days=await _days(uow, replace(question, group_by=Dimension.ORGANISATION)),
        groups=tuple(_groups(by, now.lines, _before(then.lines, windows), names)),
        rest=now.total.spend.total - shown,
    )


async def _windows(uow: UnitOfWork, question: SpendQuestion, comparison: Comparison) -> int:
    """Returns with how many windows before it is compared."""
    begins = await uow.backtests.begins(question.source_id)
    if comparison is Comparison.BEFORE or begins is None:
        return 1
    known = (question.window.start - midnight(begins)) // (question.window.end - question.window.start)
    return min(max(known, 1), USUAL_WINDOWS)


def _as_read(question: SpendQuestion, by: Sequence[LineDimension]) -> SpendQuestion:
    """Returns the question by what is read for it: lines are told by usage, which is by the hour."""
    is_by_line = any(isinstance(one, LinePart) for one in by)
    return replace(question, width=Width.HOUR) if is_by_line else question


def _mean(amount: Money, windows: int) -> Money:
    return amount if windows == 1 else amount * (Decimal(1) / windows)


Before = Mapping[tuple[str, ...], Money]


def _before(lines: Sequence[SpendLine], windows: int) -> Before:
    return {line.ids: _mean(line.figure.spend.total, windows) for line in lines}


def _groups(by: Sequence[LineDimension], lines: Sequence[SpendLine], then: Before, names: Names) -> list[ComparedGroup]:
    """Who is not among all groups before has spent nothing then."""
    nothing = Figure().spend.total if len(then) < MOST_BEFORE else None
    return [
        ComparedGroup(
            line.ids,
            tuple(line_name(dimension, id, names) for dimension, id in zip(by, line.ids, strict=True)),
            line.figure,
            then.get(line.ids, nothing),
        )
        for line in lines
    ]


async def _days(uow: UnitOfWork, question: SpendQuestion) -> tuple[tuple[datetime, Figure], ...]:
    days = list(buckets(question.window, question.width))
    found = await uow.facts.figures_by_bucket(question, len(days))
    return tuple((day.start, sum(found.figures.get(day.start, {}).values(), Figure())) for day in days)
