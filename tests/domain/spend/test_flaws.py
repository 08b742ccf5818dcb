from __future__ import annotations

from datetime import date, datetime

from service.domain.spend.flaws import DayContent, FlawKind, suspect_days
from tests.factories import utc

BILL = FlawKind.EMPTY_BILL
THURSDAY, FRIDAY, SATURDAY, SUNDAY = (date(2026, 11, day) for day in (12, 13, 14, 15))
LAST_SATURDAY, LAST_SUNDAY = date(2026, 11, 7), date(2026, 11, 8)
FILLED, USED = DayContent(filled=True, other_read=True), DayContent(spent=True, other_read=True)
IDLE = DayContent(other_read=True)
"""Its usage is known, and there was none."""
DUE = utc("2026-11-16T00:00")
"""Saturday's bill is due."""


def suspect(
    empty: set[date],
    filled: set[date],
    stored: dict[date, DayContent],
    read_at: datetime = DUE,
    since: dict[date, datetime] | None = None,
) -> frozenset[date]:
    return suspect_days(BILL, empty, filled, stored, since or {}, read_at)


def test_a_day_that_had_rows_and_comes_back_empty_is_suspect_at_once() -> None:
    assert suspect({SATURDAY}, {FRIDAY}, {SATURDAY: FILLED}, utc("2026-11-14T12:00")) == {SATURDAY}


def test_an_empty_day_behind_a_full_one_is_suspect_once_its_bill_is_due_and_usage_was_seen() -> None:
    assert suspect({SATURDAY}, {FRIDAY}, {SATURDAY: USED}, utc("2026-11-15T23:59")) == frozenset()
    assert suspect({SATURDAY}, {FRIDAY}, {SATURDAY: USED}) == {SATURDAY}


def test_a_weekend_without_usage_is_believed_where_the_last_one_was_empty_too() -> None:
    assert suspect({SATURDAY}, {FRIDAY}, {SATURDAY: IDLE}) == frozenset()
    assert suspect({SATURDAY}, {FRIDAY}, {SATURDAY: IDLE, LAST_SATURDAY: FILLED}) == {SATURDAY}


def test_before_usage_was_read_nothing_is_believed_and_old_days_are_history() -> None:
    """The bill is read first: at the very first poll no usage is there to ask."""
    assert suspect({SATURDAY}, {FRIDAY}, {}) == {SATURDAY}
    assert suspect({SATURDAY}, {FRIDAY}, {LAST_SATURDAY: FILLED}, utc("2026-11-18T00:00")) == frozenset()


def test_the_second_empty_day_is_compared_with_the_last_full_one() -> None:
    """Else the first suspect day would vouch for all that follow."""
    stored = {SATURDAY: USED, SUNDAY: USED}
    assert suspect({SATURDAY, SUNDAY}, {FRIDAY}, stored, utc("2026-11-17T00:00")) == {SATURDAY, SUNDAY}


def test_an_empty_day_behind_a_believed_empty_one_is_no_news() -> None:
    stored = {SATURDAY: IDLE, SUNDAY: IDLE, LAST_SUNDAY: FILLED}
    assert suspect({SATURDAY, SUNDAY}, {FRIDAY}, stored, utc("2026-11-17T00:00")) == frozenset()


def test_what_was_complete_and_empty_stays_so() -> None:
    stored = {SATURDAY: DayContent(spent=True, complete=True), LAST_SATURDAY: FILLED}
    assert suspect({SATURDAY}, {FRIDAY}, stored) == frozenset()


def test_an_empty_answer_that_lasts_is_believed_unless_something_was_used() -> None:
    since = {SATURDAY: DUE}
    late = utc("2026-11-19T00:00")
    assert suspect({SATURDAY}, {FRIDAY}, {SATURDAY: FILLED}, utc("2026-11-18T23:59"), since) == {SATURDAY}
    assert suspect({SATURDAY}, {FRIDAY}, {SATURDAY: FILLED}, late, since) == frozenset()
    assert suspect({SATURDAY}, {FRIDAY}, {SATURDAY: USED}, late, since) == {SATURDAY}


def test_days_that_follow_suspect_ones_stay_suspect_when_polls_have_moved_on_from_these() -> None:
    """A report that is empty for a week would else close all but its first days at $0."""
    stored = {FRIDAY: FILLED, SUNDAY: USED}
    late = utc("2026-11-19T00:00")
    assert suspect({SUNDAY}, set(), stored, late, {SATURDAY: DUE, SUNDAY: DUE}) == {SUNDAY}
    assert suspect({SATURDAY, SUNDAY}, set(), stored, late, {SATURDAY: DUE}) == frozenset()  # believed: read, no usage


def test_an_idle_holiday_is_believed_though_people_worked_the_week_before_and_one_with_usage_is_not() -> None:
    stored = {SATURDAY: IDLE, LAST_SATURDAY: FILLED}
    assert suspect_days(BILL, {SATURDAY}, {FRIDAY}, stored, {}, DUE, days_off={SATURDAY}) == frozenset()
    used = {**stored, SATURDAY: USED}
    assert suspect_days(BILL, {SATURDAY}, {FRIDAY}, used, {}, DUE, days_off={SATURDAY}) == {SATURDAY}
