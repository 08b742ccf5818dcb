"""Reports that reach the store as a poll brings them: facts, rollup and versions, a transaction for each report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.facts import PostgresFacts
from service.domain.rules.view import KnownFigures
from service.domain.spend.best_known import best_known
from service.domain.spend.rows import Bucket, CostRow, UsageFact, Width
from service.workflows.ports.spend import Changes, Stamp
from tests.adapters.postgres.reports import SOURCE, facts_of, stamp


async def read(
    engine: AsyncEngine,
    at: datetime,
    cost: Sequence[Bucket[CostRow]] = (),
    hours: Sequence[Bucket[UsageFact]] = (),
) -> None:
    """What a poll at this instant has found."""
    async with facts_of(engine) as facts:
        await refresh(facts, stamp(at), await facts.replace_cost(stamp(at), cost))
    async with facts_of(engine) as facts:
        await refresh(facts, stamp(at), await facts.replace_usage(stamp(at), Width.HOUR, hours))


async def refresh(facts: PostgresFacts, told: Stamp, changes: Changes) -> None:
    inputs = await facts.day_inputs(told.source_id, changes.days)
    days = {day: best_known(seen.bill, seen.usage, settled=seen.settled) for day, seen in inputs.items()}
    await facts.store_days(told, days, changes.backfilled)


async def figures(engine: AsyncEngine, now: datetime, *, days: int = 14, hours: int = 0) -> KnownFigures:
    async with facts_of(engine) as facts:
        return await facts.figures(SOURCE, now, days=days, hours=hours)


async def figures_at(engine: AsyncEngine, at: datetime, *, days: int = 14, hours: int = 0) -> KnownFigures:
    async with facts_of(engine) as facts:
        return await facts.figures_at(SOURCE, at, days=days, hours=hours)


async def spend_by_day(engine: AsyncEngine, at: datetime) -> dict[date, float]:
    """The source's spend by day, as it was known then; days without any are left out."""
    spent: dict[date, float] = {}
    for known in (await figures_at(engine, at)).cells.values():
        for day, seen in known.items():
            spent[day] = spent.get(day, 0.0) + seen.spend
    return spent
