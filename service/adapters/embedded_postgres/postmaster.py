"""The server that runs on a data folder, as its `postmaster.pid` and the kernel tell."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg

PORT = 5432
"""Only a part of the socket's name: nothing listens on TCP."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A server process. Its socket's folder is recorded last, once it listens."""

    pid: int
    data: Path
    socket_folder: Path | None

    @classmethod
    def recorded(cls, data: Path) -> Self | None:
        """The contents of `postmaster.pid`, be they true or left over from a crash.

        Its lines: process, data folder, start time, port, socket folder
        (PostgreSQL manual, "Database File Layout").
        """
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        if not lines or not lines[0].strip().isdigit():
            return None
        socket_folder = Path(lines[4]) if len(lines) > 4 and lines[4] else None
        return cls(int(lines[0]), Path(lines[1] if len(lines) > 1 else data), socket_folder)

    @classmethod
    def serving(cls, data: Path) -> Self | None:
        """The recorded server if it lives and works on this very folder, not on one this is a copy of."""
        running = cls.recorded(data)
        return running if running is not None and running._works_in(data) else None

    def answers(self) -> bool:
        """Whether it accepts a connection; not while it replays its log or shuts down."""
        if self.socket_folder is None or not self.socket_folder.is_dir():
            return False
        try:
            with psycopg.connect(
                host=str(self.socket_folder), port=PORT, user="postgres", dbname="postgres", connect_timeout=5
            ) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _works_in(self, data: Path) -> bool:
        """A server's working folder is its data. A process id alone may belong to anybody after a reboot."""
        processes = Path("/proc")
        try:
            if (processes / "self" / "cwd").exists():
                return (processes / str(self.pid) / "cwd").samefile(data)
            os.kill(self.pid, 0)
            return self.data.samefile(data)
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            return False
