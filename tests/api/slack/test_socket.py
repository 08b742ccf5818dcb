"""Socket Mode with the real slack-sdk against a real local websocket: presses, commands, losses, refusals."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
import structlog.testing
from aiohttp import TCPConnector

from service.adapters.egress.aiohttp_connector import connectors
from service.adapters.egress.guard import Guard
from service.adapters.slack.replies import EphemeralReplies
from service.adapters.slack.socket import PING_SECONDS, SlackSocket
from service.domain.slack.requests import Deed, SlackRole
from service.workflows.ports.platform import EgressRefused
from service.workflows.slack.requests import SlackAccess
from service.workflows.slack.workspaces import run_is_our_workspace
from tests.adapters.postgres.queue.queue_runs import until
from tests.api.alerts.test_alerts import rung
from tests.api.stand import Stand, answered
from tests.fakes.slack_socket import APP_TOKEN, TICKET, FakeSlackSocket
from tests.slack_presses import ADA, BOB, command, press

RETRIED_SOON = 2.0


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlackSocket]:
    async with FakeSlackSocket() as server:
        yield server


@dataclass
class Line:
    """An alert, and a connection over which it can be acted on."""

    stand: Stand
    slack: FakeSlackSocket
    alert: dict[str, object]

    async def press(self, deed: Deed, *, user: str = ADA, envelope: str = "env-1") -> None:
        payload = press(self.alert, deed, user=user, response_url=self.slack.response_url)
        assert await self.slack.deliver("interactive", payload, envelope) is None

    async def state(self) -> tuple[str, int]:
        seen = answered(await self.stand.viewer.get(f"/v1/alerts/{self.alert['id']}"))
        return seen["state"], seen["version"]


def socket(
    slack: FakeSlackSocket,
    connector: Callable[[], aiohttp.BaseConnector] = TCPConnector,
    ping_seconds: float = PING_SECONDS,
) -> SlackSocket:
    """A pong later than half of `ping_seconds` ends the connection; as long waits a new try after a failed one."""
    return SlackSocket(APP_TOKEN, slack.api_url, connector, ping_seconds=ping_seconds, refused_seconds=0.01)


def access(stand: Stand) -> SlackAccess:
    return SlackAccess(SlackRole.RESPONDER, None, EphemeralReplies(TCPConnector), stand.clock)


@asynccontextmanager
async def line(stand: Stand, slack: FakeSlackSocket, ping_seconds: float = PING_SECONDS) -> AsyncIterator[Line]:
    alert = await rung(stand)
    async with socket(slack, ping_seconds=ping_seconds).listening(stand.ports, access(stand)):
        await slack.connected()
        yield Line(stand, slack, alert)


async def test_a_press_acts_and_is_acknowledged(stand: Stand, slack: FakeSlackSocket) -> None:
    async with line(stand, slack) as on:
        await on.press(Deed.ACKNOWLEDGE)
        assert await on.state() == ("acknowledged", 2)
        assert slack.told == []


async def test_a_refusal_is_told_to_the_person_alone(stand: Stand, slack: FakeSlackSocket) -> None:
    async with line(stand, slack) as on:
        await on.press(Deed.RESOLVE)
        await slack.until(lambda: slack.told)
        assert "needs the role operator" in slack.told[0]["text"]
        assert await on.state() == ("firing", 1)


async def test_a_question_is_asked_of_the_person_alone(stand: Stand, slack: FakeSlackSocket) -> None:
    async with line(stand, slack) as on:
        await stand.create("/receivers", {"name": "spare", "channels": [{"kind": "console"}]})
        await on.press(Deed.HAND_ON)
        await slack.until(lambda: slack.told)
        options = slack.told[0]["blocks"][-1]["elements"][0]["options"]
        assert [one["text"]["text"] for one in options] == ["console", "spare"]
        assert await on.state() == ("firing", 1)


async def test_a_press_and_a_command_from_another_workspace_do_nothing(stand: Stand, slack: FakeSlackSocket) -> None:
    assert await run_is_our_workspace(stand.ports, {"team_id": "T0OTHER"})
    async with line(stand, slack) as on:
        await on.press(Deed.ACKNOWLEDGE)
        answer = await slack.deliver("slash_commands", dict(command("status")), "env-2")
        assert "another Slack workspace" in str(answer)
        assert await on.state() == ("firing", 1)


async def test_an_envelope_that_comes_twice_acts_once_even_over_two_connections(
    stand: Stand, slack: FakeSlackSocket
) -> None:
    async with line(stand, slack) as on, socket(slack).listening(stand.ports, access(stand)):
        await slack.connected(2)
        await on.press(Deed.SNOOZE_1H, envelope="env-7")
        await on.press(Deed.SNOOZE_1H, envelope="env-7")
        assert await on.state() == ("snoozed", 2)
        assert slack.told == []


async def test_two_people_over_two_connections_one_wins_and_the_other_is_told_who(
    stand: Stand, slack: FakeSlackSocket
) -> None:
    async with line(stand, slack) as on, socket(slack).listening(stand.ports, access(stand)):
        await slack.connected(2)
        for user, connection in ((ADA, slack.connections[0]), (BOB, slack.connections[1])):
            payload = press(on.alert, Deed.ACKNOWLEDGE, user=user, response_url=slack.response_url)
            await connection.send_json({"type": "interactive", "envelope_id": f"env-{user}", "payload": payload})
        await slack.until(lambda: slack.told and len(slack.acknowledged) == 2)
        seen = answered(await stand.viewer.get(f"/v1/alerts/{on.alert['id']}"))
        winner = seen["acknowledged_by"].removeprefix("slack:")
        assert slack.told[0]["text"].startswith(f"Already acknowledged by <@{winner}>.")
        assert await on.state() == ("acknowledged", 2)


async def test_a_command_is_answered_in_the_acknowledgement(stand: Stand, slack: FakeSlackSocket) -> None:
    async with line(stand, slack):
        answer = await slack.deliver("slash_commands", dict(command("status")), "env-1")
        assert answer is not None
        assert answer["response_type"] == "ephemeral"
        assert "*Open alerts: 1*" in answer["text"]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("events_api", {"event": {"type": "message"}}),
        ("interactive", {"type": "view_submission"}),
    ],
)
async def test_what_is_none_of_ours_is_acknowledged_and_changes_nothing(
    stand: Stand, slack: FakeSlackSocket, kind: str, payload: dict[str, object]
) -> None:
    async with line(stand, slack) as on:
        assert await slack.deliver(kind, payload, "env-1") is None
        assert await on.state() == ("firing", 1)


async def test_what_cannot_be_read_leaves_the_connection_in_use(stand: Stand, slack: FakeSlackSocket) -> None:
    async with line(stand, slack) as on:
        broken = press(on.alert, Deed.RESOLVE)
        broken["actions"][0]["value"] = "nonsense"
        await slack.send("interactive", broken, "env-1")
        await on.press(Deed.ACKNOWLEDGE, envelope="env-2")
        assert "env-1" not in slack.acknowledged
        assert await on.state() == ("acknowledged", 2)


async def test_a_lost_connection_is_replaced(stand: Stand, slack: FakeSlackSocket) -> None:
    async with line(stand, slack, RETRIED_SOON) as on:
        await slack.drop()
        await slack.connected(2)
        await on.press(Deed.ACKNOWLEDGE)
        assert await on.state() == ("acknowledged", 2)


async def test_when_slack_asks_for_it_the_connection_is_renewed(stand: Stand, slack: FakeSlackSocket) -> None:
    async with line(stand, slack) as on:
        await slack.ask_to_reconnect()
        await slack.connected(2)
        await on.press(Deed.ACKNOWLEDGE)
        assert slack.opened == 2


async def test_a_refused_token_is_tried_again_and_said_without_a_secret(
    stand: Stand, slack: FakeSlackSocket, caplog: pytest.LogCaptureFixture
) -> None:
    slack.error = "invalid_auth"
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        async with socket(slack, ping_seconds=0.5).listening(stand.ports, access(stand)):
            await slack.until(lambda: slack.opened >= 2)
            slack.error = ""
            await until(lambda: "slack_socket_connected" in str(logs))
    lines = [(entry["event"], entry.get("reason", "")) for entry in logs if entry.get("system") == "Slack socket"]
    assert [event for event, _ in lines] == ["outage_begins", "outage_ends"]
    assert "invalid_auth" in lines[0][1]
    written = f"{logs} {caplog.text}"
    assert APP_TOKEN not in written
    assert TICKET not in written


async def test_it_stops_while_nobody_answers(stand: Stand, slack: FakeSlackSocket) -> None:
    silent = SlackSocket(APP_TOKEN, "http://127.0.0.1:9/api/", TCPConnector, ping_seconds=0.01)
    async with asyncio.timeout(20), silent.listening(stand.ports, access(stand)):
        pass


async def test_neither_the_connection_nor_the_answers_pass_the_guard(stand: Stand, slack: FakeSlackSocket) -> None:
    guarded = connectors(Guard(), proxy=None)
    with structlog.testing.capture_logs() as logs:
        await EphemeralReplies(guarded).tell(slack.response_url, "hello")
    assert [entry["event"] for entry in logs] == ["slack_reply_refused"]
    with structlog.testing.capture_logs() as logs:
        async with socket(slack, guarded).listening(stand.ports, access(stand)):
            await until(lambda: "TOCSIN_EGRESS_ALLOW" in str(logs))
    assert [entry["event"] for entry in logs].count("outage_begins") == 1
    assert slack.opened == 0
    assert slack.told == []


async def test_answers_follow_no_redirect(slack: FakeSlackSocket) -> None:
    slack.redirect = f"{slack.response_url}-elsewhere"
    with structlog.testing.capture_logs() as logs:
        await EphemeralReplies(TCPConnector).tell(slack.response_url, "hello")
    assert [entry["event"] for entry in logs] == ["slack_reply_failed"]
    assert slack.response_url not in str(logs)


async def test_a_proxy_is_asked_for_websockets_as_for_anything_else() -> None:
    proxy = "http://127.0.0.1:9"
    async with aiohttp.ClientSession(connector=connectors(Guard(), proxy)()) as session:
        with pytest.raises(EgressRefused, match="TOCSIN_EGRESS_ALLOW"):
            await session.ws_connect("ws://127.0.0.1:1/link", proxy=proxy)
        with pytest.raises(aiohttp.ClientProxyConnectionError):
            await session.ws_connect("wss://slack.example/link", proxy=proxy)
