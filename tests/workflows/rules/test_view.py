"""People's use of Claude Code, as it is stored, judged by a rule: it fires with the name that the switch allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from service.domain.alerts.alert import AlertState, Reason
from service.domain.notify.channels.email import Email
from service.domain.rules.kinds.claude_code import ClaudeCodeCost, RunningPeriod
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.sources.source import People
from service.domain.spend.claude_code import MARK, ClaudeCodeDay
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.charts.chart import chart_of
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Sources
from service.workflows.rules.ruling import preview
from tests.domain.rules.kinds.test_claude_code import record
from tests.workflows.yard import DAY, HOUR, Yard

ADA = ScopeKey(Dimension.ACTOR, "person_7f3a91c2aabbccdd")
MAIL = "ada@example.com"


async def spend(yard: Yard, usd: str) -> None:
    """Ada's use of Claude Code today, as a poll stores it."""
    now = yard.clock()
    async with yard.ports.uow() as uow:
        day = ClaudeCodeDay(now.date(), (record(ADA.id, usd),))
        await uow.claude_code.replace(yard.source.id, day, now)


@pytest.mark.parametrize("names", [{}, {ADA: MAIL}], ids=["hashed", "names"])
async def test_a_stored_day_fires_once_and_ends_with_its_period(yard: Yard, names: dict[ScopeKey, str]) -> None:
    params = ClaudeCodeCost(Money.of("50"), RunningPeriod.DAY, times=None)
    spec: Rule[object] = Rule(yard.source.id, "claude_code", params, gates=KINDS["claude_code"].gates)
    await yard.receive_with(Email(("finops@example.com",)))
    reading = replace(yard.source.spec, claude_code=True, people=People.NAMES if names else People.HASHED)
    await yard.change(Sources(), yard.source, reading)
    rule = await yard.create(Rules(), "people", spec)
    async with yard.ports.uow() as uow:
        await uow.directory.note_named(yard.source.id, names, yard.clock())
    await spend(yard, "50")
    assert await run_evaluation(yard.ports, yard.source.id) == []
    yard.clock.advance(HOUR)
    await spend(yard, "80")
    async with yard.ports.uow() as uow:
        assert [one.scope for one in (await preview(uow, rule, yard.clock())).firing] == [ADA]
    (opened,) = await run_evaluation(yard.ports, yard.source.id)
    assert (opened.alert.scope, opened.alert.severity) == (ADA, spec.severity)
    async with yard.ports.uow() as uow:
        assert await chart_of(uow, opened) is None, "a picture would show what is on the bill"
    await yard.settle()
    ((_, delivery),) = yard.channels.sent
    who = names.get(ADA, "7f3a91c2")
    assert delivery.message.headline.startswith(f"Person {who}: $80.00 on ")
    assert delivery.message.headline.endswith(f"$30.00 above the limit, {MARK}")
    assert MAIL not in await _stored(yard, "alerts", "alert_events", "rule_verdicts", "rule_episodes")
    yard.clock.advance(DAY)
    (ended,) = await run_evaluation(yard.ports, yard.source.id)
    assert (ended.alert.state, ended.reason) == (AlertState.RESOLVED, Reason.RECOVERED)


async def _stored(yard: Yard, *tables: str) -> str:
    async with yard.engine.connect() as connection:
        read = [(await connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all() for table in tables]
    return "\n".join(row for rows in read for row in rows)
