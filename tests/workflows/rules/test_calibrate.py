"""Each week a rule is held against its own past; nothing of it is changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from service.domain.backtest.calibration import EVERY, Calibration
from service.domain.detectors.scores import Sensitivity
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.change import Change
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell, Scope
from service.workflows.configuration.rules import Rules
from service.workflows.ports.spend import Stamp
from service.workflows.rules.calibrate import run_due_calibration
from tests.workflows.yard import DAY, Yard

FIRST, DAYS = date(2026, 8, 3), 75
LOUD = (50, 58, 66)
"""Days of eight times the usual, none of them answered."""


def guessing(yard: Yard, sensitivity: Sensitivity = Sensitivity.NORMAL) -> Rule[object]:
    return Rule(yard.source.id, "anomaly", Anomaly(AnomalyGranularity.DAYS, sensitivity), gates=KINDS["anomaly"].gates)


async def past(yard: Yard, days: int = DAYS) -> None:
    """Days known each at its end; it is the midnight after the last."""
    async with yard.ports.uow() as uow:
        for number in range(days):
            on = FIRST + number * DAY
            stamp = Stamp(yard.source.id, "poll_1", yard.at(on) + timedelta(hours=23))
            dollars = Money.of(f"{100 + number % 5}" if number not in LOUD else "800")
            spent = {Cell("default", "claude-sonnet-4-5", ""): SpendDay(Spend(billed=dollars))}
            await uow.facts.store_days(stamp, {on: spent})
    yard.clock.move_to(yard.at(FIRST + days * DAY))


async def made(yard: Yard, rule: Resource[Rule[object]]) -> Calibration | None:
    async with yard.ports.uow() as uow:
        return (await uow.calibrations.of([rule.id])).get(rule.id)


async def test_a_rule_says_what_it_would_have_fired_for_nothing_and_stays_as_it_is(yard: Yard) -> None:
    rule = await yard.create(Rules(), "unusual", guessing(yard))
    await past(yard)
    assert await run_due_calibration(yard.ports)
    found = await made(yard, rule)
    assert found is not None
    assert (found.first_day, found.last_day) == (FIRST, FIRST + (DAYS - 1) * DAY)
    assert (found.rule_version, found.own.setting) == (rule.version, "sensitivity normal")
    assert (found.own.alerts, found.own.confirmed) == (len(LOUD), 0)
    async with yard.ports.uow() as uow:
        assert (await uow.rules.get(rule.id)).version == rule.version


async def test_a_rule_of_a_product_says_nothing_of_a_past_that_is_not_kept_by_product(yard: Yard) -> None:
    """Its replay would find no spend at all, and promise that it never fires for nothing."""
    rule = await yard.create(Rules(), "code", replace(guessing(yard), scope=Scope(products=("claude_code",))))
    await past(yard)
    assert not await run_due_calibration(yard.ports)
    assert await made(yard, rule) is None


async def test_it_is_done_again_after_a_week_and_when_the_rule_was_edited(yard: Yard) -> None:
    rule = await yard.create(Rules(), "unusual", guessing(yard))
    await past(yard)
    assert await run_due_calibration(yard.ports)
    assert not await run_due_calibration(yard.ports)
    yard.clock.move_to(yard.clock() + EVERY)
    assert await run_due_calibration(yard.ports)
    await yard.change(Rules(), rule, guessing(yard, Sensitivity.LOW))
    assert await run_due_calibration(yard.ports)
    found = await made(yard, rule)
    assert found is not None
    assert found.own.setting == "sensitivity low"


async def test_a_rule_whose_source_cannot_be_read_keeps_no_other_one_waiting(yard: Yard) -> None:
    rules = [await yard.create(Rules(), name, guessing(yard)) for name in ("first", "second")]
    await past(yard)
    async with yard.engine.begin() as connection:
        document = await connection.scalar(text("SELECT spec FROM resources WHERE kind = 'source'"))
        await connection.execute(text("UPDATE resources SET spec = '{}' WHERE kind = 'source'"))
    with pytest.raises(Exception, match="source"):
        await run_due_calibration(yard.ports)
    async with yard.engine.begin() as connection:
        spec = bindparam("spec", document, type_=JSONB)
        await connection.execute(text("UPDATE resources SET spec = :spec WHERE kind = 'source'").bindparams(spec))
    assert await run_due_calibration(yard.ports)
    assert not await run_due_calibration(yard.ports)
    assert [await made(yard, rule) is not None for rule in rules].count(True) == 1


async def test_two_workers_do_not_take_the_same_rule(yard: Yard) -> None:
    await yard.create(Rules(), "unusual", guessing(yard))
    await past(yard)
    both = await asyncio.gather(run_due_calibration(yard.ports), run_due_calibration(yard.ports))
    assert sorted(both) == [False, True]


async def test_a_young_source_and_a_rule_that_does_not_guess_are_left_alone(yard: Yard) -> None:
    await yard.create(Rules(), "unusual", guessing(yard))
    change: Rule[object] = Rule(yard.source.id, "change", Change(), gates=KINDS["change"].gates)
    await past(yard, 59)
    assert not await run_due_calibration(yard.ports)
    await yard.create(Rules(), "change", change)
    await yard.create(Rules(), "off", replace(guessing(yard), enabled=False))
    assert not await run_due_calibration(yard.ports)
