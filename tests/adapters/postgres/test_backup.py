"""The commands of docs/operations.md that save a database and put it back."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.embedded_postgres.program import PostgresProgram
from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.migrate import current, head
from service.adapters.postgres.unit_of_work import uow_factory
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.queue.queue_runs import Recorder, until, worker
from tests.adapters.postgres.reports import ALPHA, BETA, day_of, hour_of, make_room, used
from tests.factories import budget, resource, utc

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
RESTORED = "restored"


def documented() -> list[str]:
    """The lines of the first block under "Backup"."""
    section = OPERATIONS.read_text().partition("\n## Backup\n")[2]
    block = re.search(r"```\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return block[1].splitlines()


@pytest.fixture
def restored_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of the copy that the documented commands make."""
    url = make_url(libpq_url(database_url))
    environment = {
        "PATH": f"{PostgresProgram.installed().command('pg_dump').parent}:/usr/bin:/bin",
        "TOCSIN_DATABASE_URL": libpq_url(database_url),
        "PGHOST": str(url.query["host"]),
        "PGUSER": str(url.username),
    }
    name = f"{RESTORED}_{url.database}"

    def run(line: str) -> None:
        line = line.replace(RESTORED, name)
        subprocess.run(line, shell=True, cwd=tmp_path, env=environment, check=True, timeout=120)

    copy = url.set(database=name).render_as_string(hide_password=False)
    for line in documented():
        run(line)
    yield copy
    run(f"dropdb --force {RESTORED}")


@pytest.fixture(autouse=True)
async def _stored(engine: AsyncEngine, uow: UowFactory) -> None:
    await make_room(engine)
    hours = [hour_of(utc("2026-11-09T03:00"), used(10, "1"), used(20, "2", api_key="apikey_2"))]
    await read(engine, utc("2026-11-10T12:00"), [day_of(utc("2026-11-09").date(), {ALPHA: "4", BETA: "2.5"})], hours)
    async with uow() as unit:
        await unit.budgets.add(resource("bdg_1", budget()))
        await unit.jobs.evaluate("src_1")


def rows_of(url: str) -> dict[str, int]:
    """A figure that changes with any row's content, by table."""
    with psycopg.connect(libpq_url(url)) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        content = "SELECT coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {} t"
        figures = ((name, connection.execute(sql.SQL(content).format(sql.Identifier(name)))) for (name,) in tables)
        return {name: int(rows.fetchall()[0][0]) for name, rows in figures}


async def test_what_is_put_back_is_what_was_saved_and_goes_on(database_url: str, restored_url: str) -> None:
    saved = rows_of(database_url)
    assert sum(figure != 0 for figure in saved.values()) > 8
    assert rows_of(restored_url) == saved
    assert current(restored_url) == head()
    engine, recorder = create_engine(restored_url), Recorder()
    async with uow_factory(engine, to_real=lambda at: at)() as unit:
        assert (await unit.budgets.get("bdg_1")).spec == budget()
    async with worker(restored_url, recorder):
        await until(lambda: recorder.done == ["evaluate src_1"])
    await engine.dispose()


def test_rows_that_only_grow_still_do(restored_url: str) -> None:
    with psycopg.connect(restored_url) as connection, pytest.raises(psycopg.errors.Error, match="append"):
        connection.execute("DELETE FROM revisions")
