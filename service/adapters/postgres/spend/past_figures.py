"""The figures that rules read, as known at a past instant: days from their versions, fresh ones from the revisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import Subquery, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.bill_and_usage import bill_in, on_days, usage_by, usage_in
from service.adapters.postgres.spend.day_versions import newest_cells
from service.adapters.postgres.spend.figures import (
    Stretch,
    figures_of,
    hour_figures,
    read_late_since,
    stretch,
    usage_read_at,
)
from service.adapters.postgres.spend.hour_profiles import hours_between
from service.adapters.postgres.spend.known_buckets import (
    Knowledge,
    known_by,
    settled_in,
    settled_until,
    unknown_days,
)
from service.adapters.postgres.spend.spenders.days import SPENDER, billed_by_spender
from service.adapters.postgres.spend.tables import CELL, day_versions, known_buckets, revisions, spend_day_versions
from service.domain.rules.view import DayFigures, HourFigures, KnownFigures
from service.domain.spend.best_known import SpendDay, best_known
from service.domain.spend.lateness import fresh_days, newly_read_from
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.scopes import FINEST, Cell, Grain, tells_spenders
from service.domain.values.utc import DAY, HOUR, midnight, utc_day


@dataclass
class _KnownFigures:
    """KnownFigures as they are put together, and how many of their dollars are assumed to have been known."""

    cells: dict[Cell, dict[date, DayFigures]] = field(default_factory=lambda: defaultdict(dict))
    spend: float = 0.0
    assumed: float = 0.0

    def add(self, cell: Cell, day: date, figures: DayFigures, *, assumed: bool) -> None:
        self.cells[cell][day] = figures
        self.spend += figures.spend
        self.assumed += figures.spend if assumed else 0.0

    @property
    def assumed_share(self) -> float:
        return min(max(self.assumed / self.spend, 0.0), 1.0) if self.spend > 0 else 0.0


async def figures_at(
    connection: AsyncConnection, source_id: str, at: datetime, *, days: int, hours: int, grain: Grain = FINEST
) -> KnownFigures:
    asked, knowledge = stretch(at, days, hours), known_by(at)
    fresh = await _fresh_days(connection, source_id, asked)
    known = _KnownFigures()
    await _add_versions(connection, source_id, asked, fresh, known)
    await _add_fresh(connection, source_id, asked, fresh, known)
    if tells_spenders(grain):
        await _divide(connection, source_id, asked, known)
    return KnownFigures(
        as_of=asked.as_of,
        days=asked.days,
        cells=dict(known.cells),
        unknown_days=await unknown_days(connection, source_id, asked.days, asked.as_of, knowledge),
        settled_until=await settled_until(connection, source_id, knowledge),
        late_since=await read_late_since(connection, source_id, asked),
        hours=await _hours(connection, source_id, asked, knowledge) if hours else None,
        assumed_share=known.assumed_share,
    )


async def _fresh_days(connection: AsyncConnection, source_id: str, asked: Stretch) -> dict[date, bool]:
    """The days that are read as of the instant, not of the midnight before it, and whether they are assumed.

    They are the fresh days, and those that changed on the instant's day, perhaps after it.
    """
    version = day_versions.c
    newest = (
        select(version.day, version.known_on, version.assumed)
        .ext(distinct_on(version.day))
        .where(
            version.source_id == source_id,
            version.day.between(asked.first, asked.today),
            version.known_on <= asked.today,
        )
        .order_by(version.day, version.known_on.desc())
    )
    fresh = {day: False for day in fresh_days(asked.today) if day >= asked.first}
    for day, known_on, assumed in await connection.execute(newest):
        if day in fresh or known_on == asked.today:
            fresh[day] = assumed
    return fresh


async def _add_versions(
    connection: AsyncConnection, source_id: str, asked: Stretch, fresh: Mapping[date, bool], known: _KnownFigures
) -> None:
    version = spend_day_versions.c
    then = newest_cells(
        source_id,
        version.day.between(asked.first, asked.today),
        version.day.not_in(list(fresh)),
        version.known_on < asked.today,
    ).subquery()
    figures, noted = figures_of(then.c), day_versions.c
    cell = tuple(then.c[name] for name in CELL)
    rows = await connection.execute(
        select(
            *cell,
            *(func.array_agg(column) for column in (then.c.day - asked.first, noted.assumed, *figures)),
        )
        .join_from(
            then,
            day_versions,
            and_(noted.source_id == then.c.source_id, noted.day == then.c.day, noted.known_on == then.c.known_on),
        )
        .where(or_(*(figure != 0 for figure in figures)))
        .group_by(*cell)
    )
    for workspace, model, api_key, *columns in rows:
        place = Cell(workspace, model, api_key)
        for number, assumed, *parts in zip(*columns, strict=True):
            known.add(place, asked.days[number], DayFigures(*parts), assumed=assumed)


async def _add_fresh(
    connection: AsyncConnection, source_id: str, asked: Stretch, fresh: Mapping[date, bool], known: _KnownFigures
) -> None:
    days = list(fresh)
    bill = await bill_in(connection, source_id, days, _facts_known_by(source_id, days, Width.DAY, asked.as_of))
    usage = await usage_in(connection, source_id, days, _facts_known_by(source_id, days, Width.HOUR, asked.as_of))
    settled = await settled_in(connection, source_id, days, known_by(asked.as_of))
    for day, assumed in fresh.items():
        for cell, spent in best_known(bill[day], usage[day], settled=day in settled).items():
            figures = _figures(spent)
            if figures != _NOTHING:
                known.add(cell, day, figures, assumed=assumed)


def _figures(spent: SpendDay) -> DayFigures:
    used = spent.estimate
    tokens = (float(used.input_tokens), float(used.cache_read_tokens), float(used.output_tokens))
    return DayFigures(float(spent.spend.total.usd), *tokens, float(used.priority.usd))


_NOTHING = DayFigures()


async def _divide(connection: AsyncConnection, source_id: str, asked: Stretch, known: _KnownFigures) -> None:
    """Divides each cell's day among those whom the bill of that instant names; what it does not name stays."""
    points = _facts_known_by(source_id, asked.days, Width.DAY, asked.as_of)
    told = billed_by_spender(points, [source_id], asked.first, asked.today + DAY).subquery()
    names = [told.c[name] for name in (*CELL, *SPENDER)]
    for day, amount, *ids in await connection.execute(select(*(told.c.day, told.c.amount, *names))):
        spender, spent = Cell(*ids), float(amount)
        whole = known.cells[spender.at(FINEST)]
        left = whole.get(day, _NOTHING)
        whole[day] = replace(left, spend=left.spend - spent)
        known.cells[spender][day] = DayFigures(spent)


