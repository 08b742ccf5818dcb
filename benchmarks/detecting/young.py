"""Young series and lasting shifts: how the first eight weeks are judged, and how soon a new level is accepted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from detecting.incidents import BEFORE
from detecting.measure import CLASSES, DAYS_A_YEAR, false_episodes, justified
from detecting.methods import OURS
from detecting.report import percent, table
from detecting.scored import FLOOR
from detecting.series import Series
from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.carry import followed_by
from service.domain.detectors.daily.detector import judge
from service.domain.detectors.daily.history import WINDOW, fresh
from service.domain.detectors.noise import Noise
from service.domain.detectors.scores import Maturity, Terms

AGES = ((3, 7), (7, 14), (14, 28), (28, 56))
AFTER = 14


def births(series: list[Series], each: int, seed: int) -> list[tuple[Series, int]]:
    """(series, day) from which a series is taken to begin, spend on that day included."""
    found = []
    for place, one in enumerate(series):
        random = np.random.default_rng([seed, place])
        days = np.flatnonzero(one.values[: -WINDOW - 1] > 0)
        found += [(one, int(day)) for day in random.choice(days, min(each, len(days)), replace=False)]
    return found


def first_weeks(windows: Floats) -> dict[str, Flags]:
    """Alerts on every day of [series, 56]: as it was, with a x3 and with a x10 on that day alone."""
    size = windows.shape[0]
    history, terms = fresh(size), Terms(np.ones(size), np.full(size, FLOOR))
    rung: dict[str, list[Flags]] = {"clean": [], "x3": [], "x10": []}
    for day in range(WINDOW):
        base = baseline(history)
        mean = windows[:, max(0, day - 28) : day].mean(axis=1) if day else np.zeros(size)
        for name, times in (("clean", 1), ("x3", 3), ("x10", 10)):
            spoilt = windows[:, day] + (times - 1) * mean
            rung[name].append(judge(base, spoilt, terms, Maturity.FINAL).rises)
        history = followed_by(base, windows[:, day])
    return {name: np.stack(days, axis=1) for name, days in rung.items()}


def cold_start_table(series: list[Series], each: int, seed: int) -> Iterator[str]:
    born = births(series, each, seed)
    rung = first_weeks(np.array([one.values[day : day + WINDOW] for one, day in born]))
    real = [justified(one.values)[day : day + WINDOW] for one, day in born]
    yield "\n### young series: false alerts a year of such days, % of x3 and of x10 days found"
    rows = []
    for noise in CLASSES:
        mine = np.array([one.noise is noise for one, _ in born])
        cells = [_age_cell(rung, real, np.flatnonzero(mine), slice(*ages)) for ages in AGES] if mine.any() else []
        rows.append([noise.name.lower(), *cells])
    yield from table(["class", *(f"{low}-{high - 1} days old" for low, high in AGES)], rows)


def _age_cell(
    rung: dict[str, Flags], real: list[Flags], rows: np.ndarray[tuple[int], np.dtype[np.intp]], days: slice
) -> str:
    false = sum(false_episodes(rung["clean"][row, days], real[row][days]) for row in rows)
    quiet = ~rung["clean"][rows, days]
    found = [100 * float(rung[name][rows, days][quiet].mean()) for name in ("x3", "x10")]
    years = len(rows) * (days.stop - days.start) / DAYS_A_YEAR
    return f"{false / years:.1f}, {percent(found[0])}, {percent(found[1])}"


def acceptance_table(series: list[Series], each: int, seed: int) -> Iterator[str]:
    """The share of lasting steps in steady series that still ring so many days after they began."""
    yield "\n### steady series: % of lasting steps that still ring on day 0, 1, 2 ..."
    rows = []
    for times in (2, 3):
        windows = []
        for place, one in enumerate(series):
            if one.noise is Noise.STEADY:
                random = np.random.default_rng([seed, place])
                for day in random.integers(BEFORE, len(one.values) - AFTER, each):
                    window = one.values[day - BEFORE : day + AFTER].copy()
                    window[BEFORE:] += (times - 1) * window[BEFORE - 28 : BEFORE].mean()
                    windows.append(window)
        amounts = np.array(windows)
        rung = OURS.judge(amounts, BEFORE).alerts(amounts[:, BEFORE:], np.ones(len(amounts)))
        rows.append([f"x{times}", *(percent(100 * float(share)) for share in rung.mean(axis=0))])
    yield from table(["step", *map(str, range(AFTER))], rows)
