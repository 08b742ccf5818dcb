"""One person's Claude Code runs away: the bell says who, as far as the switch allows, through what and how much."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.alerts.evidence import RuleEvidence
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.rule import Rule
from service.domain.sources.source import People, ReportFamily
from service.domain.values.money import Money
from service.domain.values.names import PERSON
from service.domain.values.scopes import Dimension, ScopeKey
from service.simulator.world.records import Stream
from service.workflows.configuration.engine import Author, Draft, change, create
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Sources
from service.workflows.ports.platform import Charts
from tests.factories import utc
from tests.journeys.stage import CHANNEL, Stage, open_stage
from tests.journeys.stage import PERSON as ANN

pytestmark = pytest.mark.slow

MAIL = "ada@simulated.example"
TODAY = date(2026, 10, 20)
ADA, GRACE = (
    Stream("wrkspc_eng", "apikey_ci", "claude-sonnet-4-5", person=f"user_01{name}", product="claude_code")
    for name in ("Ada", "Grace")
)


@pytest.fixture(params=[People.HASHED, People.NAMES])
async def stage(
    request: pytest.FixtureRequest, database_url: str, engine: AsyncEngine, charts: Charts
) -> AsyncIterator[Stage]:
    """Five weeks in which Ada and Grace spend $20 a day each with one key; this morning Ada has spent $400."""
    async with open_stage(database_url, engine, utc("2026-10-20T12:00"), charts) as stage:
        stage.world.add_workspace("wrkspc_eng", "eng")
        stage.world.add_key("apikey_ci", "ci", "wrkspc_eng")
        for back in range(1, 36):
            for stream in (ADA, GRACE):
                stage.world.charge_key(TODAY - timedelta(days=back), "2000", stream)
        stage.world.charge_key(TODAY, "40000", ADA)
        stage.world.charge_key(TODAY, "1000", GRACE)
        author = Author(ANN, stage.clock())
        async with stage.ports.uow() as uow:
            spec = replace(stage.source.spec, prefer=ReportFamily.ANALYTICS, people=request.param)
            stage.source = await change(uow, Sources(), stage.source, Draft("claude", {}, spec), author)
            rule: Rule[object] = Rule(stage.source.id, "anomaly", Anomaly(levels=(Dimension.ACTOR,)))
            await create(uow, Rules(), Draft("unusual people", {}, rule), author)
        yield stage


async def test_one_persons_runaway_is_told_with_the_person_the_product_and_the_dollars(
    stage: Stage, engine: AsyncEngine
) -> None:
    await stage.poll()
    alert = await stage.alert()
    number = f"{PERSON}{stage.ports.vault.pseudonym(MAIL)}"
    assert alert.scope == ScopeKey(Dimension.ACTOR, number)
    assert isinstance(alert.evidence, RuleEvidence)
    assert (alert.evidence.actual, alert.evidence.expected) == (Money.of("400"), Money.of("20"))
    (post,) = stage.slack.messages(CHANNEL)
    name = MAIL if stage.source.spec.people is People.NAMES else number[7:15]
    for words in (f"Person {name}: $400 on Tue 20 Oct, normally $20.00", "Product claude_code", "$380"):
        assert words in post.shown
    if stage.source.spec.people is People.HASHED:
        assert MAIL not in post.shown
    assert number[7:15] in stage.terminal.getvalue()
    assert MAIL not in stage.terminal.getvalue(), "what the console prints is a log"
    assert MAIL not in await _stored(engine, "alerts", "alert_events", "rule_verdicts", "rule_episodes", "series")


async def _stored(engine: AsyncEngine, *tables: str) -> str:
    """All that stands in these tables."""
    async with engine.connect() as connection:
        read = [(await connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all() for table in tables]
    return "\n".join(row for rows in read for row in rows)
