"""The processor time of one step of the detectors for a large organisation, on one core."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import TypeVar

import numpy as np

from detecting.report import Target
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.carry import followed_by
from service.domain.detectors.daily.detector import judge
from service.domain.detectors.daily.history import WINDOW, fresh
from service.domain.detectors.hourly.detector import HOURS, judge_hour
from service.domain.detectors.scores import Maturity, Terms

Given = TypeVar("Given")

MANY = 5000
BACKTEST = (200, 400)


def cold(times: int, prepare: Callable[[], Given], work: Callable[[Given], object]) -> float:
    """The median of so many runs, each on arrays of its own that no run before has touched or left in memory."""
    took = []
    for _ in range(times):
        given = prepare()
        begun = time.process_time()
        work(given)
        took.append(time.process_time() - begun)
    return median(took)


def speeds() -> list[Target]:
    random = np.random.default_rng(5)
    amounts = random.lognormal(5, 0.2, (MANY, WINDOW + 1))
    hours = random.lognormal(3, 0.2, (MANY, HOURS + 1))
    terms = Terms(np.ones(MANY), np.full(MANY, 25.0))
    history = fresh(MANY)
    for day in range(WINDOW):
        history = followed_by(baseline(history), amounts[:, day])
    every, newest = np.arange(MANY), amounts[:, -1]
    daily = cold(5, lambda: history.rows(every), lambda own: judge(baseline(own), newest, terms, Maturity.FINAL))
    carried = cold(5, lambda: history.rows(every), lambda own: followed_by(baseline(own), newest))
    hourly = cold(5, hours.copy, lambda own: judge_hour(own[:, :-1], own[:, -1], terms, Maturity.FINAL))
    replayed = cold(1, lambda: random.lognormal(5, 0.2, BACKTEST), backtest)
    return [
        ("us a daily series", "<= 25", 1e6 * daily / MANY, 1e6 * daily / MANY <= 25),
        ("us to carry a daily series on", "<= 25", 1e6 * carried / MANY, 1e6 * carried / MANY <= 25),
        ("us an hourly series", "<= 60", 1e6 * hourly / MANY, 1e6 * hourly / MANY <= 60),
        ("5,000 daily series, s", "< 0.3", daily, daily < 0.3),
        ("5,000 daily and 5,000 hourly, s", "< 0.5", daily + hourly, daily + hourly < 0.5),
        ("backtest of 200 series x 400 days, s", "< 10", replayed, replayed < 10),
    ]


def backtest(amounts: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    size, days = amounts.shape
    history, terms = fresh(size), Terms(np.ones(size), np.full(size, 25.0))
    for day in range(days):
        base = baseline(history)
        judge(base, amounts[:, day], terms, Maturity.FINAL)
        history = followed_by(base, amounts[:, day])
