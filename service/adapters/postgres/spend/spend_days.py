"""Best-known spend by UTC day and cell, written as it changes, and read as the spend of a window of time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime

from sqlalchemy import (
    ColumnElement,
    Delete,
    FromClause,
    Insert,
    Text,
    and_,
    cast,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.bill_and_usage import costs_in
from service.adapters.postgres.spend.day_versions import note_versions
from service.adapters.postgres.spend.known_buckets import first_unsettled_day
from service.adapters.postgres.spend.memory.sums import Sum, SumMemory
from service.adapters.postgres.spend.spenders.days import SPENDER, spender_days
from service.adapters.postgres.spend.staging import staged, temporary_table
from service.adapters.postgres.spend.tables import AMOUNTS, CELL, TOKENS, spend_days
from service.domain.budgets.unpriced import UnpricedUsage
from service.domain.spend.best_known import EstimatedDay, Spend, SpendDay
from service.domain.spend.day_split import edge_parts, first_day_from, spend_in_part, stretches, whole_days
from service.domain.spend.lateness import READ_DEEPLY
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import FINEST, SPENDERS, Cell, Grain, tells_spenders
from service.domain.values.utc import DAY
from service.workflows.ports.spend import Stamp

_KEY = ("day", *CELL)
_UNPRICED = spend_days.c.unpriced_tokens > literal_column("0")
"""The condition of `ix_spend_days_unpriced`, as the planner knows it: a constant, no parameter."""
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
        gone = await connection.execute(_delete_what_differs(stamp.source_id, list(days)).returning(spend_days.c.day))
        come = await connection.execute(_insert_what_is_missing(stamp.source_id).returning(spend_days.c.day))
        rewritten = {*gone.scalars(), *come.scalars()}
        await note_versions(connection, stamp, _INCOMING, list(days), backfilled, rewritten)


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


def _delete_what_differs(source_id: str, days: list[date]) -> Delete:
    return delete(spend_days).where(
        spend_days.c.source_id == source_id,
        spend_days.c.day.in_(days),
        ~select(_INCOMING.c.day).where(_SAME_ROW).exists(),
    )


def _insert_what_is_missing(source_id: str) -> Insert:
    there = select(spend_days.c.day).where(spend_days.c.source_id == source_id, _SAME_KEY).exists()
    missing = select(literal(source_id), _INCOMING).where(~there)
    return insert(spend_days).from_select(["source_id", *_KEY, *AMOUNTS], missing)


_CELL = (spend_days.c.workspace, spend_days.c.model, spend_days.c.api_key)


async def spend_in(
    connection: AsyncConnection,
    memory: SumMemory[Spend],
    source_id: str,
    window: Window,
    now: datetime,
    grain: Grain = FINEST,
) -> dict[Cell, Spend]:
    """Best-known spend by cell of a grain. Days that the window cuts are split, each finest cell by its own hours."""
    whole, *rest = await _on_whole_days(connection, memory, source_id, window, grain)
    spend = dict(whole)
    for part in edge_parts(window):
        rest.append(await _in_part(connection, source_id, part, now, grain))
    for cell, share in (item for part in rest for item in part.items()):
        place = cell.at(grain)
        spend[place] = spend[place] + share if place in spend else share
    return spend


async def spend_of(
    connection: AsyncConnection, source_ids: Collection[str], window: Window, now: datetime, grain: Grain
) -> dict[str, dict[Cell, Spend]]:
    """The same for several sources, without the tokens that have no price. One statement where no day is split."""
    first, end = whole_days(window)
    days: FromClause = spender_days(source_ids, first, end) if tells_spenders(grain) else spend_days
    kept = [days.c[dimension.value] for dimension in grain]
    rows = await connection.execute(
        select(days.c.source_id, *cells_of(days, grain), func.sum(days.c.billed), func.sum(days.c.estimated))
        .where(days.c.source_id.in_(source_ids), days.c.day >= first, days.c.day < end)
        .group_by(days.c.source_id, *kept)
    )
    spend: dict[str, dict[Cell, Spend]] = {id: {} for id in source_ids}
    for source_id, *names, billed, estimated in rows:
        spend[source_id][Cell(*names)] = Spend(Money(billed), Money(estimated))
    for source_id, part in [(id, part) for part in edge_parts(window) for id in source_ids]:
        for cell, share in (await _in_part(connection, source_id, part, now, grain)).items():
            place = cell.at(grain)
            spend[source_id][place] = spend[source_id].get(place, Spend()) + share
    return spend


async def unpriced_in(connection: AsyncConnection, source_id: str, now: datetime) -> list[UnpricedUsage]:
    """Returns the usage by model, the most tokens first."""
    first, tokens = first_unsettled_day(source_id), func.sum(spend_days.c.unpriced_tokens)
    rows = await connection.execute(
        select(spend_days.c.model, tokens, func.max(spend_days.c.day))
        .where(spend_days.c.source_id == source_id, _UNPRICED)
        .where(spend_days.c.day >= first, spend_days.c.day >= (now - READ_DEEPLY).date())
        .group_by(spend_days.c.model)
        .order_by(tokens.desc(), spend_days.c.model)
    )
    return [UnpricedUsage(model, int(count), last_day) for model, count, last_day in rows]


async def days_in(connection: AsyncConnection, source_id: str, window: Window) -> list[tuple[date, Cell, SpendDay]]:
    """The days that begin in the window, in order."""
    first, end = first_day_from(window.start), first_day_from(window.end)
    rows = await connection.execute(
        select(
            *(spend_days.c.day, *_CELL, spend_days.c.billed, spend_days.c.estimated),
            *(spend_days.c.usage_cost, spend_days.c.priority, spend_days.c.unpriced_tokens),
            *(spend_days.c[name] for name in TOKENS),
        )
        .where(spend_days.c.source_id == source_id, spend_days.c.day >= first, spend_days.c.day < end)
        .order_by(spend_days.c.day, *_CELL)
    )
    return [
        (
            day,
            Cell(workspace, model, api_key),
            SpendDay(
                Spend(Money(billed), Money(estimated)), EstimatedDay(Money(cost), Money(priority), unpriced, *tokens)
            ),
        )
        for day, workspace, model, api_key, billed, estimated, cost, priority, unpriced, *tokens in rows
    ]


def cells_of(table: FromClause, grain: Grain) -> list[ColumnElement[str]]:
    """The columns of a cell: constants for the dimensions that are not of the grain."""
    kept = {dimension.value for dimension in grain}
    names = (*CELL, *SPENDER) if tells_spenders(grain) else CELL
    return [table.c[name] if name in kept else cast(literal(""), Text).label(name) for name in names]


async def _on_whole_days(
    connection: AsyncConnection, memory: SumMemory[Spend], source_id: str, window: Window, grain: Grain
) -> list[Mapping[Cell, Spend]]:
    """Sums of parts of the window's whole days. Evaluations ask for finest cells, and read."""
    first, end = whole_days(window)
    if first == end:
        return [{}]
    if grain == FINEST or tells_spenders(grain):
        return [await _read_days(connection, source_id, first, end, grain)]
    unsettled = await connection.scalar(select(first_unsettled_day(source_id)))
    assert unsettled is not None, "there is a first day of all"

    async def read(days: ColumnElement[bool]) -> dict[Cell, Spend]:
        return await _summed(connection, source_id, days, grain, unsettled)

    return await memory.of(connection, Sum(source_id, first, end, grain, unsettled=unsettled), read)


