"""Public holidays in forecasts: quiet like a weekend where the scope has one, and no word of what is usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from service.domain.forecasts.estimate import Running, forecast, forecast_all
from service.domain.forecasts.forecast import Forecast
from service.domain.forecasts.history import DailySpend
from service.domain.values.money import Money
from service.domain.values.periods import Window

DECEMBER = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
NOW = datetime(2026, 12, 11, tzinfo=UTC)
CHRISTMAS = frozenset({date(2026, 12, 25), date(2026, 12, 26)})
"""A Friday and a Saturday."""
LAST = frozenset({date(2026, 11, 3), date(2026, 11, 18), date(2026, 12, 1), date(2026, 12, 7)})
"""Working days of the last ten weeks."""
OFFICE = (100.0, 100.0, 100.0, 100.0, 100.0, 20.0, 20.0)
EVEN = (100.0,) * 7


def past(week: Sequence[float], special: Mapping[date, float] | None = None) -> list[float]:
    """Dollars of the seventy days before now, Monday first."""
    days = [NOW.date() - timedelta(days=back) for back in range(70, 0, -1)]
    return [(special or {}).get(day, week[day.weekday()]) for day in days]


def running(
    week: Sequence[float], off: Set[date] = frozenset(), special: Mapping[date, float] | None = None
) -> Running:
    days = past(week, special)
    spent = Money.of(f"{sum(days[-10:]):.2f}")
    return Running(DailySpend.complete(days), spent, DECEMBER, NOW, off=off)


def made(scope: Running) -> Forecast:
    answer = forecast(scope)
    assert isinstance(answer, Forecast)
    return answer


def mid(scope: Running) -> float:
    return float(made(scope).mid.usd)


def test_an_office_is_expected_to_rest_on_a_holiday_as_on_its_quietest_weekday() -> None:
    plain, off = made(running(OFFICE)), made(running(OFFICE, CHRISTMAS))
    assert float((plain.mid - off.mid).usd) == pytest.approx(80, rel=0.1)
    assert (plain.quiet_days, off.quiet_days) == ((), (date(2026, 12, 25),)), "the Saturday is one anyway"


def test_what_rests_on_no_weekday_rests_on_no_holiday() -> None:
    assert forecast(running(EVEN, CHRISTMAS | LAST)) == forecast(running(EVEN))


def test_past_holidays_say_nothing_of_what_is_usual() -> None:
    quiet = dict.fromkeys(LAST, 20.0)
    without, unknown = made(running(OFFICE)), made(running(OFFICE, special=quiet))
    known = made(running(OFFICE, LAST, quiet))
    rests = [float((one.mid - one.spent).usd) for one in (without, known, unknown)]
    assert rests[1] == pytest.approx(rests[0], rel=0.02)
    assert rests[2] < 0.97 * rests[0]


def test_where_people_worked_on_the_last_holidays_they_are_expected_to_work_on_the_next() -> None:
    usual = mid(running(OFFICE))
    worked, rested = mid(running(OFFICE, CHRISTMAS | LAST)), mid(running(OFFICE, CHRISTMAS))
    assert rested < worked < usual
    assert usual - worked < 0.2 * (usual - rested)


def test_of_today_as_a_holiday_little_is_expected() -> None:
    window = Window(NOW, NOW + timedelta(days=1))
    usual, off = (
        mid(replace(running(OFFICE, days), spent=Money.of("0"), window=window))
        for days in (frozenset[date](), frozenset({NOW.date()}))
    )
    assert off < 0.3 * usual


def test_weeks_without_any_other_day_stay_as_they_were() -> None:
    fortnight = frozenset(NOW.date() - timedelta(days=back) for back in range(1, 15))
    assert forecast(running(OFFICE, fortnight)) == forecast(running(OFFICE))


def test_a_scope_s_holidays_change_nothing_of_another_s() -> None:
    alone = [forecast(running(OFFICE)), forecast(running(OFFICE, CHRISTMAS))]
    assert forecast_all([running(OFFICE), running(OFFICE, CHRISTMAS)]) == alone
