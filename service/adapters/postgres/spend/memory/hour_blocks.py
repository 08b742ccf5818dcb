"""Hours of days as a process remembers them, each day with the mark of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from sqlalchemy import ARRAY, Date, any_, func, literal, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.tables import usage_day_profiles
from service.domain.detectors.arrays import Floats, Whole
from service.domain.detectors.columns import CellHours
from service.domain.values.periods import Window

HOURS = 24

HourMark = tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class HourBlock:
    """One day: the places of its cells in the roll, and their dollars by hour, [cells, 24]. Never written to."""

    places: Whole
    dollars: Floats


NO_HOURS = HourBlock(np.zeros(0, dtype=np.int64), np.zeros((0, HOURS)))


@dataclass(slots=True)
class HeldHours:
    """The days of one source's hours with their marks, and what was put together of them last, of which window.

    `most`: how many days somebody has asked for.
    """

    days: dict[date, tuple[HourMark, HourBlock]] = field(default_factory=dict)
    last: tuple[Window, CellHours] | None = None
    most: int = 0

    def still(self, marks: Mapping[date, HourMark]) -> dict[date, HourBlock]:
        """The days that are as they were when they were read."""
        return {day: self.days[day][1] for day, mark in marks.items() if day in self.days and self.days[day][0] == mark}

    def keep(self, marks: Mapping[date, HourMark], read: Mapping[date, HourBlock], newest: date) -> None:
        self.most = max(self.most, len(marks))
        self.days |= {day: (marks[day], block) for day, block in read.items()}
        self.days = {day: known for day, known in self.days.items() if (newest - day).days < self.most}


async def hour_marks_in(connection: AsyncConnection, source_id: str, days: Sequence[date]) -> dict[date, HourMark]:
    """The mark of each day: who wrote its rows, and where they lie, which no other rows ever did; of none, nothing.

    The rows themselves are asked, without their hours: a tenth of reading them. Days have versions for that
    (`marks_in`), but a day's hours may change where its dollars do not, and the previous release writes no more.
    """
    profile = usage_day_profiles.c
    written = func.bit_xor(func.hashtextextended(literal_column("xmin::text || ' ' || ctid::text"), 0))
    rows = await connection.execute(
        select(profile.day, literal_column("pg_postmaster_start_time()::text"), func.count(), written)
        .where(profile.source_id == source_id, profile.day == any_(literal(list(days), ARRAY(Date))))
        .group_by(profile.day)
    )
    found: dict[date, HourMark] = {day: tuple(mark) for day, *mark in rows}
    return {day: found.get(day, ()) for day in days}
