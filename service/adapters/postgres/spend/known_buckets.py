"""Which days and hours reports have contained, since when each is known, and whether it is complete.

What follows from a reading, and what counts as known, is decided in `service.domain.spend.lateness`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import ColumnElement, Date, and_, cast, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.bill_and_usage import day_of, on_days
from service.adapters.postgres.spend.tables import known_buckets
from service.domain.spend.lateness import ASSUMED_AFTER, BucketReading, is_known_day, read_bucket
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.utc import DAY, HOUR, midnight
from service.workflows.ports.spend import Stamp

_BUCKET = known_buckets.c


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The conditions under which a row of `known_buckets` counts as known, and as complete."""

    known: ColumnElement[bool]
    complete: ColumnElement[bool]


PRESENT = Knowledge(true(), _BUCKET.complete)


def known_by(at: datetime) -> Knowledge:
    """The conditions at a past instant. A row without an instant is of a release that did not note it: it counts."""
    known = or_(_BUCKET.known_at.is_(None), _BUCKET.known_at <= at)
    complete_by = or_(_BUCKET.complete_at.is_(None), _BUCKET.complete_at <= at)
    return Knowledge(known, and_(_BUCKET.complete, complete_by))


async def note_readings(
    connection: AsyncConnection, stamp: Stamp, width: Width, windows: Sequence[Window]
) -> list[BucketReading]:
    """Remembers that these buckets were read; a complete one stays complete. Minutes are not remembered."""
    before = {} if width is Width.MINUTE else await _complete_before(connection, stamp.source_id, width, windows)
    readings = [
        read_bucket(
            width,
            window,
            stamp.known_at,
            was_complete=before.get(window.start),
            refreshed_at=stamp.refreshed_at,
        )
        for window in windows
    ]
    news = [
        {
            "source_id": stamp.source_id,
            "width": width.value,
            "bucket": reading.bucket,
            "complete": reading.is_complete,
            "known_at": reading.known_at,
            "complete_at": reading.known_at if reading.is_complete else None,
        }
        for reading in readings
        if reading.is_news
    ]
    if news:
        await connection.execute(_remember(), news)
    return readings


async def _complete_before(
    connection: AsyncConnection, source_id: str, width: Width, windows: Sequence[Window]
) -> dict[datetime, bool]:
    starts = [window.start for window in windows]
    rows = await connection.execute(
        select(_BUCKET.bucket, _BUCKET.complete).where(
            *_of_width(source_id, width), _BUCKET.bucket.between(min(starts), max(starts))
        )
    )
    return {bucket: complete for bucket, complete in rows}


def _remember() -> Insert:
    statement = insert(known_buckets)
    return statement.on_conflict_do_update(
        index_elements=list(known_buckets.primary_key.columns),
        set_={"complete": statement.excluded.complete, "complete_at": statement.excluded.complete_at},
    )


async def settled_in(
    connection: AsyncConnection, source_id: str, days: Sequence[date], knowledge: Knowledge = PRESENT
) -> set[date]:
    """Those of the days that are settled."""
    rows = await connection.execute(
        select(day_of(known_buckets)).where(
            *on_days(days, known_buckets, source_id), _BUCKET.width == Width.DAY.value, knowledge.complete
        )
    )
    return set(rows.scalars())


async def unknown_days(
    connection: AsyncConnection, source_id: str, days: Sequence[date], as_of: datetime, knowledge: Knowledge
) -> frozenset[date]:
    """Those of the days in a row, the last of which holds `as_of`, of which nothing can be said."""
    is_hour = _BUCKET.width == Width.HOUR.value
    rows = await connection.execute(
        select(
            day_of(known_buckets).label("day"),
            func.bool_or(_BUCKET.width == Width.DAY.value),
            func.count().filter(is_hour),
            func.count().filter(is_hour, _BUCKET.bucket <= as_of - HOUR),
        )
        .where(
            _BUCKET.source_id == source_id,
            _BUCKET.width.in_((Width.DAY.value, Width.HOUR.value)),
            _BUCKET.bucket >= midnight(days[0]),
            knowledge.known,
        )
        .group_by("day")
    )
    known = {
        day
        for day, billed, read, closed in rows
        if is_known_day(day, as_of, billed=billed, hours_read=read, closed_hours_read=closed)
    }
    return frozenset(days) - known


