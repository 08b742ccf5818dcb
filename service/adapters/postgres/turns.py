"""Turns that a process takes for as long as it runs, in a session of its own: they end with the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from service.adapters.postgres.addresses import libpq_url

SIMULATOR = 0x70C5_0005
"""The advisory lock of the process whose simulator is watched."""


@contextmanager
def taking_turn(url: str, turn: int) -> Iterator[bool]:
    """Yields whether the turn is ours for as long as the block lasts; False where another process has it."""
    with psycopg.connect(libpq_url(url), autocommit=True) as session:
        row = session.execute("SELECT pg_try_advisory_lock(%s)", (turn,)).fetchone()
        yield row is not None and bool(row[0])
