"""The past is read a month at a time, oldest first, and whatever stops it can be taken up again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from service.adapters.postgres.queue.queue import Queue
from service.domain.sources.poll import Poll, PollKind, PollState
from service.domain.sources.pricing import Measure
from service.domain.sources.source import ReportName
from service.domain.spend.rows import Width
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec, Window
from service.worker import JobHandlers
from service.workflows.operation.upkeep import run_minute
from service.workflows.ports.sources import SourceError
from service.workflows.sources.backfill import request_backfill, run_backfill, run_close_part
from tests.adapters.postgres.queue.queue_runs import until
from tests.adapters.postgres.reports import told
from tests.factories import budget, percent, utc
from tests.workflows.yard import DAY, HOUR, MINUTE, Killed, Yard, billed, caller

SINCE = utc("2026-08-01")
TODAY = utc("2026-11-16")
PARTS = [
    Window(utc("2026-08-01"), utc("2026-09-01")),
    Window(utc("2026-09-01"), utc("2026-10-02")),
    Window(utc("2026-10-02"), utc("2026-11-02")),
    Window(utc("2026-11-02"), TODAY),
]
LONG_AGO, LATER = date(2026, 8, 5), date(2026, 10, 20)
AWAY = SourceError("away", retryable=True)


@pytest.fixture
async def yard(yard: Yard) -> Yard:
    """Its source's newest bill has been read: a new source's first poll would come before anything here."""
    async with yard.ports.uow() as uow:
        state = await uow.polling_states.get(yard.source.id)
        await uow.polling_states.save(replace(state, cost_read_at=yard.clock()))
    return yard


async def request(yard: Yard, since: datetime = SINCE) -> Poll:
    async with yard.ports.uow() as uow:
        return await request_backfill(uow, yard.source.id, since, yard.clock())


def at_part(yard: Yard, number: int, act: Callable[[], Awaitable[object]]) -> None:
    """Acts while the bill of that part (from 1) is read, once."""

    async def meanwhile(report: ReportName) -> None:
        if report is ReportName.COST and yard.reader.windows(ReportName.COST)[-1] == PARTS[number - 1]:
            yard.reader.meanwhile = None
            await act()

    yard.reader.meanwhile = meanwhile


async def crash() -> None:
    raise Killed


async def test_all_days_up_to_yesterday_are_read_in_months_oldest_first(yard: Yard) -> None:
    yard.reader.bill(LONG_AGO, billed("3.00"))
    yard.reader.bill(LATER, billed("4.00"))
    poll = await request(yard)
    await yard.settle()
    assert yard.reader.windows(ReportName.COST) == PARTS
    assert yard.reader.windows(ReportName.USAGE_HOURS) == PARTS
    poll = await yard.see(poll)
    assert (poll.state, poll.done_until, poll.finished_at) == (PollState.DONE, TODAY, yard.clock())
    assert await yard.spent(LONG_AGO) == Money.of("3.00")
    assert await yard.spent(LATER) == Money.of("4.00")


async def test_progress_is_told_after_every_part(yard: Yard) -> None:
    poll = await request(yard)
    told = []
    for _ in PARTS:
        await run_backfill(yard.ports, yard.source.id, poll.id)
        seen = await yard.see(poll)
        told.append((seen.state, seen.done_until))
    running = [(PollState.RUNNING, part.end) for part in PARTS[:-1]]
    assert told == [*running, (PollState.DONE, TODAY)]


async def test_a_part_whose_worker_was_killed_is_read_again_and_no_other(yard: Yard) -> None:
    poll = await request(yard)
    await run_backfill(yard.ports, yard.source.id, poll.id)
    at_part(yard, 2, crash)
    with pytest.raises(Killed):
        await run_backfill(yard.ports, yard.source.id, poll.id)
    assert (await yard.see(poll)).done_until == PARTS[0].end
    await run_backfill(yard.ports, yard.source.id, poll.id)
    assert yard.reader.windows(ReportName.COST) == [PARTS[0], PARTS[1], PARTS[1]]


async def test_a_kill_between_parts_loses_nothing(database_url: str, yard: Yard) -> None:
    """Nothing is left but the database: the next part's job was queued with the last part's end."""
    poll = await request(yard)
    async with yard.engine.begin() as connection:  # the job of the first part, which is run here
        await connection.exec_driver_sql("DELETE FROM procrastinate_jobs WHERE task_name = 'backfill'")
    await run_backfill(yard.ports, yard.source.id, poll.id)
    async with Queue.open(database_url, JobHandlers(yard.ports)) as queue:
        await queue.drain()
    assert yard.reader.windows(ReportName.COST) == PARTS
    assert (await yard.see(poll)).state is PollState.DONE


async def test_a_failed_part_stops_it_and_asking_again_goes_on_from_there(yard: Yard) -> None:
    yard.reader.bill(LONG_AGO, billed("3.00"))

    async def refuse() -> None:
        yard.reader.refusals[ReportName.COST] = AWAY

    at_part(yard, 3, refuse)
    poll = await request(yard)
    await yard.settle()
    failed = await yard.see(poll)
    assert (failed.state, failed.done_until) == (PollState.FAILED, PARTS[1].end)
    assert [one.error for one in failed.reports if one.error] == ["away"]
    assert await yard.spent(LONG_AGO) == Money.of("3.00")

    yard.reader.refusals.clear()
    again = await request(yard)
    assert again.id == poll.id
    await yard.settle()
    done = await yard.see(poll)
    assert (done.state, done.done_until) == (PollState.DONE, TODAY)
    assert yard.reader.windows(ReportName.COST) == [*PARTS[:3], *PARTS[2:]]


async def fail_in_part_three(yard: Yard) -> Poll:
    async def refuse() -> None:
        yard.reader.refusals[ReportName.COST] = AWAY

    at_part(yard, 3, refuse)
    poll = await request(yard)
    await yard.settle()
    yard.reader.refusals.clear()
    yard.reader.reads.clear()
    return await yard.see(poll)


async def test_a_failed_backfill_goes_on_after_the_daily_deep_poll(yard: Yard) -> None:
    failed = await fail_in_part_three(yard)
    await yard.poll()
    await yard.settle()
    assert (await yard.see(failed)).state is PollState.DONE
    assert yard.reader.windows(ReportName.COST)[1:] == PARTS[2:]


async def test_a_backfill_that_has_just_failed_goes_on_within_the_hour(yard: Yard) -> None:
    """It may be told to wait in each of its parts. A day for each of them, and a yearly budget counts too little."""
    await yard.poll()
    failed = await fail_in_part_three(yard)
    for waited, state in ((30 * MINUTE, PollState.FAILED), (30 * MINUTE, PollState.DONE)):
        yard.clock.advance(waited)
        await yard.poll()
        await yard.settle()
        assert (await yard.see(failed)).state is state


async def test_a_backfill_that_is_refused_for_longer_goes_on_once_a_day(yard: Yard) -> None:
    await yard.poll()
    failed = await fail_in_part_three(yard)
    yard.clock.advance(DAY)
    yard.reader.refusals[ReportName.USAGE_HOURS] = AWAY
    await yard.poll()
    await yard.settle()
    yard.reader.refusals.clear()
    for waited, state in ((HOUR, PollState.FAILED), (DAY, PollState.DONE)):
        yard.clock.advance(waited)
        await yard.poll()
        await yard.settle()
        assert (await yard.see(failed)).state is state


@pytest.mark.parametrize("days", [36, 0], ids=["asked for long ago", "read by a later one"])
async def test_a_failed_backfill_is_not_tried_for_ever_nor_in_vain(yard: Yard, days: int) -> None:
    failed = await fail_in_part_three(yard)
    if not days:
        await request(yard, SINCE + 10 * DAY)
        await yard.settle()
    yard.clock.advance(days * DAY)
    await yard.poll()
    await yard.settle()
    assert (await yard.see(failed)).state is PollState.FAILED


async def test_of_failed_backfills_of_the_same_days_each_day_is_read_once(yard: Yard) -> None:
    yard.reader.refusals[ReportName.COST] = AWAY
    short = await request(yard, TODAY - 40 * DAY)
    long = await request(yard)
    await yard.settle()
    yard.clock.advance(DAY)
    later = await request(yard, TODAY - 20 * DAY)
    await yard.settle()
    assert {(await yard.see(one)).state for one in (short, long, later)} == {PollState.FAILED}
    yard.reader.refusals.clear()
    for _ in range(2):
        yard.reader.reads.clear()
        yard.clock.advance(DAY)
        await yard.poll()
        await yard.settle()
        windows = yard.reader.windows(ReportName.COST)[1:]
        if (await yard.see(long)).state is PollState.DONE:
            break
    assert windows == [*PARTS[:3], Window(PARTS[3].start, TODAY + DAY)]
    yard.reader.reads.clear()
    yard.clock.advance(DAY)
    await yard.poll()
    await yard.settle()
    assert len(yard.reader.windows(ReportName.COST)) == 1, "what was read is not read again"


async def test_a_budget_s_edit_has_read_what_a_failed_backfill_left_out(yard: Yard) -> None:
    """The oldest day is known by then: only a hole is left."""
    yearly = budget("100.00", percent(100), period=PeriodSpec(PeriodKind.CUSTOM, start=SINCE, end=SINCE + 200 * DAY))
    failed = await fail_in_part_three(yard)
    await yard.add_budget("half a year", yearly)
    await yard.settle()
    done = await yard.see(failed)
    assert (done.state, done.done_until) == (PollState.DONE, TODAY)
    assert yard.reader.windows(ReportName.COST) == PARTS[2:]


async def test_a_budget_has_the_day_read_in_which_its_period_began(yard: Yard) -> None:
    began = TODAY - 36 * DAY + 12 * HOUR  # the first poll reads 35 days before today
    spec = budget("100.00", percent(100), period=PeriodSpec(PeriodKind.CUSTOM, start=began, end=TODAY + 9 * DAY))
    await yard.poll()
    await yard.add_budget("campaign", spec)
    await yard.settle()
    assert TODAY - 36 * DAY in [window.start for window in yard.reader.windows(ReportName.COST)]


async def test_a_budget_whose_days_are_all_known_has_nothing_read(yard: Yard) -> None:
    await request(yard)
    await yard.settle()
    yard.reader.reads.clear()
    spec = budget("100.00", percent(100), period=PeriodSpec(PeriodKind.CUSTOM, start=SINCE, end=SINCE + 200 * DAY))
    await yard.add_budget("half a year", spec)
    await yard.settle()
    assert not yard.reader.reads


async def test_taken_up_on_a_later_day_it_reads_up_to_that_day(yard: Yard) -> None:
    yard.reader.refusals[ReportName.USAGE_HOURS] = AWAY
    await request(yard)
    await yard.settle()
    yard.reader.refusals.clear()
    yard.clock.advance(2 * DAY)
    poll = await request(yard)
    await yard.settle()
    assert (await yard.see(poll)).done_until == TODAY + 2 * DAY


async def test_a_poll_slips_in_between_parts(yard: Yard) -> None:
    at_part(yard, 1, yard.request)
    await request(yard)
    await yard.settle()
    poll = Window(TODAY - 35 * DAY, TODAY + DAY)
    assert yard.reader.windows(ReportName.COST) == [PARTS[0], poll, *PARTS[1:]]
    assert [one.state for one in await yard.polls()] == [PollState.DONE] * 2


async def test_a_part_that_a_poll_overtook_writes_nothing_and_is_read_again(yard: Yard) -> None:
    """Only after a worker was taken for dead do the two run at once."""
    yard.reader.bill(LONG_AGO, billed("3.00"))
    at_part(yard, 1, yard.poll)
    poll = await request(yard)
    await run_backfill(yard.ports, yard.source.id, poll.id)
    seen = await yard.see(poll)
    assert (seen.state, seen.done_until) == (PollState.RUNNING, None)
    assert [one.report for one in seen.reports] == [ReportName.DIRECTORY]  # what came before
    assert not await yard.spend(LONG_AGO)
    await yard.settle()
    assert (await yard.see(poll)).state is PollState.DONE
    assert await yard.spent(LONG_AGO) == Money.of("3.00")


async def test_a_part_that_ends_while_a_budget_takes_its_backfill_up_holds_nothing_that_this_needs(
    yard: Yard,
) -> None:
    """Deadlocks: a budget is written with its evaluation, and then takes the backfill of its period up again."""
    poll = await request(yard)
    await yard.settle()
    async with yard.ports.uow() as uow:
        await uow.jobs.evaluate(yard.source.id)
        end = asyncio.create_task(run_close_part(yard.ports, yard.source.id, poll.id, until=TODAY, failed=False))
        await until(lambda: _waits(yard))
        await uow.polls.save(poll)
    await end
    assert (await yard.see(poll)).state is PollState.DONE


async def _waits(yard: Yard) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with yard.engine.connect() as connection:
        return bool(await connection.scalar(text(waiting)))


async def test_a_job_too_many_of_a_backfill_that_is_done_does_nothing(yard: Yard) -> None:
    poll = await request(yard)
    await yard.settle()
    reads = len(yard.reader.reads)
    await run_backfill(yard.ports, yard.source.id, poll.id)
    assert len(yard.reader.reads) == reads


async def test_a_backfill_that_is_asked_for_twice_is_one(yard: Yard) -> None:
    first, second = await request(yard), await request(yard)
    assert first.id == second.id
    await yard.settle()
    assert yard.reader.windows(ReportName.COST) == PARTS


async def test_done_again_it_is_read_again_and_changes_nothing(yard: Yard) -> None:
    yard.reader.bill(LONG_AGO, billed("3.00"))
    yard.reader.use(Width.HOUR, utc("2026-08-05T10:00"), (caller(), {Measure.OUTPUT: 10}))
    tables = (
        *("cost_points", "usage_hours", "revisions", "known_buckets", "spend_days"),
        *("usage_day_profiles", "day_versions", "spend_day_versions"),
    )
    first = await request(yard)
    await yard.settle()
    written = await yard.rows(*tables)
    second = await request(yard)
    await yard.settle()
    assert second.id != first.id
    assert (await yard.see(second)).state is PollState.DONE
    assert await yard.rows(*tables) == written


async def test_what_was_first_seen_long_after_its_end_is_assumed_to_have_been_known_a_day_after_it(yard: Yard) -> None:
    """A bucket of the last three days was merely late: it is known since the reading itself."""
    edge = TODAY - 4 * DAY  # ended more than three days before noon of TODAY
    yard.reader.bill(edge.date(), billed("3.00", workspace="wrkspc_old"))
    yard.reader.bill((edge + DAY).date(), billed("4.00", workspace="wrkspc_new"))
    yard.reader.use(Width.HOUR, edge + 10 * HOUR, (caller(workspace="wrkspc_old"), {Measure.OUTPUT: 1000}))
    await request(yard, TODAY - 10 * DAY)
    await yard.settle()
    known = [(workspace, at, assumed) for workspace, at, assumed, *_ in await told(yard.engine)]
    assert sorted(known) == [
        ("wrkspc_new", yard.clock(), False),
        ("wrkspc_old", edge + 11 * HOUR + DAY, True),
        ("wrkspc_old", edge + 2 * DAY, True),
    ]


async def test_what_was_polled_before_keeps_when_it_was_known(yard: Yard) -> None:
    yard.reader.bill(LATER, billed("4.00"))
    await yard.poll()
    before = await told(yard.engine)
    yard.clock.advance(timedelta(hours=1))
    await request(yard)
    await yard.settle()
    assert await told(yard.engine) == before


async def test_a_correction_found_by_a_backfill_is_known_since_then(yard: Yard) -> None:
    yard.reader.bill(LATER, billed("4.00"))
    await yard.poll()
    yard.reader.bill(LATER, billed("4.50"))
    await request(yard)
    await yard.settle()
    (_, first_at, first_assumed, first, *_), (_, second_at, second_assumed, second, *_) = await told(yard.engine)
    assert (first, first_assumed) == (Money.of("4.00").usd, True)
    assert (second, second_assumed, second_at) == (Money.of("4.50").usd, False, yard.clock())
    assert first_at < second_at


async def test_a_backfill_does_not_speak_for_the_freshness_of_the_source(yard: Yard) -> None:
    """It reads the past: budgets stay as stale, or as fresh, as the last poll left them."""
    before = await yard.state()
    await request(yard)
    await yard.settle()
    after = await yard.state()
    assert (after.cost_read_at, after.failures, after.next_poll_at) == (before.cost_read_at, 0, before.next_poll_at)


@pytest.mark.parametrize(
    "since",
    [
        pytest.param(TODAY, id="today"),
        pytest.param(TODAY + DAY, id="tomorrow"),
        pytest.param(TODAY - 5 * 366 * DAY - DAY, id="more than five years ago"),
    ],
)
async def test_a_backfill_starts_on_an_earlier_day_at_most_five_years_back(yard: Yard, since: datetime) -> None:
    with pytest.raises(Invalid):
        await request(yard, since)
    assert await yard.polls() == []


async def test_a_backfill_starts_at_midnight_of_its_first_day(yard: Yard) -> None:
    poll = await request(yard, SINCE + 13 * HOUR)
    assert (poll.kind, poll.window) == (PollKind.BACKFILL, Window(SINCE, TODAY))


async def test_a_backfill_whose_part_died_with_its_job_is_taken_up_by_the_next_minute(yard: Yard) -> None:
    poll = await request(yard)

    async def die() -> None:
        raise Killed

    at_part(yard, 2, die)
    await yard.settle()
    async with yard.ports.uow() as uow:
        assert (await uow.polls.get(poll.id)).state is PollState.RUNNING
    await yard.minute()
    async with yard.ports.uow() as uow:
        assert (await uow.polls.get(poll.id)).state is PollState.DONE


async def test_the_backfill_of_a_deleted_source_is_left_alone(yard: Yard) -> None:
    await request(yard)

    async def die() -> None:
        raise Killed

    at_part(yard, 2, die)
    await yard.settle()
    async with yard.ports.uow() as uow:
        await uow.sources.delete(yard.source.id, version=yard.source.version, now=yard.clock())
    await run_minute(yard.ports)
    async with yard.engine.connect() as connection:
        waiting = await connection.execute(text("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo'"))
        assert "backfill" not in waiting.scalars().all()
