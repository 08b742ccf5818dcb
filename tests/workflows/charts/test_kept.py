"""A picture shows what people were told, as it was known just then: neither bills nor edits redraw it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from service.domain.alerts.alert import Alert, AlertEvent, Command
from service.domain.charts.chart import Theme
from service.domain.charts.specification import specification
from service.domain.detectors.scores import Sensitivity
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Gates, Rule
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Budgets
from tests.factories import budget, forecast_percent, percent
from tests.workflows.charts.test_judged_band import MTOK, add_rule, bill, drawn, live, read, use
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard

Fire = Callable[[Yard], Awaitable[None]]


async def a_day(yard: Yard) -> None:
    await add_rule(yard, AnomalyGranularity.DAYS)
    bill(yard, live(yard), "900.00")
    await read(yard)


async def an_hour(yard: Yard) -> None:
    await add_rule(yard, AnomalyGranularity.HOURS)
    today = live(yard)
    for hour in range(12):
        use(yard, today, hour, 20 * MTOK if hour == 11 else MTOK // 4)
    await read(yard)


async def a_change(yard: Yard) -> None:
    gates = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3)
    params = Change(against=Against.PREVIOUS_DAY)
    spec: Rule[object] = Rule(yard.source.id, "change", params, for_each=Dimension.WORKSPACE, gates=gates)
    await yard.create(Rules(), "jump", spec)
    bill(yard, live(yard), "900.00")
    await read(yard)


async def a_budget(yard: Yard) -> None:
    spec = budget("1000.00", percent(100), period=BERLIN, for_each=Dimension.WORKSPACE)
    await yard.create(Budgets(), "eng", replace(spec, source_id=yard.source.id))
    bill(yard, live(yard), "900.00")
    await read(yard)


async def a_forecast(yard: Yard) -> None:
    spec = budget("2000.00", forecast_percent(100), period=BERLIN, for_each=Dimension.WORKSPACE)
    await yard.create(Budgets(), "eng", replace(spec, source_id=yard.source.id))
    bill(yard, live(yard, 80), "100.00")
    await read(yard)
    yard.clock.advance(DAY)
    await read(yard)


async def a_days_budget(yard: Yard) -> None:
    spec = budget("100.00", percent(100), period=PeriodSpec(PeriodKind.DAILY, "Asia/Kolkata"))
    await yard.create(Budgets(), "eng", replace(spec, source_id=yard.source.id))
    today = live(yard)
    for hour in range(12):
        use(yard, today, hour, 2 * MTOK)
    await read(yard)


BERLIN = PeriodSpec(PeriodKind.MONTHLY, "Europe/Berlin")
RULES = [pytest.param(a_day, id="by day"), pytest.param(an_hour, id="by hour"), pytest.param(a_change, id="change")]
BUDGETS = [
    pytest.param(a_budget, id="budget"),
    pytest.param(a_days_budget, id="daily budget"),
    pytest.param(a_forecast, id="forecast"),
]


async def history(yard: Yard) -> tuple[Alert, list[AlertEvent]]:
    (alert,) = await yard.alerts()
    async with yard.ports.uow() as uow:
        return alert, await uow.alerts.events(alert.id)


async def document(yard: Yard, event: AlertEvent) -> str:
    """The chart as it goes out, to the byte."""
    return json.dumps(specification(await drawn(yard, event), Theme.LIGHT))


async def everything_is_known_otherwise(yard: Yard) -> None:
    """Bills and hours of all days around are restated, and whatever watches them is edited."""
    yard.clock.advance(3 * HOUR)
    today = yard.clock().date()
    for ago in range(30):
        bill(yard, today - ago * DAY, f"{33 + ago}.00")
        for hour in range(24 if ago else 14):
            use(yard, today - ago * DAY, hour, MTOK // 9)
    async with yard.ports.uow() as uow:
        rules, budgets = await uow.rules.all(), await uow.budgets.all()
    for rule in rules:
        await yard.change(Rules(), rule, _edited(rule))
    for one in budgets:
        await yard.change(Budgets(), one, replace(one.spec, amount=Money.of("5.00"), scope=Scope(workspaces=("w",))))
    await read(yard)


def _edited(rule: Resource[Rule[object]]) -> Rule[object]:
    params = rule.spec.params
    if isinstance(params, Anomaly):
        params = replace(params, sensitivity=Sensitivity.LOW)
    return replace(rule.spec, params=params, gates=replace(rule.spec.gates, min_amount=Money.of("90.00")))


@pytest.mark.parametrize("fire", [*RULES, *BUDGETS])
async def test_what_becomes_known_later_does_not_redraw_what_fired(yard: Yard, fire: Fire) -> None:
    await fire(yard)
    _, (event,) = await history(yard)
    before = await document(yard, event)
    await everything_is_known_otherwise(yard)
    assert await document(yard, event) == before


@pytest.mark.parametrize("fire", [*RULES, *BUDGETS])
async def test_whoever_answers_later_does_not_redraw_it(yard: Yard, fire: Fire) -> None:
    await fire(yard)
    alert, (event,) = await history(yard)
    before = await document(yard, event)
    yard.clock.advance(MINUTE)
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.ACKNOWLEDGE, "", yard.author)
    await everything_is_known_otherwise(yard)
    _, (_, acknowledged, *_) = await history(yard)
    assert await document(yard, acknowledged) == before


@pytest.mark.parametrize("fire", [*RULES, *BUDGETS])
async def test_an_alert_of_a_release_that_kept_nothing_is_still_drawn(yard: Yard, fire: Fire) -> None:
    await fire(yard)
    _, (event,) = await history(yard)
    kept = await drawn(yard, event)
    async with yard.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE alert_events DISABLE TRIGGER USER"))
        await connection.execute(text("UPDATE alert_events SET alert = alert #- '{evidence,buckets}'"))
        await connection.execute(text("ALTER TABLE alert_events ENABLE TRIGGER USER"))
    _, (event,) = await history(yard)
    assert event.alert.evidence.buckets == ()
    found = await drawn(yard, event)
    assert (found.title, found.subtitle, found.fired) == (kept.title, kept.subtitle, kept.fired)
    assert found.actual[-1] == kept.actual[-1]
    assert found.limits == kept.limits


@pytest.mark.parametrize("fire", [*RULES, *BUDGETS])
async def test_what_is_kept_stands_with_the_event_and_moves_no_alert(yard: Yard, fire: Fire) -> None:
    await fire(yard)
    alert, (event,) = await history(yard)
    assert 0 < len(event.alert.evidence.buckets) <= 62
    assert (alert.evidence, alert.evidence.buckets) == (event.alert.evidence, ())
    yard.clock.advance(MINUTE)
    assert await run_evaluation(yard.ports, yard.source.id) == []


async def test_an_alert_that_grows_is_drawn_as_people_were_told_last(yard: Yard) -> None:
    await a_day(yard)
    bill(yard, yard.clock().date(), "1500.00")
    await read(yard)
    _, (opened, amended) = await history(yard)
    first, second = await drawn(yard, opened), await drawn(yard, amended)
    assert (str(first.actual[-1].amount), str(second.actual[-1].amount)) == ("900.00", "1500.00")


async def test_a_defect_in_what_is_kept_keeps_no_alert_from_firing(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("no band")

    monkeypatch.setattr("service.workflows.charts.kept.with_buckets", fail)
    await a_day(yard)
    _, (event,) = await history(yard)
    assert len((await drawn(yard, event)).limits) == 22
    async with yard.ports.uow() as uow:
        assert await uow.chart_failures.count() == 1


@pytest.mark.parametrize("fire", BUDGETS)
async def test_a_defect_in_a_budget_s_line_keeps_no_alert_from_firing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, fire: Fire
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("no line")

    monkeypatch.setattr("service.workflows.charts.kept.spend_so_far", fail)
    await fire(yard)
    _, (event,) = await history(yard)
    assert event.alert.evidence.buckets == ()
    async with yard.ports.uow() as uow:
        assert await uow.chart_failures.count() >= 1
