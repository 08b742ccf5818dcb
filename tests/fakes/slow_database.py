"""A server in front of a real PostgreSQL's socket that lets every answer wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


@asynccontextmanager
async def slowed(socket: Path, seconds: float, port: int = 0) -> AsyncIterator[int]:
    """Yields the port on 127.0.0.1 at which the database answers `seconds` later than at its own socket."""
    relays: set[asyncio.Task[None]] = set()

    async def connect(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        relays.add(task)
        server, requests = await asyncio.open_unix_connection(socket)
        try:
            await asyncio.gather(_relay(client, requests, 0), _relay(server, answers, seconds))
        finally:
            for writer in (requests, answers):
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()
            relays.discard(task)

    listener = await asyncio.start_server(connect, "127.0.0.1", port)
    async with listener:
        yield int(listener.sockets[0].getsockname()[1])
        listener.close()
        for relay in tuple(relays):
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)


async def _relay(source: asyncio.StreamReader, to: asyncio.StreamWriter, seconds: float) -> None:
    with suppress(ConnectionError):
        while some := await source.read(65536):
            await asyncio.sleep(seconds)
            to.write(some)
            await to.drain()
        to.close()
