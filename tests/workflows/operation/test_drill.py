"""What a drill leaves behind lies ahead of the present, and may blind nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.domain.sources.poll import Poll, PollKind, PollState
from service.domain.sources.source import SourceState
from service.domain.spend.lateness import is_stale
from service.workflows.configuration.spend import Sources
from service.workflows.operation.drill import run_find_refused_sources
from service.workflows.operation.upkeep import run_heartbeat, run_minute
from service.workflows.sources.ingest import run_due_polls
from tests.workflows.operation.test_upkeep_heartbeat import Watcher
from tests.workflows.yard import HOUR, Yard


async def polled_ahead(yard: Yard) -> SourceState:
    """The state after a drill whose clock was nine hours ahead."""
    yard.clock.advance(9 * HOUR)
    await yard.poll()
    async with yard.ports.uow() as uow:
        await uow.polling_states.claim_due(yard.clock() + timedelta(minutes=5))
    yard.clock.move_to(yard.clock() - 9 * HOUR)
    return await yard.state()


async def test_after_a_drill_a_source_is_stale_until_it_is_read_in_the_present(yard: Yard) -> None:
    assert is_stale(await polled_ahead(yard), yard.clock())
    assert await run_due_polls(yard.ports) == 0, "nobody would poll it for nine hours"
    await run_minute(yard.ports)
    state = await yard.state()
    assert state.last_error is not None
    assert "The clock went back" in state.last_error
    assert await run_due_polls(yard.ports) == 1
    await yard.settle()
    read = await yard.state()
    assert (read.cost_read_at, read.failures, read.last_error) == (yard.clock(), 0, None)
    assert not is_stale(read, yard.clock())


async def test_an_evaluation_in_the_future_gives_no_heartbeat(yard: Yard) -> None:
    yard.clock.advance(9 * HOUR)
    await yard.minute()
    yard.clock.move_to(yard.clock() - 9 * HOUR)
    assert not await run_heartbeat(yard.ports, Watcher())
    await yard.minute()
    assert await run_heartbeat(yard.ports, Watcher())


async def test_a_poll_that_was_queued_in_the_future_keeps_none_away(yard: Yard) -> None:
    later = yard.clock() + 9 * HOUR
    async with yard.ports.uow() as uow:
        await uow.polls.add(Poll("poll_drill", yard.source.id, PollKind.SCHEDULED, PollState.QUEUED, created_at=later))
    assert await run_due_polls(yard.ports) == 1


async def test_a_source_that_is_well_or_disabled_is_left_alone(yard: Yard) -> None:
    await yard.poll()
    before = await yard.state()
    await run_minute(yard.ports)
    assert await yard.state() == before
    ahead = await polled_ahead(yard)
    await yard.change(Sources(), yard.source, replace(yard.source.spec, enabled=False))
    disabled = await yard.state()
    await run_minute(yard.ports)
    assert await yard.state() == disabled
    assert disabled.last_success_at == ahead.last_success_at


async def test_of_all_sources_those_are_named_that_may_not_be_connected_to(yard: Yard) -> None:
    """The guard of the tests allows this machine and the public internet."""
    assert await run_find_refused_sources(yard.ports) == []
    moved = replace(yard.source.spec, base_url="http://10.1.2.3")
    moved_source = await yard.change(Sources(), yard.source, moved)
    assert await run_find_refused_sources(yard.ports) == ["the source 'claude' (http://10.1.2.3)"]
    await yard.change(Sources(), moved_source, replace(moved, enabled=False))
    assert await run_find_refused_sources(yard.ports) == []
