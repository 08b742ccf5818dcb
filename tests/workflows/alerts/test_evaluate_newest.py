"""What rings again, and who looks, hears how things stand by now; nothing is sent for that alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import BudgetEvidence, RuleEvidence
from service.domain.alerts.snooze import SnoozeRequest
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.notification import Message
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Gates, Rule
from service.domain.slack.requests import SlackPerson, SlackRole, Typed
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.scopes import Dimension, Scope
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.configuration.notify import EscalationPolicies, Receivers, Silences, put_routes
from service.workflows.configuration.rules import Rules
from service.workflows.slack.commands import run_slack_command
from tests.factories import SEALED, budget, percent
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed

TODAY = date(2026, 11, 16)
SLACK = SlackBot(SEALED, "#claude-spend")
MAIL = Email(("finops@example.com",))
BOSS = Email(("boss@example.com",))
TOLD, NOW = "$12,714", "$12,782"


async def spend(yard: Yard, dollars: str) -> None:
    yard.reader.bill(TODAY, billed(dollars))
    await yard.poll()
    await yard.settle()


async def overrun(yard: Yard) -> Alert:
    """Told with one figure; by now it is another, which is not news."""
    await yard.add_budget("eng", budget("12000.00", percent(100)))
    await spend(yard, "12714.40")
    (alert,) = await yard.alerts()
    return alert


async def grow(yard: Yard) -> None:
    before = len(yard.channels.sent)
    await spend(yard, "12782.26")
    assert len(yard.channels.sent) == before


async def receiver(yard: Yard, name: str, *channels: ChannelConfig) -> str:
    return (await yard.create(Receivers(), name, Receiver(channels))).id


async def lead(yard: Yard, *routes: Route) -> None:
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable(routes), yard.author)


async def on_call(yard: Yard, *channels: ChannelConfig) -> None:
    """Each is called half an hour after the one before, the first at once."""
    receivers = [await receiver(yard, f"number {number}", one) for number, one in enumerate(channels)]
    steps = tuple(EscalationStep(30 * MINUTE * number, one) for number, one in enumerate(receivers))
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps))
    await lead(yard, Route(yard.receiver.id, escalation_policy_id=policy.id))


async def quiet(yard: Yard) -> None:
    now = yard.clock()
    spec = Silence((Matcher("kind", Op.EQUAL, "budget"),), now, now + HOUR, "load test", "token:ann")
    await yard.create(Silences(), "quiet", spec)


async def wait(yard: Yard, time: timedelta) -> None:
    """The jobs' own time comes with the business clock's."""
    yard.clock.advance(time)
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 second'")
    await yard.minute()


async def events(yard: Yard) -> list[AlertEvent]:
    (alert,) = [one for one in await yard.alerts() if one.kind != "silence_ends"]
    async with yard.ports.uow() as uow:
        return await uow.alerts.events(alert.id)


async def moves(yard: Yard) -> list[tuple[str, str]]:
    return [(event.command.value, event.reason.value) for event in await events(yard)]


def said(yard: Yard) -> list[tuple[str, str, str]]:
    """The channel's kind, the action and the figure of everything that was sent."""
    return [
        (config.kind, delivery.action.value, NOW if NOW in delivery.message.summary else TOLD)
        for config, delivery in yard.channels.sent
    ]


async def test_a_later_step_says_what_is_spent_by_now(yard: Yard) -> None:
    await on_call(yard, MAIL, BOSS)
    await overrun(yard)
    await grow(yard)
    await wait(yard, 30 * MINUTE)
    assert said(yard) == [("email", "open", TOLD), ("email", "open", NOW)]
    assert NOW in yard.channels.sent[-1][1].message.headline
    assert await moves(yard) == [("open", "first"), ("amend", "grew")]


async def test_a_post_elsewhere_is_edited_with_what_a_later_step_says(yard: Yard) -> None:
    await on_call(yard, SLACK, MAIL)
    await overrun(yard)
    await grow(yard)
    await wait(yard, 30 * MINUTE)
    assert sorted(said(yard)) == [("email", "open", NOW), ("slack_bot", "amend", NOW), ("slack_bot", "open", TOLD)]


async def test_when_a_silence_is_over_the_ring_says_what_is_spent_by_now(yard: Yard) -> None:
    await quiet(yard)
    await overrun(yard)
    await grow(yard)
    await wait(yard, HOUR)
    assert said(yard) == [("console", "open", NOW)]


