"""Names of workspaces, models and keys: the directory's, and those that only facts know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.adapters.postgres.sources.directory import PostgresDirectory
from service.adapters.postgres.spend.facts import PostgresFacts
from service.domain.spend.best_known import EstimatedDay, SpendDay
from service.domain.values.scopes import Cell
from service.workflows.ports.sources import ApiKeyName, Directory, Seen, WorkspaceName
from service.workflows.ports.spend import Changes, Stamp
from tests.adapters.postgres.reports import NOON, SOURCE

RESEARCH = WorkspaceName("wrkspc_a", "Research")
KEY = ApiKeyName("apikey_1", "ci", "wrkspc_a", "active")
HOUR = timedelta(hours=1)


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        yield connection


@pytest.fixture
def directory(connection: AsyncConnection) -> PostgresDirectory:
    return PostgresDirectory(connection)


async def test_a_directory_is_stored_with_its_names_and_states(directory: PostgresDirectory) -> None:
    archived = WorkspaceName("wrkspc_b", "Old", archived=True)
    changes = await directory.replace(SOURCE, Directory((RESEARCH, archived), (KEY,)), NOON)
    assert changes == Changes(added=3)
    assert await directory.workspaces(SOURCE) == [
        Seen("wrkspc_a", "Research", SOURCE, NOON, NOON, status="active"),
        Seen("wrkspc_b", "Old", SOURCE, NOON, NOON, status="archived"),
    ]
    assert await directory.api_keys(SOURCE) == [
        Seen("apikey_1", "ci", SOURCE, NOON, NOON, workspace="wrkspc_a", status="active")
    ]
    assert await directory.workspaces("src_2") == []


async def test_what_is_listed_no_more_is_kept_as_deleted(directory: PostgresDirectory) -> None:
    await directory.replace(SOURCE, Directory((RESEARCH,), (KEY,)), NOON)
    renamed = Directory((WorkspaceName("wrkspc_a", "R&D"),), ())
    assert await directory.replace(SOURCE, renamed, NOON + HOUR) == Changes(changed=1, gone=1)
    assert await directory.replace(SOURCE, renamed, NOON + 2 * HOUR) == Changes()
    assert await directory.workspaces(SOURCE) == [
        Seen("wrkspc_a", "R&D", SOURCE, NOON, NOON + 2 * HOUR, status="active")
    ]
    assert await directory.api_keys(SOURCE) == [
        Seen("apikey_1", "ci", SOURCE, NOON, NOON, workspace="wrkspc_a", status="deleted")
    ]


async def test_facts_name_what_the_directory_does_not_list(directory: PostgresDirectory) -> None:
    cells = [Cell("default", "claude-sonnet-4-5", "apikey_9"), Cell("wrkspc_z", "", "")]
    await directory.note_cells(SOURCE, cells, NOON)
    assert [(seen.id, seen.name) for seen in await directory.workspaces(SOURCE)] == [
        ("default", "Default"),
        ("wrkspc_z", "wrkspc_z"),
    ]
    assert [seen.id for seen in await directory.models(SOURCE)] == ["claude-sonnet-4-5"]
    assert [(seen.id, seen.workspace, seen.status) for seen in await directory.api_keys(SOURCE)] == [
        ("apikey_9", "default", "")
    ]


async def test_the_directorys_names_outlast_the_facts_that_name_only_ids(directory: PostgresDirectory) -> None:
    cell = Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_1")
    await directory.note_cells(SOURCE, [cell], NOON)
    assert (await directory.replace(SOURCE, Directory((RESEARCH,), (KEY,)), NOON + HOUR)).added == 2
    await directory.note_cells(SOURCE, [cell], NOON + 2 * HOUR)
    assert await directory.workspaces(SOURCE) == [
        Seen("wrkspc_a", "Research", SOURCE, NOON, NOON + 2 * HOUR, status="active")
    ]


async def test_last_seen_is_kept_to_the_hour(directory: PostgresDirectory) -> None:
    cell = Cell("wrkspc_a", "", "")
    seen_at = []
    for minutes in (0, 59, 60):
        await directory.note_cells(SOURCE, [cell], NOON + timedelta(minutes=minutes))
        seen_at += [seen.last_seen_at for seen in await directory.workspaces(SOURCE)]
    assert seen_at == [NOON, NOON, NOON + HOUR]


async def test_models_tell_their_unpriced_tokens_of_the_newest_35_days(
    connection: AsyncConnection, directory: PostgresDirectory
) -> None:
    newest, cell = date(2026, 11, 10), Cell("wrkspc_a", "claude-new", "apikey_1")
    other = Cell("wrkspc_b", "claude-new", "")
    priced = Cell("wrkspc_a", "claude-sonnet-4-5", "")
    await directory.note_cells(SOURCE, [cell, other, priced], NOON)
    await PostgresFacts(connection).store_days(
        Stamp(SOURCE, "poll_1", NOON),
        {
            newest: {cell: unpriced(1), other: unpriced(2), priced: unpriced(0)},
            newest - timedelta(days=34): {cell: unpriced(4)},
            newest - timedelta(days=35): {cell: unpriced(8)},
        },
    )
    models = {seen.id: seen.unpriced_tokens for seen in await directory.models(SOURCE)}
    assert models == {"claude-new": 7, "claude-sonnet-4-5": 0}


def unpriced(tokens: int) -> SpendDay:
    return SpendDay(estimate=EstimatedDay(unpriced_tokens=tokens))
