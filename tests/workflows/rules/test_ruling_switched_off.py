"""A rule forgets when it, or its source, is disabled: what comes once it watches again is no old incident."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.domain.alerts.alert import Command
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Gates, Rule
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Sources
from tests.workflows.yard import DAY, HOUR, Yard, billed

GATES = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3)
Switch = Callable[[Yard, Resource[Rule[object]], bool], Awaitable[None]]


async def switch_rule(yard: Yard, rule: Resource[Rule[object]], enabled: bool) -> None:
    async with yard.ports.uow() as uow:
        stored = await uow.rules.get(rule.id)
    await yard.change(Rules(), stored, replace(stored.spec, enabled=enabled))


async def switch_source(yard: Yard, rule: Resource[Rule[object]], enabled: bool) -> None:
    async with yard.ports.uow() as uow:
        stored = await uow.sources.get(rule.spec.source_id)
    await yard.change(Sources(), stored, replace(stored.spec, enabled=enabled))


async def jump_of(yard: Yard, pending_for: timedelta = timedelta()) -> tuple[Resource[Rule[object]], date]:
    """A rule, ten days of $100, and a jump today that has been seen."""
    today = yard.clock().date()
    for ago in range(1, 11):
        yard.reader.bill(today - ago * DAY, billed("100.00"))
    yard.reader.bill(today, billed("400.00"))
    gates = replace(GATES, pending_for=pending_for)
    params = Change(against=Against.PREVIOUS_DAY)
    rule: Resource[Rule[object]] = await yard.create(
        Rules(), "jump", Rule(yard.source.id, "change", params, gates=gates)
    )
    return rule, today


async def moves(yard: Yard) -> list[Command]:
    await yard.poll()
    return [event.command for event in await run_evaluation(yard.ports, yard.source.id)]


async def off_for_ten_days(yard: Yard, rule: Resource[Rule[object]], today: date, switch: Switch) -> None:
    """Then there is another jump, of which nothing has been read yet."""
    await switch(yard, rule, False)
    await run_evaluation(yard.ports, yard.source.id)
    for number in range(1, 10):
        yard.reader.bill(today + number * DAY, billed("100.00"))
    yard.reader.bill(today + 10 * DAY, billed("900.00"))
    yard.clock.advance(10 * DAY)
    await switch(yard, rule, True)


@pytest.mark.parametrize("switch", [switch_rule, switch_source])
async def test_what_a_person_resolved_before_mutes_no_later_incident(yard: Yard, switch: Switch) -> None:
    rule, today = await jump_of(yard)
    assert await moves(yard) == [Command.OPEN]
    (alert,) = await yard.alerts()
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.RESOLVE, "", yard.author)
    await off_for_ten_days(yard, rule, today, switch)
    assert await moves(yard) == [Command.OPEN]


@pytest.mark.parametrize("switch", [switch_rule, switch_source])
async def test_what_has_to_hold_is_counted_from_when_it_is_watched_again(yard: Yard, switch: Switch) -> None:
    rule, today = await jump_of(yard, pending_for=2 * HOUR)
    assert await moves(yard) == []
    await off_for_ten_days(yard, rule, today, switch)
    assert await moves(yard) == []
    yard.clock.advance(2 * HOUR)
    assert await moves(yard) == [Command.OPEN]