async def known_hours(
    connection: AsyncConnection, source_id: str, hours: Window, knowledge: Knowledge
) -> list[datetime]:
    """The starts of the hours in a window that reports have contained."""
    rows = await connection.scalars(
        select(_BUCKET.bucket).where(
            *_of_width(source_id, Width.HOUR),
            _BUCKET.bucket >= hours.start,
            _BUCKET.bucket < hours.end,
            knowledge.known,
        )
    )
    return list(rows)


async def billed_since(connection: AsyncConnection, source_id: str) -> datetime | None:
    """The start of the oldest day that a report contained."""
    oldest: datetime | None = await connection.scalar(
        select(func.min(_BUCKET.bucket)).where(*_of_width(source_id, Width.DAY))
    )
    return oldest


async def unbilled_since(connection: AsyncConnection, source_id: str, days: Window) -> datetime | None:
    """The start of the first of these days that no report contained."""
    rows = await connection.scalars(
        select(_BUCKET.bucket).where(
            *_of_width(source_id, Width.DAY), _BUCKET.bucket >= days.start, _BUCKET.bucket < days.end
        )
    )
    contained = {bucket.astimezone(UTC) for bucket in rows}
    asked = (days.start + number * DAY for number in range((days.end - days.start) // DAY))
    return next((day for day in asked if day not in contained), None)


async def settled_until(connection: AsyncConnection, source_id: str, knowledge: Knowledge = PRESENT) -> datetime | None:
    """The end of the newest settled day."""
    start = await _newest(connection, source_id, Width.DAY, knowledge.complete)
    return None if start is None else start + DAY


def first_unsettled_day(source_id: str) -> ColumnElement[date]:
    """The UTC day after the newest settled one, for a statement that asks for days: the first of all where none is."""
    settled = select(func.max(_BUCKET.bucket)).where(*_of_width(source_id, Width.DAY), PRESENT.complete)
    after = cast(func.timezone("UTC", settled.scalar_subquery()), Date) + 1
    return func.coalesce(after, literal(date.min))


async def estimated_until(connection: AsyncConnection, source_id: str) -> datetime | None:
    """The end of the newest hour that a report contained; ahead of the clock while that hour runs."""
    start = await _newest(connection, source_id, Width.HOUR, true())
    return None if start is None else start + HOUR


async def hours_complete_until(connection: AsyncConnection, source_id: str, knowledge: Knowledge) -> datetime | None:
    """The end of the newest hour that was read after its end."""
    start = await _newest(connection, source_id, Width.HOUR, knowledge.complete)
    return None if start is None else start + HOUR


async def hours_read(connection: AsyncConnection, source_id: str, since: datetime) -> dict[datetime, datetime]:
    """When each hour was first read after its end, by its start.

    Backfilled hours are left out: their instant is assumed, and lies before they were read.
    """
    rows = await connection.execute(
        select(_BUCKET.bucket, _BUCKET.complete_at).where(
            *_of_width(source_id, Width.HOUR),
            _BUCKET.bucket >= since,
            _BUCKET.complete_at != _BUCKET.bucket + (HOUR + ASSUMED_AFTER),
        )
    )
    return {bucket: read_at for bucket, read_at in rows}


async def _newest(
    connection: AsyncConnection, source_id: str, width: Width, where: ColumnElement[bool]
) -> datetime | None:
    newest: datetime | None = await connection.scalar(
        select(func.max(_BUCKET.bucket)).where(*_of_width(source_id, width), where)
    )
    return None if newest is None else newest.astimezone(UTC)


def _of_width(source_id: str, width: Width) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _BUCKET.source_id == source_id, _BUCKET.width == width.value
