"""A batch that comes by the calendar, hour by hour: it may come at any time of its day, and is used up once."""

from __future__ import annotations

from datetime import UTC, datetime, time

import numpy as np

from service.domain.detectors.arrays import Floats, row_quantile
from service.domain.detectors.daily.detector import RECURRING_SHARE
from service.domain.detectors.hourly.detector import HOURS, WEEK
from service.domain.detectors.hourly.sums import SummedHours
from service.domain.detectors.memory.day_judge import DayJudge
from service.domain.values.utc import DAY, HOUR

DAYS_BACK = 2
"""Days before today whose hours may still be looked at."""
HOURS_OF_DAY = DAY // HOUR
Extras = dict[int, list[float]]
"""Dollars of every series that are expected beyond the usual, by the hour's place."""


def with_batches(planned: Extras, days: DayJudge, hours: SummedHours, first: datetime) -> Extras:
    """The announced extras, and in their place what a batch explains where that is more. `first`: the first hour."""
    found = dict(planned)
    for day in range(max(days.first, days.open_day - DAYS_BACK), days.open_day + 1):
        extra = days.recurring(day)
        start = (datetime.combine(days.panel.day(day), time(), UTC) - first) // HOUR
        if extra is None or start < 0:
            continue
        rows = np.flatnonzero(extra)
        explained = of_a_day(hours.of(rows), start, extra[rows] * (1 + RECURRING_SHARE))
        for offset, cells in enumerate(explained.T.tolist()):
            have = list(found.get(start + offset, [0.0] * hours.series))
            for row, dollars in zip(rows.tolist(), cells, strict=True):
                have[row] = max(have[row], dollars)
            found[start + offset] = have
    return found


def of_a_day(spent: Floats, start: int, left: Floats) -> Floats:
    """Dollars of each hour that are a batch's, one hour after the other until none is left: [series, hours of the day].

    `spent`: [series, hours], NaN where unknown. `start`: the day's first hour. `left`: dollars of the batch, [series].
    An hour's excess is what lies above the median of the same hour of the last four weeks.
    """
    explained = []
    for place in range(start, min(start + HOURS_OF_DAY, spent.shape[1])):
        earlier = [ago for ago in range(place - HOURS, place, WEEK) if ago >= 0]
        usual = row_quantile(spent[:, earlier], 0.5) if earlier else np.zeros(left.size)
        above = np.nan_to_num(spent[:, place]) - np.nan_to_num(usual)
        explained.append(np.clip(above, 0, left))
        left = left - explained[-1]
    return np.array(explained).reshape(-1, left.size).T
