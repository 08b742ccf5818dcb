"""One row, followed through the log alone: from its poll to its evaluation, its alert, and the message in Slack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from tests.factories import budget, percent
from tests.fakes.slack import TOKEN
from tests.journeys.stage import ADMIN_KEY, CHANNEL, Stage

pytestmark = pytest.mark.slow

Line = Mapping[str, Any]


def found(lines: Sequence[Line], event: str, **ids: str) -> list[Line]:
    """The lines of an event with these ids."""
    return [line for line in lines if line["event"] == event and ids.items() <= line.items()]


async def test_a_row_is_followed_from_its_poll_to_slack_by_the_ids_of_the_lines(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "1234.5678")
    with capture_logs(processors=[merge_contextvars]) as lines:
        poll = await stage.poll()

    (ended,) = found(lines, "poll_ended", poll_id=poll.id)
    assert (ended["state"], ended["source_id"], ended["added"] > 0) == ("done", stage.source.id, True)
    (moved,) = found(lines, "alert_moved", poll_id=poll.id)
    assert moved["evaluation"].startswith(stage.source.id)
    alert = await stage.alert()
    assert moved["alert_id"] == alert.id
    sent = {line["notification_id"] for line in found(lines, "notification_sent", alert_id=alert.id)}
    stored = [one for one in await stage.notifications() if one.alert_id == alert.id]
    assert sent == {one.id for one in stored}
    (in_slack,) = [one for one in stored if one.channel.startswith("slack_bot")]
    assert found(lines, "notification_sent", notification_id=in_slack.id)
    assert len(stage.slack.messages(CHANNEL)) == 1

    assert get_contextvars() == {}
    for secret in (ADMIN_KEY, TOKEN, "finops@example.com"):
        assert secret not in str(lines)


async def test_a_message_that_is_not_taken_has_its_ids_and_no_address(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "1234.5678")
    await stage.send_mail_to("gone@example.com")
    stage.smtp.refused["gone@example.com"] = "550 no such mailbox"
    with capture_logs(processors=[merge_contextvars]) as lines:
        await stage.poll()
    (missed,) = found(lines, "notification_not_sent")
    (mail,) = [one for one in await stage.notifications() if one.channel.startswith("email")]
    assert (missed["notification_id"], missed["alert_id"]) == (mail.id, mail.alert_id)
    assert "gone@" not in str(missed)
