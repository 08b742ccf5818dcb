"""What is over is judged by the budgets that were there when it ended, not by what was configured later."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.domain.alerts.alert import AlertState
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.budgets.budget import Budget
from service.domain.spend.rows import CostRow
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.domain.values.scopes import Scope
from service.workflows.budgets.statuses import forecast_statuses
from service.workflows.configuration.spend import Budgets
from service.workflows.explain.budgets import ask_budget, explain_budget_at
from tests.factories import amount, budget, percent, utc
from tests.workflows.yard import DAY, Yard, billed

OCTOBER, NOVEMBER = date(2026, 10, 20), date(2026, 11, 1)


async def told(yard: Yard) -> list[tuple[str, str, AlertState]]:
    """Every alert: its period, the amount it compares with, and how it stands."""
    found = []
    for alert in await yard.alerts():
        assert isinstance(alert.evidence, BudgetEvidence)
        found.append((alert.evidence.period_label, str(alert.evidence.amount), alert.state))
    return found


async def bill(yard: Yard, day: date, dollars: str) -> None:
    yard.reader.bill(day, billed(dollars))
    await yard.poll()
    await yard.settle()


async def edit(yard: Yard, stored: Resource[Budget], spec: Budget) -> Resource[Budget]:
    changed = await yard.change(Budgets(), stored, replace(spec, source_id=yard.source.id))
    await yard.settle()
    return changed


@pytest.mark.parametrize("kind", [PeriodKind.DAILY, PeriodKind.WEEKLY, PeriodKind.MONTHLY])
async def test_a_new_budget_rings_for_the_period_that_runs_and_for_none_before(yard: Yard, kind: PeriodKind) -> None:
    yard.clock.move_to(utc("2026-11-02T12:00"))  # a Monday
    for days in range(5):
        await bill(yard, yard.clock().date() - days * DAY, "50.00")
    await yard.add_budget("new", budget("10.00", percent(100), period=PeriodSpec(kind)))
    await yard.settle()
    await yard.minute()
    (alert,) = await yard.alerts()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert yard.clock() in alert.evidence.period
    assert not alert.evidence.late


async def test_a_larger_amount_for_november_leaves_october_s_alert_and_its_late_bills_alone(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-10-31T12:00"))
    stored = await yard.add_budget("eng", budget("10.00", percent(100), percent(200)))
    await bill(yard, OCTOBER, "12.00")
    yard.clock.move_to(utc("2026-11-02T09:00"))
    await edit(yard, stored, budget("100.00", percent(100), percent(200)))
    assert await told(yard) == [("October 2026", "10.00", AlertState.FIRING)]
    await bill(yard, OCTOBER, "21.00")
    (alert,) = await yard.alerts()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert (alert.evidence.threshold, alert.evidence.late) == ("actual:200%", True)
    async with yard.ports.uow() as uow:
        statuses = await forecast_statuses(uow, await uow.budgets.get("eng"), yard.clock())
    assert {one.period.label: str(one.terms.amount) for one in statuses} == {
        "November 2026": "100.00",
        "October 2026": "10.00",
    }


@pytest.mark.parametrize(
    "spec", [budget("10.00", percent(100)), budget("100.00", percent(100), amount("5.00"))], ids=["amount", "threshold"]
)
async def test_a_stricter_budget_on_the_second_rings_for_november_alone(yard: Yard, spec: Budget) -> None:
    yard.clock.move_to(utc("2026-10-31T12:00"))
    stored = await yard.add_budget("eng", budget("100.00", percent(100)))
    await bill(yard, OCTOBER, "12.00")
    yard.clock.move_to(utc("2026-11-02T09:00"))
    await edit(yard, stored, spec)
    await bill(yard, OCTOBER, "13.00")
    assert not await yard.alerts()
    await bill(yard, NOVEMBER, "12.00")
    assert [label for label, _, _ in await told(yard)] == ["November 2026"]


def by_product(dollars: str, product: str) -> CostRow:
    row = billed(dollars)
    return replace(row, dimensions=replace(row.dimensions, extra=(("product", product),)))


async def test_spend_by_product_is_still_told_apart_for_november_when_december_counts_all(yard: Yard) -> None:
    spent_on = date(2026, 11, 20)
    yard.clock.move_to(utc("2026-11-30T12:00"))
    by_code = replace(budget("10.00", percent(100), percent(200)), scope=Scope(products=("claude_code",)))
    stored = await yard.add_budget("code", by_code)
    yard.reader.bill(spent_on, by_product("12.00", "claude_code"), by_product("50.00", "messages_api"))
    await yard.poll()
    await yard.settle()
    yard.clock.move_to(utc("2026-12-02T09:00"))
    await edit(yard, stored, budget("100.00", percent(100), percent(200)))
    assert await told(yard) == [("November 2026", "10.00", AlertState.FIRING)]
    async with yard.ports.uow() as uow:
        explained = await explain_budget_at(uow, await ask_budget(uow, "code", yard.clock(), yard.clock()), None)
    november = [one.actual for one in explained.items if one.period and one.period.label == "November 2026"]
    assert november == [Money.of("12.00")] * 2
    yard.reader.bill(spent_on, by_product("21.00", "claude_code"), by_product("50.00", "messages_api"))
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert (alert.evidence.threshold, alert.evidence.late) == ("actual:200%", True)


async def test_a_late_alert_s_days_and_picture_are_of_the_spend_that_counted_in_october(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-10-31T12:00"))
    stored = await yard.add_budget("a", replace(budget("10.00", percent(100)), scope=Scope(workspaces=("wrkspc_a",))))
    await yard.poll()
    await yard.settle()
    yard.clock.move_to(utc("2026-11-02T09:00"))
    await edit(yard, stored, replace(stored.spec, scope=Scope(workspaces=("wrkspc_b",))))
    yard.reader.bill(OCTOBER, billed("12.00", workspace="wrkspc_a"))
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert alert.evidence.billed_days == (OCTOBER,)
    async with yard.ports.uow() as uow:
        (event,) = await uow.alerts.events(alert.id)
    assert [one.amount for one in event.alert.evidence.buckets] == [Money.of("12.00")]


async def test_another_name_does_not_keep_a_late_bill_quiet(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-10-31T12:00"))
    stored = await yard.add_budget("eng", budget("10.00", percent(100)))
    yard.clock.move_to(utc("2026-11-02T09:00"))
    await edit(yard, replace(stored, name="engineering"), stored.spec)
    await bill(yard, OCTOBER, "12.00")
    assert await told(yard) == [("October 2026", "10.00", AlertState.FIRING)]


async def test_an_explanation_leaves_out_what_ended_before_the_budget(yard: Yard) -> None:
    now = yard.clock()
    for days in range(3):
        await bill(yard, now.date() - days * DAY, "50.00")
    await yard.add_budget("eng", budget("10.00", percent(100), period=PeriodSpec(PeriodKind.DAILY)))
    async with yard.ports.uow() as uow:
        found = await explain_budget_at(uow, await ask_budget(uow, "eng", now, now), None)
    assert [one.period.label for one in found.items if one.period] == ["16 November 2026"]
