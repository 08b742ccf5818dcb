"""A snoozed alert is quiet, and comes back: at its time, when it has grown, or when it gets more severe."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from service.adapters.postgres.queue.queue import Queue
from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.snooze import SnoozeRequest
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.notification import Action
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.severity import Severity
from service.worker import JobHandlers
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.alerts.wake import run_wake
from service.workflows.operation.upkeep import run_minute
from tests.factories import SEALED, budget, percent
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed

TODAY = date(2026, 11, 16)
SLACK = SlackBot(SEALED, "#claude-spend")
GROWTH = SnoozeRequest(growth_percent=Decimal(50))

EXCEEDED = "Budget eng exceeded: ${}.00 of $10.00, 15 days left."


async def ring(yard: Yard) -> Alert:
    """An open budget alert of $12 that was told in Slack."""
    await yard.receive_with(SLACK)
    await yard.add_budget("eng", budget("10.00", percent(100), percent(200, severity=Severity.CRITICAL)))
    yard.reader.bill(TODAY, billed("12.00"))
    await yard.poll()
    await yard.settle()
    return await only(yard)


async def only(yard: Yard) -> Alert:
    (alert,) = await yard.alerts()
    return alert


async def snoozed(yard: Yard, alert: Alert, request: SnoozeRequest, note: str = "") -> AlertEvent:
    async with yard.ports.uow() as uow:
        return await snooze_alert(uow, alert.id, request, note, yard.author)


async def four_hours(yard: Yard) -> AlertEvent:
    return await snoozed(yard, await ring(yard), SnoozeRequest(until=yard.clock() + 4 * HOUR), "ends tonight")


async def pass_time(yard: Yard, hours: int) -> None:
    yard.clock.advance(hours * HOUR)
    await make_jobs_due(yard)
    await yard.settle()


async def make_jobs_due(yard: Yard) -> None:
    """The queue goes by the database's clock, which no test can move."""
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 second'")


def said(yard: Yard) -> list[tuple[Action, str]]:
    return [(delivery.action, delivery.message.change) for _, delivery in yard.channels.sent]


async def test_a_snooze_is_told_by_an_edit_and_keeps_who_and_why(yard: Yard) -> None:
    event = await four_hours(yard)
    await pass_time(yard, 0)
    yard.clock.advance(MINUTE)
    await yard.minute()
    assert (event.command, event.reason, event.actor, event.note) == (
        Command.SNOOZE,
        Reason.PERSON,
        "token:ann",
        "ends tonight",
    )
    assert said(yard)[1:] == [
        (Action.SNOOZE, "Snoozed by ann until 16:00 UTC, Mon 16 Nov. Note: ends tonight"),
    ]


async def test_it_fires_again_when_its_time_has_come_and_calls_everybody(yard: Yard) -> None:
    await four_hours(yard)
    await pass_time(yard, 4)
    alert = await only(yard)
    assert (alert.state, alert.snoozed_until) == (AlertState.FIRING, None)
    yard.clock.advance(MINUTE)
    await yard.minute()
    assert said(yard)[-1] == (Action.RAISE, f"The snooze is over: {EXCEEDED.format(12)}")
    assert (await yard.notifications())[-1].reason is Reason.SNOOZE_OVER


async def test_it_does_not_fire_again_while_its_spend_is_below_the_level_and_does_when_it_is_not(yard: Yard) -> None:
    await four_hours(yard)
    yard.reader.bill(TODAY, billed("3.00"))
    await yard.poll()
    await yard.settle()
    await pass_time(yard, 4)
    await yard.minute()
    assert (await only(yard)).state is AlertState.SNOOZED
    yard.reader.bill(TODAY, billed("12.50"))
    await yard.poll()
    await yard.settle()
    await yard.minute()
    assert (await only(yard)).state is AlertState.FIRING


async def test_it_stays_quiet_until_then(yard: Yard) -> None:
    await four_hours(yard)
    await pass_time(yard, 3)
    assert (await only(yard)).state is AlertState.SNOOZED


