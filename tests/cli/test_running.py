"""A process is ready when its first start is over, not before."""

from __future__ import annotations

import asyncio
import signal
import socket
from io import StringIO

import httpx
import psycopg
from rich.console import Console

from service.adapters.postgres.addresses import libpq_url
from service.cli.running import run_api
from service.cli.stopping import Stop
from service.settings import Settings
from tests.adapters.postgres.queue.queue_runs import until

WRITERS_TURN = 0x70C5_0003
"""The lock under which the first start adds what is missing."""


async def status(port: int, path: str) -> tuple[int, str]:
    """An answer of the API, as soon as it listens."""
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as visitor:
        while True:
            try:
                answer = await visitor.get(f"http://127.0.0.1:{port}{path}")
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
            else:
                return answer.status_code, answer.text


async def test_the_api_is_ready_once_the_first_start_has_added_what_is_needed(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = Settings(database_url=database_url, secret_key="FAKE-secret-key", port=port)
    shown, stop = StringIO(), Stop(3600)
    with psycopg.connect(libpq_url(database_url)) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (WRITERS_TURN,))
        running = asyncio.create_task(run_api(settings, database_url, Console(file=shown), stop))
        try:
            code, text = await status(port, "/readyz")
            assert (code, "the first start" in text) == (503, True)
            assert (await status(port, "/healthz"))[0] == 200
            other.rollback()

            async def is_ready() -> bool:
                return (await status(port, "/readyz"))[0] == 200

            await until(is_ready)
        finally:
            stop.ask(signal.SIGTERM, None)
            stop.is_done()
            await running
    assert "admin token, shown this once" in shown.getvalue()
