from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.notify.circuits import LONGEST_REST, PROBE, Concern, FailingChannel, after_refusal, probed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CLOSED = FailingChannel("rcv_1", "webhook:0", NOW, "busy", dead=1)
OPEN = after_refusal(CLOSED, "HTTP 404", Concern.CHANNEL, NOW)


def test_a_refusal_opens_the_circuit_for_a_quarter_of_a_minute() -> None:
    assert (OPEN.next_try, OPEN.refusals, OPEN.error) == (NOW + 15 * SECOND, 1, "HTTP 404")
    assert CLOSED.rests_until(NOW) is None
    assert OPEN.rests_until(NOW) == NOW + 15 * SECOND
    assert OPEN.rests_until(NOW + 15 * SECOND) is None


def test_what_was_refused_beside_it_says_nothing_new() -> None:
    assert after_refusal(OPEN, "HTTP 403", Concern.CREDENTIAL, NOW + SECOND) == OPEN


@pytest.mark.parametrize(("refusals", "rest"), [(1, 30 * SECOND), (3, 120 * SECOND), (40, LONGEST_REST)])
def test_each_refused_probe_doubles_the_rest_up_to_minutes(refusals: int, rest: timedelta) -> None:
    at = NOW + 15 * SECOND
    again = after_refusal(replace(OPEN, refusals=refusals), "HTTP 403", Concern.CREDENTIAL, at)
    assert (again.next_try, again.error, again.concerns) == (at + rest, "HTTP 403", Concern.CREDENTIAL)


def test_a_probe_that_finds_it_busy_keeps_the_reason() -> None:
    again = after_refusal(OPEN, "HTTP 503", Concern.MOMENT, NOW + 15 * SECOND)
    assert (again.error, again.concerns, again.refusals) == ("HTTP 404", Concern.CHANNEL, 2)


def test_the_others_wait_while_one_probes_and_not_for_ever() -> None:
    probing = probed(OPEN, NOW + 15 * SECOND)
    assert probing.rests_until(NOW + 16 * SECOND) == NOW + 15 * SECOND + PROBE
    assert probing.rests_until(NOW + 15 * SECOND + PROBE) is None


def test_a_clock_that_was_set_back_keeps_no_channel_closed() -> None:
    assert OPEN.rests_until(NOW - timedelta(days=1)) is None
