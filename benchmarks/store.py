"""What the store costs, in ratios of one run on one machine: loading, summing, claiming, comparing with budgets.

    python benchmarks/store.py         # about a minute; its own PostgreSQL in a temporary folder, gone afterwards

A line is one piece of work: what was done, on how much, in how many seconds, at what rate, and how many times as long
as the line it names. Seconds differ between machines and days; the ratios are what docs may lean on.
"""

from __future__ import annotations

import asyncio

from storing import asking, claiming, comparing, loading, summing
from storing.table import database, show

from service.adapters.postgres.unit_of_work import uow_factory


async def main() -> None:
    async with database() as (url, engine):
        uow = uow_factory(engine, to_real=lambda instant: instant)
        show(
            f"Loading the usage of {loading.CELLS:,} cells in {loading.HOURS} hours",
            await loading.measure(engine, url),
        )
        show(f"Summing a year of {summing.CELLS:,} cells", await summing.measure(engine))
        show("Answering what was spent in 30 days", await asking.measure(engine))
        show("Claiming what is due, each source once", await claiming.measure(uow))
        show("Comparing spend with budgets", await comparing.measure(uow))


if __name__ == "__main__":
    asyncio.run(main())
