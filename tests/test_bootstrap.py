from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from service.adapters.stretches import StretchProcesses, one_for_each_core
from service.bootstrap.product import open_product
from service.settings import Settings

EVERY_CONNECTION = 10


@pytest.fixture(autouse=True)
def _environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", database_url)
    monkeypatch.setenv("TOCSIN_SECRET_KEY", "a secret key of the tests")


async def test_callers_that_hold_all_their_connections_leave_jobs_theirs(database_url: str) -> None:
    async with open_product(Settings(), database_url) as product, AsyncExitStack() as callers:
        for _ in range(EVERY_CONNECTION):
            await callers.enter_async_context(product.callers.uow())
        async with product.ports.uow() as uow:
            assert await uow.budgets.all() == []


async def test_callers_that_ask_for_pictures_do_not_make_messages_wait_for_theirs(database_url: str) -> None:
    async with open_product(Settings(), database_url) as product:
        assert product.callers.charts is not product.ports.charts  # each draws one picture at a time


@pytest.mark.parametrize(("setting", "prepares"), [("on", True), ("off", False)])
async def test_the_setting_says_whether_statements_are_prepared_by_name(
    setting: str, prepares: bool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_PREPARED_STATEMENTS", setting)
    async with open_product(Settings(), database_url) as product:
        for engine in (product.engine, product.jobs_engine):
            async with engine.connect() as connection:
                for _ in range(10):
                    await connection.execute(text("SELECT 'asked again and again'"))
                prepared = await connection.execute(text("SELECT name FROM pg_prepared_statements"))
                assert bool(prepared.all()) is prepares


@pytest.mark.parametrize(("setting", "count"), [("", one_for_each_core()), ("3", 3)])
async def test_the_setting_says_how_many_processes_a_backtest_uses(
    setting: str, count: int, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_BACKTEST_PROCESSES", setting)
    async with open_product(Settings(), database_url) as product:
        assert (type(product.ports.hands), product.ports.hands.count) == (StretchProcesses, count)
