"""A report is read whole and committed whole, and only what differs is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.adapters.claude.source import ClaudeConnector
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.cli.serving import serving
from service.domain.sources.poll import PollState
from service.domain.sources.pricing import Measure
from service.domain.sources.source import ReportName
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.simulator.app import create_app
from service.simulator.protocol.faults import Fault, Faults
from service.workflows.configuration.spend import Sources
from service.workflows.ports.sources import SourceError
from tests.factories import utc
from tests.fakes.fixed_world import FixedWorld, token_cost
from tests.workflows.yard import DAY, HOUR, MINUTE, SONNET, Crash, Yard, billed, caller, outcome

TODAY, YESTERDAY = date(2026, 11, 16), date(2026, 11, 15)
MONTH_AGO = date(2026, 10, 13)
"""On the first of the two pages that 35 days take."""

COST_TABLES = ("cost_points", "revisions", "spend_days", "day_versions", "spend_day_versions", "series")
EVERYTHING = (*COST_TABLES, "usage_hours", "usage_day_profiles", "usage_minutes", "known_buckets", "seen")


@pytest.fixture
async def real(yard: Yard) -> AsyncIterator[tuple[Yard, FixedWorld, Faults]]:
    """The yard with its source reading a simulated organisation over HTTP, page by page."""
    world, faults = FixedWorld(), Faults()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(create_app(world, yard.clock, faults)))
        transport = open_transport(Guard(parse_networks("127.0.0.0/8")), proxy=None)
        connector = ClaudeConnector(yard.ports.vault, await stack.enter_async_context(transport))
        yard.ports = replace(yard.ports, sources=connector)
        yard.source = await yard.change(Sources(), yard.source, replace(yard.source.spec, base_url=url))
        yield yard, world, faults


async def test_a_report_that_fails_on_its_second_page_leaves_nothing_of_its_first(
    real: tuple[Yard, FixedWorld, Faults],
) -> None:
    yard, world, faults = real
    world.set_cost(MONTH_AGO, token_cost("1234.5678"))
    faults.inject("cost_report", Fault.REPEATED_PAGE)  # which only later pages suffer
    poll = await yard.poll()
    errors = {one.report: one.error for one in poll.reports}
    assert errors.pop(ReportName.COST)
    assert set(errors.values()) == {None}
    assert poll.state is PollState.FAILED
    assert await yard.rows(*COST_TABLES) == set()

    poll = await yard.poll()
    assert outcome(poll, ReportName.COST) == (1, 0, 0)
    assert await yard.spent(MONTH_AGO) == Money.of("12.345678")


async def test_each_report_has_its_own_outcome(yard: Yard) -> None:
    yard.reader.bill(YESTERDAY, billed("3.00"))
    yard.reader.use(Width.HOUR, utc("2026-11-16T10:00"), (caller(), {Measure.OUTPUT: 1000}))
    yard.reader.refusals[ReportName.USAGE_HOURS] = SourceError("the usage report is away", retryable=True)
    poll = await yard.poll()
    assert poll.state is PollState.FAILED
    assert [(one.report, one.error) for one in poll.reports] == [
        (ReportName.DIRECTORY, None),
        (ReportName.COST, None),
        (ReportName.USAGE_HOURS, "the usage report is away"),
        (ReportName.USAGE_MINUTES, None),
    ]
    assert await yard.spent(YESTERDAY) == Money.of("3.00")
    assert await yard.rows("usage_hours") == set()
    state = await yard.state()
    assert state.last_error == "the usage report is away"
    assert state.cost_read_at == yard.clock()
    assert state.usage_read_at is None
    assert state.failures == 1  # rules live on usage


async def test_facts_and_their_rollup_are_committed_together(yard: Yard) -> None:
    """A crash after the facts and before the rollup leaves neither."""
    yard.reader.bill(YESTERDAY, billed("3.00"))
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no rollup'; END $$;"
            "CREATE TRIGGER crash BEFORE INSERT ON spend_days EXECUTE FUNCTION crash()"
        )
    try:
        with pytest.raises(Exception, match="no rollup"):
            await yard.poll()
    finally:
        async with yard.engine.begin() as connection:
            await connection.exec_driver_sql("DROP FUNCTION crash() CASCADE")
    assert await yard.rows(*COST_TABLES) == set()
    assert (await yard.polls())[-1].reports[-1].report is ReportName.DIRECTORY  # nor the outcome
    await yard.poll()
    assert await yard.spent(YESTERDAY) == Money.of("3.00")


async def test_polling_unchanged_data_again_writes_no_rows(yard: Yard) -> None:
    for number in range(20):
        yard.reader.bill(YESTERDAY - number * DAY, billed("3.00"), billed("4.00", workspace="wrkspc_a"))
    for number in range(20):
        hour, minute = utc("2026-11-16T11:00") - number * HOUR, utc("2026-11-16T11:50") - number * MINUTE
        yard.reader.use(Width.HOUR, hour, (caller(), {Measure.OUTPUT: 1000, Measure.CACHE_READ: 5}))
        yard.reader.use(Width.MINUTE, minute, (caller(), {Measure.OUTPUT: 10}))
    await yard.poll()
    written = await yard.rows(*EVERYTHING)
    yard.clock.advance(5 * MINUTE)
    poll = await yard.poll()
    counts = [outcome(poll, name) for name in (ReportName.COST, ReportName.USAGE_HOURS, ReportName.USAGE_MINUTES)]
    assert counts == [(0, 0, 0)] * 3
    assert await yard.rows(*EVERYTHING) == written


async def test_a_poll_writes_only_the_amounts_that_moved(yard: Yard) -> None:
    other = billed("4.00", workspace="wrkspc_a")
    yard.reader.bill(YESTERDAY, billed("3.00"), other)
    yard.reader.bill(TODAY, billed("1.00"))
    await yard.poll()
    before = await yard.rows("cost_points")
    yard.reader.bill(YESTERDAY, billed("3.50"), other)
    yard.reader.bill(TODAY, billed("2.00", workspace="wrkspc_new"))
    poll = await yard.poll()
    assert outcome(poll, ReportName.COST) == (1, 1, 1)
    assert len(before & await yard.rows("cost_points")) == 1  # the other workspace's line was not touched
    assert await yard.spent(YESTERDAY) == Money.of("7.50")
    assert await yard.spent(TODAY) == Money.of("2.00")


async def test_a_day_that_comes_back_empty_was_nothing_and_an_answer_without_days_is_none(
    real: tuple[Yard, FixedWorld, Faults],
) -> None:
    yard, world, faults = real
    world.set_cost(YESTERDAY, token_cost("300"))
    await yard.poll()
    faults.inject("cost_report", Fault.EMPTY_DATA)
    poll = await yard.poll()
    assert [one.report for one in poll.reports if one.error] == [ReportName.COST]
    assert await yard.spent(YESTERDAY) == Money.of("3.00")
    world.set_cost(YESTERDAY)
    poll = await yard.poll()
    assert outcome(poll, ReportName.COST) == (0, 0, 1)
    assert await yard.spent(YESTERDAY) == Money.of("0")


async def test_a_day_settles_by_being_read_even_when_its_bill_did_not_move(yard: Yard) -> None:
    """The estimate outweighs the bill until a day after the day's end; from then on the bill is what counts."""
    yard.reader.bill(YESTERDAY, billed("1.00"))
    yard.reader.use(Width.HOUR, utc("2026-11-15T10:00"), (caller(model=SONNET), {Measure.OUTPUT: 1_000_000}))
    await yard.poll()
    assert await yard.spent(YESTERDAY) == Money.of("15.00")
    yard.clock.move_to(utc("2026-11-17T00:00") - timedelta(seconds=1))
    await yard.poll()
    assert await yard.spent(YESTERDAY) == Money.of("15.00")
    yard.clock.move_to(utc("2026-11-17T00:00"))
    poll = await yard.poll()
    assert outcome(poll, ReportName.COST) == (0, 0, 0)
    assert await yard.spent(YESTERDAY) == Money.of("1.00")


async def test_a_defect_in_the_reader_is_not_taken_for_a_refusal(yard: Yard) -> None:
    async def crash(report: ReportName) -> None:
        raise Crash

    yard.reader.meanwhile = crash
    with pytest.raises(Crash):
        await yard.poll()