async def test_an_escalation_that_was_held_back_begins_with_what_is_spent_by_now(yard: Yard) -> None:
    await on_call(yard, MAIL, BOSS)
    await quiet(yard)
    await overrun(yard)
    await grow(yard)
    await wait(yard, HOUR)
    assert said(yard) == [("email", "open", NOW)]
    await wait(yard, 30 * MINUTE)
    assert said(yard)[1:] == [("email", "open", NOW)]


async def test_while_a_silence_lasts_nothing_is_amended(yard: Yard) -> None:
    await quiet(yard)
    await overrun(yard)
    await grow(yard)
    await wait(yard, HOUR / 2)
    assert await moves(yard) == [("open", "first")]


async def test_the_end_of_a_snooze_says_what_is_spent_by_now(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    alert = await overrun(yard)
    async with yard.ports.uow() as uow:
        await snooze_alert(uow, alert.id, SnoozeRequest(until=yard.clock() + HOUR), "", yard.author)
    await yard.settle()
    await wait(yard, MINUTE)
    await grow(yard)
    await wait(yard, HOUR)
    await wait(yard, MINUTE)
    assert said(yard)[1:] == [("slack_bot", "snooze", TOLD), ("slack_bot", "raise", NOW)]
    assert (await moves(yard))[1:] == [("snooze", "person"), ("wake", "snooze_over")]


async def test_a_repetition_says_what_is_spent_by_now_and_nothing_else_is_sent(yard: Yard) -> None:
    await lead(yard, Route(yard.receiver.id, repeat_interval=HOUR))
    await overrun(yard)
    await grow(yard)
    await wait(yard, HOUR)
    assert said(yard) == [("console", "open", TOLD), ("console", "raise", NOW)]
    await wait(yard, HOUR)
    assert said(yard)[2:] == [("console", "raise", NOW)]
    assert await moves(yard) == [("open", "first"), ("amend", "grew")]


async def test_what_falls_a_little_is_restated_when_it_rings_again(yard: Yard) -> None:
    await lead(yard, Route(yard.receiver.id, repeat_interval=HOUR))
    await overrun(yard)
    await spend(yard, "12700.00")
    await wait(yard, HOUR)
    assert await moves(yard) == [("open", "first"), ("amend", "restated")]
    assert "$12,700" in yard.channels.sent[-1][1].message.summary


async def test_nothing_is_moved_or_sent_for_a_figure_alone_and_who_looks_sees_it(yard: Yard) -> None:
    await overrun(yard)
    await grow(yard)
    await wait(yard, HOUR)
    (alert,) = await yard.alerts()
    assert (alert.version, said(yard)) == (1, [("console", "open", TOLD)])
    assert isinstance(alert.newest, BudgetEvidence)
    assert alert.newest.spent == Money.of("12782.26")
    assert isinstance(alert.evidence, BudgetEvidence)
    assert alert.evidence.spent == Money.of("12714.40")


async def test_the_status_in_slack_shows_what_is_spent_by_now(yard: Yard) -> None:
    await overrun(yard)
    await grow(yard)
    typed = Typed(SlackPerson("U1", "ann"), "status")
    (line,) = [
        line for line in (await run_slack_command(yard.ports, typed, SlackRole.VIEWER)).splitlines() if "firing" in line
    ]
    assert NOW in line
    assert TOLD not in line


async def test_an_evaluation_that_finds_the_same_again_writes_no_alert(yard: Yard) -> None:
    await overrun(yard)
    await grow(yard)
    before = await yard.rows("alerts", "alert_events", "notifications")
    await spend(yard, "12782.26")
    assert await yard.rows("alerts", "alert_events", "notifications") == before


async def test_steps_of_less_than_a_tenth_add_up_to_an_amendment(yard: Yard) -> None:
    """What an evaluation compares with is what was told, not what was found last."""
    await overrun(yard)
    await spend(yard, "13500.00")
    await spend(yard, "14200.00")
    assert await moves(yard) == [("open", "first"), ("amend", "grew")]


async def test_a_person_s_answer_is_told_with_what_is_spent_by_now(yard: Yard) -> None:
    alert = await overrun(yard)
    await grow(yard)
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.ACKNOWLEDGE, "", yard.author)
    await yard.settle()
    assert said(yard)[1:] == [("console", "acknowledge", NOW)]


