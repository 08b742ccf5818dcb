"""Charts of alerts and digests: what one shows, in dollars and instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from service.domain.values.money import Money
from service.domain.values.periods import Window

SHORT = timedelta(days=2)
"""Spans up to this one are read by the hour."""
DAY = timedelta(days=1)


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """The time that a clock on the wall shows, written as if it were UTC: charts know no other zone."""
    return at.astimezone(zone).replace(tzinfo=UTC, fold=0)


class Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


class Series(StrEnum):
    """The series that a chart may have, in the words of its legend and the order of its layers."""

    USUAL = "Usual, 8 days in 10"
    LIMITS = "Expected range"
    EXPECTED = "Expected"
    BEFORE = "Period before"
    FORECAST = "Forecast, 4 in 5"
    ACTUAL = "Actual"
    FIRED = "Fired"
    BUDGET = "Budget"


@dataclass(frozen=True, slots=True)
class Point:
    """Spend in US dollars at an instant, aware UTC: of the bucket that begins there, or the sum so far."""

    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class Range:
    """A usual or forecast range at an instant, or of the bucket that begins there."""

    at: datetime
    low: Money
    mid: Money
    high: Money


@dataclass(frozen=True, slots=True)
class BudgetBar:
    """A budget below a chart, by the share of its amount that is spent, or will be: 1.0 is all of it."""

    name: str
    said: str
    share: float
    forecast: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `bucket`: `actual` are separate days or hours, None: a sum that grows. `alt` says it in words.

    `usual` is what was seen before, `limits` what the alert's rule judged by, `before` the same buckets a period
    earlier; of buckets without one there is none. `fired` are the starts of the buckets that the alert is about, and
    `partial` is that of the one that was not over. `span` is the whole time that the chart is about; None: as long as
    there are points. `bars` stand below it, under `bars_title`.
    """

    title: str
    subtitle: tuple[str, ...]
    alt: str
    actual: tuple[Point, ...]
    bucket: timedelta | None = None
    usual: tuple[Range, ...] = ()
    limits: tuple[Range, ...] = ()
    expected: tuple[Point, ...] = ()
    before: tuple[Point, ...] = ()
    forecast: tuple[Range, ...] = ()
    budget: Money | None = None
    span: Window | None = None
    fired: tuple[datetime, ...] = ()
    partial: datetime | None = None
    bars: tuple[BudgetBar, ...] = ()
    bars_title: str = ""

    @property
    def shown(self) -> tuple[Series, ...]:
        """The series that there is anything of."""
        there = {
            Series.USUAL: bool(self.usual),
            Series.LIMITS: bool(self.limits),
            Series.EXPECTED: bool(self.expected),
            Series.BEFORE: bool(self.before),
            Series.FORECAST: bool(self.forecast),
            Series.ACTUAL: any(point.at not in self.fired for point in self.actual),
            Series.FIRED: any(point.at in self.fired for point in self.actual),
            Series.BUDGET: self.budget is not None,
        }
        return tuple(series for series in Series if there[series])
