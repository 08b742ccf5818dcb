"""A report is read whole and committed whole, and only what differs is written."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.adapters.claude.connector import ClaudeConnector
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.cli.serving import serving
from service.domain.alerts.evidence import StaleEvidence
from service.domain.sources.poll import Notice, PollState
from service.domain.sources.pricing import Measure
from service.domain.sources.source import ReportFamily, ReportName
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.simulator.app import create_app
from service.simulator.protocol.faults import Fault, Faults
from service.simulator.world.records import Stream
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.spend import Sources
from service.workflows.ports.sources import SourceError
from service.workflows.ports.spend import Changes, Stamp
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.ingest import run_begin
from service.workflows.sources.report_reading import NOT_LISTED, ReportChange, RunningPoll, run_report
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


async def test_a_key_that_may_read_analytics_alone_is_enough_to_watch_by(
    real: tuple[Yard, FixedWorld, Faults],
) -> None:
    """Nobody of a Claude Enterprise organisation can make an admin key."""
    yard, world, _ = real
    world.add_workspace("wrkspc_a", "Research")
    world.charge_key(YESTERDAY, "300", Stream("wrkspc_a", "apikey_a", SONNET))
    await yard.poll()
    key = yard.ports.vault.seal("sk-ant-api01-FAKE-key")
    enterprise = replace(yard.source.spec, admin_key=key, prefer=ReportFamily.ANALYTICS)
    yard.source = await yard.change(Sources(), yard.source, enterprise)
    poll = await yard.poll()
    assert poll.state is PollState.DONE, [one.error for one in poll.reports]
    assert NOT_LISTED in poll.reports[0].notices
    assert await yard.spent(YESTERDAY) == Money.of("3.00")
    state = await yard.state()
    assert (state.failures, state.organization_id, state.organization_name) == (0, world.organization.id, "")
    remark = state.remark or ""
    assert "were not compared" in remark
    assert "reads the analytics reports alone" in remark
    assert "claude_analytics" not in remark, "of that kind the source is"
    async with yard.ports.uow() as uow:
        workspaces = {one.id: (one.name, one.status) for one in await uow.directory.workspaces(yard.source.id)}
    assert workspaces["wrkspc_a"] == ("Research", "active"), "what was listed before is not gone"


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
        poll = await yard.poll()
    finally:
        async with yard.engine.begin() as connection:
            await connection.exec_driver_sql("DROP FUNCTION crash() CASCADE")
    assert await yard.rows(*COST_TABLES) == set()
    assert poll.state is PollState.FAILED
    (error,) = [one.error for one in poll.reports if one.error]
    assert "no rollup" in error
    assert "INSERT" not in error  # a driver adds its statement and the values
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


async def test_a_row_that_is_gone_was_nothing_and_an_answer_without_days_is_none(
    real: tuple[Yard, FixedWorld, Faults],
) -> None:
    yard, world, faults = real
    other = token_cost("200", "wrkspc_other")
    world.set_cost(YESTERDAY, token_cost("300"), other)
    await yard.poll()
    faults.inject("cost_report", Fault.EMPTY_DATA)
    poll = await yard.poll()
    assert [one.report for one in poll.reports if one.error] == [ReportName.COST]
    assert await yard.spent(YESTERDAY) == Money.of("5.00")
    world.set_cost(YESTERDAY, other)
    poll = await yard.poll()
    assert outcome(poll, ReportName.COST) == (0, 0, 1)
    assert await yard.spent(YESTERDAY) == Money.of("2.00")


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


async def test_a_defect_in_the_reader_is_that_report_s_error_and_fires_with_its_cause(yard: Yard) -> None:
    await yard.poll()

    async def crash(report: ReportName) -> None:
        if report is ReportName.COST:
            raise Crash("an answer that nobody foresaw")

    yard.reader.meanwhile = crash
    for number in range(1, 4):
        yard.clock.advance(5 * MINUTE)
        poll = await yard.poll()
        assert [(one.report, bool(one.error)) for one in poll.reports] == [
            (ReportName.COST, True),
            (ReportName.USAGE_HOURS, False),
            (ReportName.USAGE_MINUTES, False),
        ]
        assert (poll.state, (await yard.state()).failures) == (PollState.FAILED, number)
    (event,) = await run_evaluation(yard.ports, yard.source.id)
    assert isinstance(event.alert.evidence, StaleEvidence)
    assert event.alert.evidence.error == (await yard.state()).last_error
    assert "cost report failed unexpectedly (Crash: an answer that nobody foresaw)" in event.alert.evidence.error


async def test_an_id_that_the_database_cannot_index_is_that_report_s_error(yard: Yard) -> None:
    """What a reader lets through, the database may refuse: 3,000 characters do not fit into an index."""
    unlike = hashlib.shake_256(b"unlike").hexdigest(1500) * 3  # which no compression makes short
    yard.reader.bill(YESTERDAY, billed("3.00", workspace=unlike))
    yard.reader.use(Width.HOUR, utc("2026-11-16T10:00"), (caller(), {Measure.OUTPUT: 1000}))
    poll = await yard.poll()
    (error,) = [one.error for one in poll.reports if one.error]
    assert poll.state is PollState.FAILED
    assert "cost report failed unexpectedly" in error
    assert len(error) < 1000
    assert (await yard.state()).last_error == error
    assert (await yard.state()).usage_read_at == yard.clock()


async def test_a_connection_that_cannot_be_opened_for_a_defect_ends_the_poll_with_it(yard: Yard) -> None:
    yard.switchboard.organizations.clear()  # a KeyError in the connector
    poll = await yard.poll()
    assert poll.state is PollState.FAILED
    assert "The connection failed unexpectedly (KeyError" in ((await yard.state()).last_error or "")
    assert (await yard.state()).failures == 1


async def test_an_error_has_a_bound_and_one_line(yard: Yard) -> None:
    yard.reader.refusals[ReportName.COST] = SourceError("away\n\x00" + "x" * 100_000, retryable=True)
    await yard.poll()
    error = (await yard.state()).last_error or ""
    assert error.startswith("away xxx")
    assert len(error) == 1000


async def test_notices_stand_on_the_poll_and_the_report_counts_as_read(yard: Yard) -> None:
    notice = Notice("amount has more than ten decimals of a cent and was rounded", 2)
    yard.reader.notices[ReportName.COST] = (notice,)
    yard.reader.bill(YESTERDAY, billed("3.00"))
    poll = await yard.poll()
    assert {one.report: one.notices for one in poll.reports if one.notices} == {ReportName.COST: (notice,)}
    assert poll.state is PollState.DONE
    assert (await yard.state()).last_error is None


async def test_the_duration_of_a_report_is_its_reading_and_its_writing(yard: Yard) -> None:
    """The write takes 15 seconds, for the clock that a poll reads."""

    async def read() -> ReportChange:
        yard.clock.advance(timedelta(seconds=16))

        async def write(uow: UnitOfWork, stamp: Stamp) -> Changes:
            yard.clock.advance(timedelta(seconds=15))
            return Changes(added=1)

        return ReportChange(write)

    poll = await yard.request()
    begun = await run_begin(yard.ports, yard.source.id, poll.id)
    assert begun is not None
    running = RunningPoll(yard.ports, begun.source, yard.reader, begun.prices, poll.id, begun.fence)
    assert (await run_report(running, ReportName.COST, read)).seconds == 31
    assert [one.seconds for one in (await yard.see(poll)).reports] == [31]
