"""A report's rows against the stored facts: one statement writes the differences and their revisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Insert,
    Integer,
    Select,
    Table,
    Text,
    Update,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.known_buckets import note_readings
from service.adapters.postgres.spend.partitions import without_nested_loops
from service.adapters.postgres.spend.staging import staged, temporary_table
from service.adapters.postgres.spend.tables import (
    INSTANT,
    USD,
    cost_points,
    revisions,
    usage_hours,
    usage_minutes,
)
from service.domain.spend.lateness import Revise
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.workflows.ports.spend import Changes, Stamp


class Fate(StrEnum):
    """The effect of a report on one fact."""

    ADDED = "added"
    CHANGED = "changed"
    GONE = "gone"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class FactKind:
    """The table of one kind of facts, the table of its incoming rows, and the columns that hold their values."""

    table: Table
    incoming: Table
    width: Width
    money: str
    quantity: str | None = None

    @property
    def values(self) -> tuple[str, ...]:
        return (self.money,) if self.quantity is None else (self.quantity, self.money)


def _usage_kind(table: Table, width: Width) -> FactKind:
    incoming = temporary_table(
        f"incoming_{table.name}", bucket=INSTANT, series_id=Integer(), quantity=BigInteger(), cost=USD
    )
    return FactKind(table, incoming, width, money="cost", quantity="quantity")


COST = FactKind(
    cost_points,
    temporary_table("incoming_cost_points", bucket=INSTANT, series_id=Integer(), amount=USD),
    Width.DAY,
    money="amount",
)
HOURS = _usage_kind(usage_hours, Width.HOUR)
MINUTES = _usage_kind(usage_minutes, Width.MINUTE)

_READ = temporary_table("read_buckets", bucket=INSTANT, known_at=INSTANT, assumed=Boolean(), revise=Text())

FactRow: TypeAlias = Sequence[object]
"""(bucket, series id, then the kind's values in their order)"""


async def merge(
    connection: AsyncConnection,
    kind: FactKind,
    stamp: Stamp,
    windows: Sequence[Window],
    rows: Iterable[FactRow],
) -> Changes:
    """Makes the facts of these buckets equal to `rows`, no two of which share bucket and series.

    A stored row that is not among them becomes 0. A row that is equal already is not written.
    """
    if not windows:
        return Changes()
    readings = await note_readings(connection, stamp, kind.width, windows)
    described = [(one.bucket, one.known_at, one.assumed, one.revise.value) for one in readings]
    async with (
        staged(connection, kind.incoming, rows),
        staged(connection, _READ, described),
        without_nested_loops(connection),
    ):
        outcome = (await connection.execute(_statement(kind, stamp, windows))).all()
    counts = Counter({Fate(fate): 0 for fate in Fate})
    for fate, _, count in outcome:
        counts[Fate(fate)] += count
    days = {day for fate, day, _ in outcome if fate != Fate.SAME and kind.width is not Width.MINUTE}
    if kind.width is Width.DAY:
        days |= {one.bucket.date() for one in readings if one.is_news}
    backfilled = days & {one.bucket.date() for one in readings if one.assumed}
    return Changes(
        *(counts[Fate.ADDED], counts[Fate.CHANGED], counts[Fate.GONE]), frozenset(days), frozenset(backfilled)
    )


def _statement(kind: FactKind, stamp: Stamp, windows: Sequence[Window]) -> Select[Any]:
    """Counts fates by day, and on its way writes facts and revisions."""
    compared = _compared(kind, stamp, windows)
    day = cast(func.timezone("UTC", compared.c.bucket), Date)
    return (
        select(compared.c.fate, day, func.count())
        .group_by(compared.c.fate, day)
        .add_cte(_add(kind, stamp, compared).cte("additions"))
        .add_cte(_amend(kind, stamp, compared, windows).cte("amendments"))
        .add_cte(_revise(kind, stamp, compared).cte("revised"))
    )


def _compared(kind: FactKind, stamp: Stamp, windows: Sequence[Window]) -> CTE:
    """Every fact of the read buckets, stored or incoming, with its new values and its fate."""
    facts, incoming = kind.table, kind.incoming
    stored = (
        select(facts).join(_READ, _READ.c.bucket == facts.c.bucket).where(*_within(kind, stamp, windows)).cte("stored")
    )
    same_fact = and_(stored.c.bucket == incoming.c.bucket, stored.c.series_id == incoming.c.series_id)
    is_new, is_missing = stored.c.series_id.is_(None), incoming.c.series_id.is_(None)
    new = {name: case((is_missing, 0), else_=incoming.c[name]) for name in kind.values}
    differs = or_(*(stored.c[name].is_distinct_from(value) for name, value in new.items()))
    fate: ColumnElement[str] = case(
        (is_new, Fate.ADDED.value),
        (and_(is_missing, differs), Fate.GONE.value),
        (differs, Fate.CHANGED.value),
        else_=Fate.SAME.value,
    )
    return (
        select(
            func.coalesce(stored.c.bucket, incoming.c.bucket).label("bucket"),
            func.coalesce(stored.c.series_id, incoming.c.series_id).label("series_id"),
            *(value.label(name) for name, value in new.items()),
            fate.label("fate"),
        )
        .select_from(stored.join(incoming, same_fact, full=True))
        .cte("compared")
    )


def _within(kind: FactKind, stamp: Stamp, windows: Sequence[Window]) -> list[ColumnElement[bool]]:
    """The source's facts in the range that the read buckets span: for the index and the partitions."""
    facts, starts = kind.table.c, [window.start for window in windows]
    widths = [facts.width == kind.width.value] if "width" in facts else []
    return [facts.source_id == stamp.source_id, facts.bucket.between(min(starts), max(starts)), *widths]


def _add(kind: FactKind, stamp: Stamp, compared: CTE) -> Insert:
    """Not an upsert, which takes three times as long: no other poll of this source writes at the same time."""
    columns = {
        "source_id": literal(stamp.source_id),
        "bucket": compared.c.bucket,
        "series_id": compared.c.series_id,
        **({"width": literal(kind.width.value)} if "width" in kind.table.c else {}),
        **{name: compared.c[name] for name in kind.values},
    }
    added = select(*columns.values()).where(compared.c.fate == Fate.ADDED.value)
    return insert(kind.table).from_select(list(columns), added)


def _amend(kind: FactKind, stamp: Stamp, compared: CTE, windows: Sequence[Window]) -> Update:
    return (
        update(kind.table)
        .values({name: compared.c[name] for name in kind.values})
        .where(
            *_within(kind, stamp, windows),
            kind.table.c.bucket == compared.c.bucket,
            kind.table.c.series_id == compared.c.series_id,
            compared.c.fate.in_([Fate.CHANGED.value, Fate.GONE.value]),
        )
    )


def _revise(kind: FactKind, stamp: Stamp, compared: CTE) -> Insert:
    columns = {
        "source_id": literal(stamp.source_id),
        "bucket": compared.c.bucket,
        "series_id": compared.c.series_id,
        "width": literal(kind.width.value),
        "known_at": _READ.c.known_at,
        "assumed": _READ.c.assumed,
        "amount": compared.c[kind.money],
        "quantity": compared.c[kind.quantity] if kind.quantity else cast(null(), BigInteger),
        "poll_id": literal(stamp.poll_id),
    }
    moved = and_(_READ.c.revise == Revise.CHANGES.value, compared.c.fate != Fate.SAME.value)
    revised = (
        select(*columns.values())
        .join_from(compared, _READ, _READ.c.bucket == compared.c.bucket)
        .where(or_(moved, _READ.c.revise == Revise.EVERYTHING.value))
    )
    return insert(revisions).from_select(list(columns), revised)
