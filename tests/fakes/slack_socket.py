"""The other half of a small local Slack: Socket Mode's websockets, and the addresses for answers to one person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import WSMsgType, web

Json = dict[str, Any]

APP_TOKEN = "xapp-FAKE-token-of-the-tests"
TICKET = "FAKE-ticket"
PATIENCE = 20
"""Seconds after which something that should have happened has not."""


@dataclass
class FakeSlackSocket:
    """`async with FakeSlackSocket() as slack:` serves on 127.0.0.1 until the block ends.

    `opened` counts calls of apps.connections.open, `acknowledged` holds what envelopes were answered with, `told` what
    was posted to response addresses. An `error` is what Slack answers to whoever asks for a connection.
    """

    error: str = ""
    opened: int = 0
    connections: list[web.WebSocketResponse] = field(default_factory=list)
    acknowledged: dict[str, Json | None] = field(default_factory=dict)
    acknowledgements: int = 0
    told: list[Json] = field(default_factory=list)
    redirect: str = ""

    async def __aenter__(self) -> FakeSlackSocket:
        self._changed = asyncio.Condition()
        app = web.Application()
        app.router.add_post("/api/apps.connections.open", self._open)
        app.router.add_get("/link", self._link)
        app.router.add_post("/respond/{id}", self._respond)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0]
        self._place = f"{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self.connections:
            await connection.close()
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"http://{self._place}/api/"

    @property
    def response_url(self) -> str:
        return f"http://{self._place}/respond/FAKE"

    # What a test does.

    async def until(self, holds: Callable[[], object]) -> None:
        """Waits for something to happen here."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: bool(holds()))

    async def connected(self, times: int = 1) -> None:
        """Waits until somebody has connected for the nth time and is still there."""
        await self.until(lambda: len(self.connections) >= times and not self.connections[-1].closed)

    async def send(self, kind: str, payload: Json, envelope_id: str) -> None:
        """An envelope, over the newest connection."""
        envelope = {"type": kind, "envelope_id": envelope_id, "payload": payload, "accepts_response_payload": True}
        await self.connections[-1].send_json(envelope)

    async def deliver(self, kind: str, payload: Json, envelope_id: str) -> Json | None:
        """An envelope, and what it was acknowledged with."""
        before = self.acknowledgements
        await self.send(kind, payload, envelope_id)
        await self.until(lambda: self.acknowledgements > before)
        return self.acknowledged[envelope_id]

    async def ask_to_reconnect(self) -> None:
        await self.connections[-1].send_json({"type": "disconnect", "reason": "refresh_requested"})

    async def drop(self) -> None:
        """The newest connection breaks without a word."""
        transport = self.connections[-1]._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()

    # What Slack does.

    async def _open(self, request: web.Request) -> web.Response:
        async with self._changed:
            self.opened += 1
            self._changed.notify_all()
        if self.error:
            return web.json_response({"ok": False, "error": self.error})
        if request.headers.get("Authorization") != f"Bearer {APP_TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        return web.json_response({"ok": True, "url": f"ws://{self._place}/link?ticket={TICKET}"})

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        if request.query.get("ticket") != TICKET:
            raise web.HTTPForbidden
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        await connection.send_json({"type": "hello", "num_connections": 1})
        async with self._changed:
            self.connections.append(connection)
            self._changed.notify_all()
        async for message in connection:
            if message.type is WSMsgType.TEXT:
                await self._acknowledge(message.json())
        return connection

    async def _acknowledge(self, answer: Json) -> None:
        async with self._changed:
            self.acknowledged[answer["envelope_id"]] = answer.get("payload")
            self.acknowledgements += 1
            self._changed.notify_all()

    async def _respond(self, request: web.Request) -> web.Response:
        if self.redirect:
            raise web.HTTPFound(self.redirect)
        async with self._changed:
            self.told.append(await request.json())
            self._changed.notify_all()
        return web.Response(text="ok")
