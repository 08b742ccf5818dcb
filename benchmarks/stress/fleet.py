"""The product's processes and its database: started, killed, started again; only what was started here is ended."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from service.adapters.embedded_postgres.postmaster import PORT, Postmaster
from service.adapters.embedded_postgres.server import EmbeddedPostgres
from stress.plan import stopwatch

ENTRY = Path(__file__).with_name("process.py")
FOLDER = ENTRY.parents[2]
MOST_AHEAD = 20.0
"""Business seconds by which a clock is ahead of this one, or behind."""
PATIENCE = 25.0
SIGNS = (b"worker: polling", b"listens on")
MOST_READ = 10_000


@dataclass(frozen=True, slots=True)
class Death:
    """`pid` 0: the database's."""

    pid: int
    at: float
    how: str


@dataclass(frozen=True, slots=True)
class Start:
    """How a process is started: what it is, real seconds that its clock is ahead, and its lease in them."""

    command: str
    ahead: float
    lease: float


@dataclass
class Member:
    """A place in the fleet: one process after the other, of the same kind."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    place: int
    pids: dict[str, int]
    """Every process of the fleet, dead ones too, by the address that it connects from."""
    process: asyncio.subprocess.Process | None = None
    started: int = 0
    killed: int = 0
    ended: int = 0
    logged: int = 0
    """The length of the log when the process began."""

    async def keep_running(self) -> None:
        """Starts the process again whenever it has ended, until it is cancelled."""
        while True:
            with self.log.open("ab") as log:
                self.logged = log.tell()
                address = self._next_address()
                command = [*self.command, "--address", address]
                self.process = await asyncio.create_subprocess_exec(
                    *command, env=self.environment, cwd=FOLDER, stdout=log, stderr=log, start_new_session=True
                )
                self.pids[address] = self.process.pid
            code = await self.process.wait()
            self._end_children(self.process.pid)
            if code != -signal.SIGKILL:
                self.ended += 1

    def _next_address(self) -> str:
        """An address of this machine for each process: what it sent is known by it, however late that is read."""
        self.started += 1
        high, low = divmod(self.started, 250)
        return f"127.{self.place}.{high}.{low + 1}"

    def is_at_work(self) -> bool:
        """Whether the process has said that it is up: one that is killed before has done nothing yet."""
        if self.process is None or self.process.returncode is not None:
            return False
        with self.log.open("rb") as log:
            log.seek(self.logged)
            said = log.read(MOST_READ)
        return any(sign in said for sign in SIGNS)

    def kill(self) -> int | None:
        """SIGKILLs the process; its id, None where none is at work just now."""
        if not self.is_at_work():
            return None
        assert self.process is not None
        self.process.kill()
        self.killed += 1
        return self.process.pid

    async def stop(self) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), PATIENCE)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        self._end_children(self.process.pid)

    def _end_children(self, group: int) -> None:
        """What a killed process was drawing goes with it."""
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


class Database:
    """A server that crashes and comes back under the same address, wherever its socket is by then."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(folder / "pg", max_connections=200)
        self._data = folder / "pg" / "data"
        self._link = folder / "socket"

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/tocsin?host={self._link}&port={PORT}"

    def start(self) -> None:
        self._server.start()
        running = Postmaster.recorded(self._data)
        assert running is not None
        assert running.socket_folder is not None
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(running.socket_folder)

    def stop(self) -> None:
        self._server.stop()

    def crash(self, how: signal.Signals) -> None:
        running = Postmaster.recorded(self._data)
        assert running is not None
        os.kill(running.pid, how)


@dataclass
class Fleet:
    workers: list[Member]
    apis: list[Member]
    ports: list[int]
    database: Database
    drawn: random.Random
    deaths: list[Death] = field(default_factory=list)
    crashes: int = 0
    pids: dict[str, int] = field(default_factory=dict)

    @property
    def members(self) -> list[Member]:
        return [*self.workers, *self.apis]

    def add(self, members: list[Member], name: str, start: Start, environment: Mapping[str, str], log: Path) -> None:
        """Adds a place to `members`, which are the workers or the APIs."""
        arguments = ["--ahead", f"{start.ahead:.6f}", "--lease", f"{start.lease:g}", start.command]
        command = [sys.executable, str(ENTRY), *arguments]
        members.append(Member(name, command, environment, log, len(self.members) + 1, self.pids))

    def kill(self, member: Member, how: str) -> bool:
        pid = member.kill()
        if pid is not None:
            self.deaths.append(Death(pid, stopwatch(), how))
        return pid is not None

    def kill_process(self, pid: int, how: str) -> bool:
        """Kills the member that is this process just now."""
        found = [one for one in self.members if one.process is not None and one.process.pid == pid]
        return bool(found) and self.kill(found[0], how)

    async def crash_database(self) -> None:
        """SIGQUIT is an immediate shutdown; SIGKILL leaves even the server's own memory behind."""
        how = self.drawn.choice((signal.SIGQUIT, signal.SIGKILL))
        self.deaths.append(Death(0, stopwatch(), f"database by {how.name}"))
        self.database.crash(how)
        self.crashes += 1
        await asyncio.to_thread(self.database.stop)
        await asyncio.to_thread(self.database.start)

    def sender_of(self, address: str) -> int:
        """The process that connects from that address; 0 where it is none of ours."""
        return self.pids.get(address, 0)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "ANTHROPIC_"))}
    return {**clean, "PYTHONPATH": str(FOLDER), **settings}


@asynccontextmanager
async def running(fleet: Fleet) -> AsyncIterator[None]:
    """Keeps all members running for as long as the block lasts."""
    keepers = [asyncio.create_task(one.keep_running()) for one in fleet.members]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        await asyncio.gather(*(one.stop() for one in fleet.members))
