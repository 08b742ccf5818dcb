"""Forecasts: the spend of a period at its end, as far as it can be estimated."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from service.domain.values.money import ZERO, Money


class ForecastMethod(StrEnum):
    WEEKDAY_LEVEL = "weekday_level"
    FINISHED = "finished"


class Estimate(StrEnum):
    LOW = "low"
    MID = "mid"
    HIGH = "high"


class Missing(StrEnum):
    """Why there is no forecast."""

    NO_SPEND = "no_spend"
    SHORT_HISTORY = "short_history"
    NO_END = "no_end"
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class NoForecast:
    """`history_days` complete days since the first spend, of the last ten weeks, are known: too few of them recent.

    A rolling period has no end, and one that ends too far away cannot be forecast.
    """

    reason: Missing
    history_days: int


@dataclass(frozen=True, slots=True)
class Path:
    """How what is still to come spreads over time: the share of it (0..1) that is there at each mark."""

    marks: tuple[datetime, ...]
    shares: tuple[float, ...]

    def when(self, share: float) -> datetime | None:
        """The instant at which a share (above 0) is reached, even within a day; None if it is not."""
        place = bisect_left(self.shares, share)
        if place == len(self.shares):
            return None
        if place == 0:
            return self.marks[0]
        before, after = self.shares[place - 1], self.shares[place]
        begin, end = self.marks[place - 1], self.marks[place]
        return begin + (end - begin) * ((share - before) / (after - before))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Spend at the end of a period: low..high is the 80 % range, and the truth is as often above mid as below it.

    `spent` is exact and in each of the three; the rest is estimated. `history_days` complete days were known.
    `quiet_days`: public holidays to come that are expected to cost less than their weekdays do.
    """

    spent: Money
    low: Money
    mid: Money
    high: Money
    method: ForecastMethod
    history_days: int
    path: Path
    quiet_days: tuple[date, ...] = ()

    def exhausted_at(self, amount: Money, estimate: Estimate = Estimate.MID) -> datetime | None:
        """When spend passes an amount, if it goes as an estimate says; None if it does not within the period.

        None of an amount that is spent already, too: the crossing knows since when. To the hour, so that the answer
        does not move with the minute of asking. The earliest time is that of `high`.
        """
        rest = self.of(estimate) - self.spent
        if amount <= self.spent or rest <= ZERO:
            return None
        at = self.path.when(float((amount - self.spent).ratio_to(rest)))
        return None if at is None else _to_the_hour(at)

    def of(self, estimate: Estimate) -> Money:
        return {Estimate.LOW: self.low, Estimate.MID: self.mid, Estimate.HIGH: self.high}[estimate]


def _to_the_hour(at: datetime) -> datetime:
    return (at + timedelta(minutes=30)).replace(minute=0, second=0, microsecond=0)


def finished(spent: Money, at: datetime, history_days: int) -> Forecast:
    """The forecast of a period that is over: what was spent, exactly."""
    return Forecast(spent, spent, spent, spent, ForecastMethod.FINISHED, history_days, Path((at,), (1.0,)))


def estimated(spent: Money, rest: float) -> Money:
    """Spend so far, exact, plus an estimate in dollars to six digits; zero where credits outweigh both."""
    return max(spent + Money.rounded(Decimal(f"{rest:.6g}")), ZERO)
