"""Ends a command whose database accepts connections and says nothing: a frozen server gives no error by itself."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from service.adapters.postgres.addresses import libpq_url
from service.cli.stopping import ENDED_EARLY

SILENCE_SECONDS = 20.0
PAUSE_SECONDS = 5.0


@contextmanager
def while_it_answers(
    url: str, silence_seconds: float = SILENCE_SECONDS, end: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Asks the database beside the block, however long that takes, and ends the process once it was silent for so long.

    Whatever the block waits for would wait with it. A refusal is an answer: the block meets it itself.
    """
    over = threading.Event()
    threading.Thread(target=_watch, args=(url, silence_seconds, over, end or _end), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _watch(url: str, silence_seconds: float, over: threading.Event, end: Callable[[str], None]) -> None:
    def give_up() -> None:
        if not over.is_set():
            end(f"the database accepts connections and has not answered for {silence_seconds:g} s: is it frozen?")

    while not over.is_set():
        deadline = threading.Timer(silence_seconds, give_up)
        deadline.daemon = True
        deadline.start()
        with suppress(psycopg.OperationalError), psycopg.connect(libpq_url(url)) as connection:
            connection.execute("SELECT 1")
        deadline.cancel()
        over.wait(PAUSE_SECONDS)


def _end(why: str) -> None:
    """Ends the process without waiting for anything: its connections would."""
    os.write(2, f"tocsin: {why}\n".encode())
    os._exit(ENDED_EARLY)