async def test_the_wake_up_survives_the_process(yard: Yard, database_url: str) -> None:
    """Another process, with a queue of its own, finds the job in the database."""
    await four_hours(yard)
    yard.clock.advance(4 * HOUR)
    await make_jobs_due(yard)
    async with Queue.open(database_url, JobHandlers(yard.ports)) as other:
        await other.drain()
    assert (await only(yard)).state is AlertState.FIRING


async def test_a_wake_up_whose_job_was_lost_comes_with_the_next_minute(yard: Yard) -> None:
    await four_hours(yard)
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM procrastinate_jobs")
    yard.clock.advance(4 * HOUR)
    await run_minute(yard.ports)
    await yard.settle()
    assert (await only(yard)).state is AlertState.FIRING


@pytest.mark.parametrize("command", [Command.ACKNOWLEDGE, Command.RESOLVE])
async def test_a_late_wake_up_leaves_alone_what_a_person_has_moved(yard: Yard, command: Command) -> None:
    alert = (await four_hours(yard)).alert
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, command, "", yard.author)
    before = await only(yard)
    yard.clock.advance(5 * HOUR)
    await run_wake(yard.ports, alert.id)
    assert await only(yard) == before
    assert before.snoozed_until is None


async def test_a_second_snooze_counts_and_the_first_one_s_end_does_nothing(yard: Yard) -> None:
    alert = (await four_hours(yard)).alert
    await snoozed(yard, alert, SnoozeRequest(until=yard.clock() + 8 * HOUR))
    await pass_time(yard, 4)
    assert (await only(yard)).state is AlertState.SNOOZED
    await pass_time(yard, 4)
    assert (await only(yard)).state is AlertState.FIRING


async def test_half_as_much_again_wakes_it_and_less_does_not(yard: Yard) -> None:
    alert = await ring(yard)
    event = await snoozed(yard, alert, GROWTH)
    assert str(event.alert.snoozed_above) == "18.00"
    for dollars, state in (("17.99", AlertState.SNOOZED), ("18.00", AlertState.FIRING)):
        yard.reader.bill(TODAY, billed(dollars))
        await yard.poll()
        await yard.settle()
        assert (await only(yard)).state is state, dollars
    for _ in range(3):
        yard.clock.advance(MINUTE)
        await yard.minute()
    assert said(yard)[-1] == (Action.RAISE, f"The snooze is over, grown to $18.00: {EXCEEDED.format(18)}")


async def test_a_graver_severity_ends_a_snooze_at_once(yard: Yard) -> None:
    await four_hours(yard)
    yard.reader.bill(TODAY, billed("21.00"))
    await yard.poll()
    await yard.settle()
    alert = await only(yard)
    assert (alert.state, alert.severity, alert.snoozed_until) == (AlertState.FIRING, Severity.CRITICAL, None)


async def test_an_amendment_does_not_forget_the_snooze(yard: Yard) -> None:
    before = (await four_hours(yard)).alert
    yard.reader.bill(TODAY, billed("14.00"))
    await yard.poll()
    await yard.settle()
    after = await only(yard)
    assert after.version > before.version
    assert after.snoozed_until == before.snoozed_until


@pytest.mark.parametrize(
    "request_of",
    [
        pytest.param(lambda yard: SnoozeRequest(), id="no end"),
        pytest.param(lambda yard: SnoozeRequest(until=yard.clock()), id="now"),
        pytest.param(lambda yard: SnoozeRequest(until=yard.clock() + 91 * DAY), id="for ever"),
    ],
)
async def test_a_snooze_without_a_sensible_end_is_refused(yard: Yard, request_of: object) -> None:
    alert = await ring(yard)
    assert callable(request_of)
    with pytest.raises(Invalid):
        await snoozed(yard, alert, request_of(yard))
    assert (await only(yard)).state is AlertState.FIRING


async def test_a_resolved_alert_cannot_be_snoozed(yard: Yard) -> None:
    alert = await ring(yard)
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.RESOLVE, "", yard.author)
    with pytest.raises(Conflict):
        await snoozed(yard, alert, GROWTH)
