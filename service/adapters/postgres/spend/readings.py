"""Which buckets a report has contained before, and what follows for the revisions of this reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.tables import known_buckets
from service.domain.spend.rows import SETTLED_AFTER, Width, is_settled
from service.domain.values.periods import Window
from service.workflows.ports.spend import Stamp

BACKFILLED_AFTER = timedelta(days=3)
"""A bucket first seen this long after its end was not late but backfilled."""


class Revise(StrEnum):
    """Which facts of a bucket get a revision."""

    NOTHING = "nothing"
    CHANGES = "changes"
    EVERYTHING = "everything"
    """Of an hour that has ended since it was last read: while it ran it had no revisions."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One bucket of a report. `known_at` is assumed for a backfill: who knows when its amounts appeared."""

    bucket: datetime
    known_at: datetime
    assumed: bool
    revise: Revise
    is_news: bool
    """The bucket is read for the first time, or for the first time since it is complete."""
    is_complete: bool


async def note_readings(
    connection: AsyncConnection, stamp: Stamp, width: Width, windows: Sequence[Window]
) -> list[Reading]:
    """Remembers that these buckets were read; a complete one stays complete. Minutes are not remembered."""
    if width is Width.MINUTE:
        return [
            Reading(
                *(window.start, stamp.known_at),
                assumed=False,
                revise=Revise.NOTHING,
                is_news=False,
                is_complete=is_complete(width, window, stamp.known_at),
            )
            for window in windows
        ]
    known = await _known(connection, stamp.source_id, width, windows)
    readings = [_reading(stamp, width, window, known.get(window.start)) for window in windows]
    news = [
        {
            "source_id": stamp.source_id,
            "width": width.value,
            "bucket": window.start,
            "complete": reading.is_complete,
            "known_at": reading.known_at,
            "complete_at": reading.known_at if reading.is_complete else None,
        }
        for window, reading in zip(windows, readings, strict=True)
        if reading.is_news
    ]
    if news:
        await connection.execute(_remember(), news)
    return readings


def is_complete(width: Width, bucket: Window, read_at: datetime) -> bool:
    """A day is complete once it is settled, an hour once it is over."""
    return is_settled(bucket, read_at) if width is Width.DAY else read_at >= bucket.end


def _reading(stamp: Stamp, width: Width, window: Window, was_complete: bool | None) -> Reading:
    first = was_complete is None
    complete = is_complete(width, window, stamp.known_at)
    is_news = first or (not was_complete and complete)
    assumed = first and stamp.known_at > window.end + BACKFILLED_AFTER
    known_at = window.end + SETTLED_AFTER if assumed else stamp.known_at
    revise = _revise(stamp, width, window, is_news=is_news)
    return Reading(window.start, known_at, assumed, revise, is_news, complete)


def _revise(stamp: Stamp, width: Width, window: Window, *, is_news: bool) -> Revise:
    if width is Width.DAY:
        return Revise.CHANGES
    if not is_complete(width, window, stamp.known_at):
        return Revise.NOTHING
    return Revise.EVERYTHING if is_news else Revise.CHANGES


async def _known(
    connection: AsyncConnection, source_id: str, width: Width, windows: Sequence[Window]
) -> dict[datetime, bool]:
    starts = [window.start for window in windows]
    rows = await connection.execute(
        select(known_buckets.c.bucket, known_buckets.c.complete).where(
            known_buckets.c.source_id == source_id,
            known_buckets.c.width == width.value,
            known_buckets.c.bucket.between(min(starts), max(starts)),
        )
    )
    return {bucket: complete for bucket, complete in rows}


def _remember() -> Insert:
    statement = insert(known_buckets)
    return statement.on_conflict_do_update(
        index_elements=list(known_buckets.primary_key.columns),
        set_={"complete": statement.excluded.complete, "complete_at": statement.excluded.complete_at},
    )
