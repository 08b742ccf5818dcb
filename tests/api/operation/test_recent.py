from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from service.api.app import create_app
from service.api.operation.recent import Recent
from service.workflows.ports.unit_of_work import UnitOfWork
from tests.api.stand import BUDGET, SOURCE, Stand, client

LONG = timedelta(hours=1)


async def test_it_is_made_once_for_all_who_ask_at_once() -> None:
    made: list[int] = []
    begun, going_on = asyncio.Event(), asyncio.Event()

    async def make() -> int:
        made.append(len(made))
        begun.set()
        await going_on.wait()
        return len(made)

    recent: Recent[int] = Recent(LONG)
    asked = [asyncio.create_task(recent.get(make)) for _ in range(20)]
    await begun.wait()
    going_on.set()
    assert await asyncio.gather(*asked) == [1] * 20
    assert await recent.get(make) == 1


async def test_a_failure_is_not_kept() -> None:
    async def fail() -> int:
        raise RuntimeError("away")

    async def make() -> int:
        return 7

    recent: Recent[int] = Recent(LONG)
    with pytest.raises(RuntimeError, match="away"):
        await recent.get(fail)
    assert await recent.get(make) == 7


async def test_a_hundred_scrapes_are_one_transaction_and_names_stay_with_viewers(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    opened: list[int] = []

    @asynccontextmanager
    async def counted() -> AsyncIterator[UnitOfWork]:
        opened.append(1)
        async with stand.ports.uow() as uow:
            yield uow

    app = create_app(replace(stand.ports, uow=counted), ready=stand.app.state.ready, metrics_kept=LONG)
    token = stand.viewer.headers["authorization"].removeprefix("Bearer ")
    async with client(app) as stranger, client(app, token) as viewer:
        assert "eng monthly" in (await viewer.get("/metrics")).text
        opened.clear()
        answers = await asyncio.gather(*(stranger.get("/metrics") for _ in range(100)))
    assert len(opened) == 1
    assert all("tocsin_sources 1.0" in one.text and "eng monthly" not in one.text for one in answers)
