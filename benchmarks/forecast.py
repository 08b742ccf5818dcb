"""How good month-end forecasts are: a causal backtest on daily series, against what anyone could do by hand.

    python benchmarks/forecast.py --data daily.csv.gz     # columns series,date,y; docs/forecasts.md names the series
    python benchmarks/forecast.py                         # series made up here, the same every time

Every series is scaled to a mean of $200 a day. A month is forecast after its first 5, 10, 15, 20 and 25 days from what
was known then: at most 70 days, at least 28. A month that costs less than a usual day has no percentage: left out.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from service.domain.detectors.arrays import Floats
from service.domain.forecasts.estimate import Running, forecast_all
from service.domain.forecasts.forecast import Forecast
from service.domain.forecasts.history import DailySpend
from service.domain.forecasts.pace import HISTORY_DAYS, LEAST_DAYS, LEVEL_DAYS
from service.domain.forecasts.watch import DAYS_TO_CROSS, RELEASED_BELOW, Stand, Watch, watched
from service.domain.values.money import Money
from service.domain.values.periods import Window

POINTS = (5, 10, 15, 20, 25)
LEAST_HISTORY = 28
MEAN = 200.0
COVERED = (0.70, 0.90)
BUDGET = 1.2
"""Of the month before: the budget whose forecast threshold is watched."""
SCOPES, MOST_SECONDS = 2000, 1.0


@dataclass(frozen=True, eq=False)
class Point:
    """One month of one series after some of its days, in dollars; `past` are all days before, the month's included."""

    series: str
    first: date
    days: int
    past: Floats
    spent: float
    truth: float
    last_month: float

    @property
    def length(self) -> int:
        return monthrange(self.first.year, self.first.month)[1]

    def running(self, kept: int = HISTORY_DAYS) -> Running:
        start = datetime.combine(self.first, datetime.min.time(), UTC)
        window = Window(start, start + timedelta(days=self.length))
        spent = Money.of(f"{self.spent:.6f}")
        return Running(
            DailySpend.complete(self.past[-kept:].tolist()), spent, window, start + timedelta(days=self.days)
        )


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, help="a CSV file, or gzip of one, with columns series,date,y")
    data = arguments.parse_args().data
    series = read(data) if data else made()
    print(f"{len(series)} series, {sum(map(len, (days for _, days in series.values())))} days, {data or 'made up'}")
    all_points = [point for point in months(series, POINTS) if point.truth > MEAN]
    points, forecasts = answered(all_points)
    print(f"{len(all_points) - len(points)} of {len(all_points)} points have no forecast: nothing spent in ten weeks")
    met = [covers(points, forecasts), beats(points, forecasts)]
    short_histories(points)
    met += [flaps(series), fast(points)]
    return 0 if all(met) or data is None else 1


