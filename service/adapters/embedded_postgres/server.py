"""A PostgreSQL server of our own, for an installation that has none.

The server lives as long as somebody uses it. Everyone who does holds a shared lock on `<root>/.users`, which
the kernel drops even after SIGKILL: the last one to stop shuts the server down, and a start after a crash of
ours attaches to the server that was left running. Starts and stops take turns through `<root>/.lock`.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg

from service.adapters.embedded_postgres.account import (
    OWN_ACCOUNT,
    Command,
    EmbeddedPostgresError,
    ServerAccount,
    alone_with,
)
from service.adapters.embedded_postgres.admission import write_admission
from service.adapters.embedded_postgres.postmaster import PORT, Postmaster
from service.adapters.embedded_postgres.program import PostgresProgram

__all__ = ["Durability", "EmbeddedPostgres", "EmbeddedPostgresError"]

DATABASE = "tocsin"
START_SECONDS = 120.0
"""How long a start may take: after a crash the write-ahead log is replayed first."""
LEFTOVER_SECONDS = 10.0
"""How long what a killed server left, its zombie or its children, may bar a new one."""
STOP_SECONDS = 30.0
LONGEST_SOCKET_PATH = 103
"""Bytes that every system accepts as a socket's path (Linux 107, macOS 103)."""
RUN_FOLDER_PREFIX = "tocsin-pg-"


class Durability(Enum):
    """How much a crash of the machine may lose."""

    SAFE = "safe"
    """Nothing: a commit is on the disk when it returns."""
    DISPOSABLE = "disposable"
    """The whole cluster, for two to three times the speed: for tests."""


SETTINGS = {
    Durability.SAFE: ("fsync=on", "synchronous_commit=on", "full_page_writes=on"),
    Durability.DISPOSABLE: ("fsync=off", "synchronous_commit=off", "full_page_writes=off"),
}


