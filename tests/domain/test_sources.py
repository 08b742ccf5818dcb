from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.sources import SourceState, is_stale, retry_delay

FAILED_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAILING = SourceState("src_1", fence=7, next_poll_at=FAILED_AT, failures=1, failing_since=FAILED_AT)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("failures", "after", "stale"),
    [
        (1, 0 * MINUTE, False),
        (2, 29 * MINUTE, False),
        (3, 0 * MINUTE, True),
        (4, 1 * MINUTE, True),
        (1, 30 * MINUTE - timedelta.resolution, False),
        (1, 30 * MINUTE, True),
    ],
)
def test_a_source_is_stale_after_three_failures_or_thirty_minutes(
    failures: int, after: timedelta, stale: bool
) -> None:
    assert is_stale(replace(FAILING, failures=failures), FAILED_AT + after) is stale


def test_a_source_whose_cost_report_comes_in_is_never_stale() -> None:
    healthy = replace(FAILING, failing_since=None, failures=0, cost_read_at=FAILED_AT)
    assert not is_stale(healthy, FAILED_AT + timedelta(days=9))


def test_a_source_that_was_never_read_is_not_stale_before_it_fails() -> None:
    assert not is_stale(SourceState("src_1", fence=0, next_poll_at=FAILED_AT), FAILED_AT + HOUR)


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
