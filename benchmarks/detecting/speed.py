"""How long one step of the detectors takes for a large organisation, on one core."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from detecting.report import Target
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.carry import followed_by
from service.domain.detectors.daily.detector import judge
from service.domain.detectors.daily.history import WINDOW, fresh
from service.domain.detectors.hourly.detector import HOURS, judge_hour
from service.domain.detectors.scores import Maturity, Terms

MANY = 5000
BACKTEST = (200, 400)


def best_of(times: int, work: Callable[[], object]) -> float:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return min(took)


def speeds() -> list[Target]:
    random = np.random.default_rng(5)
    amounts = random.lognormal(5, 0.2, (MANY, WINDOW + 1))
    hours = random.lognormal(3, 0.2, (MANY, HOURS + 1))
    terms = Terms(np.ones(MANY), np.full(MANY, 25.0))
    history = fresh(MANY)
    for day in range(WINDOW):
        history = followed_by(baseline(history), amounts[:, day])
    daily = best_of(5, lambda: judge(baseline(history), amounts[:, -1], terms, Maturity.FINAL))
    carried = best_of(5, lambda: followed_by(baseline(history), amounts[:, -1]))
    hourly = best_of(5, lambda: judge_hour(hours[:, :-1], hours[:, -1], terms, Maturity.FINAL))
    replayed = best_of(1, lambda: backtest(random.lognormal(5, 0.2, BACKTEST)))
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