class EmbeddedPostgres:
    """The server whose data is under `root`, reached through a Unix socket only. Not thread-safe.

    `account` serves a new folder of root's.
    """

    def __init__(
        self,
        root: Path,
        *,
        durability: Durability = Durability.SAFE,
        max_connections: int = 100,
        account: str = OWN_ACCOUNT,
    ) -> None:
        self._own_account = account
        self._root = root.resolve()
        self._data = self._root / "data"
        self._log = self._root / "postgres.log"
        self._settings = (f"max_connections={max_connections}", *SETTINGS[durability])
        self._users: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_folder: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def url(self, database: str = DATABASE) -> str:
        """Give SQLAlchemy's URL of a database; raise EmbeddedPostgresError unless started."""
        if self._socket_folder is None:
            raise EmbeddedPostgresError("The embedded PostgreSQL has no address yet: call start() first.")
        host = quote(str(self._socket_folder), safe="/")
        return f"postgresql+psycopg://postgres@/{quote(database, safe='')}?host={host}&port={PORT}"

    def start(self) -> None:
        """Start the server, or attach to the one that runs; create the database `tocsin` if it is missing.

        Raise EmbeddedPostgresError when the data is of another major version or the server does not come up.
        """
        if self._users is not None:
            raise EmbeddedPostgresError("This embedded PostgreSQL is started already: call stop() first.")
        account = self._prepare_root()
        with self._turn():
            self._users = self._lock(".users", fcntl.LOCK_SH)
            try:
                if not self._attach():
                    self._launch(account)
                self._create_database()
            except BaseException:
                self._leave()
                raise

    def stop(self) -> None:
        """Shut the server down, unless another process still uses it. Does nothing when not started."""
        if self._users is not None:
            with self._turn():
                self._leave()

    def _prepare_root(self) -> ServerAccount:
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with alone_with(self._root):
                account = ServerAccount.for_folder(self._root, self._own_account)
                self._hand_over(account)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"The data folder {self._root} cannot be used: {error.strerror}. Make it writable, or choose "
                "another one with TOCSIN_DATA_DIR."
            ) from error
        return account

    def _hand_over(self, account: ServerAccount) -> None:
        """Make the account the owner of the folder, and of what an earlier release left in it for `nobody`."""
        if self._root.stat().st_uid != account.uid and Postmaster.serving(self._data) is None:
            account.take_all(self._root)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the right to start or stop the server, against every other process."""
        with self._lock(".lock", fcntl.LOCK_EX):
            yield

    def _lock(self, name: str, operation: int) -> IO[bytes]:
        lock = self._open(self._root / name)
        fcntl.flock(lock, operation)
        return lock

    def _open(self, path: Path) -> IO[bytes]:
        """Open a file to append, owned by the server's account: it must open it too when root is gone."""
        file = path.open("ab")
        ServerAccount.for_folder(self._root, self._own_account).take(path)
        return file

    def _attach(self) -> bool:
        """Use the server that already runs on our data, once it answers; False if there is none."""
        deadline = time.monotonic() + START_SECONDS
        while running := Postmaster.serving(self._data):
            if running.answers():
                self._socket_folder = running.socket_folder
                return True
            self._wait_before(deadline, 0.02, f"process {running.pid} holds its data and does not answer")
        return False

    def _launch(self, account: ServerAccount) -> None:
        self._hand_over(account)
        program = PostgresProgram.installed()
        self._refuse_other_major(program)
        self._socket_folder = self._choose_socket_folder(account)
        program = program.readable_by(account, copies=self._socket_folder)
        if not self._data.exists():
            self._initialise(program, account)
        killed = Postmaster.recorded(self._data)
        deadline = time.monotonic() + (LEFTOVER_SECONDS if killed else 0)
        while (code := self._run_until_it_answers(program, account)) is not None:
            self._wait_before(deadline, 0.2, f"the server ended with code {code}")
        if killed:
            _remove_run_folder(killed.socket_folder)

    def _refuse_other_major(self, program: PostgresProgram) -> None:
        recorded = self._data / "PG_VERSION"
        if recorded.exists() and (major := recorded.read_text().strip()) != program.major:
            raise EmbeddedPostgresError(
                f"The data in {self._data} was written by PostgreSQL {major}; this installation has "
                f"{program.major}. Nothing was changed. Move it by a dump: with the release before, pg_dump; then "
                "with this one, as docs/operations.md says under 'Another major version'."
            )

    def _choose_socket_folder(self, account: ServerAccount) -> Path:
        """Give the data's own folder, or a temporary one when no socket can be named or reached there."""
        length = len(os.fsencode(self._root / f".s.PGSQL.{PORT}.lock"))
        plain = not {",", '"'} & set(str(self._root))  # both mean something in a list of folders
        if length <= LONGEST_SOCKET_PATH and plain and account.can_enter(self._root):
            return self._root
        folder = Path(tempfile.mkdtemp(prefix=RUN_FOLDER_PREFIX))
        account.take(folder)
        return folder

    def _initialise(self, program: PostgresProgram, account: ServerAccount) -> None:
        """Make a new cluster, under another name first: an interrupted initdb leaves nothing half made."""
        unfinished = self._root / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        account.take(unfinished)
        options = (
            # Its own rules are the previous release's; `write_admission` says who may connect.
            *("--username=postgres", "--auth-local=trust", "--auth-host=reject", "--no-instructions"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        )
        command: Command = (program.command("initdb"), "-D", account.name_of(unfinished), *options)
        with self._open(self._log) as log:
            code = account.popen(command, folder=unfinished, log=log).wait()
        if code != 0:
            raise self._failure(f"initdb ended with code {code}")
        unfinished.rename(self._data)

    def _run_until_it_answers(self, program: PostgresProgram, account: ServerAccount) -> int | None:
        """Start our own server; give its exit code if it ends instead.

        A pid file alone does not tell that it came up: it may be of one that was there before.
        """
        process = self._process = self._spawn(program, account)
        deadline = time.monotonic() + START_SECONDS
        while (code := process.poll()) is None:
            running = Postmaster.recorded(self._data)
            if running is not None and running.pid == process.pid and running.answers():
                return None
            self._wait_before(deadline, 0.02, f"it does not answer after {START_SECONDS:.0f} s")
        return code

    def _spawn(self, program: PostgresProgram, account: ServerAccount) -> subprocess.Popen[bytes]:
        settings = (
            *("listen_addresses=", f"port={PORT}", f'unix_socket_directories="{self._socket_folder}"'),
            *("unix_socket_permissions=0700", "log_checkpoints=off", *self._settings),
            *write_admission(self._data, account),
        )
        options = [part for setting in settings for part in ("-c", setting)]
        command: Command = (program.command("postgres"), "-D", account.name_of(self._data), *options)
        with self._open(self._log) as log:
            return account.popen(command, folder=self._data, log=log)

    def _wait_before(self, deadline: float, seconds: float, problem: str) -> None:
        if time.monotonic() > deadline:
            raise self._failure(problem)
        time.sleep(seconds)

    def _failure(self, problem: str) -> EmbeddedPostgresError:
        last_lines = "\n".join(self._log.read_text(errors="replace").splitlines()[-8:])
        return EmbeddedPostgresError(
            f"The embedded PostgreSQL in {self._root} did not start: {problem}. {self._log} ends with:\n"
            f"{last_lines}\n"
            "Fix that and start again, or give a PostgreSQL of your own in TOCSIN_DATABASE_URL."
        )

    def _create_database(self) -> None:
        with psycopg.connect(
            host=str(self._socket_folder), port=PORT, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')

    def _leave(self) -> None:
        """Stop using the server, and shut it down when nobody else does; the caller holds the turn."""
        if self._users is None:
            return
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._shut_down()
        except BlockingIOError:
            if self._process is not None:
                self._process.returncode = 0  # it outlives us on purpose; Popen would warn of that
        finally:
            self._users.close()
            self._users = self._process = self._socket_folder = None

    def _shut_down(self) -> None:
        """Shut down fast, which disconnects everybody and loses nothing; if that hangs, as in a crash."""
        if not (self._ends_after(signal.SIGINT, STOP_SECONDS) or self._ends_after(signal.SIGQUIT, 10.0)):
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL in {self._root} (process {self._server_pid()}) does not stop. "
                f"Its data is safe; see the end of {self._log}."
            )
        _remove_run_folder(self._socket_folder)

    def _ends_after(self, order: signal.Signals, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        if (pid := self._server_pid()) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, order)
        while self._server_pid() is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _server_pid(self) -> int | None:
        """Our child if it lives, also before it has a pid file; else whoever serves our data."""
        if self._process is not None and self._process.poll() is None:
            return self._process.pid
        running = Postmaster.serving(self._data)
        return None if running is None else running.pid


def _remove_run_folder(folder: Path | None) -> None:
    """Remove a temporary folder that `_choose_socket_folder` made, and nothing else."""
    if folder is not None and folder.name.startswith(RUN_FOLDER_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
