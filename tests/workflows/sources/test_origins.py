"""Polls of the analytics reports: what is complete, what never goes back, and changing from one family to the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest

from service.adapters.claude.connector import ClaudeConnector
from service.adapters.claude.source import ClaudeAdminSource
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.cli.serving import serving
from service.domain.sources.poll import Poll, PollState
from service.domain.sources.source import ReportFamily
from service.domain.spend.best_known import Spend
from service.domain.spend.flaws import FlawKind
from service.domain.spend.lateness import is_stale
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.simulator.app import create_app
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import Fault, Faults
from service.simulator.world.records import Quantities, Stream
from service.workflows.configuration.engine import SYSTEM, Author
from service.workflows.configuration.probe import run_check_source
from service.workflows.configuration.spend import Sources
from service.workflows.ports.sources import StoredBuckets
from service.workflows.sources.backfill import request_backfill, run_backfill
from tests.factories import utc
from tests.fakes.fixed_world import FixedWorld, UsageEvent, token_cost
from tests.workflows.yard import HOUR, Yard

MODEL = "claude-sonnet-5-5"
TWO_DAYS_AGO, YESTERDAY = date(2026, 11, 14), date(2026, 11, 15)
ALICE, BOB = (Stream("wrkspc_1", key, MODEL) for key in ("apikey_alice", "apikey_bob"))


@dataclass
class Stage:
    """The yard at noon, its source reading a simulated organisation over HTTP."""

    yard: Yard
    world: FixedWorld
    behaviour: Behaviour
    faults: Faults

    async def prefer(self, reports: ReportFamily | None) -> None:
        spec = replace(self.yard.source.spec, prefer=reports)
        self.yard.source = await self.yard.change(Sources(), self.yard.source, spec)

    def bill(self, day: date) -> None:
        """Ten dollars in both families: the analytics reports say whose they are."""
        self.world.set_cost(day, token_cost("1000", "wrkspc_1"))
        self.world.charge_key(day, "700", ALICE)
        self.world.charge_key(day, "300", BOB)


@pytest.fixture
async def stage(yard: Yard) -> AsyncIterator[Stage]:
    world, faults, behaviour = FixedWorld(), Faults(), Behaviour(requests_per_minute=10_000)
    world.add_workspace("wrkspc_1", "Research")
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(create_app(world, yard.clock, faults, behaviour)))
        transport = open_transport(Guard(parse_networks("127.0.0.0/8")), proxy=None)
        connector = ClaudeConnector(yard.ports.vault, await stack.enter_async_context(transport))
        yard.ports = replace(yard.ports, sources=connector)
        spec = replace(yard.source.spec, base_url=url, prefer=ReportFamily.ANALYTICS)
        yard.source = await yard.change(Sources(), yard.source, spec)
        yield Stage(yard, world, behaviour, faults)


async def test_a_keys_spend_is_what_it_is_billed_whatever_it_used(stage: Stage) -> None:
    stage.bill(TWO_DAYS_AGO)
    stage.world.add_usage(UsageEvent(utc("2026-11-14T10:00"), BOB, Quantities(output=10_000)))
    poll = await stage.yard.poll()
    assert poll.state is PollState.DONE
    days = await stage.yard.spend(TWO_DAYS_AGO)
    assert {cell.api_key: day.spend for cell, day in days.items()} == {
        "apikey_alice": Spend(billed=Money.of("7")),
        "apikey_bob": Spend(billed=Money.of("3")),
    }
    state = await stage.yard.state()
    assert (state.reports_read, state.refreshed_at, state.remark) == (
        ReportFamily.ANALYTICS,
        utc("2026-11-16T12:00"),
        None,
    )


async def test_a_day_is_settled_by_the_time_of_the_data_and_not_of_the_poll(stage: Stage) -> None:
    stage.yard.clock.advance(13 * HOUR)  # 01:00: yesterday's data are of 00:00
    stage.bill(YESTERDAY)
    stage.behaviour.refresh_delay = 2 * HOUR  # they are of 20:00 of the day before
    await stage.yard.poll()
    async with stage.yard.ports.uow() as uow:
        assert await uow.facts.billed_until(stage.yard.source.id) == utc("2026-11-15T00:00")
    stage.behaviour.refresh_delay = timedelta()
    await stage.yard.poll()
    async with stage.yard.ports.uow() as uow:
        assert await uow.facts.billed_until(stage.yard.source.id) == utc("2026-11-16T00:00")


async def test_a_day_whose_hours_the_data_have_not_all_reached_is_not_doubted(stage: Stage) -> None:
    """People begin at 20:00, and the data end before that: the day is not empty, the rest of it is unknown."""
    stage.yard.clock.advance(14 * HOUR)  # 02:00
    stage.behaviour.refresh_delay = 7 * HOUR
    for day in ("2026-11-09", "2026-11-15"):
        stage.world.add_usage(UsageEvent(utc(f"{day}T20:00"), BOB, Quantities(output=10_000)))
    await stage.yard.poll()
    async with stage.yard.ports.uow() as uow:
        assert await uow.completeness.flaws(stage.yard.source.id) == []


async def test_the_estimate_ends_where_the_data_do(stage: Stage) -> None:
    stage.yard.clock.advance(3 * HOUR)
    poll = await stage.yard.poll()
    assert [one.notices for one in poll.reports if one.notices] == [], "later hours are not lacking"
    async with stage.yard.ports.uow() as uow:
        assert await uow.facts.estimated_until(stage.yard.source.id) == utc("2026-11-16T12:00")


@pytest.mark.parametrize(
    ("prefer", "refused", "flawed"),
    [
        (ReportFamily.ADMIN, False, True),
        (ReportFamily.ANALYTICS, True, True),
        (ReportFamily.ANALYTICS, False, False),
    ],
    ids=["by choice", "in place of the others", "of the other family, which has its own total"],
)
async def test_the_bill_of_the_admin_reports_is_compared_with_its_total_beside_the_analytics_reports_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, prefer: ReportFamily, refused: bool, flawed: bool
) -> None:
    async def cost_totals(*_: object) -> dict[date, Money]:
        return {YESTERDAY: Money.of("25.00")}

    monkeypatch.setattr(ClaudeAdminSource, "cost_totals", cost_totals)
    stage.bill(YESTERDAY)
    stage.behaviour.hipaa_ready = refused
    await stage.prefer(prefer)
    await stage.yard.poll()
    async with stage.yard.ports.uow() as uow:
        flaws = await uow.completeness.flaws(stage.yard.source.id)
    assert [(one.kind, one.day) for one in flaws] == ([(FlawKind.TOTAL_DIFFERS, YESTERDAY)] if flawed else [])


async def test_a_total_that_differed_in_the_other_reports_is_no_flaw_of_the_day_that_replaces_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing would compare it any more, and the alert would stay for a month."""

    async def cost_totals(*_: object) -> dict[date, Money]:
        return {YESTERDAY: Money.of("25.00")}

    monkeypatch.setattr(ClaudeAdminSource, "cost_totals", cost_totals)
    stage.bill(YESTERDAY)
    for prefer, flaws in ((ReportFamily.ADMIN, 1), (ReportFamily.ANALYTICS, 0)):
        await stage.prefer(prefer)
        await stage.yard.poll()
        async with stage.yard.ports.uow() as uow:
            assert len(await uow.completeness.flaws(stage.yard.source.id)) == flaws


