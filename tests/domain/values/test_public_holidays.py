"""The days that a country has off, by the library that keeps them."""

from __future__ import annotations

from datetime import date

import pytest

from service.domain.values.public_holidays import countries, holidays_of


def test_a_country_s_days_have_english_names_and_a_part_of_it_has_more() -> None:
    germany, bavaria = holidays_of("DE", None, 2026), holidays_of("DE", "BY", 2026)
    assert germany[date(2026, 12, 25)] == "Christmas Day"
    assert date(2026, 1, 6) not in germany
    assert bavaria[date(2026, 1, 6)] == "Epiphany"
    assert germany.items() <= bavaria.items()


@pytest.mark.parametrize("place", [("XX", None), ("DE", "QQ")])
def test_a_place_that_the_library_has_forgotten_has_none(place: tuple[str, str | None]) -> None:
    assert holidays_of(*place, 2026) == {}


def test_countries_have_one_code_each_and_their_parts() -> None:
    assert {"BY", "BE"} <= set(countries()["DE"])
    assert {"US", "JP", "IN"} <= set(countries())
    assert all(len(code) == 2 for code in countries())


def test_no_country_calls_each_sunday_a_holiday() -> None:
    """Sundays that say nothing of other Sundays would not be judged by any."""
    most = {country: len(holidays_of(country, None, 2026)) for country in countries()}
    assert {country: days for country, days in most.items() if days > 40} == {}
