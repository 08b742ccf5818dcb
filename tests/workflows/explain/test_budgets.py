"""A budget's thresholds are explained by what was spent, forecast and rung at each instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from service.domain.alerts.evidence import BudgetEvidence
from service.domain.budgets.budget import Budget, Threshold
from service.domain.explain.explanation import Explanation
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.utc import hour_start
from service.workflows.configuration.spend import Budgets, Sources
from service.workflows.explain.budgets import ask_budget, explain_budget_at
from tests.factories import budget, forecast_percent, percent
from tests.workflows.explain.test_explain import gate, only_alert, read
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed, caller


async def spent_against(yard: Yard, *spent: str, spec: Budget | None = None) -> list[datetime]:
    """A budget of $100 with two levels, and today's bill as it was read from time to time."""
    await yard.add_budget("monthly", spec or budget("100.00", percent(80), percent(100)))
    instants = []
    for dollars in spent:
        yard.reader.bill(yard.clock().date(), billed(dollars))
        instants.append(await read(yard, HOUR))
    return instants


async def levels(yard: Yard, at: datetime | None = None, scope: ScopeKey | None = None) -> list[Explanation]:
    now = yard.clock()
    async with yard.ports.uow() as uow:
        found = await explain_budget_at(uow, await ask_budget(uow, "monthly", at or now, now), scope)
    return sorted(found.items, key=lambda one: one.threshold or "", reverse=True)


async def outcomes(yard: Yard, at: datetime | None = None) -> list[str]:
    """Of 80%, then of 100%."""
    return [one.outcome.name for one in await levels(yard, at)]


@pytest.mark.parametrize("later", [timedelta(), 40 * DAY])
async def test_a_budget_is_explained_by_what_was_spent_and_had_rung_at_each_instant(
    yard: Yard, later: timedelta
) -> None:
    before, first, between, second = await spent_against(yard, "50.00", "85.00", "90.00", "120.00")
    yard.clock.advance(later)
    assert await outcomes(yard, before) == ["reached", "reached"]
    assert await outcomes(yard, first) == ["rang", "reached"]
    assert await outcomes(yard, between) == ["already_rung", "reached"]
    assert await outcomes(yard, second) == ["already_rung", "rang"]
    low, high = await levels(yard, between)
    assert (
        low.outcome.conclusion
        == ("It did not fire: this level fired on 2026-11-16 14:00 UTC, and fires once in a period.")
        or not later
    )
    assert [str(amount) for amount in (high.actual, high.expected, high.excess)] == ["90.00", "100.00", "-10.00"]
    assert "$90.00 is below the level of $100.00" in high.outcome.conclusion


async def test_the_explanation_of_a_budget_s_ring_has_the_alert_s_numbers(yard: Yard) -> None:
    (at,) = await spent_against(yard, "120.00")
    alert = await only_alert(yard)
    yard.clock.advance(DAY)
    low, high = await levels(yard, at)
    assert isinstance(alert.evidence, BudgetEvidence)
    assert (high.actual, high.expected) == (alert.evidence.spent, alert.evidence.level)
    assert (low.outcome.name, high.outcome.name) == ("higher_rung", "rang")
    assert "$100.00 is reached as well" in low.outcome.conclusion


async def test_the_hour_that_was_running_is_not_kept_and_the_alert_s_own_figure_is_told(yard: Yard) -> None:
    await yard.add_budget("monthly", budget("100.00", percent(80), percent(100)))
    yard.reader.bill(yard.clock().date(), billed("70.00"))
    await read(yard, HOUR)
    yard.reader.use(Width.HOUR, hour_start(yard.clock()), (caller(), {Measure.OUTPUT: 8_000_000}))
    at = await read(yard)
    alert = await only_alert(yard)
    assert isinstance(alert.evidence, BudgetEvidence)
    assert str(alert.evidence.spent) == "120.00", "of sonnet's 8 million tokens"
    yard.clock.advance(5 * MINUTE)
    low, high = await levels(yard, at)
    assert (low.outcome.name, high.outcome.name) == ("higher_rung", "rang")
    assert high.outcome.conclusion == "It fired: actual:100% of monthly: $120.00 were spent."
    assert "spent $120.00 of $100.00" in high.cause
    assert gate(high, "reached") == (True, "$120.00", "at least $100.00")
    assert (low.actual, low.excess) == (alert.evidence.spent, Money.of("40.00"))
    _, higher = await levels(yard, at + MINUTE)
    assert str(higher.actual) == "70.00"
    assert "usage of the hour that was running is not kept" in gate(higher, "known")[1]


