"""Whose turn it is, who may write, and what becomes of polls that come to no end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from structlog.testing import capture_logs

from service.domain.alerts.evidence import StaleEvidence
from service.domain.sources.poll import PollKind, PollState
from service.domain.sources.pricing import PriceBook
from service.domain.sources.source import ReportName
from service.domain.values.money import Money
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.spend import Sources
from service.workflows.ports.sources import SourceError
from service.workflows.sources.backfill import request_backfill
from service.workflows.sources.ingest import LOST_AFTER, run_due_polls, run_ingest
from tests.fakes.ports import FakeSource
from tests.workflows.yard import DAY, MINUTE, Crash, Killed, Yard, billed

YESTERDAY = date(2026, 11, 15)
AWAY = SourceError("away", retryable=True)


def once(at: ReportName, act: Callable[[], Awaitable[object]]) -> Callable[[ReportName], Awaitable[None]]:
    """Acts while that report is read for the first time."""
    left = [at]

    async def meanwhile(report: ReportName) -> None:
        if report in left:
            left.clear()
            await act()

    return meanwhile


async def crash() -> None:
    raise Killed


# ------------------------------------------------------------------------------------------ fences


async def test_a_poll_that_is_overtaken_while_it_reads_writes_nothing_and_has_failed(yard: Yard) -> None:
    """It comes back with an old bill after a newer poll has stored the new one."""

    async def overtake() -> None:
        yard.reader.bill(YESTERDAY, billed("5.00"))
        await yard.poll()
        yard.reader.bill(YESTERDAY, billed("3.00"))

    yard.reader.meanwhile = once(ReportName.COST, overtake)
    slow = await yard.poll()
    assert slow.state is PollState.FAILED
    assert slow.finished_at is not None
    assert [one.report for one in slow.reports] == [ReportName.DIRECTORY]  # what came before
    assert await yard.spent(YESTERDAY) == Money.of("5.00")
    assert {poll.id == slow.id: poll.state for poll in await yard.polls()} == {
        True: PollState.FAILED,
        False: PollState.DONE,
    }


async def test_a_poll_that_is_overtaken_at_its_end_does_not_speak_for_the_source(yard: Yard) -> None:
    """All its reports were refused: the newer poll's success must stand."""
    refused = dict.fromkeys(ReportName, AWAY)

    async def overtake() -> None:
        yard.reader.refusals.clear()
        await yard.poll()
        yard.reader.refusals.update(refused)

    yard.reader.refusals.update(refused)
    yard.reader.meanwhile = once(ReportName.USAGE_MINUTES, overtake)
    assert (await yard.poll()).state is PollState.FAILED
    state = await yard.state()
    assert (state.failures, state.last_error, state.cost_read_at) == (0, None, yard.clock())


# ------------------------------------------------------------------------------- polls without an end


async def test_a_poll_that_crashed_counts_as_failed_when_the_next_one_begins(yard: Yard) -> None:
    began = yard.clock()
    yard.reader.meanwhile = once(ReportName.COST, crash)
    with pytest.raises(Killed):
        await yard.poll()
    assert (await yard.state()).failures == 0
    yard.clock.advance(5 * MINUTE)
    seen = []

    async def look() -> None:
        seen.append(await yard.state())

    yard.reader.meanwhile = once(ReportName.COST, look)
    await yard.poll()
    (during,) = seen
    assert (during.failures, during.failing_since, during.polling_since) == (1, began, yard.clock())
    assert (await yard.state()).failures == 0  # this one brought the bill
    async with yard.ports.uow() as uow:
        polls = (await uow.polls.page(yard.source.id, limit=10, cursor=None)).items
    assert [poll.state for poll in polls][:2] == [PollState.DONE, PollState.FAILED]


async def test_a_source_whose_very_first_polls_never_end_rings_all_the_same(yard: Yard) -> None:
    """Nothing was ever read, and no poll lived long enough to say why."""
    for _ in range(3):
        assert not await run_evaluation(yard.ports, yard.source.id)
        yard.reader.meanwhile = once(ReportName.DIRECTORY, crash)
        with pytest.raises(Killed):
            await yard.poll()
        yard.clock.advance(5 * MINUTE)
    poll = await yard.request()
    yard.reader.meanwhile = once(ReportName.DIRECTORY, crash)
    with pytest.raises(Killed):
        await run_ingest(yard.ports, yard.source.id, poll.id)
    (event,) = await run_evaluation(yard.ports, yard.source.id)
    assert isinstance(event.alert.evidence, StaleEvidence)
    assert event.alert.evidence.failures == 3
    assert event.alert.evidence.last_success_at is None


