"""A settled bill that contradicts what a budget's alert was fired on takes the alert back, everywhere it was heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from service.domain.alerts.alert import Alert, AlertState, Reason
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.budgets.budget import Budget
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.teams import Teams
from service.domain.notify.notification import Action
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.severity import Severity
from tests.factories import SEALED, budget, percent, utc
from tests.workflows.yard import DAY, HOUR, Yard, billed, caller

TODAY = date(2026, 11, 16)
NOON = utc("2026-11-16T12:00")
SETTLED = utc("2026-11-18T00:05")
CANNOT_EDIT = (Email(("finops@example.com",)), PagerDuty(SEALED), Teams(SEALED), Jsm(SEALED))
TWO_LEVELS = budget("10.00", percent(80), percent(200, Severity.CRITICAL))


async def overrun_by_estimate(yard: Yard, spec: Budget = TWO_LEVELS) -> Alert:
    """Usage of $20 that no bill contains yet, against a budget of $10."""
    yard.clock.move_to(NOON)
    await yard.receive_with(*CANNOT_EDIT)
    await yard.add_budget("eng", spec)
    yard.reader.bill(TODAY)
    yard.reader.use(Width.HOUR, NOON - HOUR, (caller(), {Measure.OUTPUT: 1_333_334}))
    await read(yard)
    return await newest(yard)


async def bill_says(yard: Yard, dollars: str) -> None:
    """The settled bill of the day; its usage is what it was."""
    yard.clock.move_to(max(SETTLED, yard.clock() + HOUR))
    yard.reader.bill(TODAY, billed(dollars))
    await read(yard)


async def read(yard: Yard) -> None:
    await yard.poll()
    await yard.settle()


async def newest(yard: Yard) -> Alert:
    return (await yard.alerts())[-1]


async def last_reason(yard: Yard, alert: Alert) -> Reason:
    async with yard.ports.uow() as uow:
        return (await uow.alerts.events(alert.id))[-1].reason


def heard(yard: Yard, action: Action) -> set[str]:
    """The kinds of channel that were sent such a message."""
    return {config.kind for config, delivery in yard.channels.sent if delivery.action is action}


async def test_an_estimate_that_the_bill_does_not_confirm_ends_its_alert_in_every_channel(yard: Yard) -> None:
    fired = await overrun_by_estimate(yard)
    await bill_says(yard, "0.00")
    alert = await newest(yard)
    assert (alert.id, alert.state) == (fired.id, AlertState.RESOLVED)
    assert await last_reason(yard, alert) is Reason.NOT_CONFIRMED
    assert heard(yard, Action.RESOLVE) == {one.kind for one in CANNOT_EDIT}
    _, said = yard.channels.sent[-1]
    assert said.message.change == (
        "Not confirmed by the bill: eng is at $0.00 in November 2026, it was at $20.00 when this fired. Closed."
    )


async def test_a_bill_that_is_not_settled_contradicts_nothing(yard: Yard) -> None:
    fired = await overrun_by_estimate(yard)
    yard.clock.move_to(utc("2026-11-17T23:55"))
    yard.reader.bill(TODAY, billed("0.01"))
    await read(yard)
    assert (await newest(yard)).state is AlertState.FIRING
    assert (await newest(yard)).id == fired.id


async def test_a_crossing_that_the_bill_took_back_may_fire_again(yard: Yard) -> None:
    first = await overrun_by_estimate(yard)
    await bill_says(yard, "0.00")
    yard.clock.advance(HOUR)
    yard.reader.bill(TODAY + DAY, billed("9.00"))
    await read(yard)
    second = await newest(yard)
    assert second.id != first.id
    assert (second.state, second.severity) == (AlertState.FIRING, Severity.WARNING)


async def test_a_bill_that_is_restated_downwards_after_it_fired_ends_the_alert_too(yard: Yard) -> None:
    await yard.add_budget("eng", TWO_LEVELS)
    yard.clock.move_to(SETTLED)
    yard.reader.bill(TODAY, billed("12.00"))
    await read(yard)
    assert (await newest(yard)).state is AlertState.FIRING
    yard.clock.move_to(utc("2026-11-20T00:05"))
    yard.reader.bill(TODAY, billed("3.00"))
    await read(yard)
    assert (await newest(yard)).state is AlertState.RESOLVED


async def test_a_bill_that_takes_one_threshold_back_is_heard_by_people_and_pages_nobody(yard: Yard) -> None:
    fired = await overrun_by_estimate(yard)
    assert fired.severity is Severity.CRITICAL
    await bill_says(yard, "9.00")
    alert = await newest(yard)
    assert (alert.state, alert.severity) == (AlertState.FIRING, Severity.WARNING)
    assert await last_reason(yard, alert) is Reason.NOT_CONFIRMED
    assert heard(yard, Action.AMEND) == {"email", "teams"}
    assert isinstance(alert.evidence, BudgetEvidence)
    assert (alert.evidence.threshold, alert.evidence.spent) == ("actual:80%", Money.of("9.00"))


async def test_a_bill_that_confirms_says_nothing_more(yard: Yard) -> None:
    await overrun_by_estimate(yard)
    sent = len(yard.channels.sent)
    await bill_says(yard, "20.00")
    assert (await newest(yard)).state is AlertState.FIRING
    assert len(yard.channels.sent) == sent


LAST_WEEK = replace(TWO_LEVELS, period=PeriodSpec(PeriodKind.ROLLING, days=7))


async def test_a_rolling_window_that_the_bill_does_not_confirm_ends_its_alert_in_every_channel(yard: Yard) -> None:
    fired = await overrun_by_estimate(yard, LAST_WEEK)
    await bill_says(yard, "0.00")
    alert = await newest(yard)
    assert (alert.id, alert.state) == (fired.id, AlertState.RESOLVED)
    assert await last_reason(yard, alert) is Reason.NOT_CONFIRMED
    assert heard(yard, Action.RESOLVE) == {one.kind for one in CANNOT_EDIT}
    yard.clock.advance(HOUR)
    yard.reader.bill(TODAY + DAY, billed("21.00"))
    await read(yard)
    assert ((await newest(yard)).id, (await newest(yard)).state) != (fired.id, AlertState.RESOLVED)


async def test_a_rolling_window_that_falls_because_it_moves_on_takes_nothing_back(yard: Yard) -> None:
    """What made the window exceed on the day of the crossing was spent six days before it."""
    yard.reader.bill(TODAY - 6 * DAY, billed("7.00"))
    fired = await overrun_by_estimate(yard, LAST_WEEK)
    await bill_says(yard, "1.00")
    alert = await newest(yard)
    assert (alert.id, alert.state, alert.severity) == (fired.id, AlertState.FIRING, Severity.WARNING)
    assert isinstance(alert.evidence, BudgetEvidence)
    assert alert.evidence.spent == Money.of("1.00")


async def test_a_rolling_window_that_reached_the_level_on_a_later_day_takes_nothing_back(yard: Yard) -> None:
    """7.00 of the days before and 1.00 of the day after are 80 % of 10.00, until the window has moved on."""
    yard.reader.bill(TODAY - 5 * DAY, billed("7.00"))
    await overrun_by_estimate(yard, LAST_WEEK)
    yard.reader.bill(TODAY + DAY, billed("1.00"))
    await bill_says(yard, "0.00")
    alert = await newest(yard)
    assert (alert.state, alert.severity) == (AlertState.FIRING, Severity.WARNING)


async def test_a_budget_s_level_that_later_days_have_reached_stands_without_the_estimate(yard: Yard) -> None:
    await overrun_by_estimate(yard, budget("10.00", percent(80)))
    yard.reader.bill(TODAY + DAY, billed("11.00"))
    await bill_says(yard, "0.00")
    assert (await newest(yard)).state is AlertState.FIRING
