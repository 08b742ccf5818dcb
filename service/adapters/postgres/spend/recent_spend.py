"""The recent spend that forecasts learn from, one row a cell: float copies, of which no amount of money is made."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import Double, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.hour_profiles import usual_hours
from service.adapters.postgres.spend.tables import known_buckets, spend_days
from service.adapters.postgres.tables import source_states
from service.domain.forecasts.recent import USUAL_DAYS, UTC_DAYS, RecentSpend, Reports, first_day
from service.domain.spend.rows import Width
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY, midnight


async def recent_in(connection: AsyncConnection, source_id: str, now: datetime) -> RecentSpend:
    """The spend of the last weeks as known at `now`."""
    first = first_day(now)
    reports = await _reports(connection, source_id, midnight(first))
    today = first + (UTC_DAYS - 1) * DAY
    return RecentSpend(
        now=now,
        spend=await _spend(connection, source_id, first),
        usual_hours=await usual_hours(connection, source_id, today - USUAL_DAYS * DAY, today),
        known=reports.known(now),
    )


async def _spend(connection: AsyncConnection, source_id: str, first: date) -> dict[Cell, tuple[float, ...]]:
    amount = cast(spend_days.c.billed + spend_days.c.estimated, Double)
    cell = (spend_days.c.workspace, spend_days.c.model, spend_days.c.api_key)
    last = first + (UTC_DAYS - 1) * DAY
    rows = await connection.execute(
        select(*cell, func.array_agg(spend_days.c.day - first), func.array_agg(amount))
        .where(spend_days.c.source_id == source_id, spend_days.c.day >= first, spend_days.c.day <= last)
        .group_by(*cell)
    )
    spend: dict[Cell, tuple[float, ...]] = {}
    for workspace, model, api_key, places, amounts in rows:
        days = [0.0] * UTC_DAYS
        for place, dollars in zip(places, amounts, strict=True):
            days[place] = dollars
        spend[Cell(workspace, model, api_key)] = tuple(days)
    return spend


async def _reports(connection: AsyncConnection, source_id: str, since: datetime) -> Reports:
    rows = await connection.execute(
        select(known_buckets.c.width, known_buckets.c.bucket, known_buckets.c.complete).where(
            known_buckets.c.source_id == source_id,
            known_buckets.c.width.in_((Width.DAY.value, Width.HOUR.value)),
            known_buckets.c.bucket >= since,
        )
    )
    buckets = [(width, bucket.astimezone(UTC), complete) for width, bucket, complete in rows]
    days = [(bucket.date(), complete) for width, bucket, complete in buckets if width == Width.DAY.value]
    return Reports(
        billed_days=frozenset(day for day, _ in days),
        settled_days=frozenset(day for day, complete in days if complete),
        used_hours=frozenset(bucket for width, bucket, _ in buckets if width == Width.HOUR.value),
        bill_read_at=await connection.scalar(
            select(source_states.c.cost_read_at).where(source_states.c.source_id == source_id)
        ),
    )