async def test_data_that_go_back_take_nothing_back(stage: Stage) -> None:
    stage.bill(date(2026, 11, 16))
    await stage.yard.poll()
    before = await stage.yard.spend(date(2026, 11, 16))
    assert before
    stage.behaviour.refresh_delay = 13 * HOUR
    poll = await stage.yard.poll()
    errors = [one.error for one in poll.reports if one.error]
    assert len(errors) == 2
    assert "data up to 2026-11-15 20:00 UTC, and data up to 2026-11-16 12:00 were read before" in errors[0]
    assert await stage.yard.spend(date(2026, 11, 16)) == before
    assert (await stage.yard.state()).refreshed_at == utc("2026-11-16T12:00")
    stage.behaviour.refresh_delay = timedelta()
    assert (await stage.yard.poll()).state is PollState.DONE


async def test_changing_the_reports_neither_doubles_nor_loses_a_day(stage: Stage) -> None:
    days = (TWO_DAYS_AGO, YESTERDAY)
    for day in days:
        stage.bill(day)
    shared = Cell("wrkspc_1", MODEL, "")
    named = {Cell("wrkspc_1", MODEL, key) for key in ("apikey_alice", "apikey_bob")}
    for prefer, cells in (
        (ReportFamily.ADMIN, {shared}),
        (ReportFamily.ANALYTICS, named),
        (None, {shared}),
        (ReportFamily.ANALYTICS, named),
    ):
        await stage.prefer(prefer)
        assert (await stage.yard.poll()).state is PollState.DONE
        for day in days:
            spent = {cell: one.spend.total for cell, one in (await stage.yard.spend(day)).items()}
            assert Money.total(spent.values()) == Money.of("10"), prefer
            assert {cell for cell, amount in spent.items() if amount} == cells, prefer


