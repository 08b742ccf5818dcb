"""Paths by their segments as they were sent, so that a name may hold a slash.

A server hands on the path decoded, in which `team%2Fstatus` is two segments. `RawPath` keeps a slash inside a segment
encoded, and with it the percent sign, so that nothing else can be taken for one.
"""

from __future__ import annotations

from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send


class RawPath:
    """ASGI middleware: routes are found by the segments of the path as it was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path") or b""
        if b"%" in raw:
            scope = {**scope, "path": "/".join(_kept_whole(part) for part in raw.decode("latin-1").split("/"))}
        await self.app(scope, receive, send)


def _kept_whole(segment: str) -> str:
    return unquote(segment).replace("%", "%25").replace("/", "%2F")


def read_segment(text: object) -> object:
    """Returns a parameter of a path as it was meant."""
    return text.replace("%2F", "/").replace("%25", "%") if isinstance(text, str) else text
