from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.sources.source import (
    SourceState,
    after_begin,
    after_failure,
    after_success,
    back_in_time,
    due_after_bill,
    lies_ahead,
    retry_delay,
)

FAILED_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAILING = SourceState("src_1", fence=7, next_poll_at=FAILED_AT, failures=1, failing_since=FAILED_AT)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("interval", "failures", "wait"),
    [
        (5 * MINUTE, 0, 5 * MINUTE),
        (5 * MINUTE, 1, 10 * MINUTE),
        (5 * MINUTE, 2, 20 * MINUTE),
        (5 * MINUTE, 3, 40 * MINUTE),
        (5 * MINUTE, 4, HOUR),
        (5 * MINUTE, 100_000, HOUR),
        (6 * HOUR, 0, 6 * HOUR),
        (6 * HOUR, 3, 6 * HOUR),
    ],
)
def test_the_wait_doubles_with_every_failure_up_to_an_hour_and_is_never_below_the_interval(
    interval: timedelta, failures: int, wait: timedelta
) -> None:
    assert retry_delay(interval, failures) == wait


@pytest.mark.parametrize(
    ("due", "next_due"),
    [
        pytest.param(-HOUR, 5 * MINUTE, id="it was due: this was that poll"),
        pytest.param(timedelta(0), 5 * MINUTE, id="it was due in this moment"),
        pytest.param(2 * MINUTE, 2 * MINUTE, id="somebody asked before it was due"),
        pytest.param(HOUR, 5 * MINUTE, id="the back-off is over"),
    ],
)
def test_after_a_bill_the_next_poll_comes_an_interval_later_or_when_it_was_due(
    due: timedelta, next_due: timedelta
) -> None:
    state = replace(FAILING, next_poll_at=FAILED_AT + due)
    assert due_after_bill(state, FAILED_AT, 5 * MINUTE) == FAILED_AT + next_due


def test_a_poll_that_never_ended_counts_as_failed_when_the_next_begins() -> None:
    begun = after_begin(replace(FAILING, failures=0, failing_since=None), FAILED_AT)
    assert (begun.failures, begun.failing_since, begun.polling_since) == (0, None, FAILED_AT)
    again = after_begin(begun, FAILED_AT + 5 * MINUTE)
    assert (again.failures, again.failing_since) == (1, FAILED_AT)


def test_a_poll_that_brought_the_bill_ends_the_count() -> None:
    healthy = after_success(after_begin(FAILING, FAILED_AT), FAILED_AT + MINUTE)
    assert (healthy.failures, healthy.failing_since, healthy.polling_since) == (0, None, None)
    assert healthy.cost_read_at == FAILED_AT + MINUTE


def test_failures_in_a_row_keep_the_instant_at_which_the_first_of_them_began() -> None:
    twice = after_failure(
        after_failure(replace(FAILING, failures=0, failing_since=None), FAILED_AT), FAILED_AT + MINUTE
    )
    assert (twice.failures, twice.failing_since) == (2, FAILED_AT)


WELL = SourceState("src_1", fence=7, next_poll_at=FAILED_AT + 5 * MINUTE, last_success_at=FAILED_AT)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(WELL, False, id="well"),
        pytest.param(replace(WELL, next_poll_at=FAILED_AT + 6 * MINUTE), False, id="another machine's clock"),
        pytest.param(replace(WELL, next_poll_at=FAILED_AT + 7 * MINUTE), True, id="due later than it ever is"),
        pytest.param(replace(WELL, next_poll_at=FAILED_AT + HOUR, failures=4), False, id="backing off"),
        pytest.param(replace(WELL, last_success_at=FAILED_AT + HOUR), True, id="read in the future"),
        pytest.param(replace(WELL, cost_read_at=FAILED_AT + HOUR), True, id="billed in the future"),
        pytest.param(replace(WELL, usage_read_at=FAILED_AT + HOUR), True, id="used in the future"),
    ],
)
def test_a_state_lies_ahead_that_no_clock_of_the_present_could_have_written(state: SourceState, expected: bool) -> None:
    assert lies_ahead(state, 5 * MINUTE, FAILED_AT) is expected


def test_back_in_time_a_source_is_due_at_once_and_failing_until_it_is_read() -> None:
    later = FAILED_AT + 9 * HOUR
    drilled = SourceState("src_1", 7, later, last_success_at=later, cost_read_at=later, deep_read_at=later)
    back = back_in_time(drilled, FAILED_AT)
    assert not lies_ahead(back, 5 * MINUTE, FAILED_AT)
    assert (back.next_poll_at, back.cost_read_at, back.deep_read_at) == (FAILED_AT, FAILED_AT, None)
    assert (back.failures, back.failing_since) == (1, FAILED_AT)
    assert back.last_error == (
        "The clock went back: this source was polled, or due, at 2026-11-21 21:00 UTC. It is read again"
    )
