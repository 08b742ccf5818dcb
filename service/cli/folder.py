"""One `tocsin up` a data folder, and one simulator a database: a second one would take the first one's place."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from service.adapters.postgres.turns import SIMULATOR, taking_turn
from service.bootstrap.errors import StartError
from service.settings import Settings

LOCK = "up.pid"


def alone(settings: Settings) -> AbstractContextManager[None]:
    """Holds the data folder, where it is used: with a database of somebody's own nothing is written here."""
    return only_one(settings.own_folder.resolve()) if settings.database_url is None else nullcontext()


@contextmanager
def one_simulator(settings: Settings, url: str) -> Iterator[None]:
    """Holds the right to be the simulator that the database watches. Raises StartError where another process is it."""
    if settings.anthropic_admin_key is not None:
        yield
        return
    with taking_turn(url, SIMULATOR) as ours:
        if not ours:
            raise StartError(
                "another `tocsin up` watches its simulator with this database: stop that one, run `tocsin api` and"
                " `tocsin worker` beside it, or give this one a database of its own"
            )
        yield


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds the folder for as long as the block lasts. Raises StartError where another process holds it.

    The file names the process that does. The kernel drops the lock with its process, so that a file that is left over
    from a crash bars nobody.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+")
    except OSError as error:
        raise StartError(f"TOCSIN_DATA_DIR: {folder} cannot be used: {error.strerror}") from error
    with file:
        _take(file, folder)
        yield


def _take(file: IO[str], folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        raise StartError(
            f"`tocsin up` runs in {folder} already (process {file.read().strip()}): stop that one, or give this one a"
            " folder and a port of its own, TOCSIN_DATA_DIR and TOCSIN_PORT"
        ) from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
