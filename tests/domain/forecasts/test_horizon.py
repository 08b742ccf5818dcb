from datetime import UTC, date, datetime, timedelta

import pytest

from service.domain.forecasts.horizon import horizon, share_inside
from service.domain.values.periods import PeriodKind, PeriodSpec, Window, period_at


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_what_is_left_of_a_month_is_the_rest_of_today_and_whole_days() -> None:
    ahead = horizon(Window(at(11, 1), at(12, 1)), at(11, 28, 18), "UTC")

    assert ahead.today == date(2026, 11, 28)
    assert ahead.marks == (at(11, 28, 18), at(11, 29), at(11, 30), at(12, 1))
    assert ahead.weights == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"])
@pytest.mark.parametrize("month", range(1, 13))
def test_the_days_of_a_month_are_its_calendar_days_also_where_clocks_change(zone: str, month: int) -> None:
    period = period_at(PeriodSpec(PeriodKind.MONTHLY, zone), at(month, 15))
    assert period is not None
    following = date(2026 + month // 12, month % 12 + 1, 1)
    ahead = horizon(period.window, period.window.start, zone)

    assert ahead.weights == (1.0,) * (following - date(2026, month, 1)).days
    assert ahead.marks[-1] == period.window.end


def test_a_window_that_has_not_begun_holds_only_its_own_days() -> None:
    ahead = horizon(Window(at(11, 12, 12), at(11, 14, 6)), at(11, 11), "UTC")

    assert ahead.weights == (0.0, 0.5, 1.0, 0.25)
    assert ahead.marks[-1] == at(11, 14, 6)


def test_what_is_left_of_today_ends_with_the_window() -> None:
    ahead = horizon(Window(at(11, 1), at(11, 11, 15)), at(11, 11, 12), "UTC")

    assert ahead.weights == (0.25,)
    assert ahead.marks == (at(11, 11, 12), at(11, 11, 15))


@pytest.mark.parametrize(("day", "share"), [(9, 0.0), (10, 0.5), (11, 1.0), (12, 0.25), (13, 0.0)])
def test_a_day_at_the_edge_of_a_window_counts_in_part(day: int, share: float) -> None:
    window = Window(at(11, 10, 12), at(11, 12, 6))

    assert share_inside(date(2026, 11, day), window, "UTC") == share


def test_a_horizon_never_reaches_beyond_its_window() -> None:
    window = Window(at(3, 1), at(4, 1))
    for hours in range(0, 31 * 24, 5):
        now = window.start + timedelta(hours=hours)
        marks = horizon(window, now, "Europe/Berlin").marks
        assert list(marks) == sorted(marks)
        assert (marks[0], marks[-1]) == (now, window.end)
