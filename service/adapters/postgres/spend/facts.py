"""Cost and usage in Postgres, inside somebody else's transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.bill_and_usage import bill_in, hours_in, input_days, usage_in
from service.adapters.postgres.spend.day_versions import versions_in
from service.adapters.postgres.spend.figures import figures_in
from service.adapters.postgres.spend.hour_profiles import refresh_profiles
from service.adapters.postgres.spend.hour_versions import hour_versions_in
from service.adapters.postgres.spend.known_buckets import (
    billed_since,
    estimated_until,
    settled_in,
    settled_until,
    unbilled_since,
)
from service.adapters.postgres.spend.lines.groups import largest_lines
from service.adapters.postgres.spend.lines.tokens import tokens_in
from service.adapters.postgres.spend.memory.day_columns import FigureMemory
from service.adapters.postgres.spend.merge import COST, HOURS, MINUTES, FactKind, FactRow, merge
from service.adapters.postgres.spend.past_figures import figures_at
from service.adapters.postgres.spend.recent_spend import recent_in
from service.adapters.postgres.spend.series import SeriesIndex, SeriesKind
from service.adapters.postgres.spend.spend_days import days_in, replace_days, spend_in, spend_of, unpriced_in
from service.adapters.postgres.spend.spend_groups import figures_by_bucket, largest, rows_behind, total
from service.adapters.postgres.spend.spenders.erasure import erase_actors
from service.adapters.postgres.spend.spenders.versions import spender_versions_in
from service.adapters.postgres.spend.tables import cost_points, usage_hours
from service.domain.budgets.unpriced import UnpricedUsage
from service.domain.detectors.hourly.known import HourVersions
from service.domain.forecasts.recent import RecentSpend
from service.domain.rules.view import KnownFigures
from service.domain.spend.best_known import DayVersion, EstimatedDay, Spend, SpendDay
from service.domain.spend.caching import InputDay
from service.domain.spend.lines import LargestLines, LineQuestion
from service.domain.spend.questions import BucketFigures, Figure, LargestGroups, SpendQuestion
from service.domain.spend.rows import Bucket, CostRow, Dimensions, UsageFact, Width
from service.domain.spend.tokens import TokenCounts
from service.domain.values.periods import Window
from service.domain.values.scopes import EVERYTHING, FINEST, Cell, Grain, Scope
from service.workflows.ports.spend import Changes, DayInputs, Stamp

_USAGE_KINDS: Mapping[Width, FactKind] = {Width.HOUR: HOURS, Width.MINUTE: MINUTES}

Row = TypeVar("Row", CostRow, UsageFact)


class PostgresFacts:
    """Facts on one connection; the caller commits. The month partitions must be there: `PostgresStorage`."""

    def __init__(self, connection: AsyncConnection, memory: FigureMemory | None = None) -> None:
        """`memory` is that of the process: without one every figure is read."""
        self._connection = connection
        self._memory = FigureMemory() if memory is None else memory
        self._series = SeriesIndex(connection)

    async def replace_cost(self, stamp: Stamp, buckets: Sequence[Bucket[CostRow]]) -> Changes:
        amounts = await _summed(buckets, _sum_cost)
        ids = await self._series.ids(stamp.source_id, SeriesKind.COST, _series_of(amounts))
        rows: Iterator[FactRow] = (
            (start, ids[dimensions], row.amount.usd)
            for start, by_series in amounts.items()
            for dimensions, row in by_series.items()
        )
        return await merge(self._connection, COST, stamp, _windows(buckets), rows)

    async def replace_usage(self, stamp: Stamp, width: Width, buckets: Sequence[Bucket[UsageFact]]) -> Changes:
        """Raises ValueError for days: usage is read by hour and by minute."""
        if width not in _USAGE_KINDS:
            raise ValueError(f"usage is not kept by {width.value}")
        usage = await _summed(buckets, _sum_usage)
        ids = await self._series.ids(stamp.source_id, SeriesKind.USAGE, _series_of(usage))
        rows: Iterator[FactRow] = (
            (start, ids[dimensions], fact.quantity, None if fact.cost is None else fact.cost.usd)
            for start, by_series in usage.items()
            for dimensions, fact in by_series.items()
        )
        changes = await merge(self._connection, _USAGE_KINDS[width], stamp, _windows(buckets), rows)
        await refresh_profiles(self._connection, stamp.source_id, changes.days)
        return changes

    async def day_inputs(self, source_id: str, days: Iterable[date]) -> dict[date, DayInputs]:
        wanted = list(days)
        if not wanted:
            return {}
        bill = await bill_in(self._connection, source_id, wanted, cost_points)
        usage = await usage_in(self._connection, source_id, wanted, usage_hours)
        settled = await settled_in(self._connection, source_id, wanted)
        return {day: DayInputs(bill[day], usage[day], day in settled) for day in wanted}

    async def store_days(
        self, stamp: Stamp, days: Mapping[date, Mapping[Cell, SpendDay]], backfilled: Collection[date] = ()
    ) -> None:
        await replace_days(self._connection, stamp, days, backfilled)

    async def spend(self, source_id: str, window: Window, now: datetime, grain: Grain = FINEST) -> dict[Cell, Spend]:
        return await spend_in(self._connection, self._memory.spend, source_id, window, now, grain)

    async def spend_of(
        self, source_ids: Collection[str], window: Window, now: datetime, grain: Grain
    ) -> dict[str, dict[Cell, Spend]]:
        return await spend_of(self._connection, source_ids, window, now, grain)

    async def unpriced(self, source_id: str, now: datetime) -> list[UnpricedUsage]:
        return await unpriced_in(self._connection, source_id, now)

    async def days(self, source_id: str, window: Window) -> list[tuple[date, Cell, SpendDay]]:
        return await days_in(self._connection, source_id, window)

    async def hours(self, source_id: str, window: Window) -> list[tuple[datetime, Cell, EstimatedDay]]:
        return await hours_in(self._connection, source_id, window)

    async def figures_by_bucket(self, question: SpendQuestion, most: int) -> BucketFigures:
        return await figures_by_bucket(self._connection, question, most)

    async def largest(self, question: SpendQuestion, limit: int, skipped: int = 0) -> LargestGroups:
        return await largest(self._connection, question, limit, skipped)

    async def largest_lines(self, question: LineQuestion, limit: int, skipped: int = 0) -> LargestLines:
        return await largest_lines(self._connection, question, limit, skipped)

    async def tokens(self, question: SpendQuestion, tier: str | None = None) -> dict[Cell, TokenCounts]:
        return await tokens_in(self._connection, question, tier)

    async def rows_behind(self, question: SpendQuestion) -> int:
        return await rows_behind(self._connection, question)

    async def total(self, question: SpendQuestion) -> Figure:
        return await total(self._connection, question)

    async def input_days(self, question: SpendQuestion) -> list[InputDay]:
        return await input_days(self._connection, question)

    async def recent(
        self, source_id: str, now: datetime, grain: Grain = FINEST, within: Scope = EVERYTHING
    ) -> RecentSpend:
        return await recent_in(self._connection, self._memory, source_id, now, grain, within)

    async def figures(
        self, source_id: str, now: datetime, *, days: int, hours: int, grain: Grain = FINEST
    ) -> KnownFigures:
        return await figures_in(self._connection, self._memory, source_id, now, days=days, hours=hours, grain=grain)

    async def figures_at(
        self, source_id: str, at: datetime, *, days: int, hours: int, grain: Grain = FINEST
    ) -> KnownFigures:
        return await figures_at(self._connection, source_id, at, days=days, hours=hours, grain=grain)

    async def day_versions(
        self, source_id: str, first: date, end: date, grain: Grain = FINEST, within: Scope = EVERYTHING
    ) -> list[DayVersion]:
        return await versions_in(self._connection, source_id, first, end, grain, within)

    async def spender_versions(self, source_id: str, first: date, end: date) -> list[DayVersion]:
        return await spender_versions_in(self._connection, source_id, first, end)

    async def hour_versions(self, source_id: str, window: Window, *, most: int) -> HourVersions:
        return await hour_versions_in(self._connection, source_id, window, most)

    async def erase_actors(self, source_id: str) -> None:
        await erase_actors(self._connection, source_id)

    async def billed_until(self, source_id: str) -> datetime | None:
        return await settled_until(self._connection, source_id)

    async def billed_since(self, source_id: str) -> datetime | None:
        return await billed_since(self._connection, source_id)

    async def unbilled_since(self, source_id: str, days: Window) -> datetime | None:
        return await unbilled_since(self._connection, source_id, days)

    async def estimated_until(self, source_id: str) -> datetime | None:
        return await estimated_until(self._connection, source_id)


def _windows(buckets: Iterable[Bucket[CostRow]] | Iterable[Bucket[UsageFact]]) -> list[Window]:
    """The window of every bucket once, even where a report names it on two pages."""
    return list(dict.fromkeys(bucket.window for bucket in buckets))


async def _summed(
    buckets: Iterable[Bucket[Row]], add: Callable[[Row, Row], Row]
) -> dict[datetime, dict[Dimensions, Row]]:
    """The rows of every bucket by series, those of one series added up."""
    summed: dict[datetime, dict[Dimensions, Row]] = {}
    for bucket in buckets:
        by_series = summed.setdefault(bucket.window.start, {})
        for row in bucket.rows:
            earlier = by_series.get(row.dimensions)
            by_series[row.dimensions] = row if earlier is None else add(earlier, row)
        await asyncio.sleep(0)  # a long report takes seconds: heartbeats and the deadline go on
    return summed


def _series_of(summed: Mapping[datetime, Mapping[Dimensions, Row]]) -> set[Dimensions]:
    return set().union(*summed.values())


def _sum_cost(one: CostRow, other: CostRow) -> CostRow:
    return CostRow(one.dimensions, one.amount + other.amount)


def _sum_usage(one: UsageFact, other: UsageFact) -> UsageFact:
    """With an unpriced part the whole is unpriced."""
    cost = one.cost + other.cost if one.cost is not None and other.cost is not None else None
    return UsageFact(one.dimensions, one.quantity + other.quantity, cost)