async def test_an_organisation_that_they_refuse_is_read_all_the_same_and_the_status_says_how(stage: Stage) -> None:
    stage.bill(YESTERDAY)
    stage.behaviour.hipaa_ready = True
    assert (await stage.yard.poll()).state is PollState.DONE
    assert await stage.yard.spent(YESTERDAY) == Money.of("10")
    state = await stage.yard.state()
    assert state.reports_read is ReportFamily.ADMIN
    assert "HIPAA-ready" in (state.remark or "")
    stage.behaviour.hipaa_ready = False
    await stage.yard.poll()
    state = await stage.yard.state()
    assert (state.reports_read, state.remark) == (ReportFamily.ANALYTICS, None)


async def test_a_poll_that_is_refused_says_which_permission_is_missing(stage: Stage) -> None:
    stage.faults.inject("analytics_cost", Fault.FORBIDDEN, times=None)
    assert (await stage.yard.poll()).state is PollState.FAILED
    assert "read:analytics" in ((await stage.yard.state()).last_error or "")


@pytest.mark.parametrize("ahead", [timedelta(days=2)])
async def test_data_noted_by_a_clock_that_ran_ahead_hold_nothing_up(stage: Stage, ahead: timedelta) -> None:
    stage.yard.clock.advance(ahead)
    await stage.yard.poll()
    stage.yard.clock.advance(-ahead)
    assert (await stage.yard.poll()).state is PollState.DONE
    assert (await stage.yard.state()).refreshed_at == utc("2026-11-16T12:00")


async def test_what_is_complete_and_the_same_is_not_written_again_and_what_differs_is(stage: Stage) -> None:
    stage.bill(TWO_DAYS_AGO)
    await stage.yard.poll()

    async def stored() -> frozenset[Window]:
        window = Window(utc("2026-11-13T00:00"), utc("2026-11-17T00:00"))
        async with stage.yard.ports.uow() as uow:
            kept = StoredBuckets(_prices(stage), await uow.fingerprints.stored(stage.yard.source.id, Width.DAY, window))
        async with stage.yard.ports.sources.connect(stage.yard.source.spec) as reader:
            return (await reader.cost(window, kept)).unchanged

    settled = Window(utc("2026-11-14T00:00"), utc("2026-11-15T00:00"))
    assert settled in await stored()
    stage.world.charge_key(TWO_DAYS_AGO, "100", ALICE)
    assert settled not in await stored()
    await stage.yard.poll()
    assert await stage.yard.spent(TWO_DAYS_AGO) == Money.of("11")


def _prices(stage: Stage) -> str:
    return stage.yard.ports.price_book([]).fingerprint


async def test_a_report_without_a_row_does_not_make_known_days_cost_nothing(stage: Stage) -> None:
    assert (await stage.yard.poll()).state is PollState.DONE, "an organisation that has used nothing"
    stage.bill(YESTERDAY)
    stage.world.add_usage(UsageEvent(utc("2026-11-15T10:00"), BOB, Quantities(output=10_000)))
    await stage.yard.poll()
    known = await stage.yard.spend(YESTERDAY)
    for endpoint in ("analytics_cost", "analytics_usage"):
        stage.faults.inject(endpoint, Fault.EMPTY_DATA, times=None)
    poll = await stage.yard.poll()
    errors = [one.error or "" for one in poll.reports if one.error]
    assert ["no row at all" in error and "2026-11-15" in error for error in errors] == [True, True]
    assert await stage.yard.spend(YESTERDAY) == known


async def test_data_that_are_not_refreshed_any_more_make_a_source_blind_however_well_it_answers(stage: Stage) -> None:
    await stage.yard.poll()
    stage.yard.clock.advance(20 * HOUR)
    stage.behaviour.refresh_delay = 20 * HOUR
    assert (await stage.yard.poll()).state is PollState.DONE
    for _ in range(3):
        stage.yard.clock.advance(5 * HOUR)
        stage.behaviour.refresh_delay += 5 * HOUR
        assert (await stage.yard.poll()).state is PollState.FAILED
    state = await stage.yard.state()
    assert is_stale(state, stage.yard.clock())
    assert "have not been refreshed since 2026-11-16 12:00 UTC" in (state.last_error or "")


@pytest.mark.parametrize("prefer", list(ReportFamily))
async def test_a_difference_between_the_reports_is_in_the_status(stage: Stage, prefer: ReportFamily) -> None:
    stage.bill(TWO_DAYS_AGO)
    await stage.prefer(prefer)
    await stage.yard.poll()
    assert (await stage.yard.state()).remark is None
    stage.world.set_cost(TWO_DAYS_AGO, token_cost("1200", "wrkspc_1"))
    await stage.yard.poll()
    remark = (await stage.yard.state()).remark or ""
    assert "2026-11-14 is $12.00 by the Admin reports and $10.00 by the analytics reports" in remark
    stage.faults.inject("cost_report", Fault.FORBIDDEN, times=None)
    poll = await stage.yard.poll()
    if prefer is ReportFamily.ANALYTICS:
        assert poll.state is PollState.DONE
        assert "were not compared" in ((await stage.yard.state()).remark or "")


