"""The account that owns the data and runs the server.

PostgreSQL refuses to run as root. For root the server is started as the owner of the data folder; for a new one that
is an account of its own, which is made where it can be, else `nobody`. That account cannot pass a closed folder (root's
home, a temporary folder), so the server gets its data as the folder that it was started in.
"""

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

Command = Sequence[str | Path]

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All that the server sees of ours: no secret, and no PGPORT or PGDATA of somebody's shell."""

OWN_ACCOUNT = "tocsin-postgres"
SHARED_ACCOUNT = "nobody"
"""Other programs may run under it, too: they can read the data, and only `peer` keeps them from connecting."""
SYSTEM_COMMANDS = "/usr/sbin:/sbin:/usr/bin:/bin"

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
    def for_folder(cls, folder: Path, own: str = OWN_ACCOUNT) -> "ServerAccount":
        """Raise EmbeddedPostgresError when the folder belongs to somebody else and we are not root.

        `own` is the account that serves a new folder of root's.
        """
        owner = folder.stat()
        if os.geteuid() == 0 and owner.st_uid in {0, pwd.getpwnam(SHARED_ACCOUNT).pw_uid}:
            entry = _entry(own)
            return cls(entry.pw_uid, entry.pw_gid)
        if os.geteuid() not in (0, owner.st_uid):
            raise EmbeddedPostgresError(
                f"{folder} belongs to user id {owner.st_uid}, and this is user id {os.geteuid()}. "
                "Run as that user, or choose another folder with TOCSIN_DATA_DIR."
            )
        return cls(owner.st_uid, owner.st_gid)

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    @property
    def clients(self) -> list[str]:
        """The names of the accounts that may connect: ours, root, and the data's owner if no other program is it."""
        names = {_name(os.geteuid()), _name(0), _name(self.uid)}
        return sorted(name for name in names if name not in {None, SHARED_ACCOUNT})

    def take(self, path: Path) -> None:
        """Make this account the owner of a path."""
        if not self.is_us:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def take_all(self, folder: Path) -> None:
        """Make this account the owner of a folder and all that is in it."""
        for path in (folder, *folder.rglob("*")):
            self.take(path)

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


@contextmanager
def alone_with(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes that would become its owner; nothing is written into it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _entry(own: str) -> pwd.struct_passwd:
    """The account of that name, made if need be; the shared one where it cannot be made."""
    try:
        return pwd.getpwnam(own)
    except KeyError:
        _make(own)
    try:
        return pwd.getpwnam(own)
    except KeyError:
        return pwd.getpwnam(SHARED_ACCOUNT)


def _make(name: str) -> None:
    """Make a system account without a home, a password or a shell, where the machine has the means."""
    useradd = shutil.which("useradd", path=SYSTEM_COMMANDS)
    if useradd is not None:
        options = ("--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell")
        command: Command = (useradd, *options, "/usr/sbin/nologin", "--", name)
        subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False)  # noqa: S603 - no part comes from a user


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
