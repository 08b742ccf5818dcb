"""Incidents that come again: what is still found after several that nobody answered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from detecting.hourly import FLOOR, LOOP, judged
from detecting.incidents import BEFORE, LEAST_MEAN
from detecting.methods import OURS
from detecting.report import Target, percent, table
from detecting.series import Series
from service.domain.detectors.arrays import Flags, Floats, Whole
from service.domain.detectors.hourly.detector import HOURS, WEEK
from service.domain.detectors.noise import Noise

MOST = 4
APART = 6
"""Days from one x10 day to the next, on average; the nearest is 3 to 5 days old."""
LOOPS = ((3,), (3, 9, 15))
"""How many days ago loops of x10 began."""
KIND = tuple[Noise, bool]


def earlier_days(random: np.random.Generator, count: int) -> Whole:
    """How many days ago: 3 to 5, 9 to 11, and so on, so that none is next to another."""
    return np.asarray(3 + APART * np.arange(count) + random.integers(0, 3, count), dtype=np.int64)


def windows(one: Series, place: int, each: int, seed: int, count: int) -> Iterator[tuple[Floats, float]]:
    """112 days with so many days of ten times the usual among the last 28, the day after, and their mean without."""
    random = np.random.default_rng([seed, place, count])
    days = [day for day in range(BEFORE, len(one.values)) if one.values[day - 28 : day].mean() >= LEAST_MEAN]
    for day in random.choice(days, min(each, len(days)), replace=False) if days else ():
        window = one.values[day - BEFORE : day + 1].copy()
        mean = window[BEFORE - 28 : BEFORE].mean()
        window[BEFORE - earlier_days(random, count)] += 9 * mean
        yield window, float(mean)


def days_found(series: list[Series], each: int, seed: int, count: int) -> dict[tuple[KIND, float], float]:
    """Percent of x2 and of x3 days found after so many days of x10."""
    rows = [(one, *window) for at, one in enumerate(series) for window in windows(one, at, each, seed, count)]
    clean, mean = np.array([window for _, window, _ in rows]), np.array([mean for _, _, mean in rows])

    def rings(extra: Floats) -> Flags:
        spoilt = clean.copy()
        spoilt[:, BEFORE] += extra
        return OURS.judge(spoilt, BEFORE).alerts(spoilt[:, BEFORE:], np.ones(len(spoilt)))[:, 0]

    quiet = ~rings(np.zeros(len(rows)))
    found = {}
    for times in (2.0, 3.0):
        rung = rings((times - 1) * mean)
        for kind in _kinds(series):
            mine = quiet & np.array([(one.noise, one.tune) == kind for one, _, _ in rows])
            found[kind, times] = 100 * float(rung[mine].mean()) if mine.any() else np.nan
    return found


def repeated_days(series: list[Series], each: int, seed: int) -> Iterator[str | Target]:
    yield "\n### days: % of x2 / x3 found after 0 to 4 isolated x10 days in four weeks, tune and test half"
    by_count = [days_found(series, each, seed, count) for count in range(MOST + 1)]
    kinds = _kinds(series)
    yield from table(
        ["class", "half", *(f"after {count}" for count in range(MOST + 1))],
        (
            [
                noise.name.lower(),
                _half(tune),
                *(" / ".join(percent(found[(noise, tune), times]) for times in (2.0, 3.0)) for found in by_count),
            ]
            for noise, tune in kinds
        ),
    )
    for tune in (True, False):
        for times, demand in ((2.0, 85.0), (3.0, 97.0)):
            share = by_count[MOST][(Noise.STEADY, tune), times]
            yield (
                f"steady, {_half(tune)}: x{times:g} after four x10 days, %",
                f">= {demand:g}",
                share,
                share >= demand,
            )


def hours_found(one: Series, place: int, each: int, seed: int, loops: tuple[int, ...]) -> tuple[float, float]:
    """The share of x5 loops seen within 1 and 2 closed hours after loops of x10 that many days before."""
    random = np.random.default_rng([seed, place, len(loops)])
    starts = random.integers(HOURS, len(one.values) - LOOP, each)
    history = np.array([one.values[at - HOURS : at + LOOP] for at in starts])
    mean = history[:, HOURS - WEEK : HOURS].mean(axis=1)
    for row, days in ((row, days) for row in range(each) for days in loops):
        begun = HOURS - 24 * days + int(random.integers(-6, 7))
        history[row, begun : begun + LOOP] += 9 * mean[row]
    spoilt = history.copy()
    spoilt[:, HOURS:] += 4 * mean[:, None]
    spoilt[:, HOURS] -= (1 - random.uniform(0.3, 1.0, each)) * 4 * mean
    rises, quiet = (
        np.stack([judged(rows[:, h : h + HOURS], rows[:, h + HOURS]) for h in range(2)], axis=1)
        for rows in (spoilt, history)
    )
    valid = ~quiet.any(axis=1)
    shares = [float(rises[valid, :n].any(axis=1).mean()) if valid.any() else np.nan for n in (1, 2)]
    return shares[0], shares[1]


def repeated_hours(series: list[Series], each: int, seed: int) -> Iterator[str | Target]:
    yield f"\n### hours: % of x5 loops found within 1 / 2 hours after x10 loops of {LOOP} hours, gate ${FLOOR:g}"
    long = [(at, one) for at, one in enumerate(series) if len(one.values) > HOURS + LOOP]
    rows = []
    for noise, tune in ((noise, tune) for noise in (Noise.STEADY, Noise.VOLATILE) for tune in (True, False)):
        mine = [(at, one) for at, one in long if (one.noise is Noise.STEADY, one.tune) == (noise is Noise.STEADY, tune)]
        if not mine:
            continue
        by_loops = [
            100 * np.nanmean([hours_found(one, at, each, seed, loops) for at, one in mine], axis=0)
            for loops in ((), *LOOPS)
        ]
        rows.append([noise.name.lower(), _half(tune), *(" / ".join(map(percent, cell)) for cell in by_loops)])
        if noise is Noise.STEADY:
            found = float(by_loops[-1][1])
            yield f"hourly steady, {_half(tune)}: x5 in 2 h after three x10 loops, %", ">= 90", found, found >= 90
    yield from table(["class", "half", "fresh", "one, 3 days before", "three in 16 days"], rows)


def _kinds(series: list[Series]) -> list[KIND]:
    return [
        (noise, tune)
        for noise in (Noise.STEADY, Noise.VOLATILE)
        for tune in (True, False)
        if any((one.noise, one.tune) == (noise, tune) for one in series)
    ]


def _half(tune: bool) -> str:
    return "tune" if tune else "test"
