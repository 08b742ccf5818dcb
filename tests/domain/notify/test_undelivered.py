"""What is found of channels that take no messages."""

from __future__ import annotations

from datetime import timedelta

from service.domain.alerts.evidence import UndeliveredEvidence
from service.domain.notify.circuits import FailingChannel
from service.domain.notify.undelivered import Backlog, assess_channels
from tests.factories import utc

NOW = utc("2026-11-28T21:20")
SINCE = NOW - timedelta(minutes=7)
PLACE = ("rcv_1", "webhook:0123456789ab")


def test_what_waits_for_a_resting_channel_shows_what_the_channel_answered() -> None:
    """Messages that were not tried say so themselves, which tells nobody what is wrong."""
    rests = FailingChannel(*PLACE, SINCE, "the webhook: HTTP 404", 0, refusals=2, next_try=NOW + timedelta(minutes=1))
    waiting = Backlog(*PLACE, SINCE, 6, "the webhook: HTTP 404 (the answer to an earlier message; next try 21:21)")
    (finding,) = assess_channels([rests], [waiting], receivers={}, open_alerts=[], is_muted=lambda _: False, now=NOW)
    assert isinstance(finding.evidence, UndeliveredEvidence)
    assert (finding.evidence.channel_error, finding.evidence.count) == ("the webhook: HTTP 404", 6)
