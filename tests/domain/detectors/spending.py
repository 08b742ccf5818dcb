"""Series for the detectors' tests, and the one-line ways to judge them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.carry import followed_by
from service.domain.detectors.daily.detector import judge, terms
from service.domain.detectors.daily.history import History, fresh
from service.domain.detectors.panel import Panel
from service.domain.detectors.scores import Maturity, Scores, Sensitivity, Terms

MONDAY = date(2026, 6, 1)
OFFICE_WEEK = (300.0, 310.0, 305.0, 295.0, 290.0, 80.0, 70.0)
"""Dollars from Monday to Sunday."""


def office(days: int, noise: float = 0.04, seed: int = 1) -> Floats:
    """A steady office series that starts on a Monday: [days]."""
    random = np.random.default_rng(seed)
    return np.resize(np.array(OFFICE_WEEK), days) * random.lognormal(0, noise, days)


def volatile(days: int, seed: int = 2) -> Floats:
    return 200 * np.random.default_rng(seed).lognormal(0, 0.45, days)


def rare(days: int, seed: int = 3) -> Floats:
    """Three days in ten have spend."""
    random = np.random.default_rng(seed)
    return np.where(random.random(days) < 0.3, 150 * random.lognormal(0, 0.2, days), 0.0)


def panel(*rows: Floats) -> Panel:
    return Panel(tuple(f"series {n}" for n in range(len(rows))), MONDAY, np.array(rows))


def normal(size: int = 1, floor: float = 25.0) -> Terms:
    return terms(Sensitivity.NORMAL, np.zeros(size), np.full(size, floor))


def history_of(*rows: Floats) -> History:
    return _history(tuple(tuple(row.tolist()) for row in rows))


@lru_cache(maxsize=256)
def _history(rows: tuple[tuple[float, ...], ...]) -> History:
    amounts = panel(*map(np.array, rows)).from_first_spend()
    history = fresh(len(rows))
    for day in range(amounts.shape[1]):
        history = followed_by(baseline(history), amounts[:, day])
    return history


def judged(history: History, *amounts: float, floor: float = 25.0) -> Scores:
    return judge(baseline(history), np.array(amounts), normal(len(amounts), floor), Maturity.FINAL)


def carried(history: History, *amounts: float) -> History:
    return followed_by(baseline(history), np.array(amounts))