async def _read_days(
    connection: AsyncConnection, source_id: str, first: date, end: date, grain: Grain
) -> dict[Cell, Spend]:
    rows: FromClause = spender_days([source_id], first, end) if tells_spenders(grain) else spend_days
    days = (rows.c.day >= first) & (rows.c.day < end)
    return await _summed(connection, source_id, days, grain, first_unsettled_day(source_id), rows)


async def _summed(
    connection: AsyncConnection,
    source_id: str,
    days: ColumnElement[bool],
    grain: Grain,
    unsettled: date | ColumnElement[date],
    rows: FromClause = spend_days,
) -> dict[Cell, Spend]:
    column = rows.c
    unpriced = func.sum(column.unpriced_tokens).filter(column.day >= unsettled)
    found = await connection.execute(
        select(*cells_of(rows, grain), func.sum(column.billed), func.sum(column.estimated), unpriced)
        .where(column.source_id == source_id, days)
        .group_by(*(column[name] for name in ("source_id", *(dimension.value for dimension in grain))))
    )
    return {
        Cell(*names): Spend(Money(billed), Money(estimated), unpriced_tokens=int(tokens or 0))
        for *names, billed, estimated, tokens in found
    }


async def _in_part(
    connection: AsyncConnection, source_id: str, part: Window, now: datetime, grain: Grain
) -> dict[Cell, Spend]:
    """The spend of a part of one day, split by the hours of the finest cells: of actors nothing else is known.

    A cell that spent nothing that day has nothing to split.
    """
    costs = await costs_in(connection, source_id, stretches(part))
    day = part.start.date()
    spend = await _read_days(connection, source_id, day, day + DAY, SPENDERS if tells_spenders(grain) else FINEST)
    return {
        cell: spend_in_part(whole, costs.get(cell.at(FINEST), {}), part, now)
        for cell, whole in spend.items()
        if whole != Spend()
    }
