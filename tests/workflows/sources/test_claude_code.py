"""People's use of Claude Code, read from a simulated organisation over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date

import pytest

from service.adapters.claude.connector import ClaudeConnector
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.cli.serving import serving
from service.domain.sources.poll import PollState
from service.domain.sources.source import People
from service.domain.spend.claude_code import ClaudeCodeDay
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, ScopeKey
from service.simulator.app import create_app
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import Fault, Faults
from service.simulator.world.records import Quantities, Stream
from service.workflows.configuration.spend import Sources
from tests.factories import utc
from tests.fakes.fixed_world import FixedWorld, UsageEvent, token_cost
from tests.workflows.yard import HOUR, Yard

YESTERDAY = date(2026, 11, 15)
MAIL = "ada@simulated.example"
ADA = Stream("wrkspc_1", "apikey_1", "claude-sonnet-5-5", person="user_01Ada", product="claude_code")
OTHER = Stream("wrkspc_1", "apikey_2", "claude-sonnet-5-5")


@dataclass
class Desk:
    yard: Yard
    world: FixedWorld
    faults: Faults

    async def switch(self, people: People, *, claude_code: bool) -> None:
        spec = replace(self.yard.source.spec, people=people, claude_code=claude_code)
        self.yard.source = await self.yard.change(Sources(), self.yard.source, spec)

    async def days(self) -> list[ClaudeCodeDay]:
        async with self.yard.ports.uow() as uow:
            return await uow.claude_code.days(self.yard.source.id, Window(utc("2026-10-01"), utc("2026-12-01")))


@pytest.fixture
async def desk(yard: Yard) -> AsyncIterator[Desk]:
    """Ada used $7 of Claude Code yesterday, and a key $3 of the API."""
    world, faults = FixedWorld(), Faults()
    world.add_workspace("wrkspc_1", "Research")
    world.set_cost(YESTERDAY, token_cost("1000", "wrkspc_1"))
    for stream, cents in ((ADA, "700"), (OTHER, "300")):
        world.charge_key(YESTERDAY, cents, stream)
        world.add_usage(UsageEvent(utc("2026-11-15T10:00"), stream, Quantities(output=30_000)))
    async with AsyncExitStack() as stack:
        app = create_app(world, yard.clock, faults, Behaviour(requests_per_minute=10_000))
        url = await stack.enter_async_context(serving(app))
        transport = await stack.enter_async_context(open_transport(Guard(parse_networks("127.0.0.0/8")), proxy=None))
        yard.ports = replace(yard.ports, sources=ClaudeConnector(yard.ports.vault, transport))
        yard.source = await yard.change(Sources(), yard.source, replace(yard.source.spec, base_url=url))
        yield Desk(yard, world, faults)


async def test_a_persons_day_is_read_under_the_number_and_is_no_spend_of_its_own(desk: Desk) -> None:
    await desk.switch(People.NAMES, claude_code=True)
    assert (await desk.yard.poll()).state is PollState.DONE
    (day,) = [one for one in await desk.days() if one.records]
    (record,) = day.records
    number = f"person_{desk.yard.ports.vault.pseudonym(MAIL)}"
    assert (day.day, record.actor, record.customer) == (YESTERDAY, number, "api")
    assert [(use.model, use.output_tokens, use.cost) for use in record.models] == [
        ("claude-sonnet-5-5", 30_000, Money.of("7"))
    ]
    assert record.sessions >= 1
    assert {tool.tool for tool in record.tools} >= {"edit_tool", "write_tool"}
    key = ScopeKey(Dimension.ACTOR, number)
    async with desk.yard.ports.uow() as uow:
        assert await uow.directory.names(desk.yard.source.id, [key]) == {key: MAIL}
    spent = await desk.yard.spend(YESTERDAY)
    assert sum(one.spend.total.usd for one in spent.values()) == 10


async def test_it_is_off_unless_somebody_switches_it_on_and_then_nobody_is_known(desk: Desk) -> None:
    await desk.yard.poll()
    assert await desk.days() == []
    await desk.switch(People.OFF, claude_code=True)
    await desk.yard.poll()
    assert [record.actor for day in await desk.days() for record in day.records] == [""]
    await desk.switch(People.OFF, claude_code=False)
    assert await desk.days() == []


async def test_switching_people_off_forgets_whose_days_they_were(desk: Desk) -> None:
    await desk.switch(People.HASHED, claude_code=True)
    await desk.yard.poll()
    assert all(record.actor for day in await desk.days() for record in day.records)
    await desk.switch(People.OFF, claude_code=True)
    assert await desk.days() == []
    assert (await desk.yard.state()).deep_read_at is None, "the past is read again, as the switch says now"
    await desk.yard.poll()
    assert [record.actor for day in await desk.days() for record in day.records] == [""]


async def test_a_report_that_is_refused_is_a_notice_and_the_bill_is_read(desk: Desk) -> None:
    await desk.switch(People.NAMES, claude_code=True)
    desk.faults.inject("claude_code", Fault.FORBIDDEN, times=None)
    poll = await desk.yard.poll()
    assert poll.state is PollState.DONE
    notices = [notice.text for outcome in poll.reports for notice in outcome.notices]
    assert [text for text in notices if text.startswith("Claude Code was not read")]
    desk.faults.clear()
    desk.yard.clock.advance(HOUR)
    await desk.yard.poll()
    assert [day.day for day in await desk.days() if day.records] == [YESTERDAY]
