"""When a schedule comes: like cron, on a wall clock, also where clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.adapters.cron import CrontabReader
from service.domain.values.errors import Invalid
from tests.factories import utc

CRON = CrontabReader()


def occurrences(cron: str, timezone: str, start: datetime, end: datetime) -> list[str]:
    """Every occurrence in a stretch of time, found minute by minute, in UTC."""
    found = {
        CRON.latest(cron, timezone, start + timedelta(minutes=n))
        for n in range(int((end - start).total_seconds()) // 60)
    }
    return [at.astimezone(UTC).isoformat(timespec="minutes") for at in sorted(found) if at >= start]


@pytest.mark.parametrize(
    ("cron", "latest"),
    [
        ("0 9 * * 1", "2026-11-16T09:00"),
        ("0 9 * * 0", "2026-11-15T09:00"),
        ("0 9 * * 7", "2026-11-15T09:00"),
        ("0 9 * * 1-5", "2026-11-18T09:00"),
        ("0 9 * * sat", "2026-11-14T09:00"),
        ("0 9 * * fri-sun", "2026-11-15T09:00"),
        ("0 9 * * 0,4-6/2", "2026-11-15T09:00"),
        ("30 12 * * *", "2026-11-18T12:30"),
        ("31 12 * * *", "2026-11-17T12:31"),
        ("0 */6 * * *", "2026-11-18T12:00"),
        ("0 9 1 * *", "2026-11-01T09:00"),
        ("0 9 1 1 *", "2026-01-01T09:00"),
    ],
)
def test_weekdays_and_months_are_counted_as_cron_counts_them(cron: str, latest: str) -> None:
    """At 12:30 on a Wednesday."""
    assert CRON.latest(cron, "UTC", utc("2026-11-18T12:30")) == utc(latest)


@pytest.mark.parametrize(
    ("cron", "timezone", "at", "following"),
    [
        ("0 9 * * 1", "UTC", "2026-11-18T12:30", "2026-11-23T09:00"),
        ("0 9 * * 1", "UTC", "2026-11-23T09:00", "2026-11-30T09:00"),
        ("0 9 1 1 *", "UTC", "2026-01-01T09:00", "2027-01-01T09:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T00:59", "2026-03-29T01:30"),  # skipped: it is 03:30
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),  # repeated: not a second time
        ("0 * * * *", "Europe/Berlin", "2026-10-25T00:59", "2026-10-25T02:00"),
    ],
)
def test_the_next_one_is_the_first_after_an_instant(cron: str, timezone: str, at: str, following: str) -> None:
    found = CRON.following(cron, timezone, utc(at))
    assert found == utc(following)
    assert CRON.latest(cron, timezone, found) == found
    assert CRON.latest(cron, timezone, found - timedelta(microseconds=1)) <= utc(at)


def test_the_hour_is_that_of_the_wall_clock_in_summer_and_winter() -> None:
    assert CRON.latest("0 9 * * 1", "Europe/Berlin", utc("2026-10-20T00:00")) == utc("2026-10-19T07:00")
    assert CRON.latest("0 9 * * 1", "Europe/Berlin", utc("2026-10-27T00:00")) == utc("2026-10-26T08:00")


def test_what_falls_into_a_skipped_hour_comes_once_right_after_it() -> None:
    """Berlin, 29 March 2026: 02:00 is 03:00."""
    found = occurrences("30 2 * * *", "Europe/Berlin", utc("2026-03-28T00:00"), utc("2026-03-31T00:00"))
    assert found == ["2026-03-28T01:30+00:00", "2026-03-29T01:30+00:00", "2026-03-30T00:30+00:00"]


def test_what_falls_into_a_repeated_hour_comes_once() -> None:
    """Berlin, 25 October 2026: 03:00 is 02:00 again."""
    found = occurrences("30 2 * * *", "Europe/Berlin", utc("2026-10-24T00:00"), utc("2026-10-27T00:00"))
    assert found == ["2026-10-24T00:30+00:00", "2026-10-25T00:30+00:00", "2026-10-26T01:30+00:00"]


@pytest.mark.parametrize(
    ("cron", "timezone", "pointer"),
    [
        ("0 9 * * 1", "Europe/Berln", "/timezone"),
        ("0 9 * *", "UTC", "/cron"),
        ("* 9 * * *", "UTC", "/cron"),
        ("*/5 9 * * *", "UTC", "/cron"),
        ("0 24 * * *", "UTC", "/cron"),
        ("60 9 * * *", "UTC", "/cron"),
        ("0 9 * * 8", "UTC", "/cron"),
        ("0 9 * * someday", "UTC", "/cron"),
        ("0 9 * * mon,", "UTC", "/cron"),
        ("0 9 1 * 1", "UTC", "/cron"),
        ("0 9 31 2 *", "UTC", "/cron"),
        ("0 9 29 2 *", "UTC", "/cron"),
    ],
)
def test_what_is_no_schedule_is_refused(cron: str, timezone: str, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        CRON.require_sound(cron, timezone)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("cron", ["0 9 * * 1", "0 9 1 1 *", "0 0 * * *", "59 23 * * 0-6", "5 */2 1-7 * *"])
def test_a_schedule_is_accepted(cron: str) -> None:
    CRON.require_sound(cron, "Pacific/Auckland")
