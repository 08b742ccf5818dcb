"""HTTP servers inside the running event loop."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from service.cli.connections import BACKLOG, ConnectionBounds, Door

GRACE_SECONDS = 3
FEW = ConnectionBounds(most=64)
"""For callers on this machine."""


class _Guest(uvicorn.Server):
    """A server that leaves the process's signals alone: `stopping` stops all parts, in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening(host: str, port: int) -> socket.socket:
    """Returns a socket whose connections send at once what they are given. Raises OSError when the address is taken.

    An answer is written in two parts, head and body. With Nagle's algorithm the second one waits until the first is
    acknowledged, for 40 ms on a kept connection. asyncio switches it off for sockets of its own making alone.
    """
    listener = socket.create_server((host, port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@asynccontextmanager
async def serving(
    app: FastAPI,
    host: str = "127.0.0.1",
    port: int = 0,
    bounds: ConnectionBounds = FEW,
    trusted_proxies: str = "",
) -> AsyncIterator[str]:
    """Serves for as long as the block lasts; yields the URL. Port 0 finds a free one.

    Where a request came from is its connection's peer. Only what `trusted_proxies` (addresses and CIDRs, comma
    separated) say in X-Forwarded-For is believed. Raises OSError when the address is taken.
    """
    with listening(host, port) as listener:
        config = uvicorn.Config(
            app,
            http=Door(bounds).protocol,
            backlog=BACKLOG,
            log_config=None,  # its warnings belong into our log, with its form and its limits
            log_level="warning",
            lifespan="off",
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=trusted_proxies,
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = _Guest(config)
        task = asyncio.create_task(server.serve(sockets=[listener]), name=f"serving {port}")
        try:
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


def reason_of(error: OSError) -> str:
    """Returns what the system says, without the addresses that asyncio adds: "Address already in use"."""
    return os.strerror(error.errno) if error.errno else str(error)
