"""Times of the week by the wall clock of a zone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.domain.notify.routing.intervals import DAY, TimeInterval, TimeRange, WeekdayRange, holds, in_words
from service.domain.values.periods import Weekday
from tests.factories import utc

OFFICE = TimeInterval(
    (TimeRange(9 * 60, 17 * 60),), (WeekdayRange(Weekday.MONDAY, Weekday.FRIDAY),), "America/New_York"
)
NIGHT = TimeInterval((TimeRange(22 * 60, 6 * 60),), (WeekdayRange(Weekday.FRIDAY, Weekday.FRIDAY),), "Europe/Berlin")
BERLIN_EARLY = TimeInterval((TimeRange(2 * 60, 3 * 60),), timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("instant", "held"),
    [
        ("2026-11-16T13:59", False),
        ("2026-11-16T14:00", True),
        ("2026-11-16T21:59", True),
        ("2026-11-16T22:00", False),
        ("2026-11-21T15:00", False),  # Saturday
        ("2026-07-13T13:00", True),  # the same wall clock, an hour earlier in summer
        ("2026-07-13T21:30", False),
    ],
)
def test_office_hours_follow_the_wall_clock(instant: str, held: bool) -> None:
    assert holds(OFFICE, utc(instant)) is held


@pytest.mark.parametrize(
    ("instant", "held"),
    [
        ("2026-11-20T20:59", False),  # Friday 21:59 in Berlin
        ("2026-11-20T21:00", True),
        ("2026-11-20T23:30", True),  # Saturday 00:30, of the night that began on Friday
        ("2026-11-21T04:59", True),
        ("2026-11-21T05:00", False),
        ("2026-11-21T21:30", False),  # the next night began on Saturday
        ("2026-11-19T23:30", False),  # Friday 00:30, of Thursday's night
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(instant: str, held: bool) -> None:
    assert holds(NIGHT, utc(instant)) is held


def minutes_held(interval: TimeInterval, day: str) -> int:
    return sum(holds(interval, utc(day) + timedelta(minutes=minute)) for minute in range(24 * 60))


def test_an_hour_that_the_clocks_skip_is_not_and_one_that_they_repeat_is_twice() -> None:
    assert minutes_held(BERLIN_EARLY, "2026-03-29") == 0
    assert minutes_held(BERLIN_EARLY, "2026-06-15") == 60
    assert minutes_held(BERLIN_EARLY, "2026-10-25") == 120


def test_days_may_go_over_the_week_s_end() -> None:
    long_weekend = TimeInterval(weekdays=(WeekdayRange(Weekday.FRIDAY, Weekday.MONDAY),))
    held = [holds(long_weekend, utc("2026-11-16T12:00") + timedelta(days=day)) for day in range(7)]
    assert held == [True, False, False, False, True, True, True]


def test_a_range_to_midnight_ends_there_however_it_is_written() -> None:
    for end in (0, 24 * 60):
        evening = TimeInterval((TimeRange(18 * 60, end),))
        assert holds(evening, utc("2026-11-16T23:59"))
        assert not holds(evening, utc("2026-11-17T00:00"))


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (
            TimeInterval(
                (TimeRange(20 * 60, 8 * 60),), (WeekdayRange(Weekday.MONDAY, Weekday.FRIDAY),), "Europe/Berlin"
            ),
            "Monday to Friday 20:00 to 08:00 Europe/Berlin",
        ),
        (TimeInterval((TimeRange(0, DAY),)), "00:00 to 24:00 UTC"),
        (
            TimeInterval(weekdays=(WeekdayRange(Weekday.SUNDAY, Weekday.SUNDAY),), timezone="Asia/Tokyo"),
            "Sunday Asia/Tokyo",
        ),
    ],
)
def test_an_interval_is_said_in_words(interval: TimeInterval, words: str) -> None:
    assert in_words(interval) == words
