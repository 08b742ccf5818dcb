"""The methods that are compared. Each scores every day from what came before it, many series at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from detecting.scored import FLOOR, Judge, Method, Scored, same
from detecting.seasonal import seasonal_level
from service.domain.detectors.arrays import Floats, median_of
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.carry import followed_by
from service.domain.detectors.daily.detector import judge
from service.domain.detectors.daily.history import fresh
from service.domain.detectors.scores import Maturity, Terms


def from_window(days: int, read: Callable[[Floats], tuple[Floats, Floats]]) -> Judge:
    """A method that reads (centre, spread) from the last `days` days."""

    def judge_all(amounts: Floats, first: int) -> Scored:
        columns = [read(np.nan_to_num(amounts[:, day - days : day])) for day in range(first, amounts.shape[1])]
        centre, spread = (np.stack([column[i] for column in columns], axis=1) for i in (0, 1))
        score = (amounts[:, first:] - centre) / np.maximum(spread, 1e-9)
        return Scored(score, centre, np.zeros(score.shape, dtype=bool))

    return judge_all


def mean_and_deviation(window: Floats) -> tuple[Floats, Floats]:
    return window.mean(axis=1), window.std(axis=1)


def median_and_mad(window: Floats) -> tuple[Floats, Floats]:
    centre = median_of(window, axis=1)
    return centre, 1.4826 * median_of(np.abs(window - centre[:, None]), axis=1)


def weekday_mean(window: Floats) -> tuple[Floats, Floats]:
    weeks = window.reshape(-1, 4, 7)
    means = weeks.mean(axis=1)
    spread = np.sqrt(((weeks - means[:, None]) ** 2).mean(axis=(1, 2)) * 4 / 3)
    return means[:, 0], spread + 0.05 * means.mean(axis=1)


def ours(amounts: Floats, first: int) -> Scored:
    history = fresh(amounts.shape[0])
    terms = Terms(np.ones(amounts.shape[0]), np.full(amounts.shape[0], FLOOR))
    columns = []
    for day in range(amounts.shape[1]):
        base = baseline(history)
        if day >= first:
            columns.append(judge(base, amounts[:, day], terms, Maturity.FINAL))
        history = followed_by(base, amounts[:, day])
    score, expected, forced = (
        np.nan_to_num(np.stack([getattr(scores, name) for scores in columns], axis=1).astype(np.float64))
        for name in ("scores", "expected", "overrides")
    )
    return Scored(score, expected, forced > 0)


OURS = Method("Tocsin", ours, same(1.0))
NAIVE = Method("same-weekday mean 4 w, k=3.25", from_window(28, weekday_mean), same(3.25))
FAST = (
    OURS,
    Method("Tocsin, low sensitivity", ours, same(1.35)),
    Method("log level x weekday (not shipped)", seasonal_level, same(1.0)),
    Method("Tocsin, line tuned", ours, same(1.0), tuned=True),
    Method("log level x weekday, line tuned", seasonal_level, same(1.0), tuned=True),
    NAIVE,
    Method("same-weekday mean 4 w, k tuned", NAIVE.judge, same(3.25), tuned=True),
    Method("mean + 3 sd, 28 d", from_window(28, mean_and_deviation), same(3.0)),
    Method("mean + k sd, k tuned", from_window(28, mean_and_deviation), same(3.0), tuned=True),
    Method("median + 3 MAD, 28 d", from_window(28, median_and_mad), same(3.0)),
    Method("median + k MAD, k tuned", from_window(28, median_and_mad), same(3.0), tuned=True),
)
