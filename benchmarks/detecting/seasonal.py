"""The larger candidate that was not shipped: a log level with weekday factors, beside the weekday mean.

Kept so that the decision can be measured again. Eight weeks; residual scales; routing by class; winsorised history.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detecting.scored import FLOOR, Scored
from service.domain.detectors.arrays import Floats, Whole, median_of, row_quantile
from service.domain.detectors.noise import Noise, idle_share, noise_class, settled_class

WEEKS, DAYS, MONTH = 8, 56, 28


@dataclass(frozen=True, eq=False)
class Level:
    m: Floats
    c: Floats
    scale: Floats
    weekday: Floats
    spread: Floats
    mean: Floats
    deviation: Floats


def seasonal_level(amounts: Floats, first: int) -> Scored:
    amounts = np.nan_to_num(amounts)
    size = amounts.shape[0]
    kept, residuals = amounts.copy(), np.full(amounts.shape, np.nan)
    score, expected, forced = (np.zeros(amounts.shape) for _ in range(3))
    state: tuple[Whole, Whole, Whole] = (np.zeros(size, dtype=np.int64),) * 3
    for day in range(DAYS, amounts.shape[1]):
        raw, today = amounts[:, day - DAYS : day], amounts[:, day]
        state = settled_class(*state, noise_class(raw))
        with np.errstate(divide="ignore", invalid="ignore"):
            level = _level(kept[:, day - DAYS : day], raw, residuals[:, day - DAYS : day], state[0])
            score[:, day], expected[:, day], cap, residual = _judged(level, today, state[0])
        big = (today >= 4 * expected[:, day]) & (today > 1.5 * raw[:, -MONTH:].max(axis=1))
        forced[:, day] = big & (today - expected[:, day] >= 4 * FLOOR)
        kept[:, day] = np.fmin(today, cap)
        residuals[:, day] = np.fmin(residual, 5 * level.scale)
    return Scored(np.nan_to_num(score[:, first:]), expected[:, first:], forced[:, first:] > 0)


def _level(kept: Floats, raw: Floats, residuals: Floats, noise: Whole) -> Level:
    mean = kept.mean(axis=1)
    idle = np.clip((idle_share(raw[:, -MONTH:]) - 0.1) / 0.3, 0, 1)
    c = np.maximum(1.0, (np.where(noise == Noise.STEADY, 0.2, 0.1) + idle) * mean)
    log = np.log(kept + c[:, None]).reshape(-1, WEEKS, 7)
    week = median_of(log, axis=2)
    offsets = median_of(log - week[:, :, None], axis=1) * 8 / 9
    offsets -= offsets.mean(axis=1, keepdims=True)
    recent = (log - offsets[:, None, :]).reshape(-1, DAYS)[:, -14:]
    drift = 0.5 * np.clip(median_of(np.diff(week[:, -5:], axis=1), axis=1), -0.15, 0.15)
    m = np.maximum(np.exp(median_of(recent, axis=1) + drift * 7.5 / 7 + offsets[:, 0]) - c, 0)
    m = (1 - idle) * m + idle * kept[:, -MONTH:].mean(axis=1)
    weeks = kept[:, -MONTH:].reshape(-1, 4, 7)
    means = weeks.mean(axis=1)
    spread = np.sqrt(((weeks - means[:, None]) ** 2).mean(axis=(1, 2)) * 4 / 3) + 0.05 * means.mean(axis=1)
    month = raw[:, -MONTH:]
    return Level(m, c, _scale(residuals), means[:, 0], spread, month.mean(axis=1), month.std(axis=1))


def _scale(residuals: Floats) -> Floats:
    known = np.count_nonzero(~np.isnan(residuals), axis=1)
    second = row_quantile(residuals, float(np.clip(1 - 1 / max(1, known.max() - 1), 0, 1)))
    upper = np.fmax(row_quantile(residuals, 0.9) / 1.645, second / 3)
    return np.fmax(np.fmax(upper, 1.4826 * row_quantile(np.abs(residuals), 0.5)), 0.15)


def _judged(level: Level, x: Floats, noise: Whole) -> tuple[Floats, Floats, Floats, Floats]:
    """Score (1 alerts), expected, cap and residual."""
    steady, rare = noise == Noise.STEADY, noise == Noise.INTERMITTENT
    m, c, s = level.m, level.c, level.scale
    ratio = (x + c) / (m + c)
    residual = np.where(steady, ratio - 1, 2 * (np.sqrt(ratio) - 1))
    both = (residual / s + (x - level.weekday) / level.spread) / 2 / 3.0
    apart = (x - level.mean) / (level.deviation + 0.1 * level.mean) / 4.0
    score = np.select([steady, rare], [both, apart], residual / s / 4.5)
    expected = np.select([steady, rare], [(m + level.weekday) / 2, level.mean], m)
    cap_steady = np.maximum(level.weekday + 3 * level.spread, m + 3 * s * (m + c))
    cap = np.select([steady, rare], [cap_steady, level.mean + 6 * level.deviation], (1 + 1.5 * s) ** 2 * (m + c) - c)
    return score, expected, cap, residual
