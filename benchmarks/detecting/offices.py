"""Noisy offices, made up: their false alerts, and loops at any hour, fresh and after loops of ten times the usual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from detecting.hourly import HOURS_A_YEAR, TOGETHER, alerts
from detecting.measure import false_episodes
from detecting.repeated import LOOPS, hours_found
from detecting.report import Target, percent, table
from detecting.series import Series
from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.detector import HOURS, WEEK
from service.domain.detectors.noise import Noise

NOISES = 0.15, 0.20, 0.25, 0.30
DEMANDED = 0.25
WEEKS, OFFICES, EACH = 16, 20, 24
MEAN = 24.0
"""Dollars of an hour, so that nothing depends on the gate."""
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def office(noise: float, random: np.random.Generator) -> Floats:
    """From 8 to 18 on working days, else a 25th of it. `noise`: that of an hour, twice that of a day: [hours]."""
    at = np.arange(WEEKS * WEEK)
    hour, weekday = at % 24, at // 24 % 7
    shape = np.where((hour >= 8) & (hour < 18) & (weekday < 5), 1.0, 0.04)
    by_day = random.lognormal(0, noise / 2, WEEKS * 7).repeat(24)
    return np.asarray(MEAN * shape / shape.mean() * by_day * random.lognormal(0, noise, at.size))


def offices(noise: float, seed: int) -> list[Series]:
    rows = (office(noise, np.random.default_rng([seed, number])) for number in range(OFFICES))
    return [Series("office", MONDAY, row, Noise.STEADY, tune=seed % 2 == 0) for row in rows]


def noisy_offices(seeds: Sequence[int]) -> Iterator[str | Target]:
    yield "\n### noisy offices: % of x5 loops found within 1 / 2 closed hours, at any hour, after x10 loops"
    rows = []
    for noise in NOISES:
        each = [(seed, place, one) for seed in seeds for place, one in enumerate(offices(noise, seed))]
        false = sum(false_episodes(rung := alerts(one), np.zeros_like(rung), TOGETHER) for _, _, one in each)
        years = len(each) * (WEEKS * WEEK - HOURS) / HOURS_A_YEAR
        found = [
            100 * np.mean([hours_found(one, place, EACH, seed, loops) for seed, place, one in each], axis=0)
            for loops in ((), *LOOPS)
        ]
        rows.append(
            [f"{noise:.2f}", f"{false / years:.1f}", *(" / ".join(percent(share) for share in cell) for cell in found)]
        )
        if noise == DEMANDED:
            soon = float(found[0][1])
            yield f"x5 loop in an office of noise {noise:g}, in 2 h, %", ">= 80", soon, soon >= 80
    header = ["noise", "false alerts a series-year", "fresh", "after one, 3 days before", "after three in 16 days"]
    yield from table(header, rows)
