"""How fast scopes spend: a weekday profile, a recent level, and how wrong the two have been. All scopes at once.

One scope a row. Columns are the days before today, oldest first, whole weeks of them: so column 0, and every seventh
from there, is today's weekday. The constants were chosen on the public daily series of docs/forecasts.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from service.domain.detectors.arrays import Flags, Floats, row_quantile

WEEK = 7
HISTORY_DAYS = 10 * WEEK
PROFILE_DAYS = 8 * WEEK
LEVEL_DAYS = 2 * WEEK
HALF_LIFE = 3.0
"""Days after which a day counts half in the level."""
LEAST_DAYS = WEEK
"""Complete days, of the last fourteen, without which there is no level."""

CLIP = 2.0
"""Robust standard deviations from the fortnight's median beyond which a day counts as that far only."""
LEAST_SPREAD = 0.1
SPARSE_CLIP = 6.0
"""Where most days may be idle the median says nothing: at most this many times the mean of ten
weeks' others."""
NEAR_ZERO, SPARSE_SHARE, SPARSE_DAYS = 0.05, 0.25, 28
LEAST_FACTOR = 0.05
"""The smallest factor of a weekday, so that a Sunday that hardly spends does not decide the level."""

REACH = 1.55
"""Mean errors that reach as far as an 80 % range has to."""
WORST_ERROR = 3.0
USUAL_ERROR, USUAL_DAYS = 0.25, 7
"""The error assumed of a new scope, and the number of its own it weighs as much as."""
LEAST_SCALE = 0.1
"""The share of ten weeks' mean that is the smallest level errors are a share of."""
WIDENING, WIDENING_WITHIN_A_DAY = 0.3, 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Pace:
    """The pace of each scope: the factor of each weekday, `profile` [scope, 7], today's first, mean 1; `level`, dollars
    a usual day; `scale`, the dollars a day that errors are a share of; the mean error one day and one week ahead."""

    profile: Floats
    level: Floats
    scale: Floats
    day_error: Floats
    week_error: Floats

    def factors(self, days: int) -> Floats:
        """[scope, days] from today on."""
        return np.tile(self.profile, (1, days // WEEK + 1))[:, :days]


def learn(spend: Floats) -> Pace:
    """From `spend` [scope, HISTORY_DAYS], dollars, NaN where unknown; each scope has `enough` and has spent."""
    sparse = _sparse(spend)
    profile = _profile(spend, sparse)
    factors = np.maximum(np.tile(profile, (1, HISTORY_DAYS // WEEK)), LEAST_FACTOR)
    levels = _levels(spend, factors, sparse)
    level, scale = levels[:, -1], LEAST_SCALE * _mean(spend)
    day, week = (_mean_error(spend, factors, levels, scale, ahead) for ahead in (1, WEEK))
    return Pace(profile, level, np.maximum(level, scale), day, week)


def enough(spend: Floats) -> Flags:
    """Which scopes have a week of complete days in the last fortnight: [scope, HISTORY_DAYS] -> [scope]."""
    return np.asarray((~np.isnan(spend[:, -LEVEL_DAYS:])).sum(axis=1) >= LEAST_DAYS)


def reach(pace: Pace, days: Floats) -> Floats:
    """How far an 80 % range reaches, as a share of what is still to come in `days` [scope] days.

    Between a day and a week the two measured errors are interpolated; beyond a week the range widens as days ** 0.3.
    """
    between = np.log(np.clip(days, 1.0, WEEK)) / np.log(WEEK)
    error = pace.day_error ** (1 - between) * pace.week_error**between
    beyond = np.maximum(days / WEEK, 1.0) ** WIDENING
    within = np.clip(days, 1 / 24, 1.0) ** -WIDENING_WITHIN_A_DAY
    return np.asarray(REACH * error * beyond * within)


def _sparse(spend: Floats) -> Flags:
    recent = spend[:, -SPARSE_DAYS:]
    idle = (recent <= NEAR_ZERO * _mean(recent)[:, None]).sum(axis=1)
    return np.asarray(idle > SPARSE_SHARE * (~np.isnan(recent)).sum(axis=1))


def _profile(spend: Floats, sparse: Flags) -> Floats:
    """The median over whole weeks of a weekday's share of its week; the mean where many days are idle."""
    weeks = spend[:, -PROFILE_DAYS:].reshape(len(spend), -1, WEEK)
    means = weeks.mean(axis=2, keepdims=True)
    usable = means > 0
    shares = np.where(usable, weeks / np.where(usable, means, 1.0), np.nan)
    count = usable.sum(axis=1)
    mean = np.nansum(shares, axis=1) / np.maximum(count, 1)
    raw = np.where(sparse[:, None], mean, np.nan_to_num(_median(shares.swapaxes(1, 2))))
    profile = (count * raw + 1) / (count + 1)  # drawn towards an even week by one imaginary week
    return np.asarray(profile / profile.mean(axis=1, keepdims=True))


def _levels(spend: Floats, factors: Floats, sparse: Flags) -> Floats:
    """The level at the end of every day from the fourteenth on: [scope, HISTORY_DAYS - 13]. NaN: unknown."""
    windows = sliding_window_view(spend / factors, LEVEL_DAYS, axis=1)
    known = ~np.isnan(windows)
    weights = np.where(known, sliding_window_view(factors, LEVEL_DAYS, axis=1) * _FADING, 0.0)
    low, high = _bounds(windows)
    low[sparse] = 0.0
    high[sparse] = np.fmax(high[sparse], SPARSE_CLIP * _without_largest(spend[sparse])[:, None])
    kept = np.where(known, np.clip(windows, low[..., None], high[..., None]), 0.0)
    total = np.where(known.sum(axis=2) >= LEAST_DAYS, weights.sum(axis=2), np.nan)
    return np.asarray((weights * kept).sum(axis=2) / total)


_FADING = 0.5 ** (np.arange(LEVEL_DAYS)[::-1] / HALF_LIFE)


def _bounds(windows: Floats) -> tuple[Floats, Floats]:
    """Between which amounts a fortnight's days count in full, without their weekday's factor."""
    middle = _median(windows)
    spread = CLIP * np.maximum(1.4826 * _median(np.abs(windows - middle[..., None])), LEAST_SPREAD * middle)
    return np.maximum(middle - spread, 0.0), middle + spread


def _without_largest(spend: Floats) -> Floats:
    """The mean of each scope's days without the one that cost most."""
    amounts, known = np.nan_to_num(spend), (~np.isnan(spend)).sum(axis=1)
    return np.asarray((amounts.sum(axis=1) - amounts.max(axis=1)) / np.maximum(known - 1, 1))


def _mean_error(spend: Floats, factors: Floats, levels: Floats, scale: Floats, ahead: int) -> Floats:
    """The mean error of past levels, as shares of them, over the `ahead` days that followed each."""
    came = sliding_window_view(spend[:, LEVEL_DAYS:], ahead, axis=1).sum(axis=2)
    came = came / sliding_window_view(factors[:, LEVEL_DAYS:], ahead, axis=1).sum(axis=2)
    said = levels[:, : came.shape[1]]
    errors = np.abs(came - said) / np.maximum(said, scale[:, None])
    known = ~np.isnan(errors)
    total = np.where(known, np.minimum(errors, WORST_ERROR), 0.0).sum(axis=1)
    return np.asarray((total + USUAL_DAYS * USUAL_ERROR) / (known.sum(axis=1) + USUAL_DAYS))


def _mean(cells: Floats) -> Floats:
    """The mean of each row's known cells; 0 of none."""
    return np.asarray(np.nansum(cells, axis=1) / np.maximum((~np.isnan(cells)).sum(axis=1), 1))


def _median(cells: Floats) -> Floats:
    """The median of the known cells along the last axis; NaN of none."""
    return row_quantile(cells.reshape(-1, cells.shape[-1]), 0.5).reshape(cells.shape[:-1])
