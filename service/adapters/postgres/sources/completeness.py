"""How much reports have said of each day and hour, and the flaws that were found in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime

from sqlalchemy import Column, ColumnElement, Date, Table, Text, case, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.column_types import Dollars, Instant, Word
from service.adapters.postgres.metadata import metadata
from service.adapters.postgres.sets import insert_rows
from service.adapters.postgres.spend.bill_and_usage import day_of, is_spend
from service.adapters.postgres.spend.known_buckets import PRESENT, hours_complete_until
from service.adapters.postgres.spend.tables import cost_points, known_buckets, series, usage_hours
from service.adapters.postgres.tables import source_states
from service.domain.spend.completeness import BucketKnowledge
from service.domain.spend.flaws import DayContent, Flaw, FlawKind
from service.domain.spend.lateness import mature_until
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.utc import midnight

report_flaws = Table(
    "report_flaws",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("kind", Word(FlawKind), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("known", Dollars, comment="US dollars that are stored of the day"),
    Column("total", Dollars, comment="US dollars of the report without groups"),
    comment="UTC days whose reports succeed and lack something, since when every poll has found it so",
)

_BUCKET = known_buckets.c
_EMPTY = (FlawKind.EMPTY_BILL, FlawKind.EMPTY_USAGE)


class PostgresCompleteness:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def flaws(self, source_id: str) -> list[Flaw]:
        shown = [column for column in report_flaws.c if column.name != "source_id"]
        rows = await self._connection.execute(
            select(*shown)
            .where(report_flaws.c.source_id == source_id)
            .order_by(report_flaws.c.kind, report_flaws.c.day)
        )
        return [Flaw(**row._mapping) for row in rows]

    async def note(self, source_id: str, kind: FlawKind, days: Collection[date], flaws: Sequence[Flaw]) -> None:
        flaw = report_flaws.c
        seen = [one.day for one in flaws]
        await self._connection.execute(
            delete(report_flaws).where(
                flaw.source_id == source_id, flaw.kind == kind, flaw.day.in_(set(days)), flaw.day.not_in(seen)
            )
        )
        if not flaws:
            return
        rows = [
            {"source_id": source_id, "kind": one.kind, "day": one.day, "since": one.since}
            | {"known": one.known, "total": one.total}
            for one in flaws
        ]
        new = insert_rows(report_flaws, rows)
        amounts = {"known": new.excluded.known, "total": new.excluded.total}
        await self._connection.execute(
            new.on_conflict_do_update(index_elements=["source_id", "kind", "day"], set_=amounts)
        )

    async def totals(self, source_id: str, days: Window) -> dict[date, Money]:
        rows = await self._connection.execute(
            select(day_of(cost_points), func.sum(cost_points.c.amount))
            .where(*_within(cost_points, source_id, days))
            .group_by(cost_points.c.bucket)
        )
        return {day: Money(amount) for day, amount in rows}

    async def contents(self, source_id: str, kind: FlawKind, days: Window) -> dict[date, DayContent]:
        of_bill = kind is FlawKind.EMPTY_BILL
        billed = await self._days_with(cost_points, source_id, days, cost_points.c.amount != 0)
        used = await self._days_with(usage_hours, source_id, days, usage_hours.c.quantity != 0)
        paid = await self._days_of_spend(source_id, days) if of_bill else billed
        read = await self._days_read(source_id, days) if of_bill else billed
        complete = await self._complete_days(source_id, days) if of_bill else frozenset[date]()
        filled = billed if of_bill else used
        return {
            day: DayContent(day in filled, day in paid, day in read, day in complete)
            for day in filled | paid | read | complete
        }

    async def knowledge(self, source_id: str, window: Window, width: Width) -> dict[datetime, BucketKnowledge]:
        if width is Width.HOUR:
            return await self._hours(source_id, window)
        return await self._days(source_id, window)

    async def _hours(self, source_id: str, window: Window) -> dict[datetime, BucketKnowledge]:
        read_at = await self._connection.scalar(
            select(source_states.c.usage_read_at).where(source_states.c.source_id == source_id)
        )
        mature = mature_until(await hours_complete_until(self._connection, source_id, PRESENT), read_at)
        suspect = await self._suspect(source_id, FlawKind.EMPTY_USAGE)
        rows = await self._connection.execute(
            select(_BUCKET.bucket, _BUCKET.complete, _has_rows(usage_hours)).where(
                *_within(known_buckets, source_id, window), _BUCKET.width == Width.HOUR.value
            )
        )
        known = {
            start: BucketKnowledge(True, complete and mature is not None and start < mature, filled)
            for start, complete, filled in ((at.astimezone(UTC), *rest) for at, *rest in rows)
        }
        return known | {
            hour: BucketKnowledge(suspect=True)
            for day in suspect
            for hour in (midnight(day) + number * Width.HOUR.length for number in range(24))
            if hour not in known
        }

    async def _days(self, source_id: str, window: Window) -> dict[datetime, BucketKnowledge]:
        is_day = _BUCKET.width == Width.DAY.value
        suspect = await self._suspect(source_id, *_EMPTY)
        filled = func.coalesce(func.bool_or(case((is_day, _has_rows(cost_points)))), False)
        day = day_of(known_buckets)
        rows = await self._connection.execute(
            select(day, func.coalesce(func.bool_or(_BUCKET.complete).filter(is_day), False), filled)
            .where(*_within(known_buckets, source_id, window), _BUCKET.width.in_((Width.DAY.value, Width.HOUR.value)))
            .group_by(day)
        )
        known = {at: BucketKnowledge(True, complete, has_rows, at in suspect) for at, complete, has_rows in rows}
        unread = {at: BucketKnowledge(suspect=True) for at in suspect if at not in known}
        return {midnight(at): one for at, one in (known | unread).items()}

    async def _suspect(self, source_id: str, *kinds: FlawKind) -> frozenset[date]:
        rows = await self._connection.scalars(
            select(report_flaws.c.day).where(report_flaws.c.source_id == source_id, report_flaws.c.kind.in_(kinds))
        )
        return frozenset(rows)

    async def _days_with(
        self, facts: Table, source_id: str, days: Window, counts: ColumnElement[bool]
    ) -> frozenset[date]:
        """The days of a window with facts that count."""
        rows = await self._connection.scalars(
            select(day_of(facts)).where(*_within(facts, source_id, days), counts).distinct()
        )
        return frozenset(rows)

    async def _days_of_spend(self, source_id: str, days: Window) -> frozenset[date]:
        """The days with usage that has to be on a bill: the Priority Tier never is."""
        rows = await self._connection.scalars(
            select(day_of(usage_hours))
            .join_from(usage_hours, series, series.c.id == usage_hours.c.series_id)
            .where(*_within(usage_hours, source_id, days), is_spend(), usage_hours.c.quantity != 0)
            .distinct()
        )
        return frozenset(rows)

    async def _days_read(self, source_id: str, days: Window) -> frozenset[date]:
        """The days of which usage reports have contained an hour."""
        rows = await self._connection.scalars(
            select(day_of(known_buckets))
            .where(*_within(known_buckets, source_id, days), _BUCKET.width == Width.HOUR.value)
            .distinct()
        )
        return frozenset(rows)

    async def _complete_days(self, source_id: str, days: Window) -> frozenset[date]:
        rows = await self._connection.scalars(
            select(day_of(known_buckets)).where(
                *_within(known_buckets, source_id, days), _BUCKET.width == Width.DAY.value, _BUCKET.complete
            )
        )
        return frozenset(rows)


def _within(table: Table, source_id: str, window: Window) -> tuple[ColumnElement[bool], ...]:
    return table.c.source_id == source_id, table.c.bucket >= window.start, table.c.bucket < window.end


def _has_rows(facts: Table) -> ColumnElement[bool]:
    """Whether a report ever had a row of the bucket."""
    same = facts.c.source_id == _BUCKET.source_id, facts.c.bucket == _BUCKET.bucket
    return select(facts.c.bucket).where(*same).exists()
