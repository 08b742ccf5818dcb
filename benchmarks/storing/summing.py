"""A year's spend by cell: from the daily rollup, which budgets read, and from the hours it is made of."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.bill_and_usage import costs_in
from service.adapters.postgres.spend.memory.sums import SumMemory
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.spend.spend_days import spend_in
from service.domain.values.money import Money
from service.domain.values.periods import Window
from storing.table import DAY, NOW, Row, best_of, times

CELLS, BUSY_HOURS = 1000, 8
YEAR = Window(NOW - 365 * DAY, NOW)


async def measure(engine: AsyncEngine) -> list[Row]:
    await furnish_year(engine)
    async with engine.connect() as connection:
        by_day, spend = await best_of(lambda: spend_in(connection, SumMemory(0), "src_year", YEAR, NOW))
        by_hour, costs = await best_of(lambda: costs_in(connection, "src_year", [YEAR]))
    assert len(spend) == len(costs) == CELLS
    assert Money.total(one.total for one in spend.values()) == Money.total(one[YEAR] for one in costs.values())
    days, facts = CELLS * 365, CELLS * 365 * BUSY_HOURS
    return [
        Row("a year's sum by cell: daily rollup", f"{days:,} rows", by_day, f"{days / by_day:,.0f} rows/s"),
        Row(
            f"the same: hourly facts, {BUSY_HOURS} a day",
            f"{facts:,} rows",
            by_hour,
            f"{facts / by_hour:,.0f} rows/s",
            times(by_hour, by_day, "the rollup"),
        ),
    ]


async def furnish_year(engine: AsyncEngine) -> None:
    """A year of cells that are busy for the same few hours of every day, as facts and as their rollup."""
    await PostgresStorage(engine).make_room(YEAR)
    statements = (
        "INSERT INTO series (source_id, kind, workspace, model, token_type, api_key, key)"
        " SELECT 'src_year', 'usage', 'wrkspc_' || n % 50, 'claude-sonnet-4-5', 'output_tokens',"
        " 'apikey_' || n, decode(md5(n::text), 'hex') FROM generate_series(1, :cells) n",
        "INSERT INTO usage_hours (source_id, bucket, series_id, quantity, cost)"
        " SELECT 'src_year', day + make_interval(hours => h), id, 1000, 0.25"
        " FROM generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz) - interval '1 day', '1 day') day,"
        " generate_series(9, 8 + :hours) h, series WHERE source_id = 'src_year'",
        "INSERT INTO spend_days SELECT source_id, bucket::date, workspace, model, api_key,"
        " 0, sum(cost), sum(cost), 0, 0 FROM usage_hours JOIN series USING (source_id)"
        " WHERE source_id = 'src_year' AND series.id = series_id GROUP BY 1, 2, 3, 4, 5",
    )
    values = {"cells": CELLS, "hours": BUSY_HOURS, "start": YEAR.start, "end": YEAR.end}
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), values)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))