def read(path: Path) -> dict[str, tuple[date, Floats]]:
    """Each series' first day and its dollars a day; a day that is not in the file spent nothing."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = sorted((row["series"], date.fromisoformat(row["date"][:10]), row["y"]) for row in csv.DictReader(file))
    series: dict[str, tuple[date, Floats]] = {}
    for name, group in groupby(rows, key=lambda row: row[0]):
        days = [(day, float(amount or 0)) for _, day, amount in group]
        values = np.zeros((days[-1][0] - days[0][0]).days + 1)
        for day, amount in days:
            values[(day - days[0][0]).days] += max(amount, 0.0)
        series[name] = (days[0][0], values * MEAN / values.mean())
    return series


def made() -> dict[str, tuple[date, Floats]]:
    """Two years of twelve scopes: office weeks, a wandering level, noise, and a spike now and then."""
    numbers = np.random.default_rng(20261121)
    first, days = date(2024, 1, 1), 731
    week = np.array([1.15, 1.25, 1.25, 1.2, 1.05, 0.55, 0.55])
    series = {}
    for place in range(12):
        level = np.exp(np.cumsum(numbers.normal(0, 0.03, days)))
        values = level * week[np.arange(days) % 7] * numbers.lognormal(0, 0.05 + 0.03 * place, days)
        values[numbers.random(days) < 0.005] *= 8
        series[f"made_{place}"] = (first, values * MEAN / values.mean())
    return series


def months(series: dict[str, tuple[date, Floats]], points: Sequence[int]) -> Iterator[Point]:
    for name, (begin, values) in series.items():
        first = date(begin.year, begin.month, 1)
        while True:
            start, length = (first - begin).days, monthrange(first.year, first.month)[1]
            if start + length > len(values):
                break
            last = (
                values[start - (first - timedelta(days=1)).day : start].sum() if start >= LEAST_HISTORY + 3 else np.nan
            )
            for days in points:
                if start >= 0 and start + days >= LEAST_HISTORY:
                    month, past = values[start : start + length], values[: start + days]
                    yield Point(name, first, days, past, month[:days].sum(), month.sum(), last)
            first += timedelta(days=length)


def answered(points: Sequence[Point], kept: int = HISTORY_DAYS) -> tuple[list[Point], list[Forecast]]:
    """The points that have a forecast from their last `kept` days, and these."""
    answers = zip(points, forecast_all([point.running(kept) for point in points]), strict=True)
    pairs = [(point, answer) for point, answer in answers if isinstance(answer, Forecast)]
    return [point for point, _ in pairs], [answer for _, answer in pairs]


def dollars(forecasts: Sequence[Forecast], of: Callable[[Forecast], Money]) -> Floats:
    return np.array([float(of(forecast).usd) for forecast in forecasts])


def inside(points: Sequence[Point], forecasts: Sequence[Forecast]) -> Floats:
    truth = np.array([point.truth for point in points])
    low, high = dollars(forecasts, lambda f: f.low), dollars(forecasts, lambda f: f.high)
    return np.asarray((low - 1e-3 <= truth) & (truth <= high + 1e-3), dtype=np.float64)


def covers(points: Sequence[Point], forecasts: Sequence[Forecast]) -> bool:
    within, after = inside(points, forecasts), np.array([point.days for point in points])
    truth, mid = np.array([point.truth for point in points]), dollars(forecasts, lambda f: f.mid)
    width = dollars(forecasts, lambda f: f.high) - dollars(forecasts, lambda f: f.low)
    print(f"\n{len(points)} forecasts: how often the 80 % range held the truth")
    print(f"  all          {within.mean():6.1%}   median width {np.median(width / truth):5.1%} of the truth")
    for days in POINTS:
        here = after == days
        print(f"  after day {days:2} {within[here].mean():6.1%}   median width {np.median((width / truth)[here]):5.1%}")
    outside = within == 0
    print(f"  below the range {(outside & (truth < mid)).mean():.1%}, above it {(outside & (truth > mid)).mean():.1%}")
    by_series = {name: within[[p.series == name for p in points]].mean() for name in {p.series for p in points}}
    least, most = min(by_series, key=by_series.__getitem__), max(by_series, key=by_series.__getitem__)
    print(f"  one series: from {by_series[least]:.0%} ({least}) to {by_series[most]:.0%} ({most})")
    return said(bool(COVERED[0] <= within.mean() <= COVERED[1]), "70-90 % of truths in range")


def beats(points: Sequence[Point], forecasts: Sequence[Forecast]) -> bool:
    truth, after = np.array([point.truth for point in points]), np.array([point.days for point in points])
    spent, length = np.array([point.spent for point in points]), np.array([point.length for point in points])
    ways = {
        "forecast mid": dollars(forecasts, lambda f: f.mid),
        "run rate": spent / after * length,
        "last 7 days": np.array([p.spent + p.past[-7:].mean() * (p.length - p.days) for p in points]),
        "last month": np.array([point.last_month for point in points]),
    }
    print(
        "\nmean absolute percentage error of the month's total    median | after day "
        + "  ".join(f"{d:5}" for d in POINTS)
    )
    for name, guess in ways.items():
        error = np.abs(guess - truth) / truth
        by_day = "  ".join(f"{np.nanmean(error[after == days]):5.1%}" for days in POINTS)
        print(f"  {name:14} {np.nanmean(error):37.2%} {np.nanmedian(error):8.2%} |           {by_day}")
    mid, rate = (np.abs(ways[name] - truth) / truth for name in ("forecast mid", "run rate"))
    print(f"  mid is nearer than the run rate in {(mid < rate).mean():.0%} of forecasts")
    return said(bool(mid.mean() < rate.mean()), "mid beats the run rate")


def short_histories(points: Sequence[Point]) -> None:
    print("\nwith fewer days of history    in range    error of mid")
    for kept in (LEAST_DAYS, LEVEL_DAYS, 28, 42, HISTORY_DAYS):
        some, forecasts = answered(points, kept)
        truth, mid = np.array([point.truth for point in some]), dollars(forecasts, lambda f: f.mid)
        held = inside(some, forecasts).mean()
        print(f"  {kept:3} days {held:26.1%} {(np.abs(mid - truth) / truth).mean():14.2%}")


def flaps(series: dict[str, tuple[date, Floats]]) -> bool:
    """Daily forecasts against a budget of 1.2 times the month before: how often the threshold's stand changes."""
    wanted = [p for p in months(series, range(1, 28)) if p.truth > MEAN and p.last_month > MEAN]
    points, forecasts = answered(wanted)
    plain = held = 0
    ways: dict[str, list[tuple[bool, bool]]] = {"plain": [], "held": []}
    for _, group in groupby(zip(points, forecasts, strict=True), key=lambda pair: (pair[0].series, pair[0].first)):
        month = list(group)
        level = Money.of(f"{BUDGET * month[0][0].last_month:.6f}")
        above = [False] + [answer.mid >= level for _, answer in month]
        watch, stands = Watch(), [False]
        for point, answer in month:
            watch = watched(watch, point.first + timedelta(days=point.days), answer.mid, level)
            stands.append(watch.stand is Stand.CROSSED)
        plain, held = plain + changes(above), held + changes(stands)
        passed = month[0][0].truth >= float(level.usd)
        ways["plain"].append((any(above), passed))
        ways["held"].append((any(stands), passed))
    years = len(points) / 27 / 12
    print(f"\na forecast threshold at {BUDGET} x the month before, {years:.0f} series-years of daily forecasts")
    for name, flips in (("plain", plain), ("held", held)):
        rang, passed = np.array(ways[name]).T
        right, found = (
            (rang & passed).sum() / max(rang.sum(), 1),
            (rang & passed).sum() / max(passed.sum(), 1),
        )
        print(
            f"  {name:6} {flips / years:5.2f} flips and {rang.sum() / years:.2f} crossed months a series-year; ",
            end="",
        )
        print(f"of these months {right:.0%} ended above, {found:.0%} of those that ended above were found")
    rule = f"{DAYS_TO_CROSS} days to cross, released below {RELEASED_BELOW:.0%}"
    return said(held < plain, f"fewer flips with {rule}")


def changes(stands: Sequence[bool]) -> int:
    return sum(before != after for before, after in pairwise(stands))


def fast(points: Sequence[Point]) -> bool:
    scopes = [points[place % len(points)].running() for place in range(SCOPES)]
    wall, cpu = time.perf_counter(), time.process_time()
    forecast_all(scopes)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"\n{SCOPES} scopes in {wall:.2f} s, {cpu:.2f} s of processor time")
    return said(cpu < MOST_SECONDS, f"{SCOPES} scopes under {MOST_SECONDS:.0f} s of processor time")


def said(met: bool, demand: str) -> bool:
    print(f"  -> {'met' if met else 'MISSED'}: {demand}")
    return met


if __name__ == "__main__":
    sys.exit(main())
