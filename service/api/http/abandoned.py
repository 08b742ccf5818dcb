"""A question whose caller has gone is not answered: its work ends, and so does its statement in the database."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

READS = frozenset({"GET", "HEAD"})
"""A write is finished whoever listens: its caller cannot tell what was done."""


class Abandoned:
    """ASGI middleware behind `WholeBodies`: of the caller nothing but the departure is still to come."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in READS:
            await self.app(scope, receive, send)
            return
        answer = asyncio.ensure_future(self.app(scope, receive, send))
        departure = asyncio.create_task(_departure(receive))
        try:
            await asyncio.wait((answer, departure), return_when=asyncio.FIRST_COMPLETED)
        finally:
            departure.cancel()
            answer.cancel()  # does nothing to one that is done
            await asyncio.wait((answer,))
        if not answer.cancelled():
            answer.result()


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