async def test_a_budget_s_earlier_instant_has_its_old_amount_and_its_old_spend(yard: Yard) -> None:
    (at,) = await spent_against(yard, "70.00")
    yard.clock.advance(HOUR)
    async with yard.ports.uow() as uow:
        stored = await uow.budgets.get("monthly")
    await yard.change(Budgets(), stored, replace(stored.spec, amount=Money.of("60.00")))
    yard.reader.bill(at.date(), billed("75.00"))
    await read(yard)
    assert await outcomes(yard) == ["higher_rung", "rang"]
    low, high = await levels(yard, at)
    assert [str(one.expected) for one in (low, high)] == ["80.00", "100.00"]
    assert [str(one.actual) for one in (low, high)] == ["70.00", "70.00"]


async def test_a_day_that_a_period_cuts_is_split_and_the_answer_says_so(yard: Yard) -> None:
    """In Auckland the 17th begins at 11:00 UTC on the 16th: at 13:00 two of thirteen hours are of it."""
    zoned = budget("100.00", percent(80), period=PeriodSpec(PeriodKind.DAILY, "Pacific/Auckland"))
    (at,) = await spent_against(yard, "65.00", spec=zoned)
    live = {str(one.period.label if one.period else ""): one.actual for one in await levels(yard)}
    yard.clock.advance(DAY)
    then = {str(one.period.label if one.period else ""): one for one in await levels(yard, at)}
    assert str(then["17 November 2026"].actual) == "10.00"
    assert then["17 November 2026"].actual == live["17 November 2026"]
    assert "split evenly" in gate(then["17 November 2026"], "known")[1]


async def headed(yard: Yard, *thresholds: Threshold) -> None:
    """A month at $10 a day, and a budget of $200 for it."""
    await yard.add_budget("monthly", budget("200.00", *thresholds))
    today = yard.clock().date()
    for ago in range(1, 35):
        yard.reader.bill(today - ago * DAY, billed("10.00"))
    yard.reader.bill(today, billed("5.00"))
    await read(yard)


async def test_a_forecast_has_to_be_confirmed_before_it_rings_and_then_has_rung(yard: Yard) -> None:
    await headed(yard, forecast_percent(100))
    (one,) = await levels(yard)
    assert one.outcome.name == "confirmed"
    assert gate(one, "reached")[0]
    assert abs(one.actual.usd - 300) < 10 if one.actual else False
    yard.reader.bill(yard.clock().date(), billed("10.00"))
    yard.clock.advance(DAY)
    rang = await read(yard)
    assert await outcomes(yard) == ["rang"]
    yard.clock.advance(HOUR)
    assert await outcomes(yard) == ["already_rung"]
    assert await outcomes(yard, rang) == ["rang"]


async def test_the_forecast_of_an_alert_is_told_as_the_alert_noted_it(yard: Yard) -> None:
    """$8 of the hour that ran then count in the alert, and are not kept."""
    await headed(yard, forecast_percent(100))
    yard.reader.bill(yard.clock().date(), billed("10.00"))
    yard.clock.advance(DAY)
    yard.reader.use(Width.HOUR, hour_start(yard.clock()), (caller(), {Measure.OUTPUT: 533_334}))
    rang = await read(yard)
    alert = await only_alert(yard)
    assert isinstance(alert.evidence, BudgetEvidence)
    assert alert.evidence.forecast is not None
    yard.clock.advance(5 * MINUTE)
    (one,) = await levels(yard, rang)
    assert (one.actual, one.outcome.name) == (alert.evidence.forecast.mid, "rang")
    assert dict(one.inputs)["spent"] == alert.evidence.spent.display()
    assert gate(one, "forecast_ready")[1] == "the forecast that the alert noted"
    (later,) = await levels(yard, rang + MINUTE)
    assert later.actual != alert.evidence.forecast.mid, "without the hour that was running"
    assert "made again from what is kept" in gate(later, "forecast_ready")[1]


