"""A file of real series, replayed as if each were one workspace's spend."""

from __future__ import annotations

import csv
import gzip
import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from service.domain.sources.pricing import PriceBook
from service.simulator.world.mixes import AGENT, tokens_worth
from service.simulator.world.records import (
    DAY,
    DEFAULT_WORKSPACE_ID,
    HOUR,
    NOTHING,
    ApiKey,
    Quantities,
    Stream,
    Workspace,
)
from service.simulator.world.world import Cast, Lags, StreamWorld

USUAL_USD_A_DAY = Decimal(200)
_MODEL = "claude-sonnet-5-5"


@dataclass(frozen=True, slots=True)
class ReplayedSeries:
    """Values at rising instants, `step` apart where none is missing; never negative."""

    name: str
    instants: list[datetime]
    values: list[float]

    @property
    def step(self) -> timedelta:
        gaps = sorted(after - before for before, after in pairwise(self.instants))
        return gaps[len(gaps) // 2] if gaps else DAY

    @property
    def end(self) -> datetime:
        return self.instants[-1] + self.step

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)


class ReplayVolume:
    """Each series on its own time line: its last value (or that of `instant`, where it has one) is now.

    Behind the end it starts over, so that time can go on; before the beginning there is nothing.
    """

    def __init__(
        self, series: dict[Stream, ReplayedSeries], prices: PriceBook, now: datetime, usd_a_day: Decimal,
        instant: datetime | None,
    ) -> None:  # fmt: skip
        self._tracks = {
            stream: _Track(one, _shift(one, now, instant), _mean_hour(stream, prices, now, usd_a_day))
            for stream, one in series.items()
        }

    def hour(self, stream: Stream, hour: datetime) -> Quantities:
        return self._tracks[stream].hour(hour)

    def mean_hour(self, stream: Stream) -> Quantities:
        return self._tracks[stream].mean_hour


class _Track:
    def __init__(self, series: ReplayedSeries, shift: timedelta, mean_hour: Quantities) -> None:
        self.mean_hour = mean_hour
        self._series, self._shift = series, shift
        self._step, self._end, self._mean = series.step, series.end, series.mean

    def hour(self, hour: datetime) -> Quantities:
        at, series = hour - self._shift, self._series
        first = series.instants[0]
        if at >= self._end:
            at = first + (at - first) % (self._end - first)
        index = bisect_right(series.instants, at) - 1
        if index < 0 or at >= series.instants[index] + self._step or not self._mean:
            return NOTHING
        return self.mean_hour.times(series.values[index] / self._mean)


def load_replay(
    path: Path,
    prices: PriceBook,
    now: datetime,
    usd_a_day: Decimal = USUAL_USD_A_DAY,
    instant: datetime | None = None,
) -> StreamWorld:
    """A world of one workspace and one API key for each series of a CSV file `series,date,y` (or .gz).

    Every series is scaled to a mean of `usd_a_day`; a step of a day is spread evenly over its hours.
    Raises ValueError for a file that is not of that form.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    series = read_series(path)
    streams = {_stream(one.name): one for one in series}
    founded_at = hour - max(one.end - one.instants[0] for one in series) - DAY
    cast = Cast(
        (
            Workspace(DEFAULT_WORKSPACE_ID, "Default", founded_at),
            *(Workspace(f"wrkspc_{slug(one.name)}", one.name, founded_at) for one in series),
        ),
        tuple(ApiKey(f"apikey_{slug(one.name)}", one.name, f"wrkspc_{slug(one.name)}", founded_at) for one in series),
        tuple(streams),
    )
    return StreamWorld(0, cast, ReplayVolume(streams, prices, hour, usd_a_day, instant), prices, Lags())


def read_series(path: Path) -> list[ReplayedSeries]:
    """The file's series in order of appearance, each sorted by time; negative values count as nothing."""
    points: dict[str, dict[datetime, float]] = {}
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        reader = csv.DictReader(file)
        if not {"series", "date", "y"} <= set(reader.fieldnames or ()):
            raise ValueError("the first line has to name the columns series, date and y")
        for row in reader:
            points.setdefault(row["series"], {})[_instant(row["date"])] = max(0.0, float(row["y"]))
    if not points:
        raise ValueError("no values in the file")
    ordered = {name: sorted(values.items()) for name, values in points.items()}
    return [
        ReplayedSeries(name, [at for at, _ in values], [value for _, value in values])
        for name, values in ordered.items()
    ]


def slug(name: str) -> str:
    """A series' name as part of an id."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _stream(name: str) -> Stream:
    return Stream(f"wrkspc_{slug(name)}", f"apikey_{slug(name)}", _MODEL)


def _mean_hour(stream: Stream, prices: PriceBook, now: datetime, usd_a_day: Decimal) -> Quantities:
    return tokens_worth(usd_a_day / 24, AGENT, stream, prices, now)


def _shift(series: ReplayedSeries, now: datetime, instant: datetime | None) -> timedelta:
    """How far the series moves; by whole days for daily values, so that a day stays a UTC day."""
    inside = instant is not None and series.instants[0] <= instant < series.end
    shift = now - (instant if instant is not None and inside else series.instants[-1])
    return shift - shift % (DAY if series.step >= DAY else HOUR)
