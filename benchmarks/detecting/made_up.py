"""Organisations that are made up, so that it is known what is usual in them and what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from service.domain.backtest.history import Recorded
from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.known import HourVersions
from service.domain.sources.locality import Locality, locality_of
from service.domain.spend.best_known import DayVersion, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.domain.values.utc import HOUR, midnight

ANYWHERE = locality_of(None)
GERMANY = locality_of("Europe/Berlin", "DE")
FIRST = date(2026, 1, 5)
"""A Monday."""
LEARNING, JUDGED = 70, 49
DAYS = LEARNING + JUDGED
DELAY = timedelta(minutes=6)
LOOP = 8
WORKSPACES = ("api", "office", "nightly", "research")
SHARES = np.array([0.45, 0.30, 0.10, 0.15])


@dataclass(frozen=True, eq=False)
class Organisation:
    """`hours`: dollars, [workspaces, hours]. `loops`: workspace and first hour of each. `since`: a launch's hour.

    `first`: the first day, a Monday. `locality`: what the product is told of its people.
    """

    name: str
    daily: float
    hours: Floats
    loops: tuple[tuple[int, int], ...] = ()
    since: int | None = None
    first: date = FIRST
    locality: Locality = ANYWHERE

    def recorded(self) -> Recorded:
        """Everything as it became known: hours 6 minutes after their end, days as bills at their end."""
        cells = [Cell(f"wrkspc_{name}", "claude-sonnet-5", f"apikey_{name}") for name in WORKSPACES]
        days = self.hours.reshape(len(cells), -1, 24).sum(axis=2)
        versions = [
            DayVersion(
                on := self.first + timedelta(days=day),
                on,
                False,
                False,
                {
                    cell: SpendDay(Spend(billed=Money.of(f"{dollars:.4f}")))
                    for cell, dollars in zip(cells, row, strict=True)
                },
            )
            for day, row in enumerate(days.T.tolist())
        ]
        begin = midnight(self.first)
        read = np.array([(begin + (at + 1) * HOUR + DELAY).timestamp() for at in range(self.hours.shape[1])])
        hours = HourVersions(begin, cells, self.hours, read, read.copy())
        return Recorded("src_1", versions, {}, hours=hours, delay=DELAY, locality=self.locality)

    def hour(self, place: int) -> datetime:
        return datetime.combine(self.first, datetime.min.time(), UTC) + place * HOUR


def usual(daily: float, random: np.random.Generator, noise: float = 0.10) -> Floats:
    """An API at all hours, an office from 8 to 18 on working days, a job at night, and one noisy workspace."""
    at = np.arange(DAYS * 24)
    hour, weekday = at % 24, at // 24 % 7
    shapes = np.array(
        [
            1 + 0.5 * np.sin((hour - 8) / 24 * 2 * np.pi) - 0.2 * (weekday >= 5),
            np.where((hour >= 8) & (hour < 18) & (weekday < 5), 1.0, 0.04),
            np.where((hour >= 2) & (hour < 5), 1.0, 0.02),
            np.where(weekday < 5, 1.0, 0.5) * np.where((hour >= 7) & (hour < 22), 1.0, 0.3),
        ]
    )
    level = SHARES * daily / 24
    shapes *= (level / shapes.mean(axis=1))[:, None]
    size = np.array([noise, 1.5 * noise, noise, 3 * noise])[:, None]
    by_day = random.lognormal(0, 0.5 * size, (len(SHARES), DAYS)).repeat(24, axis=1)
    return np.asarray(shapes * by_day * random.lognormal(0, size, shapes.shape))


def flat(daily: float, seed: int) -> Organisation:
    return Organisation("flat", daily, usual(daily, np.random.default_rng([seed, 1])))


def growing(percent: float) -> Callable[[float, int], Organisation]:
    def grow(daily: float, seed: int) -> Organisation:
        plain = flat(daily, seed)
        weeks = np.maximum(np.arange(DAYS * 24) / 168 - LEARNING / 7 + 6, 0)
        return replace(plain, name=f"growth {percent:g} % a week", hours=plain.hours * (1 + percent / 100) ** weeks)

    return grow


def launching(times: float) -> Callable[[float, int], Organisation]:
    """The API's traffic and the office's jump so that the organisation costs so many times as much from then on."""

    def launch(daily: float, seed: int) -> Organisation:
        plain, random = flat(daily, seed), np.random.default_rng([seed, 2])
        since = (LEARNING + 5 + int(random.integers(0, 14))) * 24 + int(random.integers(6, 18))
        hours = plain.hours.copy()
        hours[:2, since:] *= 1 + (times - 1) / SHARES[:2].sum()
        return replace(plain, name=f"launch x{times:g}", hours=hours, since=since)

    return launch


def looping(times: float) -> Callable[[float, int], Organisation]:
    """Six loops of 8 hours, about a week apart: one workspace costs so many times its mean hour."""

    def loop(daily: float, seed: int) -> Organisation:
        plain, random = flat(daily, seed), np.random.default_rng([seed, 3])
        hours, loops = plain.hours.copy(), []
        for number in range(6):
            start = (LEARNING + 3 + 7 * number + int(random.integers(0, 4))) * 24 + int(random.integers(0, 16))
            row = int(random.choice([0, 1, 3]))
            extra = (times - 1) * SHARES[row] * daily / 24
            hours[row, start : start + LOOP] += extra
            hours[row, start] -= extra * random.uniform(0.0, 0.7)
            loops.append((row, start))
        return replace(plain, name=f"loops x{times:g}", hours=hours, loops=tuple(loops))

    return loop


def monthly_batch(daily: float, seed: int) -> Organisation:
    """On the second of each month a job costs four fifths of a day, in four hours.

    The judged weeks have the third and the fourth: one is an alert, the other is expected.
    """
    plain = flat(daily, seed)
    hours = plain.hours.copy()
    for day in (day for day in range(DAYS) if (FIRST + timedelta(days=day)).day == 2):
        hours[2, day * 24 + 5 : day * 24 + 9] += 0.2 * daily
    return replace(plain, name="monthly batch", hours=hours)


def holidays(daily: float, seed: int) -> Organisation:
    """Two Mondays as quiet as Sundays."""
    plain = flat(daily, seed)
    hours = plain.hours.copy()
    for day in (LEARNING + 14, LEARNING + 35):
        hours[1, day * 24 : day * 24 + 24] = hours[1, day * 24 - 24 : day * 24]
        hours[3, day * 24 : day * 24 + 24] *= 0.5
    return replace(plain, name="holidays", hours=hours)


def christmas(locality: Locality) -> Callable[[float, int], Organisation]:
    """Germany's Christmas and New Year, two of them Fridays a week apart, as quiet as Sundays.

    `locality`: what the product is told, which may be nothing.
    """

    def rest(daily: float, seed: int) -> Organisation:
        plain, first = flat(daily, seed), date(2026, 10, 5)
        hours = plain.hours.copy()
        for day in sorted(GERMANY.days_off(first, first + timedelta(days=DAYS))):
            start = (day - first).days * 24
            sunday = start - 24 * (day.weekday() + 1)
            hours[1, start : start + 24] = hours[1, sunday : sunday + 24]
            hours[3, start : start + 24] *= 0.5
        return replace(plain, name=_named("Christmas", locality), hours=hours, first=first, locality=locality)

    return rest


def loops_after_christmas(times: float, locality: Locality) -> Callable[[float, int], Organisation]:
    """Loops of 8 hours on the working days after the holidays, and on the Friday that two of them are compared with."""

    def loop(daily: float, seed: int) -> Organisation:
        plain, random = christmas(locality)(daily, seed), np.random.default_rng([seed, 5])
        hours, loops = plain.hours.copy(), []
        for day in (date(2026, 12, 28), date(2027, 1, 4), date(2027, 1, 8)):
            row, start = int(random.choice([0, 1, 3])), (day - plain.first).days * 24 + int(random.integers(7, 13))
            hours[row, start : start + LOOP] += (times - 1) * SHARES[row] * daily / 24
            loops.append((row, start))
        return replace(plain, name=_named(f"x{times:g} after Christmas", locality), hours=hours, loops=tuple(loops))

    return loop


def _named(name: str, locality: Locality) -> str:
    return f"{name}, {'no country' if locality.country is None else 'country set'}"


def working_weekend(daily: float, seed: int) -> Organisation:
    """The office works through one weekend as it does on Fridays: unusual, and one alert."""
    plain, first = flat(daily, seed), LEARNING + 26
    hours = plain.hours.copy()
    for day in (first, first + 1):
        hours[1, day * 24 : day * 24 + 24] = hours[1, (first - 1) * 24 : first * 24]
    return replace(plain, name="working weekend", hours=hours)


def clocks_forward(daily: float, seed: int) -> Organisation:
    """The office begins and ends an hour earlier by UTC from 29 March 2026 on, as clocks in Europe do."""
    return _with_clocks_put(flat(daily, seed), "clocks forward", FIRST, 1)


def clocks_back(daily: float, seed: int) -> Organisation:
    """The office begins and ends an hour later by UTC from 25 October 2026 on."""
    return _with_clocks_put(flat(daily, seed), "clocks back", date(2026, 8, 3), -1)


def _with_clocks_put(plain: Organisation, name: str, first: date, forward: int) -> Organisation:
    since = (LEARNING + 13) * 24
    hours = plain.hours.copy()
    hours[1, since:] = np.roll(hours[1, since:], -forward)
    return replace(plain, name=name, hours=hours, first=first)


def new_workspace(daily: float, seed: int) -> Organisation:
    """The noisy workspace begins in the third week, and migrates from the API what it costs."""
    plain, since = flat(daily, seed), (LEARNING + 16) * 24
    hours = plain.hours.copy()
    hours[3, :since] = 0.0
    return replace(plain, name="new workspace", hours=hours)


def migration(daily: float, seed: int) -> Organisation:
    """A fifth of the API's traffic moves to the noisy workspace from one day to the next."""
    plain, since = flat(daily, seed), (LEARNING + 20) * 24
    hours = plain.hours.copy()
    moved = 0.2 * hours[0, since:]
    hours[0, since:] -= moved
    hours[3, since:] += moved
    return replace(plain, name="migration", hours=hours)
