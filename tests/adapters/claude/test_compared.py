"""The days of both families of reports, side by side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.adapters.claude.compared import DayTotals, difference
from service.domain.values.money import Money

TODAY = datetime(2026, 11, 16, tzinfo=UTC)
DAY = timedelta(days=1)
NOON = TODAY + DAY / 2


def totals(back: int, dollars: str, refreshed_at: datetime | None = None) -> DayTotals:
    return DayTotals({TODAY - back * DAY: Money.of(dollars)}, refreshed_at)


@pytest.mark.parametrize(
    ("sentence", "back", "admin", "analytics", "remark"),
    [
        ("more than a dollar and a hundredth apart", 2, "12", "10", True),
        ("the other way round", 2, "10", "12", True),
        ("a day that only one of them has", 2, "12", "0", True),
        ("less than a hundredth apart", 2, "1000", "1009", False),
        ("less than a dollar apart", 2, "10", "10.90", False),
        ("a day that may still be restated within its first day", 1, "12", "10", False),
    ],
)
def test_a_difference_between_settled_days_is_said(
    sentence: str, back: int, admin: str, analytics: str, remark: bool
) -> None:
    said = difference(totals(back, admin), totals(back, analytics, NOON))
    assert bool(said) is remark, sentence


def test_the_remark_names_the_newest_day_both_amounts_and_how_many_days_there_are() -> None:
    admin = DayTotals({TODAY - back * DAY: Money.of("12.005") for back in (2, 3, 4)})
    analytics = DayTotals({TODAY - back * DAY: Money.of("10") for back in (2, 3)}, NOON)
    assert difference(admin, analytics) == (
        "The bill of 2026-11-14 is $12.00 by the Admin reports and $10.00 by the analytics reports."
        " Of the last 31 days 3 differ."
    )
