"""Holidays by the clock that people live by, and the UTC days that they are."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from service.domain.sources.locality import locality_of
from tests.factories import utc

CHRISTMAS, START, END = date(2026, 12, 25), date(2026, 12, 20), date(2026, 12, 28)


def test_a_holiday_lasts_from_one_local_midnight_to_the_next() -> None:
    berlin = locality_of("Europe/Berlin", "DE")
    first, second = berlin.holidays(START, END)
    assert (first.name, first.starts_at, first.ends_at) == (
        "Christmas Day",
        utc("2026-12-24T23:00"),
        utc("2026-12-25T23:00"),
    )
    assert second.starts_at == first.ends_at
    assert berlin.holiday_at(utc("2026-12-24T23:00")) == "Christmas Day"
    assert berlin.holiday_at(utc("2026-12-24T22:59")) is None
    assert berlin.holiday_at(utc("2026-12-26T23:00")) is None


@pytest.mark.parametrize(
    ("zone", "country", "days"),
    [
        ("Europe/Berlin", "DE", {25, 26}),
        (None, "DE", {25, 26}),
        ("America/Los_Angeles", "US", {25}),
        ("America/New_York", "US", {25}),
        ("Asia/Kolkata", "IN", {25}),
        ("Pacific/Auckland", "NZ", {24, 25, 26}),
    ],
)
def test_a_utc_day_of_which_a_working_day_is_off_is_a_holiday(zone: str | None, country: str, days: set[int]) -> None:
    found = locality_of(zone, country).days_off(START, CHRISTMAS + timedelta(days=2))
    assert {day.day for day in found} == days


@pytest.mark.parametrize(
    ("of", "days"),
    [("America/Los_Angeles", {25, 26}), ("Europe/Berlin", {25, 26}), ("Pacific/Auckland", {25, 26, 27})],
)
def test_a_day_of_another_zone_is_off_where_ten_hours_of_it_are(of: str, days: set[int]) -> None:
    found = locality_of("Europe/Berlin", "DE").days_off(START, CHRISTMAS + timedelta(days=4), of)
    assert {day.day for day in found} == days


def test_a_stretch_has_the_holidays_of_both_years_and_of_its_own_days_alone() -> None:
    found = locality_of("Europe/Berlin", "DE").days_off(CHRISTMAS, date(2027, 1, 2))
    assert list(found) == [CHRISTMAS, date(2026, 12, 26), date(2027, 1, 1)]
    assert locality_of("Europe/Berlin", "DE").days_off(date(2026, 12, 26), END) == {
        date(2026, 12, 26): "Second Day of Christmas"
    }


def test_where_no_country_is_named_no_day_is_off() -> None:
    assert locality_of("Europe/Berlin").holidays(START, END) == ()
    assert locality_of("Europe/Berlin").days_off(START, END) == {}
    assert locality_of("Europe/Berlin").holiday_at(utc("2026-12-25T12:00")) is None