async def test_growth_that_ends_a_snooze_counts_from_what_was_spent_when_it_was_asked_for(yard: Yard) -> None:
    alert = await overrun(yard)
    await spend(yard, "13000.00")
    async with yard.ports.uow() as uow:
        request = SnoozeRequest(growth_percent=Decimal(10))
        event = await snooze_alert(uow, alert.id, request, "", yard.author)
    assert event.alert.snoozed_above == Money.of("14300.00")


async def test_an_answer_at_the_same_time_as_an_evaluation_loses_no_figure(yard: Yard) -> None:
    """The answer waits for the evaluation that holds the alert's row, and says what that has found."""
    alert = await overrun(yard)
    assert isinstance(alert.evidence, BudgetEvidence)
    found = replace(alert.evidence, spent=Money.of("12782.26"))

    async def acknowledge() -> AlertEvent:
        async with yard.ports.uow() as uow:
            return await move_alert(uow, alert.id, Command.ACKNOWLEDGE, "", yard.author)

    async with yard.ports.uow() as uow:
        await uow.alerts.note_latest({alert.id: found})
        answer = asyncio.create_task(acknowledge())
        _, waits = await asyncio.wait({answer}, timeout=0.5)
        assert waits
    assert (await answer).alert.evidence == found


async def test_a_closed_period_is_said_with_its_last_figure_and_is_not_called_late(yard: Yard) -> None:
    day = PeriodSpec(PeriodKind.DAILY)
    await lead(yard, Route(yard.receiver.id, repeat_interval=12 * HOUR))
    await yard.add_budget("eng", budget("12000.00", percent(100), period=day))
    await spend(yard, "12714.40")
    await wait(yard, 12 * HOUR)
    await grow(yard)
    await wait(yard, 12 * HOUR)
    assert said(yard)[-1] == ("console", "raise", NOW)
    assert "late" not in yard.channels.sent[-1][1].message.change
    await spend(yard, "12790.00")
    yard.clock.advance(3 * DAY)
    await spend(yard, "12790.00")
    await wait(yard, MINUTE)
    assert (await moves(yard))[-1] == ("resolve", "period_closed")
    assert "$12,790" in yard.channels.sent[-1][1].message.change


def judged(message: Message) -> str:
    return dict(message.facts)["How this was judged"]


async def test_a_day_that_is_over_is_not_said_to_go_on(yard: Yard) -> None:
    """A rule's alert of a day, and its end, once the day is complete."""
    for ago in range(10):
        yard.reader.bill(TODAY - ago * DAY, billed("400.00" if ago == 0 else "100.00", workspace="wrkspc_eng"))
    gates = Gates(Money.of("20.00"), Decimal(30), min_active_days=3)
    change = Change(against=Against.PREVIOUS_DAY)
    spec: Rule[object] = Rule(yard.source.id, "change", change, Scope(), for_each=Dimension.WORKSPACE, gates=gates)
    await yard.create(Rules(), "jump", spec)
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    assert "so far" in judged(yard.channels.sent[-1][1].message)

    yard.clock.advance(DAY)
    yard.reader.bill(TODAY, billed("410.00", workspace="wrkspc_eng"))
    yard.reader.bill(TODAY + DAY, billed("1.00", workspace="wrkspc_eng"))
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    assert alert.state is AlertState.FIRING
    assert isinstance(alert.newest, RuleEvidence)
    assert "so far" not in alert.newest.cause

    yard.clock.advance(DAY)
    yard.reader.bill(TODAY + 2 * DAY, billed("1.00", workspace="wrkspc_eng"))
    await yard.poll()
    await yard.settle()
    last = yard.channels.sent[-1][1].message
    assert (await moves(yard))[-1] == (Command.RESOLVE.value, Reason.RECOVERED.value)
    assert "$410.00" in judged(last)
    assert "so far" not in judged(last)


async def test_an_alert_on_spend_says_where_it_is_heading_though_nobody_asked_for_a_forecast(yard: Yard) -> None:
    for ago in range(1, 20):
        yard.reader.bill(TODAY - ago * DAY, billed("100.00"))
    await yard.add_budget("eng", budget("1600.00", percent(100)))
    await yard.poll()
    await yard.settle()
    assert yard.channels.sent == []
    await spend(yard, "100.00")
    message = yard.channels.sent[-1][1].message
    assert message.headline.startswith("Budget eng exceeded: $1,600 of $1,600")
    assert message.summary.startswith("At this pace: $3,0")
