"""The hourly detector: loops of eight hours put into hourly series, and its false alerts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detecting.measure import false_episodes
from detecting.series import Series
from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.hourly.detector import HOURS, WEEK, judge_hour
from service.domain.detectors.noise import Noise
from service.domain.detectors.scores import Maturity, Terms

FLOOR = 10.0
TIMES = (2.0, 3.0, 5.0, 10.0)
SEEN = (1, 2, 3)
LOOP = 8
HOURS_A_YEAR = 8766
TOGETHER = 24
"""Hours between alerts of one episode."""


@dataclass(frozen=True)
class HourlyResult:
    """false: alerts a series-year. found: percent of loops by their size, within 1, 2 and 3 closed hours."""

    noise: Noise
    tune: bool
    series: int
    false: float
    every: float
    found: dict[float, tuple[float, ...]]


def judged(history: Floats, amounts: Floats) -> Flags:
    size = len(amounts)
    terms = Terms(np.ones(size), np.full(size, FLOOR))
    return judge_hour(history, amounts, terms, Maturity.FINAL).rises


def alerts(one: Series) -> Flags:
    """Every hour of a series, false before the first judged one."""
    views = np.lib.stride_tricks.sliding_window_view(one.values, HOURS)[:-1]
    parts = [
        judged(views[at : at + 1000], one.values[HOURS + at : HOURS + at + 1000]) for at in range(0, len(views), 1000)
    ]
    return np.concatenate([np.zeros(HOURS, dtype=bool), *parts])


def justified(values: Floats) -> Flags:
    """Hours that hindsight calls real: double the usual of their hour of the week, among the 3 largest of 9 weeks."""
    real = np.zeros(len(values), dtype=bool)
    for hour, value in enumerate(values):
        others = [
            values[h] for h in range(hour - 4 * WEEK, hour + 4 * WEEK + 1, WEEK) if h != hour and 0 <= h < len(values)
        ]
        usual = float(np.median(others)) if others else value
        if value >= 2 * usual and value - usual >= FLOOR:
            around = values[max(0, hour - 4 * WEEK) : hour + 4 * WEEK + 1]
            real[hour] = np.count_nonzero(around > value) < 3
    return real


def loops_found(series: list[Series], each: int, seed: int, times: float) -> dict[int, tuple[float, ...]]:
    """For each series, the share of loops seen within 1, 2, 3 closed hours; the first hour is hit in part."""
    shares = {}
    for place, one in enumerate(series):
        random = np.random.default_rng([seed, place])
        starts = random.integers(HOURS, len(one.values) - LOOP, each)
        parts = random.uniform(0.3, 1.0, each)
        history = np.array([one.values[s - HOURS : s + LOOP] for s in starts])
        extra = (times - 1) * history[:, HOURS - WEEK : HOURS].mean(axis=1)
        spoilt = history.copy()
        spoilt[:, HOURS:] += extra[:, None]
        spoilt[:, HOURS] -= (1 - parts) * extra
        rises, quiet = (
            np.stack([judged(rows[:, h : h + HOURS], rows[:, h + HOURS]) for h in range(max(SEEN))], axis=1)
            for rows in (spoilt, history)
        )
        valid = ~quiet.any(axis=1)
        shares[place] = tuple(float(rises[valid, :n].any(axis=1).mean()) if valid.any() else np.nan for n in SEEN)
    return shares


def measure(series: list[Series], each: int, seed: int) -> list[HourlyResult]:
    long = [one for one in series if len(one.values) > HOURS + LOOP]
    rung = [alerts(one) for one in long]
    real = [justified(one.values) for one in long]
    loops = {times: loops_found(long, each, seed, times) for times in TIMES}
    results = []
    for noise in (Noise.STEADY, Noise.VOLATILE):
        for tune in (True, False):
            rows = [i for i, s in enumerate(long) if _watched(s.noise) is noise and s.tune is tune]
            years = sum((len(long[i].values) - HOURS) / HOURS_A_YEAR for i in rows)
            false = sum(false_episodes(rung[i], real[i], TOGETHER) for i in rows)
            every = sum(false_episodes(rung[i], np.zeros_like(real[i]), TOGETHER) for i in rows)
            found = {
                times: tuple(100 * float(np.nanmean([loops[times][i][n] for i in rows])) for n in range(len(SEEN)))
                for times in TIMES
                if rows
            }
            results.append(
                HourlyResult(noise, tune, len(rows), false / years, every / years, found)
                if rows
                else HourlyResult(noise, tune, 0, np.nan, np.nan, found)
            )
    return results


def _watched(noise: Noise) -> Noise:
    """The hourly detector knows two classes."""
    return Noise.STEADY if noise is Noise.STEADY else Noise.VOLATILE
