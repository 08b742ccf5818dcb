"""The limit of a request's body."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http.problems import problem

LARGEST = 1024 * 1024
"""Bytes."""
_REFUSAL = f"The body is larger than {LARGEST} bytes"


class BodyLimit:
    """ASGI middleware. The framework's own limit answers in plain text where every other error is a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and len(announced) < 20 and int(announced) > LARGEST:
            await problem(413, _REFUSAL)(scope, receive, send)
            return
        received = 0

        async def receive_and_count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST:
                raise HTTPException(413, _REFUSAL)
            return message

        await self.app(scope, receive_and_count, send)
