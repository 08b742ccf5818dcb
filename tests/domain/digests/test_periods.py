from __future__ import annotations

import pytest

from service.domain.digests.periods import DigestPeriod, calendar_windows, name_window, usual_period
from service.domain.values.periods import PeriodKind, Weekday, Window
from tests.factories import utc


@pytest.mark.parametrize(
    ("cron", "period"),
    [
        ("0 9 * * *", DigestPeriod.PREVIOUS_DAY),
        ("0 9 * * 1", DigestPeriod.PREVIOUS_WEEK),
        ("0 9 * * mon", DigestPeriod.PREVIOUS_WEEK),
        ("0 9 1 * *", DigestPeriod.PREVIOUS_MONTH),
        ("30 17 15 * *", DigestPeriod.PREVIOUS_MONTH),
        ("0 9 1 */3 *", DigestPeriod.PREVIOUS_QUARTER),
        ("0 9 2 1,4,7,10 *", DigestPeriod.PREVIOUS_QUARTER),
        ("0 9 1 1 *", DigestPeriod.PREVIOUS_YEAR),
        ("0 9 * * 1-5", DigestPeriod.SINCE_PREVIOUS),
        ("0 * * * *", DigestPeriod.SINCE_PREVIOUS),
        ("0 9 1,15 * *", DigestPeriod.SINCE_PREVIOUS),
        ("0 9 1 2,8 *", DigestPeriod.SINCE_PREVIOUS),
    ],
)
def test_a_schedule_means_a_period(cron: str, period: DigestPeriod) -> None:
    assert usual_period(cron) is period


@pytest.mark.parametrize("at", ["2026-11-01T00:00", "2026-11-01T09:00", "2026-11-30T23:59"])
def test_the_previous_month_is_the_same_all_month(at: str) -> None:
    last, before = calendar_windows(PeriodKind.MONTHLY, "UTC", Weekday.MONDAY, utc(at))
    assert last == Window(utc("2026-10-01"), utc("2026-11-01"))
    assert before == Window(utc("2026-09-01"), utc("2026-10-01"))


def test_a_week_begins_where_it_is_said_to() -> None:
    last, _ = calendar_windows(PeriodKind.WEEKLY, "UTC", Weekday.SUNDAY, utc("2026-11-18T09:00"))
    assert last == Window(utc("2026-11-08"), utc("2026-11-15"))


@pytest.mark.parametrize(
    ("start", "end", "timezone", "name"),
    [
        ("2026-10-01", "2026-11-01", "UTC", "October"),
        ("2026-09-30T22:00", "2026-10-31T23:00", "Europe/Berlin", "October"),
        ("2026-07-01", "2026-10-01", "UTC", "Q3 2026"),
        ("2026-01-01", "2027-01-01", "UTC", "2026"),
        ("2026-11-13", "2026-11-14", "UTC", "Fri 13 Nov"),
        ("2026-11-09", "2026-11-16", "UTC", "9-15 Nov"),
        ("2026-11-30", "2026-12-07", "UTC", "30 Nov - 6 Dec"),
        ("2026-10-01T09:00", "2026-11-01T09:00", "UTC", "1 Oct 09:00 to 1 Nov 09:00"),
        ("2026-10-01", "2026-11-01", "Europe/Berlin", "1 Oct 02:00 to 1 Nov 01:00"),
    ],
)
def test_a_period_has_the_name_that_people_give_it(start: str, end: str, timezone: str, name: str) -> None:
    assert name_window(Window(utc(start), utc(end)), timezone) == name
