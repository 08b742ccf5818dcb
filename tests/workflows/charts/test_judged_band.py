"""The chart of an anomaly shows what its rule judged by, as it was known when it rang."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.alerts.evidence import RuleEvidence
from service.domain.charts.chart import Chart
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Gates, Rule
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.charts.chart import chart_of
from service.workflows.configuration.rules import Rules
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed, caller

ENG = "wrkspc_eng"
MTOK = 1_000_000


async def add_rule(yard: Yard, granularity: AnomalyGranularity) -> Resource[Rule[object]]:
    params = Anomaly(granularity, levels=(Dimension.WORKSPACE,))
    spec: Rule[object] = Rule(yard.source.id, "anomaly", params)
    return await yard.create(Rules(), "unusual", spec)


def bill(yard: Yard, on: date, dollars: str) -> None:
    yard.reader.bill(on, billed(dollars, workspace=ENG))


def live(yard: Yard, days: int = 35) -> date:
    """A calm workspace until yesterday, by day and by hour."""
    today = yard.clock().date()
    for ago in range(1, days + 1):
        bill(yard, today - ago * DAY, f"{100 + ago % 3}.00")
        for hour in range(24):
            use(yard, today - ago * DAY, hour, MTOK // 4)
    return today


def use(yard: Yard, on: date, hour: int, tokens: int) -> None:
    yard.reader.use(Width.HOUR, yard.at(on) + hour * HOUR, (caller(workspace=ENG), {Measure.OUTPUT: tokens}))


async def read(yard: Yard) -> None:
    yard.clock.advance(5 * MINUTE)
    await yard.poll()
    await run_evaluation(yard.ports, yard.source.id)


async def rang(yard: Yard) -> tuple[AlertEvent, RuleEvidence]:
    (alert,) = await yard.alerts()
    async with yard.ports.uow() as uow:
        event = (await uow.alerts.events(alert.id))[0]
    assert isinstance(event.alert.evidence, RuleEvidence)
    return event, event.alert.evidence


async def drawn(yard: Yard, event: AlertEvent) -> Chart:
    async with yard.ports.uow() as uow:
        chart = await chart_of(uow, event)
    assert chart is not None
    return chart


async def a_dear_day(yard: Yard) -> tuple[AlertEvent, RuleEvidence]:
    await add_rule(yard, AnomalyGranularity.DAYS)
    bill(yard, live(yard), "900.00")
    await read(yard)
    return await rang(yard)


async def test_a_dear_day_is_shown_with_the_numbers_it_rang_by(yard: Yard) -> None:
    event, evidence = await a_dear_day(yard)
    chart = await drawn(yard, event)
    assert chart.bucket == DAY
    assert (chart.actual[-1].amount, chart.expected[-1].amount) == (evidence.actual, evidence.expected)
    assert chart.limits[-1].low < evidence.expected < chart.limits[-1].high < evidence.actual
    assert len(chart.actual) == len(chart.limits) == 22
    assert chart.usual == ()
    assert "The expected range was $" in chart.alt


async def test_a_restated_bill_does_not_change_the_picture_of_what_rang(yard: Yard) -> None:
    event, _ = await a_dear_day(yard)
    before = await drawn(yard, event)
    yard.clock.advance(DAY)
    for ago in range(1, 8):
        bill(yard, yard.clock().date() - ago * DAY, "120.00")
    await read(yard)
    assert await drawn(yard, event) == before


@pytest.mark.parametrize("later", [MINUTE, 40 * DAY])
async def test_whoever_acknowledges_later_sees_the_days_that_rang(yard: Yard, later: timedelta) -> None:
    event, _ = await a_dear_day(yard)
    before = await drawn(yard, event)
    yard.clock.advance(later)
    async with yard.ports.uow() as uow:
        await move_alert(uow, event.alert.id, Command.ACKNOWLEDGE, "", yard.author)
    async with yard.ports.uow() as uow:
        acknowledged = (await uow.alerts.events(event.alert.id))[-1]
    assert acknowledged.alert.version == 2
    assert await drawn(yard, acknowledged) == before


async def test_a_rule_that_is_gone_still_has_its_band(yard: Yard) -> None:
    event, _ = await a_dear_day(yard)
    before = await drawn(yard, event)
    async with yard.ports.uow() as uow:
        rule = await uow.rules.get("unusual")
    yard.clock.advance(MINUTE)
    await yard.delete(Rules(), rule)
    await run_evaluation(yard.ports, yard.source.id)
    async with yard.ports.uow() as uow:
        last = (await uow.alerts.events(event.alert.id))[-1]
    assert last.command is Command.RESOLVE
    assert await drawn(yard, event) == before
    assert await drawn(yard, last) == before


async def test_a_dear_hour_is_shown_among_hours(yard: Yard) -> None:
    await add_rule(yard, AnomalyGranularity.HOURS)
    today = live(yard)
    for hour in range(12):
        use(yard, today, hour, 20 * MTOK if hour == 11 else MTOK // 4)
    await read(yard)
    event, evidence = await rang(yard)
    chart = await drawn(yard, event)
    assert (chart.bucket, len(chart.actual), len(chart.limits)) == (HOUR, 48, 48)
    assert chart.actual[-1].at == yard.at(today) + 11 * HOUR
    assert (chart.actual[-1].amount, chart.expected[-1].amount) == (evidence.actual, evidence.expected)
    assert chart.actual[-1].amount == Money.of("300.00")
    assert chart.limits[-1].high < evidence.actual


async def test_a_kind_without_a_band_shows_what_is_usual(yard: Yard) -> None:
    gates = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3)
    spec: Rule[object] = Rule(
        yard.source.id, "change", Change(against=Against.PREVIOUS_DAY), for_each=Dimension.WORKSPACE, gates=gates
    )
    await yard.create(Rules(), "jump", spec)
    bill(yard, live(yard), "900.00")
    await read(yard)
    event, evidence = await rang(yard)
    chart = await drawn(yard, event)
    assert chart.limits == ()
    assert len(chart.usual) == len(chart.actual) == 29
    assert chart.actual[-1].amount == evidence.actual
