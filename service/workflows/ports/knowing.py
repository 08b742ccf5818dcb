"""What is stored about money: facts by bucket, their daily rollup, the names of things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from service.domain.forecasts.recent import RecentSpend
from service.domain.periods import Window
from service.domain.scopes import Cell
from service.domain.spend import (
    BilledDay,
    Bucket,
    CostRow,
    EstimatedDay,
    Spend,
    SpendDay,
    UsageFact,
    Width,
)
from service.workflows.ports.reading import Directory


@dataclass(frozen=True, slots=True)
class Changes:
    """What a report's rows did to the stored facts, and the UTC days whose rollups must follow."""

    added: int = 0
    changed: int = 0
    gone: int = 0
    days: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class DayInputs:
    bill: Mapping[tuple[str, str], BilledDay]
    usage: Mapping[Cell, EstimatedDay]
    settled: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who learned it when: the poll and the instant it is known from."""

    source_id: str
    poll_id: str
    known_at: datetime


class Facts(Protocol):
    """Cost and usage by bucket, and the daily rollup that everything else reads."""

    async def replace_cost(self, stamp: Stamp, buckets: Sequence[Bucket[CostRow]]) -> Changes:
        """Replaces exactly these days' rows; vanished rows become $0. One revision per amount new, changed or gone.

        `days` also holds the days that became settled by being read.
        """
        ...

    async def replace_usage(self, stamp: Stamp, width: Width, buckets: Sequence[Bucket[UsageFact]]) -> Changes:
        """The same for hours (with revisions once the hour is over) or minutes (without); `days` for hours only."""
        ...

    async def day_inputs(self, source_id: str, days: Iterable[date]) -> dict[date, DayInputs]: ...

    async def store_days(self, source_id: str, days: Mapping[date, Mapping[Cell, SpendDay]]) -> None: ...

    async def spend(self, source_id: str, window: Window, now: datetime) -> dict[Cell, Spend]:
        """Best-known spend by cell in a window; boundary days not at midnight UTC are split by their hours."""
        ...

    async def days(self, source_id: str, window: Window) -> list[tuple[date, Cell, SpendDay]]: ...

    async def hours(self, source_id: str, window: Window) -> list[tuple[datetime, Cell, EstimatedDay]]: ...

    async def recent(self, source_id: str, now: datetime) -> RecentSpend:
        """What forecasts learn from: the last ten weeks by UTC day and cell, and how usual days go by hour."""
        ...

    async def billed_since(self, source_id: str) -> datetime | None:
        """The start of the oldest UTC day that a bill has covered."""
        ...

    async def billed_until(self, source_id: str) -> datetime | None:
        """The end of the last settled UTC day."""
        ...

    async def estimated_until(self, source_id: str) -> datetime | None:
        """The end of the newest usage hour that is known."""
        ...


class Storage(Protocol):
    """Upkeep of the fact tables, in short transactions of its own."""

    async def make_room(self, window: Window) -> None:
        """Makes the month partitions that a write of this range needs."""
        ...

    async def forget(self, *, facts_before: date, minutes_before: datetime) -> None:
        """Retention: drops whole months, and old minutes."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """A workspace, model or key, as the directory and the facts know it."""

    id: str
    name: str
    source_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    workspace: str = ""
    status: str = ""
    unpriced_tokens: int = 0


class DirectoryStore(Protocol):
    async def replace(self, source_id: str, directory: Directory, now: datetime) -> Changes: ...

    async def note_cells(self, source_id: str, cells: Iterable[Cell], now: datetime) -> None:
        """Remembers workspaces, models and keys that facts name and the directory may not."""
        ...

    async def workspaces(self, source_id: str) -> list[Seen]: ...

    async def models(self, source_id: str) -> list[Seen]: ...

    async def api_keys(self, source_id: str) -> list[Seen]: ...
