"""PagerDuty's Events API v2 as far as pages go: which events open an incident, and which only add to one."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.fakes.local_web import listen
from tests.fakes.slack import Answer

Json = dict[str, Any]
PATIENCE = 20
"""Seconds after which something that should have happened has not."""


@dataclass
class FakePagerDuty:
    """`async with FakePagerDuty() as pagerduty:` serves on 127.0.0.1 until the block ends.

    A trigger opens a page unless one is open for its `dedup_key`; whatever comes after the end is a new page.
    `pages` are the keys of all that were opened, `open` how each that is open stands, `most_open` the most at once.
    `changes` are the change events, which page nobody. `planned` are answers to the next events of the kinds in
    `refusing`.
    """

    changes: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)
    most_open: int = 0
    planned: deque[Answer] = field(default_factory=deque)
    refusing: frozenset[str] = frozenset({"trigger", "acknowledge", "resolve"})

    async def __aenter__(self) -> FakePagerDuty:
        self._answering, self._arrived = asyncio.Event(), asyncio.Event()
        self._answering.set()
        app = web.Application()
        app.router.add_post("/v2/enqueue", self._enqueue)
        app.router.add_post("/v2/change/enqueue", self._note)
        self._runner, self.url = await listen(app)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def said(self) -> list[str]:
        """What each event asked for, in order."""
        return [event["event_action"] for event in self.events]

    def refuse_next(self, event_action: str) -> None:
        """Fails the next event of a kind; others are taken."""
        self.refusing = frozenset({event_action})
        self.planned.append(Answer(503, {"status": "broken"}))

    def hang(self) -> None:
        """Takes events from now on, and answers none."""
        self._answering.clear()
        self._arrived.clear()

    async def taken(self) -> None:
        """Waits until an event has come since it began to hang."""
        async with asyncio.timeout(PATIENCE):
            await self._arrived.wait()

    def recover(self) -> None:
        self._answering.set()

    async def _enqueue(self, request: web.Request) -> web.Response:
        event = await request.json()
        if self.planned and event["event_action"] in self.refusing:
            answer = self.planned.popleft()
            return web.json_response(answer.json, status=answer.status, headers=answer.headers)
        self.events.append(event)
        self._take(event["event_action"], event["dedup_key"])
        self._arrived.set()
        await self._answering.wait()
        return web.json_response({"status": "success", "dedup_key": event["dedup_key"]}, status=202)

    async def _note(self, request: web.Request) -> web.Response:
        self.changes.append(await request.json())
        return web.json_response({"status": "success", "message": "Change event processed"}, status=202)

    def _take(self, action: str, key: str) -> None:
        if action == "trigger" and key not in self.open:
            self.pages.append(key)
            self.open[key] = "triggered"
        elif action == "acknowledge" and key in self.open:
            self.open[key] = "acknowledged"
        elif action == "resolve":
            self.open.pop(key, None)
        self.most_open = max(self.most_open, len(self.open))
