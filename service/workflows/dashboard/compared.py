"""Spend of a window by what it was for, and beside the time before it or what is usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from service.domain.spend.lines import LineDimension, LinePart, LineQuestion, SpendLine, keys_of, line_name
from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import ZERO, Money
from service.domain.values.names import Names
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension
from service.domain.values.utc import DAY, day_start, midnight
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import buckets, require_affordable, require_told, unknown_days

MOST_GROUPS, MOST_BEFORE = 50, 500
USUAL_WINDOWS = 4
"""How many windows before are what is usual, if so many are known."""


class Comparison(StrEnum):
    BEFORE = "before"
    """The window before."""
    USUAL = "usual"
    """The mean of the last four such times, or of as many whole ones as are known."""


@dataclass(frozen=True, slots=True)
class ComparedGroup:
    """`ids` and `names`: one of each dimension. `over`: what it spent on the days that are over.

    `before`: None where it is not among what is read of that time.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    figure: Figure
    over: Money
    before: Money | None


@dataclass(frozen=True, slots=True)
class ComparedSpend:
    """`rest` is of the groups that are left out. Days are all of the window's.

    `over` was spent on the window's `days_over` that are over, `before` on the same days of the `windows` before, in
    the mean: the day that still runs would look like a fall. `unknown` and `unknown_before` are the days of either
    that are not known in full.
    """

    total: Figure
    over: Money
    days_over: int
    before: Money
    windows: int
    days: tuple[tuple[datetime, Figure], ...]
    groups: tuple[ComparedGroup, ...]
    rest: Money
    unknown: int
    unknown_before: int


async def compared(
    uow: UnitOfWork, question: SpendQuestion, by: Sequence[LineDimension], comparison: Comparison, now: datetime
) -> ComparedSpend:
    """Answers by day and by group. Raises Invalid for a question that is too large, or about more than is known."""
    require_told(LineQuestion(question, tuple(by)))
    over = Window(question.window.start, min(question.window.end, day_start(now)))
    running = replace(question, window=Window(over.end, question.window.end))
    windows, length = await _windows(uow, question, comparison), question.window.end - question.window.start
    earlier = [replace(question, window=_back(over, length * number)) for number in range(1, windows + 1)]
    for one in (question, *earlier):
        await require_affordable(uow, _as_read(one, by))
    found = await uow.facts.largest_lines(LineQuestion(question, tuple(by)), MOST_GROUPS)
    today = await uow.facts.largest_lines(LineQuestion(running, tuple(by)), MOST_BEFORE)
    then = [await uow.facts.largest_lines(LineQuestion(one, tuple(by)), MOST_BEFORE) for one in earlier]
    names = await uow.directory.names(question.source_id, keys_of(by, found.lines))
    shown = Money.total(line.figure.spend.total for line in found.lines)
    return ComparedSpend(
        total=found.total,
        over=found.total.spend.total - today.total.spend.total,
        days_over=(over.end - over.start) // DAY,
        before=_mean([one.total.spend.total for one in then]),
        windows=windows,
        days=await _days(uow, replace(question, group_by=Dimension.ORGANISATION)),
        groups=tuple(_groups(by, found.lines, _spent(today.lines), [_spent(one.lines) for one in then], names)),
        rest=found.total.spend.total - shown,
        unknown=await unknown_days(uow, question.source_id, over, now),
        unknown_before=sum([await unknown_days(uow, question.source_id, one.window, now) for one in earlier]),
    )


async def _windows(uow: UnitOfWork, question: SpendQuestion, comparison: Comparison) -> int:
    """Returns with how many windows before it is compared."""
    begins = await uow.backtests.begins(question.source_id)
    if comparison is Comparison.BEFORE or begins is None:
        return 1
    known = (question.window.start - midnight(begins)) // (question.window.end - question.window.start)
    return min(max(known, 1), USUAL_WINDOWS)


def _back(window: Window, by: timedelta) -> Window:
    return Window(window.start - by, window.end - by)


def _as_read(question: SpendQuestion, by: Sequence[LineDimension]) -> SpendQuestion:
    """Returns the question by what is read for it: lines are told by usage, which is by the hour."""
    is_by_line = any(isinstance(one, LinePart) for one in by)
    return replace(question, width=Width.HOUR) if is_by_line else question


def _mean(amounts: Sequence[Money]) -> Money:
    total = Money.total(amounts)
    return total if len(amounts) == 1 else total * (Decimal(1) / len(amounts))


SpentByGroup = Mapping[tuple[str, ...], Money]


def _spent(lines: Sequence[SpendLine]) -> SpentByGroup:
    return {line.ids: line.figure.spend.total for line in lines}


def _before(ids: tuple[str, ...], then: Sequence[SpentByGroup]) -> Money | None:
    """Returns the mean. A group is missing where it spent nothing; None where only the largest of a time are read."""
    spent = [one.get(ids, ZERO) for one in then if ids in one or len(one) < MOST_BEFORE]
    return _mean(spent) if len(spent) == len(then) else None


def _groups(
    by: Sequence[LineDimension],
    lines: Sequence[SpendLine],
    today: SpentByGroup,
    then: Sequence[SpentByGroup],
    names: Names,
) -> list[ComparedGroup]:
    return [
        ComparedGroup(
            line.ids,
            tuple(line_name(dimension, id, names) for dimension, id in zip(by, line.ids, strict=True)),
            line.figure,
            line.figure.spend.total - today.get(line.ids, ZERO),
            _before(line.ids, then),
        )
        for line in lines
    ]


async def _days(uow: UnitOfWork, question: SpendQuestion) -> tuple[tuple[datetime, Figure], ...]:
    days = list(buckets(question.window, question.width))
    found = await uow.facts.figures_by_bucket(question, len(days))
    return tuple((day.start, sum(found.figures.get(day.start, {}).values(), Figure())) for day in days)