async def test_a_poll_whose_worker_was_killed_is_done_by_the_next_worker(yard: Yard) -> None:
    """The queue hands the same job out again."""
    yard.reader.bill(YESTERDAY, billed("3.00"))
    poll = await yard.request()
    yard.reader.meanwhile = once(ReportName.USAGE_HOURS, crash)
    with pytest.raises(Killed):
        await run_ingest(yard.ports, yard.source.id, poll.id)
    written = await yard.rows("cost_points", "revisions")
    await run_ingest(yard.ports, yard.source.id, poll.id)
    assert (await yard.see(poll)).state is PollState.DONE
    assert await yard.rows("cost_points", "revisions") == written
    assert (await yard.state()).failures == 0


@pytest.mark.parametrize("table", ["price_book", "evaluate"])
async def test_a_poll_that_throws_outside_its_reports_has_failed_with_the_cause(yard: Yard, table: str) -> None:
    """At its beginning (prices that cannot be read) and at its end (a job that cannot be queued)."""
    poll = await yard.request()
    if table == "price_book":

        def broken(overrides: object) -> PriceBook:
            raise Crash("no such price")

        yard.ports = replace(yard.ports, price_book=broken)
    else:

        async def leave() -> None:
            async with yard.engine.begin() as connection:
                await connection.exec_driver_sql(
                    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                    " IF NEW.state = 'done' THEN RAISE 'no such price'; END IF; RETURN NEW; END $$;"
                    "CREATE TRIGGER refuse BEFORE UPDATE ON polls FOR EACH ROW EXECUTE FUNCTION refuse()"
                )

        yard.reader.meanwhile = once(ReportName.COST, leave)
    try:
        await run_ingest(yard.ports, yard.source.id, poll.id)
    finally:
        async with yard.engine.begin() as connection:
            await connection.exec_driver_sql("DROP FUNCTION IF EXISTS refuse() CASCADE")
    ended, state = await yard.see(poll), await yard.state()
    assert (ended.state, ended.finished_at) == (PollState.FAILED, yard.clock())
    assert (state.failures, state.polling_since) == (1, None)
    assert state.last_error is not None
    assert "The poll failed unexpectedly" in state.last_error
    assert "no such price" in state.last_error


# ------------------------------------------------------------------------------------------- turns


async def test_a_due_source_is_queued_once_and_polled(yard: Yard) -> None:
    yard.reader.bill(YESTERDAY, billed("3.00"))
    assert await run_due_polls(yard.ports) == 1
    assert await run_due_polls(yard.ports) == 0
    await yard.settle()
    (poll,) = await yard.polls()
    assert (poll.kind, poll.state) == (PollKind.SCHEDULED, PollState.DONE)
    assert await yard.spent(YESTERDAY) == Money.of("3.00")


async def test_no_second_poll_is_queued_behind_one_that_waits_unless_that_one_is_lost(yard: Yard) -> None:
    await run_due_polls(yard.ports)
    while yard.clock() < (await yard.polls())[0].created_at + LOST_AFTER - 5 * MINUTE:
        yard.clock.advance(5 * MINUTE)
        assert await run_due_polls(yard.ports) == 0
    yard.clock.advance(5 * MINUTE)
    assert await run_due_polls(yard.ports) == 1


async def test_a_source_whose_poll_waits_keeps_its_due_time_and_is_not_polled_twice_for_it(yard: Yard) -> None:
    due = (await yard.state()).next_poll_at
    waiting = await yard.request()
    yard.clock.advance(MINUTE)
    assert await run_due_polls(yard.ports) == 0
    assert (await yard.state()).next_poll_at == due
    await yard.settle()
    assert (await yard.see(waiting)).state is PollState.DONE
    assert (await yard.state()).next_poll_at == yard.clock() + 5 * MINUTE
    assert await run_due_polls(yard.ports) == 0


async def test_a_queued_backfill_keeps_no_scheduled_poll_away(yard: Yard) -> None:
    await yard.poll()
    async with yard.ports.uow() as uow:
        await request_backfill(uow, yard.source.id, yard.clock() - 100 * DAY, yard.clock())
    yard.clock.advance(5 * MINUTE)
    assert await run_due_polls(yard.ports) == 1


async def test_of_many_new_sources_every_first_bill_is_read_before_any_of_the_past(yard: Yard) -> None:
    sources = [(yard.source, yard.reader), *[await yard.add_source(f"org{number}") for number in range(3)]]
    order: list[tuple[str, bool]] = []
    for source, reader in sources:

        async def note(report: ReportName, name: str = source.name, reader: FakeSource = reader) -> None:
            if report is ReportName.COST:
                order.append((name, reader.windows(ReportName.COST)[-1].end > yard.clock()))

        reader.meanwhile = note
        async with yard.ports.uow() as uow:
            await request_backfill(uow, source.id, yard.clock() - 100 * DAY, yard.clock())
    await run_due_polls(yard.ports)
    await yard.settle()
    names = {source.name for source, _ in sources}
    first, past = order[: len(names)], order[len(names) :]
    assert {name for name, is_newest in first if is_newest} == names
    assert past
    assert not any(is_newest for _, is_newest in past)


