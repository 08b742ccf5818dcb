"""Public holidays: they say nothing of what is usual, and the next ones cost what a scope's quietest weekday does.

One scope a row. A scope that rests on no weekday rests on no holiday: nothing is different for it. One whose last
holidays cost more than its quietest weekday is expected to spend more on the next ones, too.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import date

import numpy as np

from service.domain.detectors.arrays import Flags, Floats
from service.domain.forecasts.pace import LEVEL_DAYS, WEEK, Pace, learn
from service.domain.values.utc import DAY

RESTS = 0.7
"""The factor of its quietest weekday under which a scope rests on some weekday."""
IMAGINARY = 0.5
"""How many past days off the imaginary one weighs as much as."""
QUIETER = 0.9
"""A day of which less than this share of its weekday is expected is called quiet."""
NO_DAYS_OFF: Set[date] = frozenset()


def are_off(off: Set[date], first: date, days: int) -> list[bool]:
    """Whether each of some days from the first one on is a day off."""
    return [first + number * DAY in off for number in range(days)] if off else [False] * days


def learn_without(spend: Floats, off: Flags) -> Pace:
    """The pace as if scopes that rest had worked on days off: one that cost less counts as its weekday does beside the
    other days of its seven. Each [scope, HISTORY_DAYS].
    """
    pace = learn(spend)
    resting = off & _rests(pace)[:, None] & ~np.isnan(spend)
    if not resting.any():
        return pace
    weeks = np.where(off, np.nan, spend).reshape(len(spend), -1, WEEK)
    factors = np.where(np.isnan(weeks), 0.0, pace.profile[:, None, :]).sum(axis=2, keepdims=True)
    level = np.nansum(weeks, axis=2, keepdims=True) / np.where(factors > 0, factors, np.nan)
    usual = (level * pace.profile[:, None, :]).reshape(spend.shape)
    return learn(np.where(resting, np.fmax(spend, usual), spend))


def expected(pace: Pace, spend: Floats, off: Flags, ahead: Flags) -> Floats:
    """The factor of every day from today on, [scope, days]. `off` are past days off, `ahead` those to come."""
    usual, quiet = pace.factors(ahead.shape[1]), pace.profile.min(axis=1, keepdims=True)
    ahead = ahead & _rests(pace)[:, None]
    if not ahead.any():
        return usual
    worked = _worked(pace, spend, off)[:, None]
    return np.where(ahead, quiet + worked * (usual - quiet), usual)


def quieter(pace: Pace, factors: Floats) -> Flags:
    """The days from today on of which clearly less is expected than of their weekday: [scope, days]."""
    return np.asarray(factors < QUIETER * pace.factors(factors.shape[1]))


def _rests(pace: Pace) -> Flags:
    """The scopes that have a weekday on which clearly less is spent: [scope]."""
    return np.asarray(pace.profile.min(axis=1) < RESTS)


def _worked(pace: Pace, spend: Floats, off: Flags) -> Floats:
    """How much of the way from a quiet day to an ordinary one past days off have cost, 0..1, with an imaginary quiet
    one: [scope]."""
    others, quiet = np.where(off, np.nan, spend), pace.profile.min(axis=1)
    total, count = np.zeros(len(spend)), np.full(len(spend), IMAGINARY)
    for day in np.flatnonzero(off.any(axis=0)).tolist():
        before, factor = others[:, max(0, day - LEVEL_DAYS) : day], pace.profile[:, day % WEEK]
        known = (~np.isnan(before)).sum(axis=1)
        level = np.nansum(before, axis=1) / np.maximum(known, 1)
        span = level * (factor - quiet)
        tells = off[:, day] & ~np.isnan(spend[:, day]) & (known > 0) & (span > 0)
        share = np.clip((spend[:, day] - level * quiet) / np.where(tells, span, 1.0), 0.0, 1.0)
        total, count = total + np.where(tells, share, 0.0), count + tells
    return np.asarray(total / count)
