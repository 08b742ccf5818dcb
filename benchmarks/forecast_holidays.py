"""How good month-end forecasts of made-up organisations are where public holidays come, with and without a `country`.

    python benchmarks/forecast_holidays.py      # the same every time; ten seconds

Each month of two years is forecast after its day 10 from what was known then. Per organisation: the mean absolute
percentage error of the month's total, its bias, and how often the 80 % range held it: of the months with a holiday on a
weekday still to come, and of all others. An office rests on holidays as on Sundays; `half rests` has half of its spend
from machines; `works` is an office that keeps none of these holidays; `even` spends the same on all days.
"""

from __future__ import annotations

import sys
from calendar import monthrange
from collections.abc import Iterator, Set
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from forecast import Point, dollars, inside, months

from service.domain.detectors.arrays import Floats
from service.domain.forecasts.estimate import forecast_all
from service.domain.forecasts.forecast import Forecast
from service.domain.values.public_holidays import holidays_of

AFTER = 10
FIRST, DAYS = date(2024, 1, 1), 731
COUNTRIES = {"DE": "BY", "US": None, "JP": None}
SEEDS = 6
WEEK = np.array([1.15, 1.25, 1.25, 1.2, 1.05, 0.25, 0.2])
SUNDAY = 6
KINDS = ("office", "half rests", "works", "even")


def main() -> int:
    for country, part in COUNTRIES.items():
        off = frozenset(day for year in (2024, 2025, 2026) for day in holidays_of(country, part, year))
        print(f"\n{country}: after day {AFTER}, months with a holiday on a weekday to come | other months")
        for kind in KINDS:
            report(kind, off)
    return 0


def report(kind: str, off: Set[date]) -> None:
    points = list(months(series(kind, off), (AFTER,)))
    touched = np.array([any(one in off and one.weekday() < 5 for one in to_come(point)) for point in points])
    truth = np.array([point.truth for point in points])
    for name, known in (("unknown", frozenset[date]()), ("known", off)):
        made = forecasts(points, known)
        errors, held = dollars(made, lambda one: one.mid) / truth - 1, inside(points, made)
        shown = (
            f"{np.abs(errors[part]).mean():6.2%} bias {errors[part].mean():+6.2%} in range {held[part].mean():4.0%}"
            for part in (touched, ~touched)
        )
        print(f"  {kind:10} holidays {name:7}  {'  |  '.join(shown)}")


def forecasts(points: list[Point], off: Set[date]) -> list[Forecast]:
    made = forecast_all([replace(point.running(), off=off) for point in points])
    return [one for one in made if isinstance(one, Forecast)]


def to_come(point: Point) -> Iterator[date]:
    length = monthrange(point.first.year, point.first.month)[1]
    return (point.first + timedelta(days=number) for number in range(point.days, length))


def series(kind: str, off: Set[date]) -> dict[str, tuple[date, Floats]]:
    numbers, found = np.random.default_rng(20261130), dict[str, tuple[date, Floats]]()
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    rests = np.array([day in off for day in days])
    for seed in range(SEEDS):
        level = 200 * np.exp(np.cumsum(numbers.normal(0, 0.01, DAYS)))
        office = WEEK[
            np.array(
                [SUNDAY if rest and kind != "works" else day.weekday() for day, rest in zip(days, rests, strict=True)]
            )
        ]
        shape = {"even": np.ones(DAYS), "half rests": (office + 1) / 2}.get(kind, office)
        found[f"{kind}_{seed}"] = (FIRST, level * shape * numbers.lognormal(0, 0.08 + 0.04 * seed, DAYS))
    return found


if __name__ == "__main__":
    sys.exit(main())
