"""Clock changes of time zones, by the zone database."""

from __future__ import annotations

import pytest

from service.domain.values.clock_changes import ClockChange, changes_between
from tests.factories import utc

YEAR = utc("2026-01-01"), utc("2027-01-01")


@pytest.mark.parametrize(
    ("zone", "forward", "back"),
    [
        ("Europe/Berlin", "2026-03-29T01:00", "2026-10-25T01:00"),
        ("America/New_York", "2026-03-08T07:00", "2026-11-01T06:00"),
        ("Australia/Sydney", "2026-10-03T16:00", "2026-04-04T16:00"),
    ],
)
def test_clocks_are_put_forward_in_spring_and_back_in_autumn(zone: str, forward: str, back: str) -> None:
    changes = {change.forward: change.at for change in changes_between([zone], *YEAR)}
    assert changes == {1: utc(forward), -1: utc(back)}


def test_zones_that_change_alike_are_one_change() -> None:
    [spring, autumn] = changes_between(["Europe/Berlin", "Europe/Madrid"], *YEAR)
    assert spring == ClockChange("Europe/Berlin", utc("2026-03-29T01:00"), 1)
    assert autumn.at == utc("2026-10-25T01:00")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "Australia/Lord_Howe"])
def test_zones_without_changes_of_whole_hours_have_none(zone: str) -> None:
    assert changes_between([zone], *YEAR) == ()


def test_only_changes_of_the_stretch_count_its_end_left_out() -> None:
    at = utc("2026-03-29T01:00")
    assert changes_between(["Europe/Berlin"], utc("2026-03-01"), at) == ()
    assert len(changes_between(["Europe/Berlin"], at, utc("2026-03-30"))) == 1
    assert len(changes_between(["Europe/Berlin"], utc("2025-12-01"), utc("2026-11-01"))) == 2
