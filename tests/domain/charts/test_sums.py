"""A period's spend as a sum that grows, and its forecast range."""

from __future__ import annotations

from service.domain.charts.sums import fan
from service.domain.forecasts.forecast import Forecast, ForecastMethod, Path
from service.domain.values.money import Money
from tests.factories import utc

NOW, END = utc("2026-11-16T12:00"), utc("2026-12-01")
MADE = Forecast(
    spent=Money.of("40.00"),
    low=Money.of("60.00"),
    mid=Money.of("80.00"),
    high=Money.of("120.00"),
    method=ForecastMethod.WEEKDAY_LEVEL,
    history_days=60,
    path=Path((utc("2026-11-17"), utc("2026-11-24"), END), (0.25, 0.5, 1.0)),
)


def test_the_range_opens_from_what_is_spent_along_the_days_to_come() -> None:
    shown = [(one.at, str(one.low), str(one.mid), str(one.high)) for one in fan(MADE, NOW, END)]
    assert shown == [
        (NOW, "40.00", "40.00", "40.00"),
        (utc("2026-11-17"), "45.00", "50.00", "60.00"),
        (utc("2026-11-24"), "50.00", "60.00", "80.00"),
        (END, "60.00", "80.00", "120.00"),
    ]


def test_a_period_that_is_over_has_no_range() -> None:
    assert fan(MADE, END, END) == ()
