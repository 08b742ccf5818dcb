"""A report that is read again: what has not changed is recognised by its bytes, and what has is never taken for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from service.adapters.claude.connector import ClaudeConnector
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.cli.serving import serving
from service.domain.sources.pricing import Measure, PriceOverride
from service.domain.sources.source import ReportName
from service.domain.spend.flaws import FlawKind
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.utc import DAY, utc_day
from service.simulator.app import create_app
from service.simulator.protocol.faults import Faults
from service.simulator.world.records import Quantities, Stream
from service.workflows.configuration.spend import Sources
from tests.factories import utc
from tests.fakes.fixed_world import FixedWorld, UsageEvent, token_cost
from tests.workflows.yard import Yard, outcome

SETTLED = date(2026, 11, 13)
NOVEL = Stream(None, None, "claude-novel-9")


@pytest.fixture
async def real(yard: Yard) -> AsyncIterator[tuple[Yard, FixedWorld]]:
    """The yard with its source reading a simulated organisation over HTTP; one day's bill of $10 was read twice."""
    world = FixedWorld()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(create_app(world, yard.clock, Faults())))
        transport = open_transport(Guard(parse_networks("127.0.0.0/8")), proxy=None)
        connector = ClaudeConnector(yard.ports.vault, await stack.enter_async_context(transport))
        yard.ports = replace(yard.ports, sources=connector)
        yard.source = await yard.change(Sources(), yard.source, replace(yard.source.spec, base_url=url))
        world.set_cost(SETTLED, token_cost("1000"))
        await yard.poll()
        await yard.poll()
        yield yard, world


async def recognised(yard: Yard, width: Width, window: Window) -> set[Window]:
    async with yard.ports.uow() as uow:
        return set(await uow.fingerprints.stored(yard.source.id, width, window))


async def test_a_day_that_is_restated_after_it_was_recognised_is_stored(real: tuple[Yard, FixedWorld]) -> None:
    yard, world = real
    assert utc_day(SETTLED) in await recognised(yard, Width.DAY, Window(utc("2026-11-01"), yard.clock()))
    world.set_cost(SETTLED, token_cost("1100"))
    assert outcome(await yard.poll(), ReportName.COST) == (0, 1, 0)
    assert await yard.spent(SETTLED) == Money.of("11")
    world.set_cost(SETTLED, token_cost("1000"))  # the bytes of long ago, which are no longer the stored ones
    assert outcome(await yard.poll(), ReportName.COST) == (0, 1, 0)
    assert await yard.spent(SETTLED) == Money.of("10")


async def test_a_restated_day_that_another_release_has_read_is_read_again(real: tuple[Yard, FixedWorld]) -> None:
    """It stored $11 and no fingerprint; then the bill says $10 again, in the bytes that were stored before that."""
    yard, _ = real
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE source_states SET fence = fence + 1")
        await connection.exec_driver_sql("UPDATE cost_points SET amount = 11 WHERE amount = 10")
    assert outcome(await yard.poll(), ReportName.COST) == (0, 1, 0)
    assert await yard.spent(SETTLED) == Money.of("10")


async def test_usage_whose_price_becomes_known_is_priced_though_its_report_is_the_same(
    real: tuple[Yard, FixedWorld],
) -> None:
    yard, world = real
    at = yard.clock() - timedelta(hours=30)
    world.add_usage(UsageEvent(at, NOVEL, Quantities(output=1_000_000)))
    await yard.poll()
    hour = Window(at.replace(minute=0, second=0, microsecond=0), yard.clock())
    assert await recognised(yard, Width.HOUR, hour)
    assert await yard.spent(at.date()) == Money.of("0")
    await yard.override("novel", PriceOverride("claude-novel-9", Measure.OUTPUT, Decimal(7), at - DAY))
    await yard.poll()
    assert await yard.spent(at.date()) == Money.of("7")


async def test_another_address_is_read_whole(real: tuple[Yard, FixedWorld]) -> None:
    """What is behind it may answer the same bytes, and a poll of the old one may have written meanwhile."""
    yard, _ = real
    elsewhere = yard.source.spec.base_url.replace("127.0.0.1", "localhost")
    yard.source = await yard.change(Sources(), yard.source, replace(yard.source.spec, base_url=elsewhere))
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE cost_points SET amount = 11 WHERE amount = 10")
    assert outcome(await yard.poll(), ReportName.COST) == (0, 1, 0)


async def test_a_bill_that_comes_back_as_it_was_ends_the_doubt(real: tuple[Yard, FixedWorld]) -> None:
    """Its bytes are the stored ones, and nobody parses them: else the alert would stay for ever."""
    yard, world = real
    world.set_cost(SETTLED)
    await yard.poll()
    assert (await doubted(yard), await yard.spent(SETTLED)) == ([FlawKind.EMPTY_BILL], Money.of("10"))
    world.set_cost(SETTLED, token_cost("1000"))
    await yard.poll()
    assert (await doubted(yard), await yard.spent(SETTLED)) == ([], Money.of("10"))


async def test_a_busy_hour_that_comes_back_empty_is_doubted_though_the_days_idle_hours_are_as_they_were(
    real: tuple[Yard, FixedWorld],
) -> None:
    yard, world = real
    at = yard.clock() - timedelta(hours=30)
    world.add_usage(UsageEvent(at, replace(NOVEL, model="claude-sonnet-4-5"), Quantities(output=1_000_000)))
    await yard.poll()
    await yard.poll()
    assert await yard.spent(at.date()) == Money.of("15")
    world.clear_usage()
    await yard.poll()
    assert (await doubted(yard), await yard.spent(at.date())) == ([FlawKind.EMPTY_USAGE], Money.of("15"))


async def doubted(yard: Yard) -> list[FlawKind]:
    async with yard.ports.uow() as uow:
        return [flaw.kind for flaw in await uow.completeness.flaws(yard.source.id)]
