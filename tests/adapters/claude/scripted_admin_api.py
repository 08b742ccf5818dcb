"""A real HTTP server on 127.0.0.1 that answers as told, down to cut and broken connections."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx

from service.adapters.claude.client import Limits
from service.adapters.claude.connector import ClaudeConnector
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.domain.sources.source import Source, SourceKind
from service.domain.values.resources import Sealed
from service.workflows.ports.sources import CostSource

KEY = "sk-ant-admin01-FAKE-not-a-key"
WORKSPACE_KEY = "sk-ant-api03-FAKE-not-a-key"
LOOPBACK = Guard(parse_networks("127.0.0.0/8"))
QUICK = Limits(
    attempts=3,
    first_wait=timedelta(milliseconds=1),
    longest_wait=timedelta(milliseconds=2),
    limited_wait=timedelta(milliseconds=3),
    deadline=timedelta(seconds=20),
)


@dataclass(frozen=True)
class Answer:
    """`promised` is the Content-Length to claim where it is not the body's own."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None

    def raw(self) -> bytes:
        headers = {
            "content-type": "application/json",
            "request-id": "req_FAKE0001",
            "content-length": str(len(self.body) if self.promised is None else self.promised),
            "connection": "close",
        }
        lines = [f"{name}: {value}" for name, value in (headers | dict(self.headers)).items()]
        return "\r\n".join([f"HTTP/1.1 {self.status} Scripted", *lines, "", ""]).encode() + self.body


class Reset:
    """The connection is torn down by RST instead of an answer."""


class Silence:
    """Nothing is ever said."""


Step = Answer | Reset | Silence


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(json.dumps(body).encode(), status, named)


def refusal(status: int, kind: str = "api_error", message: str = "", code: str = "", **headers: str) -> Answer:
    error: dict[str, object] = {"type": kind, "message": message}
    if code:
        error["details"] = {"error_code": code}
    return answer({"type": "error", "error": error, "request_id": "req_FAKE0001"}, status, **headers)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]


class ScriptedAdminApi:
    """Plays its script in order; what comes after the script's end is a refusal that nobody retries."""

    def __init__(self) -> None:
        self.script: deque[Step] = deque()
        self.asked: list[Asked] = []
        self.url = ""

    def will(self, *steps: Step) -> None:
        self.script.extend(steps)

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(_parsed(head))
        step = self.script.popleft() if self.script else refusal(418, message="the script is over")
        if isinstance(step, Answer):
            writer.write(step.raw())
            await writer.drain()
        elif isinstance(step, Silence):
            await reader.read()
        else:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()


@asynccontextmanager
async def scripted_admin_api() -> AsyncIterator[ScriptedAdminApi]:
    api = ScriptedAdminApi()
    server = await asyncio.start_server(api.play, "127.0.0.1", 0)
    api.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield api


CONTACT = "https://tocsin.example"


class OpenVault:
    """Seals nothing."""

    def seal(self, secret: str) -> Sealed:
        return Sealed(ciphertext=secret, hint="...", digest="")

    def is_current(self, sealed: Sealed) -> bool:
        return True

    def matches(self, sealed: Sealed, secret: str) -> bool:
        return sealed.ciphertext == secret

    def open(self, sealed: Sealed) -> str:
        return sealed.ciphertext

    def pseudonym(self, text: str) -> str:
        return text.encode().hex()[:16]


@asynccontextmanager
async def connected(
    url: str,
    *,
    key: str = KEY,
    limits: Limits = QUICK,
    transport: httpx.AsyncBaseTransport | None = None,
    proxy: str | None = None,
) -> AsyncIterator[CostSource]:
    vault = OpenVault()
    source = Source(SourceKind.CLAUDE_ADMIN, url, vault.seal(key))
    async with AsyncExitStack() as stack:
        if transport is None:
            transport = await stack.enter_async_context(open_transport(LOOPBACK, proxy))
        connector = ClaudeConnector(vault, transport, contact_url=CONTACT, limits=limits)
        yield await stack.enter_async_context(connector.connect(source))


def page(*buckets: object, has_more: bool = False, next_page: str | None = None) -> dict[str, object]:
    return {"data": list(buckets), "has_more": has_more, "next_page": next_page}


def day(number: int, *rows: object, month: int = 10) -> dict[str, object]:
    """A daily bucket of 2026, October by default."""
    start = datetime(2026, month, number, tzinfo=UTC)
    return bucket(start, timedelta(days=1), *rows)


def bucket(start: datetime, width: timedelta, *rows: object) -> dict[str, object]:
    return {
        "starting_at": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "ending_at": f"{start + width:%Y-%m-%dT%H:%M:%SZ}",
        "results": list(rows),
    }


def cost(amount: object = "100", **changes: object) -> dict[str, object]:
    """A cost row as recorded, in cents."""
    row: dict[str, object] = {
        "amount": amount,
        "currency": "USD",
        "workspace_id": "wrkspc_FAKE01",
        "description": "Claude Sonnet 4.5 Usage - Input Tokens, Cache Write",
        "cost_type": "tokens",
        "model": "claude-sonnet-4-5-20250929",
        "token_type": "cache_creation.ephemeral_5m_input_tokens",
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "global",
    }
    return row | changes


def usage(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "uncached_input_tokens": 1500,
        "cache_read_input_tokens": 200,
        "output_tokens": 500,
        "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1000},
        "server_tool_use": {"web_search_requests": 10},
        "account_id": None,
        "service_account_id": None,
        "api_key_id": "apikey_FAKE01",
        "workspace_id": "wrkspc_FAKE01",
        "model": "claude-sonnet-4-5-20250929",
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "not_available",
    }
    return row | changes


def without(row: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in row.items() if key != name}


def _parsed(head: str) -> Asked:
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Asked(method, parts.path, parse_qsl(parts.query, keep_blank_values=True), headers)
