"""The API over real HTTP that accepts requests from Slack, and a local Slack that sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import TCPConnector
from httpx import AsyncClient, Response

from service.adapters.slack.replies import EphemeralReplies
from service.api.app import create_app
from service.cli.serving import serving
from service.domain.slack.requests import Deed, SlackRole
from service.workflows.slack.requests import SlackAccess
from tests.api.stand import Stand, answered
from tests.fakes.clock import FakeClock
from tests.fakes.slack_socket import FakeSlackSocket
from tests.slack_presses import ADA, SIGNING_SECRET, command, form, press, signed

REAL = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
"""Slack's time, which is not the stand's."""


@dataclass
class Desk:
    stand: Stand
    slack: FakeSlackSocket
    http: AsyncClient
    real: FakeClock
    access: SlackAccess

    async def press(self, alert: dict[str, Any], deed: Deed, user: str = ADA) -> Response:
        """Presses a button under a message that shows the alert as given."""
        return await self.knock("/slack/interactions", form(self.payload(alert, deed, user)))

    def payload(self, alert: dict[str, Any], deed: Deed, user: str = ADA) -> dict[str, Any]:
        return press(alert, deed, user=user, response_url=self.slack.response_url)

    async def knock(self, path: str, body: bytes) -> Response:
        return await self.http.post(path, content=body, headers=signed(body, self.real()))

    async def type(self, text: str, user: str = ADA) -> str:
        """The answer to a slash command."""
        body = urlencode(command(text, user=user)).encode()
        return str(answered(await self.knock("/slack/commands", body))["text"])

    async def choose(self, name: str, user: str = ADA) -> Response:
        """Chooses from the menu that was shown last."""
        menu = self.slack.told[-1]["blocks"][-1]["elements"][0]
        (option,) = [one for one in menu["options"] if one["text"]["text"] == name]
        payload = press({"id": "", "version": 0}, Deed.HAND_ON, user=user, response_url=self.slack.response_url)
        chosen = {"type": "static_select", "action_id": menu["action_id"], "selected_option": option}
        return await self.knock("/slack/interactions", form({**payload, "actions": [chosen]}))

    async def told(self, count: int = 1) -> str:
        """The newest of so many texts that were shown to one person alone."""
        await self.slack.until(lambda: len(self.slack.told) >= count)
        newest = self.slack.told[-1]
        assert newest["response_type"] == "ephemeral"
        assert newest["replace_original"] is False
        return str(newest["text"])

    async def appoint(self, *items: dict[str, str]) -> None:
        answered(await self.stand.admin.put("/v1/slack-users", json={"items": list(items)}))

    async def see(self, alert: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = answered(await self.stand.viewer.get(f"/v1/alerts/{alert['id']}"))
        return shown

    async def refused(self) -> list[str]:
        """Whose requests the audit log calls refused."""
        items = answered(await self.stand.admin.get("/v1/audit-events?limit=500"))["items"]
        return [item["actor"] for item in items if item["action"] == "slack.refused"]


@asynccontextmanager
async def open_desk(stand: Stand, default_role: SlackRole = SlackRole.RESPONDER) -> AsyncIterator[Desk]:
    real = FakeClock(REAL)
    stand.clock.advance(timedelta(seconds=1))  # what was made with the stand is older than what is done in Slack

    async def ready() -> str | None:
        return None

    async with FakeSlackSocket() as slack:
        access = SlackAccess(default_role, SIGNING_SECRET, EphemeralReplies(TCPConnector), real)
        app = create_app(stand.ports, ready=ready, slack=access)
        async with serving(app) as url, AsyncClient(base_url=url, trust_env=False) as http:
            yield Desk(stand, slack, http, real, access)
