"""The sign of life: given while every source is evaluated, and not a minute longer than that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from service.workflows.configuration.spend import Sources
from service.workflows.operation.upkeep import run_heartbeat
from service.workflows.ports.channels import HeartbeatError
from tests.workflows.yard import MINUTE, Yard


@dataclass
class Watcher:
    """Counts the signs, or fails."""

    heard: int = 0
    errors: list[HeartbeatError] = field(default_factory=list)

    async def beat(self) -> None:
        if self.errors:
            raise self.errors.pop()
        self.heard += 1


async def test_a_sign_is_given_after_every_source_was_evaluated(yard: Yard) -> None:
    watcher = Watcher()
    await yard.minute()
    assert await run_heartbeat(yard.ports, watcher)
    assert watcher.heard == 1


async def test_it_stops_when_evaluation_stops_and_comes_back_with_it(yard: Yard) -> None:
    watcher = Watcher()
    await yard.minute()
    yard.clock.advance(5 * MINUTE)
    assert await run_heartbeat(yard.ports, watcher)
    yard.clock.advance(MINUTE)
    assert not await run_heartbeat(yard.ports, watcher)
    await yard.minute()
    assert await run_heartbeat(yard.ports, watcher)
    assert watcher.heard == 2


async def test_one_source_that_was_never_evaluated_is_enough_to_withhold_it(yard: Yard) -> None:
    await yard.minute()
    await yard.add_source("second")
    assert not await run_heartbeat(yard.ports, Watcher())


async def test_a_disabled_source_is_not_waited_for(yard: Yard) -> None:
    await yard.minute()
    second, _ = await yard.add_source("second")
    await yard.change(Sources(), second, replace(second.spec, enabled=False))
    assert await run_heartbeat(yard.ports, Watcher())


async def test_an_error_is_logged_and_the_next_sign_is_given(yard: Yard) -> None:
    await yard.minute()
    watcher = Watcher(errors=[HeartbeatError("the watcher answered 500")])
    assert not await run_heartbeat(yard.ports, watcher)
    assert await run_heartbeat(yard.ports, watcher)
