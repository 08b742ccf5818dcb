"""A database of the release before rules: what they read is filled in from the facts that it has."""

from __future__ import annotations

from datetime import UTC, date, datetime

import psycopg
import pytest

from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.migrate import downgrade, upgrade
from service.domain.rules.view import DayFigures
from service.domain.values.scopes import Cell
from tests.adapters.postgres.feeding import figures, figures_at

KEY = Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_1")
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
EIGHTH, NINTH, TENTH = (date(2026, 11, number) for number in (8, 9, 10))

STORED = """
    CREATE TABLE usage_hours_2026_11 PARTITION OF usage_hours
        FOR VALUES FROM ('2026-11-01 00:00+00') TO ('2026-12-01 00:00+00');
    CREATE TABLE revisions_2026_11 PARTITION OF revisions
        FOR VALUES FROM ('2026-11-01 00:00+00') TO ('2026-12-01 00:00+00');
    INSERT INTO series (id, source_id, kind, workspace, model, api_key, token_type, service_tier, key)
    OVERRIDING SYSTEM VALUE VALUES
        (1, 'src_1', 'usage', 'wrkspc_a', 'claude-sonnet-4-5', 'apikey_1', 'uncached_input_tokens', 'standard', '1'),
        (2, 'src_1', 'usage', 'wrkspc_a', 'claude-sonnet-4-5', 'apikey_1', 'cache_read_input_tokens', 'standard', '2'),
        (3, 'src_1', 'usage', 'wrkspc_a', 'claude-sonnet-4-5', 'apikey_1',
            'cache_creation.ephemeral_1h_input_tokens', 'standard', '3'),
        (4, 'src_1', 'usage', 'wrkspc_a', 'claude-sonnet-4-5', 'apikey_1', 'output_tokens', 'batch', '4'),
        (5, 'src_1', 'usage', 'wrkspc_a', 'claude-sonnet-4-5', 'apikey_1', 'output_tokens', 'priority', '5'),
        (6, 'src_1', 'usage', 'wrkspc_a', 'claude-sonnet-4-5', 'apikey_1', 'web_search_requests', 'standard', '6');
    INSERT INTO usage_hours (source_id, bucket, series_id, quantity, cost)
    SELECT 'src_1', '2026-11-09 05:00+00', id, 10 ^ id, id FROM series;
    INSERT INTO usage_hours (source_id, bucket, series_id, quantity, cost)
    VALUES ('src_1', '2026-11-09 23:00+00', 4, 1, 0.5), ('src_1', '2026-11-10 00:00+00', 4, 2, null);
    INSERT INTO revisions (source_id, bucket, series_id, width, known_at, assumed, amount, quantity, poll_id) VALUES
        ('src_1', '2026-11-09 05:00+00', 1, '1h', '2026-11-09 06:03+00', false, 1, 10, 'poll_1'),
        ('src_1', '2026-11-09 05:00+00', 1, '1h', '2026-11-09 07:03+00', false, 2, 20, 'poll_2');
    INSERT INTO known_buckets (source_id, width, bucket, complete) VALUES
        ('src_1', '1d', '2026-11-07 00:00+00', true), ('src_1', '1d', '2026-11-08 00:00+00', true),
        ('src_1', '1d', '2026-11-09 00:00+00', false), ('src_1', '1d', '2026-11-10 00:00+00', false),
        ('src_1', '1h', '2026-11-09 05:00+00', true), ('src_1', '1h', '2026-11-10 11:00+00', false);
    INSERT INTO spend_days (source_id, day, workspace, model, api_key, billed, estimated, usage_cost, priority,
        unpriced_tokens) VALUES
        ('src_1', '2026-11-08', 'wrkspc_a', 'claude-sonnet-4-5', 'apikey_1', 3, 0, 0, 0, 0),
        ('src_1', '2026-11-09', 'wrkspc_a', 'claude-sonnet-4-5', 'apikey_1', 0, 10.5, 10.5, 5, 0),
        ('src_1', '2026-11-10', 'wrkspc_a', 'claude-sonnet-4-5', 'apikey_1', 0, 0, 0, 0, 2);
"""


@pytest.fixture
def old_database(empty_database_url: str) -> str:
    upgrade(empty_database_url, "0004")
    with psycopg.connect(libpq_url(empty_database_url)) as connection:
        connection.execute(STORED)
    return empty_database_url


async def test_an_older_database_has_tokens_hours_and_versions_once_it_is_upgraded(old_database: str) -> None:
    upgrade(old_database)
    engine = create_engine(old_database)
    now = await figures(engine, NOON, days=4, hours=36)
    then = await figures_at(engine, datetime(2026, 11, 14, tzinfo=UTC), days=8)
    await engine.dispose()
    ninth = DayFigures(10.5, input_tokens=1110.0, cache_read_tokens=100.0, output_tokens=10001.0, priority=5.0)
    assert now.cells == {KEY: {EIGHTH: DayFigures(3.0), NINTH: ninth, TENTH: DayFigures(output_tokens=2.0)}}
    assert now.hours is not None
    assert {number: dollars for number, dollars in enumerate(now.hours.cells[KEY]) if dollars} == {5: 10.0, 23: 0.5}
    assert now.unknown_days == frozenset()
    assert then.cells == now.cells
    assert then.assumed_share == 1.0
    assert then.settled_until == datetime(2026, 11, 9, tzinfo=UTC)


def test_days_of_before_are_assumed_to_have_been_known_a_day_after_their_end(old_database: str) -> None:
    upgrade(old_database)
    with psycopg.connect(libpq_url(old_database)) as connection:
        days = connection.execute("SELECT day, known_on, assumed, settled FROM day_versions ORDER BY day").fetchall()
        cells = connection.execute(
            "SELECT day, known_on, output_tokens FROM spend_day_versions ORDER BY day"
        ).fetchall()
        known = connection.execute("SELECT known_at, complete_at FROM known_buckets WHERE width = '1h' ORDER BY bucket")
        instants = [tuple(at and f"{at.astimezone(UTC):%d %H:%M}" for at in row) for row in known]
    assert days == [
        (date(2026, 11, 7), EIGHTH, True, True),
        (EIGHTH, NINTH, True, True),
        (NINTH, TENTH, True, False),
        (TENTH, TENTH, True, False),
    ]
    assert cells == [(EIGHTH, NINTH, 0), (NINTH, TENTH, 10001), (TENTH, TENTH, 2)]
    assert instants == [("09 06:03", "09 06:03"), ("10 11:00", None)]


def test_the_way_back_keeps_the_daily_spend(old_database: str) -> None:
    upgrade(old_database, "0005")
    downgrade(old_database, "-1")
    with psycopg.connect(libpq_url(old_database)) as connection:
        assert connection.execute("SELECT count(*), sum(estimated) FROM spend_days").fetchone() == (3, 10.5)
