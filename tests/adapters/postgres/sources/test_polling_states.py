"""Sources: whose turn it is, who may write, and what became of each poll."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.sources.poll import Poll, PollKind, PollState, ReportOutcome
from service.domain.sources.source import ReportName, SourceState
from service.domain.values.errors import NotFound
from service.domain.values.periods import Window
from service.workflows.ports.sources import FenceLost
from service.workflows.ports.unit_of_work import UowFactory
from tests.factories import claude_source, resource, utc

NOW = utc("2026-11-16T12:00")
MINUTE = timedelta(minutes=1)
POLL = Poll("poll_1", "src_1", PollKind.SCHEDULED, PollState.QUEUED, created_at=NOW)


async def add_source(
    uow: UowFactory, number: int, *, due: timedelta = -MINUTE, failures: int = 0, enabled: bool = True
) -> None:
    source = replace(claude_source(), poll_interval=5 * MINUTE, enabled=enabled)
    async with uow() as unit:
        await unit.sources.add(resource(f"src_{number}", source))
        await unit.polling_states.add(SourceState(f"src_{number}", 0, NOW + due, failures=failures))


async def test_a_due_source_is_claimed_once_and_moved_on_by_its_interval(uow: UowFactory) -> None:
    await add_source(uow, 1)
    async with uow() as unit:
        assert await unit.polling_states.claim_due(NOW) == ["src_1"]
        assert await unit.polling_states.claim_due(NOW) == []
        assert (await unit.polling_states.get("src_1")).next_poll_at == NOW + 5 * MINUTE


async def test_a_failing_source_is_asked_less_often(uow: UowFactory) -> None:
    await add_source(uow, 1, failures=2)
    async with uow() as unit:
        await unit.polling_states.claim_due(NOW)
        assert (await unit.polling_states.get("src_1")).next_poll_at == NOW + 20 * MINUTE


async def test_neither_disabled_nor_deleted_nor_future_sources_are_claimed(uow: UowFactory) -> None:
    await add_source(uow, 1, enabled=False)
    await add_source(uow, 2)
    await add_source(uow, 3, due=MINUTE)
    async with uow() as unit:
        await unit.sources.delete("src_2", version=1, now=NOW)
        assert await unit.polling_states.claim_due(NOW) == []
        assert await unit.polling_states.all_ids() == ["src_1", "src_2", "src_3"]


async def test_claimers_at_once_share_the_due_sources_without_overlap(uow: UowFactory) -> None:
    for number in range(12):
        await add_source(uow, number)
    everybody_claimed = asyncio.Barrier(3)

    async def claim() -> list[str]:
        async with uow() as unit:
            claimed = await unit.polling_states.claim_due(NOW)
            await everybody_claimed.wait()
            return claimed

    async with asyncio.timeout(20):
        claims = await asyncio.gather(claim(), claim(), claim())
    assert sorted(id for claim in claims for id in claim) == sorted(f"src_{number}" for number in range(12))


async def test_only_the_newest_fence_may_write(uow: UowFactory) -> None:
    await add_source(uow, 1)
    async with uow() as unit:
        first = await unit.polling_states.take_fence("src_1")
    async with uow() as unit:
        second = await unit.polling_states.take_fence("src_1")
    assert second > first
    async with uow() as unit:
        await unit.polling_states.hold_fence("src_1", second)
        with pytest.raises(FenceLost):
            await unit.polling_states.hold_fence("src_1", first)


async def test_a_new_fence_waits_until_the_holder_of_the_old_one_has_committed(uow: UowFactory) -> None:
    await add_source(uow, 1)
    async with uow() as holder:
        await holder.polling_states.hold_fence("src_1", 0)
        taking = asyncio.create_task(take_fence(uow))
        _, still_waiting = await asyncio.wait({taking}, timeout=0.2)
        assert still_waiting
    assert await taking == 1


async def take_fence(uow: UowFactory) -> int:
    async with uow() as unit:
        return await unit.polling_states.take_fence("src_1")


async def test_saving_a_state_read_earlier_does_not_bring_back_an_old_fence(uow: UowFactory) -> None:
    await add_source(uow, 1)
    async with uow() as unit:
        state = await unit.polling_states.get("src_1")
        fence = await unit.polling_states.take_fence("src_1")
        await unit.polling_states.save(replace(state, cost_read_at=NOW, last_error="401"))
        assert await unit.polling_states.get("src_1") == replace(state, fence=fence, cost_read_at=NOW, last_error="401")


async def test_the_state_of_an_unknown_source_is_not_found(uow: UowFactory) -> None:
    async with uow() as unit:
        with pytest.raises(NotFound):
            await unit.polling_states.get("src_9")
        with pytest.raises(NotFound):
            await unit.polling_states.take_fence("src_9")
        with pytest.raises(NotFound):
            await unit.polling_states.save(SourceState("src_9", 0, NOW))


async def test_a_backfill_s_poll_comes_back_with_its_window(uow: UowFactory) -> None:
    window = Window(utc("2026-01-01"), utc("2026-11-17"))
    poll = replace(POLL, kind=PollKind.BACKFILL, window=window, done_until=utc("2026-02-01"))
    async with uow() as unit:
        await unit.polls.add(poll)
        assert await unit.polls.get("poll_1") == poll


async def test_outcomes_are_added_one_by_one_and_survive_a_save_of_an_older_reading(uow: UowFactory) -> None:
    cost = ReportOutcome(ReportName.COST, added=3, seconds=0.25)
    usage = ReportOutcome(ReportName.USAGE_HOURS, error="500 from the vendor")
    async with uow() as unit:
        await unit.polls.add(POLL)
        await unit.polls.record("poll_1", cost)
        await unit.polls.record("poll_1", usage)
        await unit.polls.save(replace(POLL, state=PollState.DONE, finished_at=NOW))
        assert await unit.polls.get("poll_1") == replace(
            POLL, state=PollState.DONE, finished_at=NOW, reports=(cost, usage)
        )


async def test_polls_are_listed_newest_first_and_only_their_source_s(uow: UowFactory) -> None:
    async with uow() as unit:
        for number in range(3):
            await unit.polls.add(replace(POLL, id=f"poll_{number}"))
        await unit.polls.add(replace(POLL, id="poll_9", source_id="src_2"))
        first = await unit.polls.page("src_1", limit=2, cursor=None)
        second = await unit.polls.page("src_1", limit=2, cursor=first.next)
    assert [poll.id for poll in (*first.items, *second.items)] == ["poll_2", "poll_1", "poll_0"]


async def test_when_the_newest_poll_had_ended_by_an_instant(uow: UowFactory) -> None:
    async with uow() as unit:
        for number in range(3):
            ended = NOW + timedelta(minutes=number)
            await unit.polls.add(replace(POLL, id=f"poll_{number}", finished_at=ended))
        await unit.polls.add(replace(POLL, id="poll_8"))
        await unit.polls.add(replace(POLL, id="poll_9", source_id="src_2", finished_at=NOW))
        found = [await unit.polls.last_finished("src_1", NOW + timedelta(seconds=s)) for s in (-1, 0, 59, 60, 600)]
    assert found == [None, NOW, NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)]


async def test_an_unknown_poll_is_not_found(uow: UowFactory) -> None:
    async with uow() as unit:
        for call in (unit.polls.get("poll_9"), unit.polls.save(replace(POLL, id="poll_9"))):
            with pytest.raises(NotFound):
                await call
