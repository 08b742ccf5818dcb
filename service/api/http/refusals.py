"""Requests that are refused, 401 and 403: counted, and logged with where they came from, never with a token."""

from __future__ import annotations

import structlog
from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http.origin import address_of

log = structlog.get_logger(__name__)

REFUSED = frozenset({401, 403})


class Refusals:
    """ASGI middleware that notes them. The log's own limits hold for its lines."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        self.refused = Counter("tocsin_http_refused", "Requests answered 401 or 403", ("status",), registry=registry)
        for status in REFUSED:
            self.refused.labels(str(status))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in REFUSED:
                self._note(scope, message["status"])
            await send(message)

        await self.app(scope, receive, note if scope["type"] == "http" else send)

    def _note(self, scope: Scope, status: int) -> None:
        self.refused.labels(str(status)).inc()
        route = getattr(scope.get("route"), "path", "none")
        address = address_of(Request(scope))
        log.warning("request_refused", status=status, method=scope["method"], route=route, address=address)
