"""Estimated dollars by cell, UTC day and hour of it, a day in one row: a tenth of the rows to read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy import Date, Double, Integer, cast, func, literal, select
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.bill_and_usage import on_days, usage_by
from service.adapters.postgres.spend.packed_doubles import PackedDoubles
from service.adapters.postgres.spend.tables import CELL, held_by, usage_day_profiles, usage_hours
from service.domain.values.periods import Window
from service.domain.values.scopes import ALL_DIMENSIONS, CELL_DIMENSIONS, EVERYTHING, FINEST, Cell, Grain, Scope
from service.domain.values.utc import DAY, HOUR, utc_day

HOURS = 24

Profiles = dict[Cell, tuple[Sequence[int], npt.NDArray[np.float64]]]
"""Days, counted from the first one, and their hours, [days, hours], by cell."""


async def refresh_profiles(connection: AsyncConnection, source_id: str, days: Collection[date]) -> None:
    """Makes these days' profiles what the stored hours say; writes only what differs."""
    if not days:
        return
    hours = usage_by(usage_hours.c.bucket, usage_hours, on_days(list(days), usage_hours, source_id)).subquery()
    utc = func.timezone("UTC", hours.c.time)
    hour = cast(func.extract("hour", utc), Integer)
    costs = [cast(func.coalesce(func.sum(hours.c.cost).filter(hour == number), 0), Double) for number in range(HOURS)]
    place = (cast(utc, Date), *(hours.c[name] for name in CELL))
    profiles = select(literal(source_id), *place, array(costs)).group_by(*place)
    added = insert(usage_day_profiles).from_select(["source_id", "day", *CELL, "hours"], profiles)
    await connection.execute(
        added.on_conflict_do_update(
            index_elements=list(usage_day_profiles.primary_key.columns),
            set_={"hours": added.excluded.hours},
            where=usage_day_profiles.c.hours.is_distinct_from(added.excluded.hours),
        )
    )


async def hours_between(connection: AsyncConnection, source_id: str, window: Window) -> dict[Cell, list[float]]:
    """Every whole hour of a window, in a row, of the cells with usage on its days; 0 where one has none."""
    first = window.start.astimezone(UTC).date()
    days = ((window.end - timedelta.resolution).astimezone(UTC).date() - first).days + 1
    skipped = (window.start - utc_day(first).start) // HOUR
    length = (window.end - window.start) // HOUR
    found: dict[Cell, list[float]] = {}
    for cell, (numbers, hours) in (await profiles_in(connection, source_id, first, first + days * DAY)).items():
        row = np.zeros((days, HOURS))
        row[numbers] = hours
        found[cell] = row.ravel()[skipped : skipped + length].tolist()
    return found


_SUMS = [func.sum(usage_day_profiles.c.hours[number]) for number in range(1, HOURS + 1)]


async def usual_hours(
    connection: AsyncConnection,
    source_id: str,
    first: date,
    end: date,
    grain: Grain = FINEST,
    within: Scope = EVERYTHING,
) -> dict[Cell, tuple[float, ...]]:
    """Estimated cost by cell of a grain and hour of the UTC day, 24 of them, summed over days. Copies, not money.

    Of the cells that `within` holds.
    """
    profile = usage_day_profiles.c
    kept = [profile[dimension.value] for dimension in CELL_DIMENSIONS if dimension in grain]
    rows = await connection.execute(
        select(*kept, *_SUMS)
        .where(profile.source_id == source_id, profile.day >= first, profile.day < end)
        .where(*held_by(within, usage_day_profiles))
        .group_by(profile.source_id, *kept)
    )
    return {named(row[: len(kept)], grain): tuple(row[len(kept) :]) for row in rows}


def named(ids: Sequence[str], grain: Grain) -> Cell:
    """The cell of the ids that a statement gave for the dimensions of a grain, in their order."""
    given = iter(ids)
    return Cell(*(next(given) if dimension in grain else "" for dimension in ALL_DIMENSIONS))


async def profiles_in(connection: AsyncConnection, source_id: str, first: date, end: date) -> Profiles:
    """The profiles of the days from `first` up to, not including, `end`."""
    profile = usage_day_profiles.c
    cell = tuple(profile[name] for name in CELL)
    days = (func.array_agg(profile.day - first), func.array_agg(profile.hours, type_=PackedDoubles()))
    rows = await connection.execute(
        select(*(*cell, *days))
        .where(profile.source_id == source_id, profile.day >= first, profile.day < end)
        .group_by(*cell)
    )
    return {Cell(*names): (numbers, hours) for *names, numbers, hours in rows}
