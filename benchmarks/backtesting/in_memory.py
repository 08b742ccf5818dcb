"""The past of a backtest as reading the database gives it, made without one."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from backtesting.numbers import CELLS, DAYS, FIRST, FIRST_READ, READ_AGAIN, SOURCE, drawn_days, midnight_of
from service.domain.backtest.history import Recorded
from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.known import NEVER, HourVersions, Restated
from service.domain.rules.kinds.anomaly.ground import LEARNING_HOURS
from service.domain.sources.locality import locality_of
from service.domain.spend.best_known import DayVersion
from service.domain.spend.rows import Bucket, UsageFact
from service.domain.values.utc import HOUR

DELAY = timedelta(minutes=5)
"""The poll interval of a source."""
BEGIN = midnight_of(-LEARNING_HOURS // 24)
HOURS = (midnight_of(DAYS) - BEGIN) // HOUR
"""A backtest reads the weeks before its first day, too, of which nothing is known."""


def remembered() -> Recorded:
    """All that was ever known of the days and their hours."""
    versions, amounts = list[DayVersion](), np.zeros((len(CELLS), HOURS))
    again: list[tuple[float, int, int, float]] = []
    for one in drawn_days():
        known_on = FIRST + timedelta(days=one.number)
        versions += [DayVersion(day, known_on, False, False, cells) for day, cells in sorted(one.known.items())]
        for bucket in one.hours:
            amounts[:, _place(bucket)] = _dollars(bucket)
        for bucket in one.again:
            place, told = _place(bucket), (bucket.window.end + READ_AGAIN).timestamp()
            again += [(told, row, place, usd) for row, usd in enumerate(_dollars(bucket)) if usd != amounts[row, place]]
    hours = _hours(amounts, again)
    return Recorded(SOURCE, versions, {}, hours=hours, delay=DELAY, locality=locality_of(None, None, None))


def _hours(amounts: Floats, again: list[tuple[float, int, int, float]]) -> HourVersions:
    ends = [BEGIN + (place + 1) * HOUR for place in range(HOURS)]
    read = np.array([(end + FIRST_READ).timestamp() if end > midnight_of(0) else NEVER for end in ends])
    at, rows, places, dollars = (np.array(column) for column in zip(*sorted(again), strict=True))
    return HourVersions(BEGIN, CELLS, amounts, read, read.copy(), Restated(at, rows, places, dollars))


def _place(bucket: Bucket[UsageFact]) -> int:
    return (bucket.window.start - BEGIN) // HOUR


def _dollars(bucket: Bucket[UsageFact]) -> list[float]:
    return [0.0 if fact.cost is None else float(fact.cost.usd) for fact in bucket.rows]
