"""Workspaces, models and API keys by name: what the directory lists and what facts have named."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import ColumnElement, Integer, Text, any_, cast, delete, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.tables import seen, spend_days
from service.domain.spend.lateness import READ_DEEPLY
from service.domain.values.names import Names
from service.domain.values.scopes import DEFAULT_WORKSPACE, UNATTRIBUTED, Cell, Dimension, ScopeKey
from service.workflows.ports.sources import Directory, Seen
from service.workflows.ports.spend import Changes

SEEN_GRAIN = timedelta(hours=1)
"""How exact `last_seen_at` is: a poll need not rewrite every name that it has seen."""

ACTIVE, ARCHIVED, DELETED = "active", "archived", "deleted"
UNLISTED = ""
"""The status of an entry that facts name and the directory does not."""

_Key: TypeAlias = tuple[str, str]
"""(dimension, id)"""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    workspace: str
    status: str
    last_seen_at: datetime

    def says_the_same_as(self, older: _Entry) -> bool:
        recent = self.last_seen_at - older.last_seen_at < SEEN_GRAIN
        return recent and replace(self, last_seen_at=older.last_seen_at) == older


class PostgresDirectory:
    """The directory on one connection; the caller commits."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace(self, source_id: str, directory: Directory, now: datetime) -> Changes:
        """Keeps what the directory no longer lists as "deleted": it may still own cost."""
        listed, stored = _listed(directory, now), await self._stored(source_id)
        before = {key: entry for key, entry in stored.items() if entry.status not in (UNLISTED, DELETED)}
        gone = {key: replace(before[key], status=DELETED) for key in before.keys() - listed.keys()}
        await self._write(source_id, listed | gone, stored)
        common = before.keys() & listed.keys()
        renamed = sum(replace(listed[key], last_seen_at=before[key].last_seen_at) != before[key] for key in common)
        return Changes(added=len(listed.keys() - before.keys()), changed=renamed, gone=len(gone))

    async def note_cells(self, source_id: str, cells: Iterable[Cell], now: datetime) -> None:
        """Remembers the members that facts name. Names that the directory has given stay."""
        stored = await self._stored(source_id)
        named = _named(cells, now)
        known = {key: replace(stored[key], last_seen_at=now) for key in named.keys() & stored.keys()}
        await self._write(source_id, named | known, stored)

    async def note_named(self, source_id: str, named: Names, now: datetime) -> None:
        stored = await self._stored(source_id)
        entries = {(key.dimension.value, key.id): _Entry(name, "", UNLISTED, now) for key, name in named.items()}
        await self._write(source_id, entries, stored)

    async def forget_names(self, source_id: str, dimension: Dimension) -> None:
        await self._connection.execute(
            delete(seen).where(seen.c.source_id == source_id, seen.c.dimension == dimension.value)
        )

    async def names(self, source_id: str, keys: Collection[ScopeKey]) -> dict[ScopeKey, str]:
        among = any_(cast([key.id for key in keys], ARRAY(Text)))
        rows = await self._connection.execute(
            select(seen.c.dimension, seen.c.id, seen.c.name).where(seen.c.source_id == source_id, seen.c.id == among)
        )
        named = {ScopeKey(Dimension(dimension), id): name for dimension, id, name in rows}
        return {key: named[key] for key in keys if key in named}

    async def workspaces(self, source_id: str) -> list[Seen]:
        return await self._seen(source_id, Dimension.WORKSPACE, literal(0))

    async def models(self, source_id: str) -> list[Seen]:
        """With their unpriced tokens of the newest days, as far back as a deep poll prices them again."""
        newest = select(func.max(spend_days.c.day)).where(spend_days.c.source_id == source_id).scalar_subquery()
        unpriced = (
            select(func.coalesce(func.sum(spend_days.c.unpriced_tokens), 0))
            .where(
                spend_days.c.source_id == source_id,
                spend_days.c.day > newest - literal(READ_DEEPLY.days, Integer),
                spend_days.c.model == seen.c.id,
            )
            .scalar_subquery()
        )
        return await self._seen(source_id, Dimension.MODEL, unpriced)

    async def api_keys(self, source_id: str) -> list[Seen]:
        return await self._seen(source_id, Dimension.API_KEY, literal(0))

    async def spenders(self, source_id: str, dimension: Dimension) -> list[Seen]:
        return await self._seen(source_id, dimension, literal(0))

    async def _seen(self, source_id: str, dimension: Dimension, unpriced: ColumnElement[int]) -> list[Seen]:
        rows = await self._connection.execute(
            select(seen, unpriced.label("unpriced"))
            .where(seen.c.source_id == source_id, seen.c.dimension == dimension.value)
            .order_by(seen.c.id)
        )
        return [
            Seen(
                id=row.id,
                name=row.name,
                source_id=row.source_id,
                first_seen_at=row.first_seen_at,
                last_seen_at=row.last_seen_at,
                workspace=row.workspace,
                status=row.status,
                unpriced_tokens=int(row.unpriced),
            )
            for row in rows
        ]

    async def _stored(self, source_id: str) -> dict[_Key, _Entry]:
        rows = await self._connection.execute(select(seen).where(seen.c.source_id == source_id))
        return {(row.dimension, row.id): _Entry(row.name, row.workspace, row.status, row.last_seen_at) for row in rows}

    async def _write(self, source_id: str, entries: Mapping[_Key, _Entry], stored: Mapping[_Key, _Entry]) -> None:
        rows = [
            {
                "source_id": source_id,
                "dimension": dimension,
                "id": id,
                "name": entry.name,
                "workspace": entry.workspace,
                "status": entry.status,
                "first_seen_at": entry.last_seen_at,
                "last_seen_at": entry.last_seen_at,
            }
            for (dimension, id), entry in sorted(entries.items(), key=lambda item: item[0])
            if (dimension, id) not in stored or not entry.says_the_same_as(stored[dimension, id])
        ]
        if rows:
            await self._connection.execute(_upsert(), rows)


def _upsert() -> Insert:
    """A row that is there keeps the instant at which it was first seen."""
    statement = insert(seen)
    return statement.on_conflict_do_update(
        index_elements=list(seen.primary_key.columns),
        set_={name: statement.excluded[name] for name in ("name", "workspace", "status", "last_seen_at")},
    )


def _listed(directory: Directory, now: datetime) -> dict[_Key, _Entry]:
    workspaces = {
        (Dimension.WORKSPACE.value, one.id): _Entry(one.name, "", ARCHIVED if one.archived else ACTIVE, now)
        for one in directory.workspaces
    }
    api_keys = {
        (Dimension.API_KEY.value, one.id): _Entry(one.name, one.workspace, one.status, now)
        for one in directory.api_keys
    }
    return workspaces | api_keys


def _named(cells: Iterable[Cell], now: datetime) -> dict[_Key, _Entry]:
    """Entries for what facts name: the id is the name, except of the default workspace, which the vendor calls so."""
    named: dict[_Key, _Entry] = {}
    for cell in cells:
        name = "Default" if cell.workspace == DEFAULT_WORKSPACE else cell.workspace
        named[Dimension.WORKSPACE.value, cell.workspace] = _Entry(name, "", UNLISTED, now)
        if cell.model:
            named[Dimension.MODEL.value, cell.model] = _Entry(cell.model, "", UNLISTED, now)
        if cell.api_key != UNATTRIBUTED:
            named[Dimension.API_KEY.value, cell.api_key] = _Entry(cell.api_key, cell.workspace, UNLISTED, now)
    return named
