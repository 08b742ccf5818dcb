"""The schema: up, down, up again, and the same as what the code believes."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, inspect
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres import clock_anchor, unit_of_work  # noqa: F401 - their imports fill the metadata
from service.adapters.postgres.addresses import libpq_url, sqlalchemy_url
from service.adapters.postgres.metadata import metadata
from service.adapters.postgres.migrate import ForeignSchema, current, downgrade, head, objection, upgrade
from service.adapters.postgres.queue.schema import shipped_migrations
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.domain.values.periods import Window

CHECKOUT = Path(__file__).parents[3]
VERSIONS = CHECKOUT / "migrations" / "versions"


def tables(url: str) -> list[str]:
    with psycopg.connect(libpq_url(url)) as connection:
        rows = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchall()
    return [name for (name,) in rows]


def test_an_empty_database_has_no_revision(empty_database_url: str) -> None:
    assert current(empty_database_url) is None


def test_a_newer_schema_is_left_alone_and_said_in_a_sentence(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    with psycopg.connect(libpq_url(empty_database_url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ForeignSchema, match=f"at 9999, and this release knows {head()}: a newer Tocsin"):
        upgrade(empty_database_url)
    assert current(empty_database_url) == "9999"


@pytest.mark.parametrize(("schema", "advice"), [(None, "at nothing"), ("0001", "run tocsin migrate")])
def test_an_older_schema_asks_for_a_migration(schema: str | None, advice: str) -> None:
    assert advice in (objection(schema) or "")
    assert objection(head()) is None


def test_down_leaves_nothing_but_the_version_table_and_up_again_works(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    downgrade(empty_database_url, "base")
    assert set(tables(empty_database_url)) == {"alembic_version", "alembic_version_pkc"}
    upgrade(empty_database_url)
    assert current(empty_database_url) == head()


def test_every_revision_can_be_undone_and_redone(empty_database_url: str) -> None:
    for revision in sorted(path.name.split("_")[3] for path in VERSIONS.glob("*_[0-9][0-9][0-9][0-9]_*.py")):
        upgrade(empty_database_url, revision)
        downgrade(empty_database_url, "-1")
        upgrade(empty_database_url, revision)


def test_the_head_by_file_names_is_the_one_that_alembic_reaches(database_url: str) -> None:
    assert current(database_url) == head()


def test_two_upgrades_at_once_both_end_well(empty_database_url: str) -> None:
    script = "import sys; from service.adapters.postgres.migrate import upgrade; upgrade(sys.argv[1])"
    command = [sys.executable, "-c", script, empty_database_url]
    running = [subprocess.Popen(command, cwd=CHECKOUT) for _ in range(2)]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    assert current(empty_database_url) == head()


def test_a_current_schema_is_found_current_without_importing_alembic(database_url: str) -> None:
    script = (
        "import sys; from service.adapters.postgres.migrate import upgrade; upgrade(sys.argv[1]);"
        "sys.exit('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, database_url], cwd=CHECKOUT, check=False)
    assert done.returncode == 0


def test_alembic_works_on_its_own_by_the_environment_s_url(empty_database_url: str) -> None:
    assert alembic(empty_database_url, "upgrade", "head").returncode == 0
    assert current(empty_database_url) == head()


def alembic(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TOCSIN_DATABASE_URL": libpq_url(url)}
    command = [sys.executable, "-m", "alembic", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False, capture_output=True, text=True)


async def test_the_code_s_tables_are_the_database_s_also_with_partitions(
    database_url: str, engine: AsyncEngine
) -> None:
    month = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
    await PostgresStorage(engine).make_room(month)
    checked = alembic(database_url, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_column_that_only_the_code_has_or_only_the_database_is_noticed(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    with psycopg.connect(libpq_url(empty_database_url)) as connection:
        connection.execute("ALTER TABLE alerts DROP COLUMN resolved_by, ADD COLUMN mood text")
    checked = alembic(empty_database_url, "check")
    assert "resolved_by" in checked.stderr
    assert "mood" in checked.stderr


def test_no_table_is_in_the_database_that_the_code_does_not_know(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    engine = create_engine(sqlalchemy_url(empty_database_url), poolclass=NullPool)
    with engine.connect() as connection:
        found = {name for name in inspect(connection).get_table_names() if "procrastinate" not in name}
    assert found == set(metadata.tables) | {"alembic_version"}


NUMBERED = """
    INSERT INTO alerts (id, version, fingerprint, kind, source_id, scope, severity, state, opened_at, changed_at,
        evidence)
    VALUES ('alrt_1', 1, 'budget:1', 'budget', 'src_1', 'org', 'error', 'firing', now(), now(), '{}');
    INSERT INTO alert_events (alert_id, version, at, command, actor, reason, note, alert)
    VALUES ('alrt_1', 1, now(), 'open', 'tocsin', 'first', '', '{}');
    INSERT INTO notifications (id, alert_id, alert_version, receiver_id, channel, action, reason, level, state,
        created_at, due_at, step, round, attempts)
    SELECT 'ntf_' || step || '_' || round, 'alrt_1', 1, 'rcv_1', 'console:1', 'open', 'first', '1', 'sent',
        now(), now(), step, round, '[]'
    FROM (VALUES (0, 0), (-1, 0), (-2, 1), (-3, 0), (2, 0), (0, 1)) AS numbers (step, round);
"""
"""Notifications as release 0017 writes them."""


def test_notifications_get_the_cause_that_their_step_stood_for_and_keep_the_step(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0017")
    with psycopg.connect(libpq_url(empty_database_url)) as connection:
        connection.execute(NUMBERED)
        before = connection.execute("SELECT id, step, round FROM notifications ORDER BY id").fetchall()
    upgrade(empty_database_url, "0018")
    with psycopg.connect(libpq_url(empty_database_url)) as connection:
        causes = {
            (step, round): cause
            for step, round, cause in connection.execute("SELECT step, round, cause FROM notifications")
        }
    assert causes == {
        (0, 0): "event",
        (-1, 0): "held_back",
        (-2, 1): "repeat",
        (-3, 0): "summary",
        (2, 0): "escalation",
        (0, 1): "escalation",
    }
    downgrade(empty_database_url, "-1")
    with psycopg.connect(libpq_url(empty_database_url)) as connection:
        assert connection.execute("SELECT id, step, round FROM notifications ORDER BY id").fetchall() == before


@pytest.mark.parametrize(
    "index",
    [
        *("uq_alerts_open_fingerprint", "ix_alerts_open_source_id", "ix_alerts_fingerprint"),
        *("ix_notifications_queued", "ix_source_states_next_poll_at", "ix_polls_source_id_id"),
        *("uq_resources_kind_name", "uq_tokens_digest", "ix_idempotency_keys_kept_at"),
        "uq_notifications_alert_id_level_channel_action_step_round",
    ],
)
def test_what_is_looked_up_or_kept_unique_has_its_index(database_url: str, index: str) -> None:
    assert index in tables(database_url)


def test_the_installed_queue_library_ships_the_schema_that_the_database_has(database_url: str) -> None:
    """When this fails the library was upgraded: write a revision that runs the migrations missing here."""
    with psycopg.connect(libpq_url(database_url)) as connection:
        recorded = {name for (name,) in connection.execute("SELECT migration FROM queue_schema")}
    assert recorded == set(shipped_migrations())
    assert max(recorded) == "03.04.00_50_post_add_retry_failed_job_procedure.sql"