async def test_a_check_says_which_reports_the_key_may_read(stage: Stage) -> None:
    async def check() -> tuple[str | None, dict[ReportFamily, str | None]]:
        author = Author(SYSTEM, stage.yard.clock())
        found = await run_check_source(stage.yard.ports, stage.yard.source.id, author)
        return found.error, {one.reports: one.refusal for one in found.reports}

    assert await check() == (None, {ReportFamily.ADMIN: None, ReportFamily.ANALYTICS: None})
    stage.behaviour.hipaa_ready = True
    error, refusals = await check()
    assert (error, refusals[ReportFamily.ADMIN]) == (None, None)
    assert "HIPAA-ready" in (refusals[ReportFamily.ANALYTICS] or "")
    await stage.prefer(None)
    stage.behaviour.hipaa_ready = False
    stage.faults.inject("analytics_cost", Fault.FORBIDDEN)
    error, refusals = await check()
    assert (error, refusals[ReportFamily.ADMIN]) == (None, None)
    assert "read:analytics" in (refusals[ReportFamily.ANALYTICS] or "")


async def backfilled(stage: Stage, since: datetime) -> Poll:
    """A backfill with a key that reads the analytics reports alone, after the first poll."""
    spec = replace(stage.yard.source.spec, admin_key=stage.yard.ports.vault.seal("sk-ant-api01-FAKE-key"))
    stage.yard.source = await stage.yard.change(Sources(), stage.yard.source, spec)
    assert (await stage.yard.poll()).state is PollState.DONE
    async with stage.yard.ports.uow() as uow:
        asked = await request_backfill(uow, stage.yard.source.id, since, stage.yard.clock())
    return await to_its_end(stage, asked)


async def to_its_end(stage: Stage, poll: Poll) -> Poll:
    while poll.state in (PollState.QUEUED, PollState.RUNNING):
        await run_backfill(stage.yard.ports, poll.source_id, poll.id)
        poll = await stage.yard.see(poll)
    return poll


async def test_a_backfill_from_before_there_are_data_reads_the_days_that_there_are(stage: Stage) -> None:
    stage.bill(date(2026, 1, 20))
    stage.bill(date(2026, 3, 5))
    poll = await backfilled(stage, utc("2025-10-01"))
    assert (poll.state, poll.done_until) == (PollState.DONE, utc("2026-11-16"))
    assert await stage.yard.spent(date(2026, 1, 20)) == Money.of("10")
    assert await stage.yard.spent(date(2026, 3, 5)) == Money.of("10")
    notices = [notice.text for report in poll.reports for notice in report.notices if "left out" in notice.text]
    assert notices[0].startswith("2025-10-01 to 2025-11-01 is left out. The Claude analytics API has data from 2026")


async def test_a_backfill_reads_the_days_that_the_vendor_still_serves(stage: Stage) -> None:
    """The analytics reports go back 365 days."""
    stage.yard.clock.move_to(utc("2027-06-16T12:00"))
    stage.bill(date(2026, 9, 5))
    poll = await backfilled(stage, utc("2026-02-01"))
    assert (poll.state, poll.done_until) == (PollState.DONE, utc("2027-06-16"))
    assert await stage.yard.spent(date(2026, 9, 5)) == Money.of("10")


async def test_a_backfill_that_reads_nothing_at_all_has_failed(stage: Stage) -> None:
    await backfilled(stage, utc("2026-10-01"))
    stage.behaviour.hipaa_ready = True
    async with stage.yard.ports.uow() as uow:
        asked = await request_backfill(uow, stage.yard.source.id, utc("2026-08-01"), stage.yard.clock())
    assert (await to_its_end(stage, asked)).state is PollState.FAILED


async def test_a_backfill_that_could_read_nothing_reads_all_its_days_once_it_can(stage: Stage) -> None:
    """No day is left out for good while the reports are not to be had of any."""
    stage.bill(date(2026, 8, 20))
    await backfilled(stage, utc("2026-10-01"))
    stage.behaviour.hipaa_ready = True
    async with stage.yard.ports.uow() as uow:
        asked = await request_backfill(uow, stage.yard.source.id, utc("2026-08-01"), stage.yard.clock())
    assert (await to_its_end(stage, asked)).state is PollState.FAILED
    stage.behaviour.hipaa_ready = False
    async with stage.yard.ports.uow() as uow:
        again = await request_backfill(uow, stage.yard.source.id, utc("2026-08-01"), stage.yard.clock())
    assert (await to_its_end(stage, again)).state is PollState.DONE
    assert await stage.yard.spent(date(2026, 8, 20)) == Money.of("10")