async def test_a_source_that_is_away_is_a_line_when_it_begins_and_one_when_it_ends(yard: Yard) -> None:
    yard.reader.refusals[ReportName.COST] = AWAY
    with capture_logs() as lines:
        for _ in range(3):
            await yard.poll()
        yard.reader.refusals.clear()
        await yard.poll()
    about = [(line["event"], line.get("reason")) for line in lines if line.get("system") == "source claude"]
    assert about == [("outage_begins", "cost: away"), ("outage_ends", None)]


async def test_a_failing_source_is_asked_less_often_and_at_once_again_when_it_recovers(yard: Yard) -> None:
    yard.reader.refusals[ReportName.COST] = AWAY
    waits = []
    for _ in range(6):
        yard.clock.move_to((await yard.state()).next_poll_at)
        await run_due_polls(yard.ports)
        await yard.settle()
        waits.append(((await yard.state()).next_poll_at - yard.clock()) // MINUTE)
    assert waits == [10, 20, 40, 60, 60, 60]
    yard.reader.refusals.clear()
    yard.clock.move_to((await yard.state()).next_poll_at)
    await run_due_polls(yard.ports)
    await yard.settle()
    assert (await yard.state()).failures == 0
    yard.clock.move_to((await yard.state()).next_poll_at)
    await run_due_polls(yard.ports)
    assert (await yard.state()).next_poll_at - yard.clock() == 5 * MINUTE


async def test_a_disabled_source_is_not_polled(yard: Yard) -> None:
    await yard.change(Sources(), yard.source, replace(yard.source.spec, enabled=False))
    assert await run_due_polls(yard.ports) == 0


async def test_two_sources_do_not_disturb_each_other(yard: Yard) -> None:
    """One is away while the other one is read; equal names of workspaces and keys mean nothing."""
    other, reader = await yard.add_source("other")
    yard.reader.bill(YESTERDAY, billed("3.00"))
    reader.bill(YESTERDAY, billed("4.00"))
    assert await run_due_polls(yard.ports) == 2
    await yard.settle()
    assert await yard.spent(YESTERDAY) == Money.of("3.00")
    assert await yard.spent(YESTERDAY, other) == Money.of("4.00")

    yard.reader.refusals.update(dict.fromkeys(ReportName, AWAY))
    reader.bill(YESTERDAY, billed("5.00"))
    yard.clock.advance(5 * MINUTE)
    assert await run_due_polls(yard.ports) == 2
    await yard.settle()
    assert (await yard.state()).failures == 1
    assert (await yard.state(other)).failures == 0
    assert await yard.spent(YESTERDAY) == Money.of("3.00")
    assert await yard.spent(YESTERDAY, other) == Money.of("5.00")
    async with yard.engine.connect() as connection:
        facts = await connection.exec_driver_sql(
            "SELECT source_id || sum(amount)::int FROM cost_points GROUP BY source_id"
        )
        assert set(facts.scalars()) == {f"{yard.source.id}3", f"{other.id}5"}


async def test_a_poll_of_one_source_does_not_take_the_fence_of_another(yard: Yard) -> None:
    other, _ = await yard.add_source("other")
    polled: list[PollState] = []

    async def poll_other() -> None:
        polled.append((await yard.poll(other)).state)

    yard.reader.meanwhile = once(ReportName.COST, poll_other)
    assert (await yard.poll()).state is PollState.DONE
    assert polled == [PollState.DONE]


async def test_a_source_that_asks_to_be_left_alone_is_not_polled_meanwhile(yard: Yard) -> None:
    """The first back-off, ten minutes, would fall into the penalty, and lengthen it."""
    asked = SourceError("asks for fewer requests", retryable=True, wait=timedelta(minutes=40))
    yard.reader.refusals[ReportName.USAGE_HOURS] = asked
    await yard.poll()
    assert (await yard.state()).next_poll_at == yard.clock() + 40 * MINUTE
    yard.reader.refusals.clear()
    await yard.poll()
    assert (await yard.state()).next_poll_at <= yard.clock() + 40 * MINUTE
    yard.reader.refusals[ReportName.COST] = asked
    yard.clock.advance(40 * MINUTE)
    await yard.poll()
    assert (await yard.state()).next_poll_at == yard.clock() + 40 * MINUTE
    yard.clock.advance(39 * MINUTE)
    assert await run_due_polls(yard.ports) == 0


async def test_a_report_that_no_figure_needs_does_not_keep_the_bill_away_for_longer_than_half_an_hour(
    yard: Yard,
) -> None:
    """Bill and usage are read, so that no alert says that the source is not: a day would pass without a word."""
    for report in (ReportName.USAGE_MINUTES, ReportName.DIRECTORY):
        await yard.poll()
        yard.clock.advance(timedelta(hours=1))
        yard.reader.refusals[report] = SourceError("asks for fewer requests", retryable=True, wait=DAY)
        await yard.poll()
        assert (await yard.state()).next_poll_at == yard.clock() + 30 * MINUTE
        yard.reader.refusals.clear()
        yard.clock.advance(30 * MINUTE)
