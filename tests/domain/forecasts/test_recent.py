"""From UTC days to the local days of a scope, and how much of each is known."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from service.domain.forecasts.pace import HISTORY_DAYS
from service.domain.forecasts.recent import UTC_DAYS, RecentSpend, Reports, daily_spends, first_day
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope, ScopeKey
from tests.factories import cell, utc

NOW = utc("2026-11-21T12:00")
FIRST = first_day(NOW)
DAYS = [FIRST + timedelta(days=number) for number in range(UTC_DAYS)]
EVEN = (1.0,) * 24
OFFICE = tuple(1.0 if 8 <= hour < 18 else 0.0 for hour in range(24))


def hours(since: date, until: datetime) -> frozenset[datetime]:
    start = datetime(since.year, since.month, since.day, tzinfo=NOW.tzinfo)
    return frozenset(start + timedelta(hours=number) for number in range((until - start) // timedelta(hours=1)))


def recent(
    spend: dict[Cell, tuple[float, ...]],
    usual: dict[Cell, tuple[float, ...]] | None = None,
    *,
    billed: list[date] = DAYS,
    settled: list[date] = DAYS[:-2],
    used: frozenset[datetime] | None = None,
    now: datetime = NOW,
    read_at: datetime | None = None,
) -> RecentSpend:
    used = hours(FIRST, now) if used is None else used
    reports = Reports(frozenset(billed), frozenset(settled), used, read_at or now)
    return RecentSpend(now, spend, usual or {}, reports.known(now))


def steady(dollars: float, today: float) -> tuple[float, ...]:
    return (dollars,) * (UTC_DAYS - 1) + (today,)


def test_utc_days_are_taken_as_they_are_and_today_is_known_to_now() -> None:
    days = daily_spends(recent({cell(): steady(10.0, 5.0)}), Scope(), Dimension.ORGANISATION, "UTC")[ORGANISATION]
    assert days.amounts == pytest.approx((10.0,) * HISTORY_DAYS + (5.0,))
    assert days.known == (1.0,) * HISTORY_DAYS + (0.5,)


@pytest.mark.parametrize(
    ("time", "share"), [("00:00", 0.0), ("08:00", 0.0), ("09:00", 0.1), ("12:00", 0.4), ("18:00", 1.0), ("23:00", 1.0)]
)
def test_today_is_known_by_the_share_that_is_usually_spent_by_now(time: str, share: float) -> None:
    known = recent({cell(): steady(10.0, 5.0)}, {cell(): OFFICE}, now=utc(f"2026-11-21T{time}"))
    days = daily_spends(known, Scope(), Dimension.ORGANISATION, "UTC")[ORGANISATION]
    assert days.known[-1] == pytest.approx(share)  # office hours are 08:00 to 18:00


@pytest.mark.parametrize("usual", [(0.0,) * 24, (-5.0,) * 24])
def test_without_usual_hours_today_counts_as_even(usual: tuple[float, ...]) -> None:
    known = recent({cell(): steady(10.0, 5.0)}, {cell(): usual}, now=utc("2026-11-21T09:00"))
    days = daily_spends(known, Scope(), Dimension.ORGANISATION, "UTC")[ORGANISATION]
    assert days.known[-1] == pytest.approx(9 / 24)


def test_members_are_parted_and_filtered() -> None:
    spend = {cell("a", api_key="k1"): steady(1, 0), cell("a", api_key="k2"): steady(2, 0), cell("b"): steady(4, 0)}
    by_workspace = daily_spends(recent(spend), Scope(), Dimension.WORKSPACE, "UTC")
    assert {key.id: days.amounts[0] for key, days in by_workspace.items()} == {"a": 3.0, "b": 4.0}
    of_b = daily_spends(recent(spend), Scope(workspaces=("b",)), Dimension.ORGANISATION, "UTC")
    assert of_b[ORGANISATION].amounts[0] == 4.0
    assert daily_spends(recent(spend), Scope(workspaces=("c",)), Dimension.ORGANISATION, "UTC") == {}


@pytest.mark.parametrize(
    ("zone", "usual", "local"),
    [
        pytest.param("Asia/Tokyo", EVEN, (10 * 15 / 24, 10 * 9 / 24), id="15 hours lie in the first local day"),
        pytest.param("Asia/Tokyo", OFFICE, (7.0, 3.0), id="office hours: seven of ten before 15:00 UTC"),
        pytest.param("Asia/Kolkata", EVEN, (10 * 18.5 / 24, 10 * 5.5 / 24), id="half an hour pro rata"),
        pytest.param("America/New_York", EVEN, (10 * 5 / 24, 10 * 19 / 24), id="west of Greenwich"),
    ],
)
def test_one_utc_day_is_split_as_the_usual_day_goes(
    zone: str, usual: tuple[float, ...], local: tuple[float, float]
) -> None:
    spend = [0.0] * UTC_DAYS
    spend[-4] = 10.0  # 18 November
    days = daily_spends(recent({cell(): tuple(spend)}, {cell(): usual}), Scope(), Dimension.ORGANISATION, zone)
    assert [amount for amount in days[ORGANISATION].amounts if amount] == pytest.approx(local)


def test_what_is_spent_today_lies_before_now() -> None:
    now = utc("2026-11-21T20:00")  # in Tokyo the 22nd, 05:00: 5 of the 20 hours so far
    known = recent({cell(): steady(24.0, 20.0)}, now=now)
    days = daily_spends(known, Scope(), Dimension.ORGANISATION, "Asia/Tokyo")[ORGANISATION]
    assert days.amounts[-3:] == pytest.approx((24.0, 24.0, 5.0))
    assert days.known[-1] == pytest.approx(5 / 24)


def test_a_day_that_no_report_contained_is_unknown_and_one_in_part_in_part() -> None:
    without = [day for day in DAYS if day != DAYS[-5]]
    used = frozenset(at for at in hours(FIRST, NOW) if at.date() != DAYS[-5]) - hours(DAYS[-2], utc("2026-11-20T06:00"))
    known = recent({cell(): steady(10.0, 5.0)}, billed=without, settled=without[:-2], used=used)
    days = daily_spends(known, Scope(), Dimension.ORGANISATION, "UTC")[ORGANISATION]
    assert days.known[-6:] == (1.0, 0.0, 1.0, 1.0, 0.75, 0.5)


def test_without_any_usage_the_bill_counts_as_known() -> None:
    days = daily_spends(recent({cell(): steady(10.0, 5.0)}, used=frozenset()), Scope(), Dimension.WORKSPACE, "UTC")
    assert days[ScopeKey(Dimension.WORKSPACE, "default")].known == (1.0,) * HISTORY_DAYS + (0.5,)


def test_a_bill_without_usage_is_known_until_it_was_read() -> None:
    known = recent({cell(): steady(10.0, 0.0)}, used=frozenset(), read_at=utc("2026-11-20T06:00"))
    days = daily_spends(known, Scope(), Dimension.ORGANISATION, "UTC")[ORGANISATION]
    assert days.known[-3:] == (1.0, 0.25, 0.0)


def test_usage_that_went_silent_three_hours_ago_knows_of_today_until_then() -> None:
    known = recent({cell(): steady(10.0, 3.0)}, used=hours(FIRST, utc("2026-11-21T09:00")))
    days = daily_spends(known, Scope(), Dimension.ORGANISATION, "UTC")[ORGANISATION]
    assert days.known[-1] == pytest.approx(9 / 24)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Sao_Paulo", "Europe/Berlin"])
@pytest.mark.parametrize("hour", [0, 10, 14, 23])
def test_every_dollar_of_the_local_days_lies_in_exactly_one_of_them(zone: str, hour: int) -> None:
    now = utc(f"2026-10-27T{hour:02}:30")  # within ten weeks of a change of clocks
    known = recent({cell(): steady(10.0, 4.0)}, {cell(): OFFICE}, now=now, settled=[], billed=[], used=frozenset())
    days = daily_spends(known, Scope(), Dimension.ORGANISATION, zone)[ORGANISATION]
    assert all(amount >= -1e-9 for amount in days.amounts)
    assert sum(days.amounts) <= 10.0 * (UTC_DAYS - 1) + 4.0 + 1e-9
    assert sum(days.amounts) >= 10.0 * (HISTORY_DAYS - 1)
