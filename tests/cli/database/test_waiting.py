"""A database that is still starting is waited for, within a bound."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from sqlalchemy import make_url
from structlog.testing import capture_logs

from service.adapters.embedded_postgres.postmaster import PORT
from service.cli.database.waiting import wait_for_database
from service.workflows.ports.outages import StorageUnavailable
from tests.adapters.postgres.queue.queue_runs import until
from tests.fakes.slow_database import slowed

NOWHERE = "postgresql://tocsin:FAKE-word@127.0.0.1:1/none"


def test_one_that_answers_is_not_waited_for(database_url: str) -> None:
    with capture_logs() as lines:
        wait_for_database(database_url, patience_seconds=0)
    assert lines == []


async def test_one_that_starts_meanwhile_is_waited_for_with_one_line(database_url: str) -> None:
    where = make_url(database_url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    url = f"postgresql://postgres@127.0.0.1:{port}/{where.database}"
    with capture_logs() as lines:
        waiting = asyncio.create_task(asyncio.to_thread(wait_for_database, url))
        await until(lambda: len(lines) == 1)
        async with slowed(Path(str(where.query["host"])) / f".s.PGSQL.{PORT}", seconds=0, port=port):
            await waiting
    assert [line["event"] for line in lines] == ["waiting_for_database", "database_answers"]


def test_one_that_never_answers_is_given_up_with_the_reason_and_without_its_password() -> None:
    with capture_logs() as lines, pytest.raises(StorageUnavailable, match=r"It was waited for 0\.6 s") as raised:
        wait_for_database(NOWHERE, patience_seconds=0.6)
    assert [line["event"] for line in lines] == ["waiting_for_database"]
    assert "Connection refused" in lines[0]["reason"]
    assert "FAKE-word" not in f"{lines}{raised.value}"
