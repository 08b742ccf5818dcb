"""A webhook's receiver in a process of its own: it takes every POST at once, and remembers when each arrived."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from urllib.request import urlopen

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.IGNORECASE)
_TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
PATIENCE = 120.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """`at` is the machine's monotonic clock in seconds, the same in all its processes."""

    id: str
    at: float


@dataclass(frozen=True, slots=True)
class Receiver:
    url: str

    def arrivals(self) -> list[Arrival]:
        """Returns the arrivals since the last call."""
        with urlopen(f"{self.url}/arrivals") as answer:
            return [Arrival(*one) for one in json.load(answer)]

    async def wait_for(self, count: int) -> list[Arrival]:
        """Raises TimeoutError where fewer arrive."""
        found: list[Arrival] = []
        async with asyncio.timeout(PATIENCE):
            while len(found) < count:
                found += await asyncio.to_thread(self.arrivals)
                await asyncio.sleep(0.02)
        return found


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on 127.0.0.1 for as long as the block lasts."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_run, args=(there,), daemon=True)
    process.start()
    try:
        yield Receiver(f"http://127.0.0.1:{here.recv()}")
    finally:
        process.terminate()
        process.join()


def _run(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    arrivals: list[Arrival] = []
    server = await asyncio.get_running_loop().create_server(lambda: _Caller(arrivals), "127.0.0.1", 0, backlog=1000)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Caller(asyncio.Protocol):
    """One connection, which is kept alive."""

    def __init__(self, arrivals: list[Arrival]) -> None:
        self._arrivals = arrivals
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end]
            length = _LENGTH.search(head)
            rest = end + 4 + (int(length[1]) if length else 0)
            if len(self._read) < rest:
                return
            self._read = self._read[rest:]
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        if head.startswith(b"GET"):
            body = json.dumps([(one.id, one.at) for one in self._arrivals]).encode()
            self._arrivals.clear()
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        id = _ID.search(head)
        self._arrivals.append(Arrival(id[1].decode() if id else "", time.monotonic()))
        return _TAKEN
