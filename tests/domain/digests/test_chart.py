"""A digest's chart: pieces that add up, beside those of the period before."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from service.domain.charts.chart import Series, Theme
from service.domain.charts.specification import specification
from service.domain.digests.alerts import Tally
from service.domain.digests.chart import digest_chart, pieces
from service.domain.digests.digest import BudgetStand, Digest
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


def test_what_is_usual_is_behind_each_day_weekends_apart() -> None:
    now, before = window("2026-11-09", "2026-11-16"), window("2026-11-02", "2026-11-09")
    history = {
        day: Money.of("1.00" if day.weekday() > 4 else f"{10 + n % 3}.00")
        for n in range(28)
        for day in [now.start - (n + 1) * DAY]
    }
    chart = digest_chart(digest(now, before), [Money.of("2.00")] * 7, [Money.of("1.00")] * 7, history)
    assert [one.at for one in chart.usual] == [point.at for point in chart.actual]
    monday, sunday = chart.usual[0], chart.usual[-1]
    assert Money.of("10.00") <= monday.low <= monday.high <= Money.of("12.00")
    assert (sunday.low, sunday.high) == (Money.of("1.00"), Money.of("1.00"))


def test_what_is_usual_of_an_hour_is_that_of_the_same_hour() -> None:
    now, before = window("2026-11-11", "2026-11-12"), window("2026-11-10", "2026-11-11")
    hours = [now.start - (n + 1) * timedelta(hours=1) for n in range(28 * 24)]
    history = {hour: Money.of(f"{hour.hour + 1}.00") for hour in hours}
    chart = digest_chart(digest(now, before), [Money.of("2.00")] * 24, [Money.of("1.00")] * 24, history)
    assert [str(one.mid) for one in chart.usual] == [f"{hour + 1}.00" for hour in range(24)]


def test_every_budget_is_a_bar_and_those_left_out_are_counted() -> None:
    now, before = window("2026-11-09", "2026-11-16"), window("2026-11-02", "2026-11-09")
    stands = [
        BudgetStand(f"team {n} \U0001f680", "workspace eng", Money.of("100.00"), Money.of(f"{n * 15}.00"), None, n == 9)
        for n in range(9, -1, -1)
    ]
    full = replace(digest(now, before), budgets=tuple(stands))
    chart = digest_chart(full, [Money.of("2.00")] * 7, [Money.of("1.00")] * 7)
    assert [bar.name for bar in chart.bars[:2]] == ["team 9, workspace eng", "team 8"]
    assert (len(chart.bars), chart.bars_title) == (8, "Budgets now, spent and forecast: the fullest 8 of 10")
    assert "8 of 10. team 9, workspace eng 135% of $100; team 8 120% of $100;" in chart.alt
    written = cast("dict[str, Any]", specification(chart, Theme.LIGHT))
    main, below = written["vconcat"]
    assert "layer" in main
    assert [row["said"] for row in below["data"]["values"]][:1] == ["135% of $100: team 9, workspace eng"]
    few = digest_chart(replace(full, budgets=tuple(stands[:1])), [Money.of("2.00")] * 7, [Money.of("1.00")] * 7)
    assert few.bars_title == "Budgets now, spent and forecast"