async def test_the_alert_and_the_explanation_of_an_office_name_the_holidays_to_come(yard: Yard) -> None:
    """Thanksgiving, 26 November 2026: a Thursday."""
    await yard.change(Sources(), yard.source, replace(yard.source.spec, country="US"))
    await yard.add_budget("monthly", budget("150.00", forecast_percent(100)))
    today = yard.clock().date()
    for ago in range(36):
        day = today - ago * DAY
        is_quiet = day.weekday() >= 5 or day == date(2026, 11, 11)
        yard.reader.bill(day, billed("1.00" if is_quiet else "10.00"))
    await read(yard)
    yard.clock.advance(DAY)
    yard.reader.bill(yard.clock().date(), billed("5.00"))
    await read(yard)
    async with yard.ports.uow() as uow:
        (alert,) = await uow.alerts.open(yard.source.id)
    assert isinstance(alert.evidence, BudgetEvidence)
    assert alert.evidence.forecast is not None
    assert alert.evidence.forecast.quiet_days == (date(2026, 11, 26),)
    (one,) = await levels(yard)
    assert dict(one.inputs)["public holidays to come"] == "Thu 26 Nov"


async def test_the_forecast_of_an_earlier_instant_is_made_anew_from_what_was_known(yard: Yard) -> None:
    await headed(yard, forecast_percent(200))
    at = yard.clock()
    (live,) = await levels(yard)
    yard.clock.advance(2 * DAY)
    for ago in range(1, 3):
        yard.reader.bill(yard.clock().date() - ago * DAY, billed("90.00"))
    await read(yard)
    (then,) = await levels(yard, at)
    assert live.actual is not None
    assert then.actual is not None
    assert abs(then.actual.usd - live.actual.usd) < live.actual.usd / 20
    assert then.outcome.name == "reached"


async def test_where_spend_itself_has_rung_the_forecast_is_inhibited(yard: Yard) -> None:
    await headed(yard, forecast_percent(100), percent(70))
    yard.clock.advance(DAY)
    at = await read(yard)
    (forecast,) = [one for one in await levels(yard) if one.threshold == "forecast:100%"]
    assert forecast.outcome.name == "inhibited"
    assert forecast.outcome.conclusion == "It does not fire: an alert on what is spent covers this period."
    yard.clock.advance(HOUR)
    assert "confirmed" in {one.outcome.name for one in await levels(yard, at)}


async def test_a_forecast_that_cannot_be_made_says_why(yard: Yard) -> None:
    for ago in range(1, 4):
        yard.reader.bill(yard.clock().date() - ago * DAY, billed("10.00"))
    (at,) = await spent_against(yard, "5.00", spec=budget("100.00", forecast_percent(100)))
    why = "nothing can be forecast: too few complete days are known"
    (one,) = await levels(yard)
    assert (one.outcome.name, one.actual) == ("forecast_ready", None)
    assert one.outcome.conclusion == f"It does not fire: {why}."
    yard.clock.advance(DAY)
    (one,) = await levels(yard, at)
    assert one.outcome.conclusion == f"It did not fire: {why}."


async def test_each_member_of_a_budget_is_explained_and_one_can_be_asked_for(yard: Yard) -> None:
    each = budget("100.00", percent(80), for_each=Dimension.WORKSPACE)
    await yard.add_budget("monthly", each)
    today = yard.clock().date()
    yard.reader.bill(today, billed("90.00", workspace="wrkspc_eng"), billed("10.00", workspace="wrkspc_ops"))
    await read(yard)
    assert [(str(one.scope), one.outcome.name) for one in await levels(yard)] == [
        ("workspace:wrkspc_eng", "rang"),
        ("workspace:wrkspc_ops", "reached"),
    ]
    (one,) = await levels(yard, scope=ScopeKey(Dimension.WORKSPACE, "wrkspc_ops"))
    assert str(one.actual) == "10.00"
    (other,) = await levels(yard, scope=ScopeKey(Dimension.WORKSPACE, "wrkspc_new"))
    assert other.outcome.name == "known"


async def test_a_disabled_budget_and_one_whose_time_has_not_come_say_so(yard: Yard) -> None:
    ahead = PeriodSpec(PeriodKind.CUSTOM, start=yard.clock() + DAY, end=yard.clock() + 9 * DAY)
    await yard.add_budget("monthly", budget("100.00", period=ahead, enabled=False))
    (one,) = await levels(yard)
    assert [gate.passed for gate in one.gates] == [False, False]
    assert one.outcome.conclusion == "It does not fire: it is disabled."
    assert gate(one, "known")[1] == "no period of the budget runs at that instant"
