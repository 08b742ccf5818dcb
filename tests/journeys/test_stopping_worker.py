"""A worker stops within its bound, and says little meanwhile, whatever becomes of its database."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psycopg
import pytest

from service.adapters.embedded_postgres.postmaster import PORT, Postmaster
from service.adapters.embedded_postgres.server import Durability, EmbeddedPostgres
from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.migrate import upgrade
from tests.fakes.slow_database import slowed
from tests.journeys.command import environment, free_port

pytestmark = pytest.mark.slow

TOCSIN = Path(sys.executable).with_name("tocsin")
PATIENCE = 90.0
MOST_LINES = 20
"""A second of the fast clock that wrote a traceback a tick would pass it."""


class Database:
    """A server of the test's own, with the product's schema."""

    def __init__(self, root: Path, server: EmbeddedPostgres) -> None:
        self.url = server.url()
        running = Postmaster.recorded(root / "data")
        assert running is not None
        assert running.socket_folder is not None
        self.pid = running.pid
        self.socket = running.socket_folder / f".s.PGSQL.{PORT}"

    def goes(self) -> None:
        """Ends as a machine that fails does."""
        os.kill(self.pid, signal.SIGKILL)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Accepts connections and answers nothing, as a disk that hangs makes it."""
        with psycopg.connect(libpq_url(self.url), autocommit=True) as connection:
            found = connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            processes = [self.pid, *(int(row[0]) for row in found)]
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in processes:
                os.kill(pid, signal.SIGCONT)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Database]:
    root = tmp_path / "pg"
    with EmbeddedPostgres(root, durability=Durability.DISPOSABLE) as running:
        upgrade(running.url())
        yield Database(root, running)


class Worker:
    """A `tocsin worker` at work, whose time runs fast: it ticks four times a second."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log = ""

    async def read_until(self, text: str) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while text not in self.log:
                more = await self.process.stdout.read(65536)
                assert more, f"it ended: {self.log}"
                self.log += more.decode()

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            rest, _ = await self.process.communicate()
        self.log += rest.decode()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def worker(folder: Path, url: str) -> AsyncIterator[Worker]:
    settings = {
        "TOCSIN_DATABASE_URL": url,
        "TOCSIN_SECRET_KEY": "a secret key of the tests",
        "TOCSIN_CLOCK": "now@3000",
        "TOCSIN_LOG_FORMAT": "json",
    }
    process = await asyncio.create_subprocess_exec(
        TOCSIN,
        "worker",
        cwd=folder,
        env=environment(free_port(), settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Worker(process)
    try:
        await running.read_until("worker: polling")
        yield running
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_with_its_database_gone_it_stops_and_has_said_so_once(server: Database, tmp_path: Path) -> None:
    async with worker(tmp_path, server.url) as running:
        server.goes()
        await running.read_until("outage_lasts")
        running.process.send_signal(signal.SIGTERM)
        await running.ended()
    assert running.log.count("outage_begins") == 1
    assert "Traceback" not in running.log, running.log
    assert len(running.log.splitlines()) < MOST_LINES, running.log


async def test_with_its_database_frozen_it_is_ended_at_the_bound(server: Database, tmp_path: Path) -> None:
    async with worker(tmp_path, server.url) as running:
        with server.frozen():
            running.process.send_signal(signal.SIGTERM)
            assert await running.ended() == 1
    assert "not everything could end within 20 s" in running.log
    assert len(running.log.splitlines()) < MOST_LINES, running.log


async def test_with_its_database_frozen_a_second_signal_ends_it(server: Database, tmp_path: Path) -> None:
    async with worker(tmp_path, server.url) as running:
        with server.frozen():
            running.process.send_signal(signal.SIGTERM)
            running.process.send_signal(signal.SIGINT)
            assert await running.ended() == 1
    assert "asked twice" in running.log


async def test_with_a_slow_database_it_stops_in_order(server: Database, tmp_path: Path) -> None:
    async with slowed(server.socket, seconds=0.05) as port:
        url = f"postgresql://postgres@127.0.0.1:{port}/tocsin"
        async with worker(tmp_path, url) as running:
            running.process.send_signal(signal.SIGTERM)
            assert await running.ended() == 0
    assert "Traceback" not in running.log