async def _hours(connection: AsyncConnection, source_id: str, asked: Stretch, knowledge: Knowledge) -> HourFigures:
    """Hours of the last days from the revisions, older ones as they are known today."""
    window = asked.hours
    since = max(window.start, midnight(fresh_days(asked.today)[0]))
    length = (window.end - window.start) // HOUR
    cells = await hours_between(connection, source_id, Window(window.start, since)) if window.start < since else {}
    rows = {cell: [*hours, *[0.0] * (length - len(hours))] for cell, hours in cells.items()}
    if since < window.end:
        await _add_fresh_hours(connection, source_id, Window(since, window.end), asked, rows)
    read_at = await _usage_read_by(connection, source_id, asked.as_of)
    spending = {cell: costs for cell, costs in rows.items() if any(costs)}
    return await hour_figures(connection, source_id, window, spending, knowledge, read_at)


async def _add_fresh_hours(
    connection: AsyncConnection, source_id: str, window: Window, asked: Stretch, rows: dict[Cell, list[float]]
) -> None:
    start, length = asked.hours.start, (asked.hours.end - asked.hours.start) // HOUR
    days = [day for day in fresh_days(asked.today) if utc_day(day).end > window.start]
    facts = _facts_known_by(source_id, days, Width.HOUR, asked.as_of)
    stretch_of = (facts.c.bucket >= window.start, facts.c.bucket < window.end)
    statement = usage_by(facts.c.bucket, facts, (*on_days(days, facts, source_id), *stretch_of))
    for bucket, workspace, model, api_key, cost, *_ in await connection.execute(statement):
        row = rows.setdefault(Cell(workspace, model, api_key), [0.0] * length)
        row[(bucket - start) // HOUR] = float(cost or 0)


async def _usage_read_by(connection: AsyncConnection, source_id: str, at: datetime) -> datetime | None:
    """When usage was last read by then. Earlier readings are known only where they brought news: one an hour."""
    read_at = await usage_read_at(connection, source_id)
    if read_at is not None and read_at <= at:
        return read_at
    bucket = known_buckets.c
    instants = (func.max(instant).filter(instant <= at) for instant in (bucket.known_at, bucket.complete_at))
    rows = await connection.execute(
        select(*instants).where(
            bucket.source_id == source_id, bucket.width == Width.HOUR.value, bucket.bucket > newly_read_from(at)
        )
    )
    return max((instant for instant in rows.one() if instant is not None), default=None)


def _facts_known_by(source_id: str, days: Sequence[date], width: Width, at: datetime) -> Subquery:
    """The newest revision of every fact of these days that was known by then, shaped like the facts themselves."""
    revision = revisions.c
    return (
        select(
            *(revision.source_id, revision.bucket, revision.series_id, revision.quantity),
            *(revision.amount, revision.amount.label("cost")),
        )
        .ext(distinct_on(revision.bucket, revision.series_id))
        .where(*on_days(days, revisions, source_id), revision.width == width.value, revision.known_at <= at)
        .order_by(revision.bucket, revision.series_id, revision.id.desc())
        .subquery()
    )
