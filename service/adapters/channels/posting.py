"""One call with JSON to a receiver: it follows no redirect, tries once, and tells the queue what an answer means."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx

from service import __version__
from service.domain.notify.notification import FIRST_RETRY, Message
from service.domain.values.plain_text import NOTE_LENGTH, clean
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import EgressRefused

STEP_TIMEOUT = httpx.Timeout(15.0)
POST_TIMEOUT = 20.0
"""Seconds: for connecting, writing or waiting, and for all of it."""
MOST_ANSWER_BYTES = 10_000
TOO_MANY = 429
MENDABLE = frozenset({408, 425, TOO_MANY})
"""The 4xx answers that time alone cures."""

_LIKE_A_SECRET = re.compile(r"[\w-]{20,}")


def no_words(body: bytes) -> str:
    """For peers whose answers nobody knows: what they say is not repeated."""
    return ""


def json_words(body: bytes) -> str:
    """What a known vendor's JSON says is wrong: `message` and `errors`, or a text. Long words may be keys and go."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    parts = [said.get("message"), *_list(said.get("errors"))] if isinstance(said, dict) else [said]
    return spoken("; ".join(part for part in parts if isinstance(part, str)))


def spoken(text: str) -> str:
    """A vendor's text, clean and short, without what may be a key."""
    return clean(_LIKE_A_SECRET.sub("…", text[:MOST_ANSWER_BYTES]), NOTE_LENGTH)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is called: a name for people, the 4xx answers that are worth another try, and how refusals are read."""

    name: str
    mendable: frozenset[int] = MENDABLE
    explain: Callable[[bytes], str] = no_words


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    url: str
    body: bytes
    headers: Mapping[str, str]


async def post(
    transport: httpx.AsyncBaseTransport, peer: Peer, url: str, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """Returns when the peer has taken it (2xx). Raises DeliveryError, whose text holds neither URL nor headers.

    What it answers besides is not waited for.
    """
    await _exchange(transport, peer, _Call("POST", url, body, headers or {}), _nothing)


async def post_for_answer(
    transport: httpx.AsyncBaseTransport, peer: Peer, url: str, body: bytes, headers: Mapping[str, str]
) -> bytes:
    """The same for what may be repeated: the beginning of the answer, without which it counts as failed."""
    return await _exchange(transport, peer, _Call("POST", url, body, headers), _beginning)


async def get(transport: httpx.AsyncBaseTransport, peer: Peer, url: str, headers: Mapping[str, str]) -> bytes:
    """The beginning of what the peer answers (2xx). Raises DeliveryError like `post`."""
    return await _exchange(transport, peer, _Call("GET", url, b"", headers), _beginning)


async def _exchange(
    transport: httpx.AsyncBaseTransport,
    peer: Peer,
    call: _Call,
    read: Callable[[httpx.Response], Awaitable[bytes]],
) -> bytes:
    """The transport is used without httpx's client: that one logs every URL, and some of them are secrets."""
    try:
        async with asyncio.timeout(POST_TIMEOUT):
            response = await transport.handle_async_request(_request(call))
            try:
                if not response.is_success:
                    raise _refusal(peer, response, await _beginning(response))
                return await read(response)
            finally:
                await response.aclose()
    except EgressRefused as error:
        raise DeliveryError(f"{peer.name} may not be called: {error}", permanent=True) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise DeliveryError(f"{peer.name} cannot be called: {type(error).__name__}", permanent=True) from None
    except (TimeoutError, httpx.TransportError) as error:
        raise DeliveryError(f"{peer.name} cannot be reached: {type(error).__name__}", permanent=False) from None


def encoded(document: object) -> bytes:
    """JSON, short. A lone surrogate becomes a question mark: UTF-8 has none."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def fitted(build: Callable[[Message], bytes], message: Message, limit: int) -> bytes:
    """The body within `limit` bytes; where it is too long, facts go, from the last."""
    body = build(message)
    while len(body) > limit and message.facts:
        message = replace(message, facts=message.facts[:-1])
        body = build(message)
    return body


def asked_wait(headers: Mapping[str, str]) -> timedelta | None:
    """`Retry-After`, in seconds or as a date, which is read by the server's own clock."""
    value = headers.get("Retry-After", "")
    if value.isdecimal() and len(value) <= 5:
        return timedelta(seconds=int(value))
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(wait, timedelta())


def _request(call: _Call) -> httpx.Request:
    own = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": f"Tocsin/{__version__}"}
    timeout = {"timeout": STEP_TIMEOUT.as_dict()}
    return httpx.Request(call.method, call.url, headers=own | dict(call.headers), content=call.body, extensions=timeout)


async def _nothing(response: httpx.Response) -> bytes:
    return b""


async def _beginning(response: httpx.Response) -> bytes:
    """As much of an answer as an explanation needs."""
    read = bytearray()
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) >= MOST_ANSWER_BYTES:
            break
    return bytes(read[:MOST_ANSWER_BYTES])


def _refusal(peer: Peer, response: httpx.Response, body: bytes) -> DeliveryError:
    status = response.status_code
    words = "redirects are not followed" if response.is_redirect else peer.explain(body)
    return DeliveryError(
        f"{peer.name}: HTTP {status}{f' ({words})' if words else ''}",
        permanent=400 <= status < 500 and status not in peer.mendable,
        retry_after=asked_wait(response.headers) or (FIRST_RETRY if status == TOO_MANY else None),
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
