"""A digest's chart: pieces that add up, beside those of the period before."""

from __future__ import annotations

import itertools
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from service.domain.charts.chart import Series, Theme
from service.domain.charts.specification import specification
from service.domain.digests.alerts import Tally
from service.domain.digests.chart import digest_chart, pieces
from service.domain.digests.digest import Digest
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.periods import Window
from tests.factories import utc

DAY = timedelta(days=1)


def window(start: str, end: str) -> Window:
    return Window(utc(start), utc(end))


def digest(now: Window, before: Window, timezone: str = "UTC") -> Digest:
    return Digest(
        name="weekly <b>spend</b>",
        about="the organisation",
        timezone=timezone,
        window=now,
        before=before,
        spent=Spend(Money.of("14.00")),
        spent_before=Money.of("7.00"),
        movers=(),
        at_risk=(),
        tally=Tally(),
    )


@pytest.mark.parametrize(
    ("period", "timezone", "count"),
    [
        (window("2026-11-15T13:00", "2026-11-16T13:00"), "UTC", 24),
        (window("2026-10-24T22:00", "2026-10-25T23:00"), "Europe/Berlin", 24),
        (window("2026-03-28T23:00", "2026-03-29T22:00"), "Europe/Berlin", 23),
        (window("2026-11-09T08:00", "2026-11-16T08:00"), "UTC", 7),
        (window("2026-10-19T07:00", "2026-10-26T08:00"), "Europe/Berlin", 7),
        (window("2026-10-01T00:00", "2026-11-01T00:00"), "UTC", 31),
        (window("2026-09-30T22:00", "2026-10-31T23:00"), "Europe/Berlin", 31),
        (window("2026-01-01T00:00", "2027-01-01T00:00"), "UTC", 52),
    ],
)
def test_a_period_is_cut_into_hours_days_or_weeks_of_its_zone(period: Window, timezone: str, count: int) -> None:
    cut = pieces(period, timezone)
    assert len(cut) == count
    assert (cut[0].start, cut[-1].end) == (period.start, period.end)
    assert all(one.end == other.start for one, other in itertools.pairwise(cut))
    assert all(one.start < one.end for one in cut)


@pytest.mark.parametrize(
    ("timezone", "start", "end"),
    [
        ("UTC", "2026-10-01T00:00", "2026-11-01T00:00"),
        ("Europe/Berlin", "2026-09-30T22:00", "2026-10-31T23:00"),
        ("America/Los_Angeles", "2026-10-01T07:00", "2026-11-01T07:00"),
        ("Pacific/Auckland", "2026-09-30T11:00", "2026-10-31T11:00"),
    ],
)
def test_every_bar_of_a_month_bears_the_date_of_its_day(timezone: str, start: str, end: str) -> None:
    """A label is drawn in the middle of its bar, and the axis knows UTC only."""
    now, before = window(start, end), window("2026-08-31", "2026-09-30")
    chart = digest_chart(digest(now, before, timezone), [Money.of("1.00")] * 31, [Money.of("1.00")] * 30)
    assert [f"{point.at + DAY / 2:%d %b}" for point in chart.actual] == [f"{day:02d} Oct" for day in range(1, 32)]
    starts = [piece.start.astimezone(ZoneInfo(timezone)) for piece in pieces(now, timezone)]
    assert [(one.day, one.hour) for one in starts] == [(day, 0) for day in range(1, 32)]
    assert chart.bucket == DAY
    assert chart.span == Window(utc("2026-10-01"), utc("2026-11-01"))


def test_each_piece_stands_beside_the_same_piece_of_the_period_before() -> None:
    now, before = window("2026-11-09", "2026-11-16"), window("2026-11-02", "2026-11-09")
    chart = digest_chart(digest(now, before), [Money.of("2.00")] * 7, [Money.of("1.00")] * 7)
    assert [point.at for point in chart.actual] == [now.start + n * DAY for n in range(7)]
    assert [point.at for point in chart.before] == [point.at for point in chart.actual]
    assert {point.amount for point in chart.before} == {Money.of("1.00")}
    assert chart.shown == (Series.BEFORE, Series.ACTUAL)
    assert "$14.00, up 100% (+$7.00) vs 2-8 Nov" in chart.alt
    assert specification(chart, Theme.DARK)["description"] == chart.alt


@pytest.mark.parametrize(("days", "days_before"), [(31, 30), (28, 31)])
def test_months_of_different_lengths_are_compared_as_far_as_both_go(days: int, days_before: int) -> None:
    middle = utc("2026-03-01T00:00")
    now, before = Window(middle, middle + days * DAY), Window(middle - days_before * DAY, middle)
    chart = digest_chart(digest(now, before), [Money.of("1")] * days, [Money.of("2")] * days_before)
    assert len(chart.actual) == days
    assert len(chart.before) == min(days, days_before)
