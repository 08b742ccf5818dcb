"""Which days' bill came after the end of their period."""

from __future__ import annotations

from datetime import UTC, date, datetime

from service.domain.budgets.late_bills import LateBill, days_to_look_at, newest_late_bill
from service.domain.spend.best_known import DayVersion, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell

ENDED_ON = date(2026, 11, 1)
ENG, OPS = Cell("wrkspc_eng", "claude-haiku", "apikey_ci"), Cell("wrkspc_ops", "claude-haiku", "apikey_cron")


def october(day: int) -> date:
    return date(2026, 10, day)


def november(day: int) -> date:
    return date(2026, 11, day)


def version(day: date, known_on: date, spent: str, cell: Cell = ENG, **but: bool) -> DayVersion:
    """A day as billed, or as estimated."""
    amount = Money.of(spent)
    spend = Spend(estimated=amount) if but.get("estimated") else Spend(billed=amount)
    return DayVersion(day, known_on, but.get("assumed", False), False, {cell: SpendDay(spend)})


def newest(*versions: DayVersion) -> LateBill | None:
    return newest_late_bill(versions, ENDED_ON, lambda cell: cell == ENG)


def test_the_days_of_the_newest_bill_are_named_and_when_it_was_read() -> None:
    found = newest(
        version(october(28), october(29), "5.00"),
        version(october(31), october(31), "1.00", estimated=True),
        version(october(29), november(1), "5.00"),
        version(october(30), november(2), "5.00"),
        version(october(31), november(2), "5.00"),
    )
    assert found == LateBill((october(30), october(31)), november(2))


def test_a_bill_that_is_no_larger_than_what_was_known_is_not_named() -> None:
    found = newest(
        version(october(30), october(31), "5.00"),
        version(october(31), november(1), "7.00"),
        version(october(30), november(2), "4.00"),
    )
    assert found == LateBill((october(31),), november(1))


def test_estimates_guesses_bills_in_time_and_what_others_spent_are_no_late_bills() -> None:
    assert newest(version(october(31), november(1), "5.00", estimated=True)) is None
    assert newest(version(october(31), november(1), "5.00", assumed=True)) is None
    assert newest(version(october(30), october(31), "5.00")) is None
    assert newest(version(october(31), november(2), "5.00", OPS)) is None


def test_no_days_are_looked_at_that_no_poll_reads_again() -> None:
    now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    year = Window(datetime(2025, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert days_to_look_at(year, now) == (date(2026, 9, 28), november(1))
    in_berlin = Window(datetime(2026, 10, 25, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC))
    assert days_to_look_at(in_berlin, now) == (october(25), november(1))
