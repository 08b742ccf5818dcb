"""A one-shot command whose database is frozen ends with a sentence; one that is only slow, or away, is left alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import psycopg
import pytest

from service.adapters.postgres.addresses import libpq_url
from service.cli.database.answering import while_it_answers

LONG = 60.0


@pytest.fixture
def frozen() -> Iterator[str]:
    """The address of a server that accepts, as the kernel does for a stopped process, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://tocsin@127.0.0.1:{listener.getsockname()[1]}/tocsin"


def test_a_command_that_waits_for_a_frozen_database_ends_with_a_sentence(frozen: str) -> None:
    said: list[str] = []
    ended = threading.Event()

    def end(why: str) -> None:
        said.append(why)
        ended.set()

    with while_it_answers(frozen, silence_seconds=0.2, end=end):
        assert ended.wait(LONG)
    assert said == ["the database accepts connections and has not answered for 0.2 s: is it frozen?"]


def test_a_command_that_is_over_is_not_ended(frozen: str) -> None:
    ended = threading.Event()
    with while_it_answers(frozen, silence_seconds=0.2, end=lambda _: ended.set()):
        pass
    assert not ended.wait(0.5)


def test_a_slow_statement_and_a_database_that_is_away_end_nothing(database_url: str) -> None:
    said: list[str] = []
    away = "postgresql://tocsin@127.0.0.1:1/none"
    with (
        while_it_answers(away, silence_seconds=LONG, end=said.append),
        while_it_answers(database_url, silence_seconds=LONG, end=said.append),
        psycopg.connect(libpq_url(database_url)) as connection,
    ):
        connection.execute("SELECT pg_sleep(0.2)")
    assert said == []
