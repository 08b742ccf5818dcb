from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.alerts.alert import Reason
from service.domain.notify.notification import (
    LONGEST_WAIT,
    MOST_ATTEMPTS,
    MOST_KEPT,
    Action,
    Attempt,
    Notification,
    NotificationState,
    Receipt,
    after_failure,
    after_refusal,
    after_rest,
    after_success,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
QUEUED = Notification(
    "ntf_1", "alt_1", 1, "rcv_1", "console:0", Action.OPEN, Reason.FIRST, "1", NotificationState.QUEUED, NOW, NOW
)


def tried(times: int) -> Notification:
    return replace(QUEUED, attempts=(Attempt(NOW, "failed", "timeout"),) * times)


def fail(notification: Notification, permanent: bool = False, retry_after: timedelta | None = None) -> Notification:
    return after_failure(notification, reason="503", permanent=permanent, retry_after=retry_after, now=NOW)


@pytest.mark.parametrize(("failures", "seconds"), [(0, 15), (1, 30), (4, 240), (8, 3600), (10, 3600)])
def test_the_wait_doubles_with_every_failure_up_to_an_hour(failures: int, seconds: int) -> None:
    failed = fail(tried(failures))
    assert (failed.state, failed.due_at) == (NotificationState.QUEUED, NOW + seconds * SECOND)


@pytest.mark.parametrize(("asked", "wait"), [(None, 15 * SECOND), (SECOND, 15 * SECOND), (90 * SECOND, 90 * SECOND)])
def test_a_channel_is_not_tried_sooner_than_it_asked(asked: timedelta | None, wait: timedelta) -> None:
    assert fail(QUEUED, retry_after=asked).due_at == NOW + wait


def test_a_hopeless_failure_is_the_end_at_once() -> None:
    assert fail(QUEUED, permanent=True, retry_after=SECOND).state is NotificationState.DEAD


def test_the_last_attempt_is_the_end() -> None:
    assert fail(tried(MOST_ATTEMPTS - 2)).state is NotificationState.QUEUED
    assert fail(tried(MOST_ATTEMPTS - 1)).state is NotificationState.DEAD


def test_every_attempt_is_kept_with_its_outcome() -> None:
    sent = after_success(fail(QUEUED), Receipt("post_1", "posted"), NOW + SECOND)
    assert (sent.state, sent.sent_at) == (NotificationState.SENT, NOW + SECOND)
    assert sent.attempts == (Attempt(NOW, "failed", "503"), Attempt(NOW + SECOND, "sent", "posted"))


def test_a_channel_that_refuses_everything_is_waited_for_for_three_days() -> None:
    waiting, at = QUEUED, NOW
    while waiting.state is NotificationState.QUEUED:
        assert at - NOW <= LONGEST_WAIT
        waiting = after_refusal(waiting, reason="404", now=at)
        last, at = at, at + 5 * 60 * SECOND
    assert (waiting.state, last) == (NotificationState.DEAD, NOW + LONGEST_WAIT)
    assert len(waiting.attempts) == MOST_KEPT
    assert (waiting.attempts[0].at, waiting.attempts[-1].at) == (NOW, last)


def test_a_rest_is_no_try_and_is_on_record_once() -> None:
    until = NOW + 60 * SECOND
    rested = after_rest(QUEUED, reason="404", until=until, now=NOW)
    again = after_rest(rested, reason="404", until=until + SECOND, now=until)
    assert (rested.was_tried, again.due_at) == (False, until + SECOND)
    assert again.attempts == (Attempt(until, "waiting", "404"),)
