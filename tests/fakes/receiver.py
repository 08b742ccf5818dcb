"""A small local web server that keeps every POST, and answers as a test has planned."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.fakes.local_web import listen
from tests.fakes.slack import Answer


@dataclass(frozen=True)
class Taken:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FakeReceiver:
    """`async with FakeReceiver() as receiver:` serves on 127.0.0.1 until the block ends.

    Without a plan it answers 202. `requests` are all that came, `taken` those without a planned answer.
    """

    def __init__(self) -> None:
        self.requests: list[Taken] = []
        self.taken: list[Taken] = []
        self.url = ""
        self._planned: deque[Answer] = deque()

    async def __aenter__(self) -> FakeReceiver:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._runner, self.url = await listen(app)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def plan(self, *answers: Answer) -> None:
        """How to answer the next requests."""
        self._planned.extend(answers)

    @property
    def documents(self) -> list[Any]:
        """The bodies, in order."""
        return [request.json for request in self.requests]

    async def _take(self, request: web.Request) -> web.Response:
        self.requests.append(Taken(request.path_qs, request.headers, await request.read()))
        if not self._planned:
            self.taken.append(self.requests[-1])
            status = 200 if request.path.endswith("/api/v2/alerts") else 202  # Alertmanager, and all others
            return web.json_response({"status": "success", "result": "Request will be processed"}, status=status)
        answer = self._planned.popleft()
        if answer.json is not None:
            return web.json_response(answer.json, status=answer.status, headers=answer.headers)
        return web.Response(status=answer.status, text=answer.text, headers=answer.headers)
