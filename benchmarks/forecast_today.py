"""How good forecasts of today's end are, for daily budgets, and what knowing the usual hours of spend is worth.

    python benchmarks/forecast_today.py --data hourly.csv.gz   # columns series,date,y, a row an hour
    python benchmarks/forecast_today.py                        # series made up here, the same every time

Every series is scaled to a mean of $200 a day and weighs the same. Each day with four weeks before it is forecast at
06:00, 12:00 and 18:00, once with the elapsed share of the day and once with the usual share of a day's spend by then.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from service.domain.detectors.arrays import Floats
from service.domain.forecasts.estimate import Running, forecast_all
from service.domain.forecasts.forecast import Forecast
from service.domain.forecasts.history import DailySpend
from service.domain.forecasts.pace import HISTORY_DAYS
from service.domain.forecasts.recent import usual_shares
from service.domain.values.money import Money
from service.domain.values.periods import Window

HOURS = (6, 12, 18)
LEAST_HISTORY = PROFILED_DAYS = 28
MEAN = 200.0
COVERED = (0.70, 0.90)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, help="a CSV file, or gzip of one, with columns series,date,y")
    data = arguments.parse_args().data
    series = read(data) if data else made()
    print(f"{len(series)} series, {sum(map(len, series.values()))} days, {data or 'made up'}")
    print("at     share    in the 80 % range    error of mid, % of a mean day    run rate")
    held = [measured(series, hour, way) for hour in HOURS for way in ("elapsed", "usual")]
    met = COVERED[0] <= float(np.mean(held[1::2])) <= COVERED[1]
    print(f"  -> {'met' if met else 'MISSED'}: 70-90 % of all forecasts by the usual share held the truth")
    return 0 if met or data is None else 1


def read(path: Path) -> dict[str, Floats]:
    """[day, 24] dollars of each series, from its first to its last whole day; an hour without a row spent nothing."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        hours: dict[str, dict[datetime, float]] = defaultdict(dict)
        for row in csv.DictReader(file):
            hours[row["series"]][datetime.fromisoformat(row["date"])] = max(float(row["y"] or 0), 0.0)
    return {name: scaled(by_hour) for name, by_hour in hours.items()}


def scaled(by_hour: dict[datetime, float]) -> Floats:
    counts: dict[date, int] = defaultdict(int)
    for hour in by_hour:
        counts[hour.date()] += 1
    whole = sorted(day for day, count in counts.items() if count == 24)
    days = np.zeros(((whole[-1] - whole[0]).days + 1, 24))
    for hour, amount in by_hour.items():
        if whole[0] <= hour.date() <= whole[-1]:
            days[(hour.date() - whole[0]).days, hour.hour] = amount
    return np.asarray(days * MEAN * len(days) / days.sum())


def made() -> dict[str, Floats]:
    """Four months of six scopes with office hours and office weeks."""
    numbers = np.random.default_rng(20261121)
    hours = 0.2 + np.exp(-((np.arange(24) - 14) ** 2) / 18)
    week = np.array([1.15, 1.25, 1.25, 1.2, 1.05, 0.55, 0.55])[np.arange(120) % 7]
    spend = [
        numbers.gamma(1 / noise, noise, (120, 24)) * hours * week[:, None] for noise in (0.1, 0.2, 0.4, 0.6, 0.8, 1)
    ]
    return {f"made_{place}": days * MEAN * len(days) / days.sum() for place, days in enumerate(spend)}


def measured(series: dict[str, Floats], hour: int, way: str) -> float:
    """Prints one row of the table; answers with the share of days in range."""
    rows = []
    for days in series.values():
        places = range(LEAST_HISTORY, len(days))
        answers = forecast_all([running(days, place, hour, way) for place in places])
        for place, answer in zip(places, answers, strict=True):
            if isinstance(answer, Forecast):
                low, mid, high = (float(money.usd) for money in (answer.low, answer.mid, answer.high))
                truth, rate = days[place].sum(), days[place, :hour].sum() * 24 / hour
                held = low - 1e-3 <= truth <= high + 1e-3
                rows.append((1 / len(places), held, abs(mid - truth), abs(rate - truth)))
    weights, *measures = np.array(rows, dtype=np.float64).T
    held, mid, rate = (float(np.average(measure, weights=weights)) for measure in measures)
    print(f"{hour:02}:00  {way:8} {held:17.1%} {mid / MEAN:32.1%} {rate / MEAN:11.1%}")
    return held


def running(days: Floats, place: int, hour: int, way: str) -> Running:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    spent = float(days[place, :hour].sum())
    recent = days[max(place - PROFILED_DAYS, 0) : place].sum(axis=0, keepdims=True)
    share = hour / 24 if way == "elapsed" else usual_shares(recent, hour / 24)[0]
    past = days[max(place - HISTORY_DAYS, 0) : place].sum(axis=1).tolist()
    window = Window(start, start + timedelta(days=1))
    history = DailySpend.complete(past, today=spent, today_known=share)
    return Running(history, Money.of(f"{spent:.6f}"), window, start + timedelta(hours=hour))


if __name__ == "__main__":
    sys.exit(main())
