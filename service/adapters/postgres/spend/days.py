"""The daily rollup: best-known spend by UTC day and cell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from sqlalchemy import Delete, Insert, and_, delete, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.day_versions import note_versions
from service.adapters.postgres.spend.staging import staged, temporary_table
from service.adapters.postgres.spend.tables import AMOUNTS, CELL, spend_days
from service.domain.spend.rows import SpendDay
from service.domain.values.scopes import Cell
from service.workflows.ports.spend import Stamp

_KEY = ("day", *CELL)
_INCOMING = temporary_table("incoming_spend_days", **{name: spend_days.c[name].type for name in (*_KEY, *AMOUNTS)})


async def replace_days(
    connection: AsyncConnection,
    stamp: Stamp,
    days: Mapping[date, Mapping[Cell, SpendDay]],
    backfilled: Collection[date],
) -> None:
    """Makes these days' rows equal to `days` and keeps what that changed; writes only what differs."""
    if not days:
        return
    async with staged(connection, _INCOMING, _rows(days)):
        await connection.execute(_delete_what_is_not_so(stamp.source_id, list(days)))
        await connection.execute(_insert_what_is_missing(stamp.source_id))
        await note_versions(connection, stamp, _INCOMING, list(days), backfilled)


def _rows(days: Mapping[date, Mapping[Cell, SpendDay]]) -> Iterator[tuple[object, ...]]:
    for day, cells in days.items():
        for cell, known in cells.items():
            spend, estimate = known.spend, known.estimate
            yield (
                *(day, cell.workspace, cell.model, cell.api_key),
                *(spend.billed.usd, spend.estimated.usd),
                *(estimate.cost.usd, estimate.priority.usd, estimate.unpriced_tokens),
                *(estimate.input_tokens, estimate.cache_read_tokens, estimate.output_tokens),
            )


_SAME_KEY = and_(*(spend_days.c[name] == _INCOMING.c[name] for name in _KEY))
_SAME_ROW = and_(_SAME_KEY, *(spend_days.c[name] == _INCOMING.c[name] for name in AMOUNTS))


def _delete_what_is_not_so(source_id: str, days: list[date]) -> Delete:
    return delete(spend_days).where(
        spend_days.c.source_id == source_id,
        spend_days.c.day.in_(days),
        ~select(_INCOMING.c.day).where(_SAME_ROW).exists(),
    )


def _insert_what_is_missing(source_id: str) -> Insert:
    there = select(spend_days.c.day).where(spend_days.c.source_id == source_id, _SAME_KEY).exists()
    missing = select(literal(source_id), _INCOMING).where(~there)
    return insert(spend_days).from_select(["source_id", *_KEY, *AMOUNTS], missing)
