"""A request's body is read whole, with a bound and a deadline, before anything else is done for the request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http.problems import problem

LARGEST = 1024 * 1024
"""Bytes."""
LARGER: Mapping[str, int] = dict.fromkeys(
    ("/v1/config", "/v1/owners", "/v1/owners/csv", "/pages/owners/file"), 8 * LARGEST
)
"""Bytes, by path, of requests with a token or a session: a whole configuration, or all owners, as one document."""
LARGEST_TOGETHER = 64 * LARGEST
"""Bytes of all bodies that are held at once."""
DEADLINE = timedelta(seconds=15)
"""From a request's head to the end of its body."""
CLOSE = {"Connection": "close"}
"""Where a body is not read to its end, nothing can follow it on its connection."""


class Refused(Exception):
    """The body is not taken: the status says why."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.headers = status, CLOSE | (headers or {})


class Departed(Exception):
    """The caller went away before the end of the body."""


class WholeBodies:
    """ASGI middleware. No route waits for a caller while it holds a database connection: the body is there."""

    def __init__(self, app: ASGIApp, deadline: timedelta = DEADLINE) -> None:
        self.app, self._deadline, self._held = app, deadline, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        try:
            most = _most(scope)
            refusal = _announced_too_large(scope, most) or await self._fill(body, receive, most)
            if refusal is not None:
                await problem(refusal.status, str(refusal), headers=refusal.headers)(scope, receive, send)
                return
            await self.app(scope, _replaying(bytes(body), receive), send)
        except Departed:
            return
        finally:
            self._held -= len(body)

    async def _fill(self, body: bytearray, receive: Receive, most: int) -> Refused | None:
        """Returns why the body is not taken, None when all of it is there. Raises Departed."""
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                await self._read(body, receive, most)
        except TimeoutError:
            return Refused(408, f"The body did not arrive within {self._deadline.total_seconds():g} seconds")
        except Refused as refusal:
            return refusal
        return None

    async def _read(self, body: bytearray, receive: Receive, most: int) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Departed
            chunk = message.get("body", b"")
            if len(body) + len(chunk) > most:
                raise _too_large(most)
            if self._held + len(chunk) > LARGEST_TOGETHER:
                raise Refused(503, "Too many large requests at once; try again", {"Retry-After": "5"})
            body += chunk
            self._held += len(chunk)
            more = message.get("more_body", False)


def _most(scope: Scope) -> int:
    headers = Headers(scope=scope)
    is_known = "authorization" in headers or "cookie" in headers
    return LARGER.get(scope["path"], LARGEST) if is_known else LARGEST


def _announced_too_large(scope: Scope, most: int) -> Refused | None:
    announced = Headers(scope=scope).get("content-length", "")
    is_large = announced.isdecimal() and len(announced) < 20 and int(announced) > most
    return _too_large(most) if is_large else None


def _too_large(most: int) -> Refused:
    return Refused(413, f"The body is larger than {most // LARGEST} MiB, the most that is read here")


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Returns a `receive` that gives the whole body once; then what comes after it, a disconnect."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again
