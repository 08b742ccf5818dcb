"""Forecasts of many scopes at once: what is spent, plus pace times what is left of the period."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from service.domain.detectors.arrays import Flags, Floats
from service.domain.forecasts.days_off import NO_DAYS_OFF, are_off, expected, learn_without, quieter
from service.domain.forecasts.forecast import Forecast, ForecastMethod, Missing, NoForecast, Path, estimated, finished
from service.domain.forecasts.history import DailySpend
from service.domain.forecasts.horizon import Horizon, horizon, share_inside
from service.domain.forecasts.pace import HISTORY_DAYS, enough, reach
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.utc import DAY


@dataclass(frozen=True, slots=True)
class Running:
    """One scope in one period: what it has `spent` of it, exact, and its daily spend up to today in the same zone.

    `now` is aware and the last day of `days` is its local day in `timezone` (IANA). `off`: public holidays among the
    days, and among those that are left of the period.
    """

    days: DailySpend
    spent: Money
    window: Window
    now: datetime
    timezone: str = "UTC"
    off: Set[date] = NO_DAYS_OFF


def forecast(running: Running) -> Forecast | NoForecast:
    """One scope's forecast; many at once are much cheaper each."""
    return forecast_all([running])[0]


def forecast_all(scopes: Sequence[Running]) -> list[Forecast | NoForecast]:
    """The forecasts of scopes, in their order. Raises ValueError for one that reaches a trillion dollars."""
    if not scopes:
        return []
    spend = np.array([scope.days.row() for scope in scopes])
    known = (~np.isnan(spend)).sum(axis=1)
    answers = [_without_estimate(scope, int(days)) for scope, days in zip(scopes, known, strict=True)]
    able = enough(spend)
    waiting = [place for place, answer in enumerate(answers) if isinstance(answer, NoForecast) and able[place]]
    if waiting:
        made = _estimates([scopes[place] for place in waiting], spend[waiting], known[waiting].tolist())
        for place, answer in zip(waiting, made, strict=True):
            answers[place] = answer
    return answers


def _without_estimate(scope: Running, history_days: int) -> Forecast | NoForecast:
    if scope.now >= scope.window.end:
        return finished(scope.spent, scope.now, history_days)
    return NoForecast(Missing.SHORT_HISTORY if history_days else Missing.NO_SPEND, history_days)


def _estimates(scopes: Sequence[Running], spend: Floats, history_days: Sequence[int]) -> list[Forecast]:
    aheads = [horizon(scope.window, scope.now, scope.timezone) for scope in scopes]
    weights = _weights(scopes, aheads)
    past, to_come = _days_off(scopes, aheads, weights.shape[1])
    pace = learn_without(spend, past)
    behind = np.array([_behind(scope, ahead) for scope, ahead in zip(scopes, aheads, strict=True)])
    factors = expected(pace, spend, past, to_come)
    paths = np.cumsum(np.column_stack([(behind * pace.profile).sum(axis=1), weights * factors]), axis=1)
    usual_days = paths[:, -1]
    mid = pace.level * usual_days + weights[:, 0] * _today_apart(scopes, pace.level * factors[:, 0])
    error = reach(pace, behind.sum(axis=1) + weights.sum(axis=1))
    ranges = np.stack([mid / (1 + error), mid, mid + error * pace.scale * usual_days])
    shares = paths / np.where(usual_days > 0, usual_days, 1.0)[:, None]
    quiet = quieter(pace, factors)
    return [
        _made(scope, ahead, days, rests, reached, _dates(ahead, less))
        for scope, ahead, days, rests, reached, less in zip(
            scopes, aheads, history_days, ranges.T.tolist(), shares.tolist(), quiet, strict=True
        )
    ]


def _days_off(scopes: Sequence[Running], aheads: Sequence[Horizon], days: int) -> tuple[Flags, Flags]:
    """The days off before today, [scope, HISTORY_DAYS], and from today on, [scope, days]."""
    pairs = list(zip(scopes, aheads, strict=True))
    past = [are_off(scope.off, ahead.today - HISTORY_DAYS * DAY, HISTORY_DAYS) for scope, ahead in pairs]
    return np.array(past), np.array([are_off(scope.off, ahead.today, days) for scope, ahead in pairs])


def _weights(scopes: Sequence[Running], aheads: Sequence[Horizon]) -> Floats:
    """How much of every day from today on is still to come: [scope, days of the longest horizon]."""
    weights = np.zeros((len(scopes), max(len(ahead.weights) for ahead in aheads)))
    for row, scope, ahead in zip(weights, scopes, aheads, strict=True):
        row[: len(ahead.weights)] = ahead.weights
        row[0] *= 1 - scope.days.known[-1]
    return weights


def _behind(scope: Running, ahead: Horizon) -> Floats:
    """How many past days of each weekday, today's first, the period holds that are not known yet: [7]."""
    days = np.zeros(7)
    for back, missing in scope.days.incomplete_days():
        day = ahead.today - timedelta(days=back)
        days[-back % 7] += missing * share_inside(day, scope.window, scope.timezone)
    return days


def _today_apart(scopes: Sequence[Running], usual: Floats) -> Floats:
    """How far today goes from what is usual of it, in dollars: [scope] each.

    Its own pace (amount / known share) is believed by the square of that share: little in the morning.
    """
    amounts = np.maximum([scope.days.amounts[-1] for scope in scopes], 0.0)
    known = np.array([scope.days.known[-1] for scope in scopes])
    return np.asarray(known * amounts - known**2 * usual)


def _dates(ahead: Horizon, chosen: Flags) -> tuple[date, ...]:
    """The chosen days from today on, as far as the period reaches."""
    return tuple(ahead.today + number * DAY for number in np.flatnonzero(chosen[: len(ahead.weights)]).tolist())


def _made(
    scope: Running, ahead: Horizon, days: int, rests: list[float], reached: list[float], quiet: tuple[date, ...]
) -> Forecast:
    low, mid, high = (estimated(scope.spent, rest) for rest in rests)
    path = Path(ahead.marks, tuple(reached[: len(ahead.marks)]))
    return Forecast(scope.spent, low, mid, high, ForecastMethod.WEEKDAY_LEVEL, days, path, quiet)
