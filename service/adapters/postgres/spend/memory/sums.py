"""Sums over days of spend, remembered while the marks of all of these days are the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from sqlalchemy import ARRAY, ColumnElement, Date, any_, literal
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.day_versions import Mark, marks_in
from service.adapters.postgres.spend.tables import spend_days
from service.domain.values.scopes import EVERYTHING, Cell, Grain, Scope
from service.domain.values.utc import DAY

T = TypeVar("T")

Read = Callable[[ColumnElement[bool]], Awaitable[dict[Cell, T]]]
"""Adds up the rows of `spend_days` on the days that a condition names."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Which rows are added up: those of the cells that `within` holds, from `first` up to, not including, `end`.

    `unsettled`: the first day whose tokens without a price count.
    """

    source_id: str
    first: date
    end: date
    grain: Grain
    within: Scope = EVERYTHING
    unsettled: date = date.min

    @property
    def days(self) -> list[date]:
        return [self.first + number * DAY for number in range((self.end - self.first).days)]


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    marks: Mapping[date, Mark]
    cells: Mapping[Cell, T]

    @property
    def size(self) -> int:
        return len(self.marks) + len(self.cells)


class SumMemory(Generic[T]):
    """The sums that were asked for last. Never an input: what is not as it was when it was added up is read."""

    def __init__(self, most: int) -> None:
        """`most`: cells and marks that are held in all."""
        self._most = most
        self._kept: OrderedDict[Sum, _Kept[T]] = OrderedDict()

    def __len__(self) -> int:
        """How many sums are held."""
        return len(self._kept)

    async def of(self, connection: AsyncConnection, wanted: Sum, read: Read[T]) -> list[Mapping[Cell, T]]:
        """The sums over the days that have a version, and over those without one, which are always read."""
        # Before the rows: what changes meanwhile is read again.
        marks = await marks_in(connection, wanted.source_id, wanted.first, wanted.end - DAY)
        kept = self._kept.get(wanted)
        if kept is None or kept.marks != marks:
            kept = _Kept(marks, await read(_on(list(marks))))
        self._keep(wanted, kept)
        unmarked = [day for day in wanted.days if day not in marks]
        return [kept.cells, await read(_on(unmarked))] if unmarked else [kept.cells]

    def _keep(self, wanted: Sum, kept: _Kept[T]) -> None:
        self._kept.pop(wanted, None)
        if kept.size > self._most:
            return
        self._kept[wanted] = kept
        while sum(one.size for one in self._kept.values()) > self._most:
            self._kept.popitem(last=False)


def _on(days: list[date]) -> ColumnElement[bool]:
    return spend_days.c.day == any_(literal(days, ARRAY(Date)))
