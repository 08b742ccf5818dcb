"""One call with JSON: it follows no redirect, tries once, and says what the answer means for the queue."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx

from service import __version__
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import FIRST_RETRY, Message
from service.domain.values.plain_text import NOTE_LENGTH, clean
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import EgressRefused

STEP_TIMEOUT = httpx.Timeout(15.0)
POST_TIMEOUT = 20.0
"""Seconds: for connecting, writing or waiting, and for all of it."""
ENDING = 0.25
"""Seconds that the end of an answer is waited for where its beginning is all that counts."""
MOST_ANSWER_BYTES = 200_000
MOST_EXPLANATION_BYTES = 10_000
TOO_MANY = 429
RETRYABLE = frozenset({408, 425, TOO_MANY})
"""The 4xx answers that may be another one later."""

_LIKE_A_SECRET = re.compile(r"[\w-]{20,}")


def no_words(body: bytes) -> str:
    """Repeats nothing of what a peer says: nobody knows who it is."""
    return ""


def json_words(body: bytes) -> str:
    """Returns what a known vendor's JSON says is wrong: `message` and `errors`, or a text. Long words may be keys."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    parts = [said.get("message"), *_list(said.get("errors"))] if isinstance(said, dict) else [said]
    return spoken("; ".join(part for part in parts if isinstance(part, str)))


def json_object(body: bytes) -> dict[str, object]:
    """Returns an answer that is a JSON object, an empty one for any other."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def spoken(text: str) -> str:
    """Returns a vendor's text, clean and short, without what may be a key."""
    return clean(_LIKE_A_SECRET.sub("…", text[:MOST_EXPLANATION_BYTES]), NOTE_LENGTH)


def no_wait(body: bytes) -> timedelta | None:
    return None


def any_success(status: int, body: bytes) -> bool:
    return True


UNFIT = frozenset({400, 411, 413, 414, 415, 422, 431})
NOT_ALLOWED = frozenset({401, 402, 403, 407})


def concern_of(status: int) -> Concern:
    """The concern of a refusal by its status: 4xx alone says that trying again soon will not do."""
    if status in UNFIT:
        return Concern.MESSAGE
    if status in NOT_ALLOWED:
        return Concern.CREDENTIAL
    return Concern.CHANNEL if 400 <= status < 500 else Concern.MOMENT


def by_status(status: int, body: bytes) -> Concern:
    return concern_of(status)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is called: a name for people, the 4xx answers that are worth another try, and how refusals are read.

    `proves` says whether an answer of 2xx is what the vendor promises for a message that it took. `wait` returns how
    long a refusal's body asks to wait, where no Retry-After says so. `blames` says what another refusal concerns.
    """

    name: str
    proves: Callable[[int, bytes], bool] = any_success
    retryable: frozenset[int] = RETRYABLE
    explain: Callable[[bytes], str] = no_words
    wait: Callable[[bytes], timedelta | None] = no_wait
    blames: Callable[[int, bytes], Concern] = by_status


class HttpRefusal(DeliveryError):
    """The peer's answer was none of 2xx. `answer` is the beginning of its body."""

    def __init__(self, reason: str, concerns: Concern, *, retry_after: timedelta | None, answer: bytes) -> None:
        super().__init__(reason, concerns, retry_after=retry_after)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class HttpCall:
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


async def post(
    transport: httpx.AsyncBaseTransport, peer: Peer, url: str, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """Returns when the peer has proved that it took it. Raises DeliveryError, whose text holds neither URL nor headers.

    The body of the answer is waited for only where it is the proof; a short one is read for its connection's sake.
    """
    most = 0 if peer.proves is any_success else MOST_ANSWER_BYTES
    await _exchange(transport, peer, HttpCall(url, body, headers or {}), most=most)


async def ask(transport: httpx.AsyncBaseTransport, peer: Peer, call: HttpCall) -> bytes:
    """Returns the beginning of the answer (2xx), without which the call counts as failed. Raises like `post`."""
    return await _exchange(transport, peer, call, most=MOST_ANSWER_BYTES)


async def _exchange(transport: httpx.AsyncBaseTransport, peer: Peer, call: HttpCall, *, most: int) -> bytes:
    """Uses the transport without httpx's client: that one logs every URL, and some of them are secrets."""
    try:
        async with asyncio.timeout(POST_TIMEOUT):
            response = await transport.handle_async_request(_request(call))
            try:
                if not response.is_success:
                    raise _refusal(peer, response, await _beginning(response, MOST_EXPLANATION_BYTES))
                answer = await _beginning(response, most) if most else await _nothing(response)
            finally:
                await response.aclose()
        if not peer.proves(response.status_code, answer):
            raise DeliveryError(f"{peer.name}: HTTP {response.status_code}, but no proof of delivery")
        return answer
    except EgressRefused as error:
        raise DeliveryError(f"{peer.name} may not be called: {error}", Concern.CHANNEL) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise DeliveryError(f"{peer.name} cannot be called: {type(error).__name__}", Concern.CHANNEL) from None
    except (TimeoutError, httpx.TransportError) as error:
        raise DeliveryError(f"{peer.name} cannot be reached: {type(error).__name__}") from None


def encoded(document: object) -> bytes:
    """Returns JSON, short. A lone surrogate becomes a question mark: UTF-8 has none."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def clipped(text: str, limit: int) -> str:
    """Returns at most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def fitted(build: Callable[[Message], bytes], message: Message, limit: int) -> bytes:
    """Returns the body within `limit` bytes; where it is too long, facts go, from the last."""
    body = build(message)
    while len(body) > limit and message.facts:
        message = replace(message, facts=message.facts[:-1])
        body = build(message)
    return body


def asked_wait(headers: Mapping[str, str]) -> timedelta | None:
    """Reads `Retry-After`, in seconds or as a date by the server's own clock."""
    value = headers.get("Retry-After", "")
    if value.isdecimal() and len(value) <= 5:
        return timedelta(seconds=int(value))
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(wait, timedelta())


def _request(call: HttpCall) -> httpx.Request:
    own = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": f"Tocsin/{__version__}"}
    timeout = {"timeout": STEP_TIMEOUT.as_dict()}
    return httpx.Request(call.method, call.url, headers=own | dict(call.headers), content=call.body, extensions=timeout)


async def _beginning(response: httpx.Response, most: int) -> bytes:
    read = bytearray()
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) >= most:
            break
    return bytes(read[:most])


async def _nothing(response: httpx.Response) -> bytes:
    """Reads a short answer to its end, and nobody reads it: only then can its connection carry the next call."""
    with suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(ENDING):
            await _beginning(response, MOST_EXPLANATION_BYTES)
    return b""


def _refusal(peer: Peer, response: httpx.Response, body: bytes) -> HttpRefusal:
    status = response.status_code
    words = "redirects are not followed" if response.is_redirect else peer.explain(body)
    return HttpRefusal(
        f"{peer.name}: HTTP {status}{f' ({words})' if words else ''}",
        Concern.MOMENT if status in peer.retryable else peer.blames(status, body),
        retry_after=asked_wait(response.headers) or peer.wait(body) or (FIRST_RETRY if status == TOO_MANY else None),
        answer=body,
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
