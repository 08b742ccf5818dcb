"""A status is made of the scopes that are asked for, and beside the event loop."""

from __future__ import annotations

import asyncio
import threading

from service.domain.budgets.budget import Budget
from service.domain.forecasts.forecast import Forecast
from service.domain.sources.source import Source
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension
from service.workflows.budgets.defects import BudgetDefect
from service.workflows.budgets.statuses import (
    MOST_AT_ONCE,
    all_statuses,
    beside_the_loop,
    forecast_statuses,
    status_part,
)
from service.workflows.configuration.spend import Budgets
from tests.factories import budget, percent
from tests.fakes.ports import FakeSource
from tests.workflows.alerts.test_evaluate_scaling import Touched, touched
from tests.workflows.budgets.test_finding import put_zone
from tests.workflows.yard import DAY, Yard, billed

PAGE, FEW, MANY = 5, 20, 200
DAYS = 30


async def spend(yard: Yard, source: Resource[Source], reader: FakeSource, members: int) -> Resource[Budget]:
    """A budget of each workspace, and each has spent a dollar a day."""
    for ago in range(DAYS):
        lines = [billed("1.00", workspace=f"wrkspc_{one:03}") for one in range(members)]
        reader.bill(yard.clock().date() - ago * DAY, *lines)
    await yard.poll(source)
    spec = budget("10.00", percent(100), for_each=Dimension.WORKSPACE, source_id=source.id)
    return await yard.create(Budgets(), f"each of {source.name}", spec)


async def page(yard: Yard, stored: Resource[Budget], skipped: int) -> Touched:
    async with yard.ports.uow() as uow:
        with touched(yard.engine) as seen:
            part = await status_part(uow, await uow.budgets.get(stored.id), yard.clock(), skipped, PAGE)
    assert [one.scope.id for one in part.statuses] == [f"wrkspc_{skipped + n:03}" for n in range(PAGE)]
    assert all(isinstance(one.forecast, Forecast) for one in part.statuses)
    return seen


async def test_a_page_reads_the_recent_days_of_its_scopes_alone(yard: Yard) -> None:
    small = await spend(yard, yard.source, yard.reader, FEW)
    large = await spend(yard, *await yard.add_source("many"), MANY)
    few, many = await page(yard, small, 0), await page(yard, large, 0)
    last = await page(yard, large, MANY - PAGE)
    assert (many.statements - last.statements, many.rows - last.rows) == (1, MANY)  # the month is not added up twice
    assert many.statements == few.statements
    assert many.rows - few.rows == MANY - FEW  # one sum a scope: which there are has to be known


async def test_all_pages_together_are_what_is_said_of_all_at_once(yard: Yard) -> None:
    stored = await spend(yard, yard.source, yard.reader, 7)
    async with yard.ports.uow() as uow:
        whole = await forecast_statuses(uow, stored, yard.clock())
        pages = [await status_part(uow, stored, yard.clock(), skipped, 3) for skipped in range(0, len(whole), 3)]
    assert [one for part in pages for one in part.statuses] == list(whole)
    assert len(whole) >= 7


async def test_what_is_computed_leaves_the_loop_free_and_takes_turns() -> None:
    at_work, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(MOST_AT_ONCE, timeout=10)
    """On the loop one after the other would wait here for the next one, and for nothing."""

    def make() -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        together.wait()
        with lock:
            at_work -= 1
        return threading.get_ident()

    threads = set(await asyncio.gather(*(beside_the_loop(make) for _ in range(3 * MOST_AT_ONCE))))
    assert threads.isdisjoint({threading.get_ident()})
    assert all(isinstance(one, int) for one in threads)
    assert most == MOST_AT_ONCE


async def test_a_budget_whose_status_cannot_be_told_says_so_and_hides_no_other(yard: Yard) -> None:
    stored = await yard.add_budget("poison", budget("10.00", percent(100)))
    await yard.add_budget("sound", budget("10.00", percent(100)))
    await put_zone(yard, "poison", "Mars/Olympus_Mons")
    async with yard.ports.uow() as uow:
        part = await status_part(uow, await uow.budgets.get(stored.id), yard.clock(), 0, PAGE)
        shown = {budget.name: len(statuses) for budget, statuses in await all_statuses(uow, yard.clock())}
    assert part.statuses == ()
    assert part.error is not None
    assert part.error.startswith("ZoneInfoNotFoundError")
    assert shown == {"sound": 1}


async def test_a_defect_comes_back_as_one() -> None:
    assert isinstance(await beside_the_loop(lambda: 1 // 0), BudgetDefect)
