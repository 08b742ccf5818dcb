"""How each fault spoils an answer."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable, Iterator

from fastapi import Response
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from service.simulator.protocol.errors import ApiError
from service.simulator.protocol.faults import Fault, Injection

Json = dict[str, object]

_REFUSALS = {
    Fault.RATE_LIMITED: (429, "This request would exceed your organization's rate limit"),
    Fault.RATE_LIMITED_SILENT: (429, "This request would exceed your organization's rate limit"),
    Fault.UNAUTHORIZED: (401, "invalid x-api-key"),
    Fault.FORBIDDEN: (403, "Your API key does not have permission to use the specified resource"),
    Fault.SERVER_ERROR: (500, "Internal server error"),
    Fault.TIMEOUT: (504, "The request timed out"),
    Fault.OVERLOADED: (529, "Overloaded"),
    Fault.EXPIRED_PAGE: (410, "page: the data were refreshed since; start again from the first page"),
}


class ClosedConnection(Response):
    """Sends the start of a body and leaves: the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(self.body)[:20], "more_body": True})


def refuse(injection: Injection) -> None:
    """Raises the ApiError of a fault that is one; does nothing for the others."""
    if injection.fault in _REFUSALS:
        status, message = _REFUSALS[injection.fault]
        seconds = round(injection.seconds) if injection.fault is Fault.RATE_LIMITED else None
        raise ApiError(status, message, seconds)


def deliver(injection: Injection, body: Json) -> Response:
    """The response of a fault in the transport; a sound one for any other."""
    text = json.dumps(body)
    match injection.fault:
        case Fault.TRUNCATED_JSON:
            return Response(text[: len(text) // 2], media_type="application/json")
        case Fault.HTML_BODY:
            return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>")
        case Fault.CONNECTION_RESET:
            return ClosedConnection(text, media_type="application/json")
        case Fault.SLOW_BODY:
            return StreamingResponse(_slowly(text, injection.seconds), media_type="application/json")
        case _:
            return Response(text, media_type="application/json")


async def _slowly(text: str, seconds: float) -> AsyncIterator[str]:
    yield text[: len(text) // 2]
    await asyncio.sleep(seconds)
    yield text[len(text) // 2 :]


def spoil(injection: Injection, body: Json, token: str | None, previous: Json | None) -> Json:
    """A changed copy of the answer, for faults of paging and content; the same answer for any other.

    `token` is the page that was asked for, `previous` what the endpoint answered last.
    """
    changed: Json = copy.deepcopy(body)
    match injection.fault:
        case Fault.MORE_WITHOUT_NEXT:
            changed.update(has_more=True, next_page=None)
        case Fault.REPEATED_PAGE:
            changed.update(has_more=True, next_page=token)
        case Fault.DUPLICATE_PAGE if previous:
            changed["data"] = previous["data"]
        case Fault.EMPTY_DATA:
            changed.update(data=[], has_more=False, next_page=None)
        case Fault.UNKNOWN_FIELD:
            changed["served_by"] = "simulator"
            for row in _rows(changed):
                row["carbon_grams"] = 12
        case _:
            _spoil_first_row(injection.fault, changed)
    return changed


def _spoil_first_row(fault: Fault, body: Json) -> None:
    change = _CHANGES.get(fault)
    row = next(_rows(body), None)
    if change and row is not None:
        change(row)


def _unknown_enum(row: Json) -> None:
    place = _part(row, "group")
    for name in ("cost_type", "token_type", "service_tier", "product", "status"):
        if place.get(name) is not None:
            place[name] = f"novel_{place[name]}"


def _numeric(row: Json) -> None:
    cost = _part(row, "cost")
    cost["amount"] = float(str(cost["amount"]))


def _part(row: Json, name: str) -> Json:
    """A part of a row of the analytics reports; the row itself of any other."""
    part = row.get(name)
    return part if isinstance(part, dict) else row


_CHANGES: dict[Fault, Callable[[Json], None]] = {
    Fault.UNKNOWN_ENUM: _unknown_enum,
    Fault.NUMERIC_AMOUNT: _numeric,
    Fault.EXPONENT_AMOUNT: lambda row: _part(row, "cost").update(amount="1e-7"),
    Fault.NEGATIVE_AMOUNT: lambda row: _part(row, "cost").update(amount=f"-{_part(row, 'cost')['amount']}"),
    Fault.FOREIGN_CURRENCY: lambda row: _part(row, "cost").update(currency="EUR"),
}


def _rows(body: Json) -> Iterator[Json]:
    """The result rows of a report, or the items of a list."""
    data = body.get("data")
    for item in data if isinstance(data, list) else []:
        results = item.get("results")
        yield from results if isinstance(results, list) else [item]
