"""The commands of docs/operations.md that move an embedded cluster to another major version of PostgreSQL.

There is one version here: the old cluster says that it is of another, and is dumped before.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from service.adapters.embedded_postgres.program import PostgresProgram
from service.adapters.embedded_postgres.server import Durability, EmbeddedPostgres, EmbeddedPostgresError
from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.migrate import current, head, upgrade

pytestmark = pytest.mark.slow

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
EARLIER = "0028"
"""The schema of the release before."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's."""
    with tempfile.TemporaryDirectory(prefix="tocsin-test-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def documented() -> list[list[str]]:
    """The commands before, between and after: what runs with the old server, with none, and with the new one."""
    section = OPERATIONS.read_text().partition("\n### Another major version")[2].partition("\n## ")[0]
    return [block.splitlines() for block in re.findall(r"```\n(.*?)```", section, re.DOTALL)]


def run(lines: list[str], folder: Path) -> None:
    programs = PostgresProgram.installed().command("pg_dump").parent
    for line in lines:
        environment = {"PATH": "/usr/bin:/bin", "BIN": str(programs)}
        subprocess.run(line, shell=True, cwd=folder, env=environment, check=True, timeout=120)


def server(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder / ".tocsin" / "pg", durability=Durability.DISPOSABLE, max_connections=20)


def test_a_cluster_of_another_major_version_is_moved_by_the_documented_commands(folder: Path) -> None:
    with_old, with_none, with_new = documented()
    with server(folder) as old:
        upgrade(old.url(), EARLIER)
        with psycopg.connect(libpq_url(old.url())) as connection:
            connection.execute("INSERT INTO channel_turns VALUES ('kept', now(), 7)")
        run(with_old, folder)
    (folder / ".tocsin" / "pg" / "data" / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 15.*pg_dump"):
        server(folder).start()
    run(with_none, folder)
    with server(folder) as new:
        upgrade(new.url())
        run(with_new, folder)
        assert current(new.url()) == EARLIER
        upgrade(new.url())
        assert current(new.url()) == head()
        with psycopg.connect(libpq_url(new.url())) as connection:
            assert connection.execute("SELECT channel, sent FROM channel_turns").fetchall() == [("kept", 7)]
