"""Series: the dimensions of facts, each stored once and known by a number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import fields
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import ARRAY, LargeBinary, any_, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.tables import series
from service.domain.spend.rows import Dimensions


class SeriesKind(StrEnum):
    COST = "cost"
    USAGE = "usage"


Ids: TypeAlias = dict[Dimensions, int]

_PLAIN = tuple(field.name for field in fields(Dimensions) if field.name != "extra")


class SeriesIndex:
    """Finds or makes series, and remembers them for as long as it lives: one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, SeriesKind], Ids] = {}

    async def ids(self, source_id: str, kind: SeriesKind, wanted: Collection[Dimensions]) -> Ids:
        """The number of each of these; also of others that were asked for before."""
        known = self._known.setdefault((source_id, kind), {})
        keys = {key_of(kind, dimensions): dimensions for dimensions in wanted if dimensions not in known}
        known |= await self._stored(source_id, keys)
        missing = {key: dimensions for key, dimensions in keys.items() if dimensions not in known}
        if missing:
            await self._add(source_id, kind, missing)
            known |= await self._stored(source_id, missing)
        return known

    async def _stored(self, source_id: str, keys: dict[bytes, Dimensions]) -> Ids:
        if not keys:
            return {}
        among = any_(bindparam("keys", list(keys), type_=ARRAY(LargeBinary)))
        rows = await self._connection.execute(
            select(series.c.key, series.c.id).where(series.c.source_id == source_id, series.c.key == among)
        )
        return {keys[bytes(key)]: id for key, id in rows}

    async def _add(self, source_id: str, kind: SeriesKind, missing: dict[bytes, Dimensions]) -> None:
        """Sorted, so that two transactions that add the same series wait for each other in one order."""
        rows = [
            {"source_id": source_id, "kind": kind.value, "key": key, "extra": dict(dimensions.extra)}
            | {name: getattr(dimensions, name) for name in _PLAIN}
            for key, dimensions in sorted(missing.items())
        ]
        await self._connection.execute(insert(series).on_conflict_do_nothing(), rows)


def key_of(kind: SeriesKind, dimensions: Dimensions) -> bytes:
    """Identifies a series however long its description is: an index entry has a limit of 2,700 bytes."""
    named = [getattr(dimensions, name) for name in _PLAIN]
    canonical = json.dumps([kind.value, *named, dimensions.extra], ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).digest()
