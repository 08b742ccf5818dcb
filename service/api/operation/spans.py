"""A span for each request of the API. Probes and scrapes have none: they come all the time and say nothing."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestSpans:
    """ASGI middleware. A route is its template, never a path with ids."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        spans = scope["app"].state.ports.spans
        with spans.span("request", {"http.request.method": scope["method"]}) as note:
            try:
                await self.app(scope, receive, note_status)
            finally:
                route = getattr(scope.get("route"), "path", "none")
                note({"http.route": route, "http.response.status_code": str(status)})
