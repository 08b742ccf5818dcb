"""Rings that are held back, and rings that come again: on the real database, minute by minute."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.domain.alerts.alert import Alert, AlertState, Command, Reason
from service.domain.alerts.evidence import Evidence
from service.domain.budgets.budget import Budget
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.escalation import EscalationPolicy, EscalationStep, PlannedStep
from service.domain.notify.notification import Action, NotificationState
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.intervals import TimeInterval, TimeRange
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.values.resources import Resource
from service.domain.values.severity import Severity
from service.workflows.alerts.attend import move_alert
from service.workflows.configuration.notify import EscalationPolicies, Receivers, Silences, expire_silence, put_routes
from service.workflows.notify.escalate import run_step
from service.workflows.notify.repeats import run_repeats
from tests.factories import budget, percent, utc
from tests.sample_alerts import RULE, RULE_ALERT
from tests.sample_alerts import event as event_of
from tests.workflows.yard import HOUR, MINUTE, Yard, announce_one, billed

TODAY = date(2026, 11, 16)
NOON = utc("2026-11-16T12:00")
BUDGET_ALERTS = (Matcher("kind", Op.EQUAL, "budget"),)
UNTIL_TWO = TimeInterval((TimeRange(11 * 60, 14 * 60),))
MAIL = Email(("finops@example.com",))
TWO_LEVELS = budget("10.00", percent(80), percent(100, Severity.CRITICAL))


async def spend(yard: Yard, dollars: str) -> None:
    """Today's bill as it is now, and everything that follows from it."""
    yard.reader.bill(TODAY, billed(dollars))
    await yard.poll()
    await yard.settle()


async def overrun(yard: Yard, spec: Budget = TWO_LEVELS, dollars: str = "12.00") -> Alert:
    await yard.add_budget("eng", spec)
    await spend(yard, dollars)
    (alert,) = await yard.alerts()
    return alert


async def quiet(yard: Yard, *, hours: int = 2, matchers: Sequence[Matcher] = BUDGET_ALERTS) -> Resource[Silence]:
    now = yard.clock()
    spec = Silence(tuple(matchers), now, now + hours * HOUR, "load test", "token:ann")
    return await yard.create(Silences(), f"quiet from {now:%H:%M} for {hours} h", spec)


async def lead(yard: Yard, *routes: Route) -> None:
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable(routes), yard.author)


async def receiver(yard: Yard, name: str, *channels: ChannelConfig) -> str:
    return (await yard.create(Receivers(), name, Receiver(channels))).id


async def answer(yard: Yard, alert: Alert, command: Command) -> None:
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, command, "", yard.author)
    await yard.settle()


async def pass_time(yard: Yard, time: timedelta, *, step: timedelta = 30 * MINUTE) -> None:
    """The ticks of so much time, at intervals of `step`; the last one at its end."""
    end = yard.clock() + time
    while yard.clock() < end:
        yard.clock.advance(min(step, end - yard.clock()))
        await yard.minute()


def said(yard: Yard) -> list[tuple[str, str]]:
    """The kind of channel and the action of everything that was sent, but that a silence ends soon."""
    return [
        (config.kind, delivery.action.value)
        for config, delivery in yard.channels.sent
        if delivery.message.kind != "silence_ends"
    ]


async def written(yard: Yard) -> list[tuple[str, str, str]]:
    ends = {alert.id for alert in await yard.alerts() if alert.kind == "silence_ends"}
    of_spend = [one for one in await yard.notifications() if one.alert_id not in ends]
    return [(one.action.value, one.reason.value, one.state.value) for one in of_spend]


# ------------------------------------------------------------------------------------------- silences


async def test_a_silenced_alert_opens_and_rings_nobody_for_a_reason_on_record(yard: Yard) -> None:
    await quiet(yard)
    alert = await overrun(yard)
    await pass_time(yard, HOUR)
    assert alert.state is AlertState.FIRING
    assert said(yard) == []
    assert await written(yard) == [("open", "silenced", "suppressed")]


async def test_when_a_silence_is_over_what_still_fires_rings_once(yard: Yard) -> None:
    await quiet(yard)
    alert = await overrun(yard)
    await pass_time(yard, 4 * HOUR)
    assert said(yard) == [("console", "open")]
    assert await written(yard) == [("open", "silenced", "suppressed"), ("open", "hold_over", "sent")]
    await answer(yard, alert, Command.RESOLVE)
    assert said(yard)[1:] == [("console", "resolve")]


async def test_two_ticks_at_once_ring_once(yard: Yard) -> None:
    await quiet(yard)
    await overrun(yard)
    yard.clock.advance(2 * HOUR)
    await asyncio.gather(*(run_repeats(yard.ports) for _ in range(3)))
    await yard.settle()
    assert said(yard) == [("console", "open")]


async def test_a_silence_that_somebody_ends_early_is_over(yard: Yard) -> None:
    silence = await quiet(yard)
    await overrun(yard)
    await pass_time(yard, 20 * MINUTE)
    assert said(yard) == []
    async with yard.ports.uow() as uow:
        await expire_silence(uow, silence.id, yard.author)
    await yard.minute()
    assert said(yard) == [("console", "open")]


async def test_what_is_resolved_while_it_is_silenced_tells_nobody(yard: Yard) -> None:
    await quiet(yard)
    alert = await overrun(yard)
    await answer(yard, alert, Command.RESOLVE)
    await pass_time(yard, 4 * HOUR)
    assert said(yard) == []


async def test_what_is_acknowledged_while_it_is_silenced_does_not_ring_afterwards(yard: Yard) -> None:
    await quiet(yard)
    alert = await overrun(yard)
    await answer(yard, alert, Command.ACKNOWLEDGE)
    await pass_time(yard, 4 * HOUR)
    assert said(yard) == []


async def test_of_several_levels_in_a_silence_the_highest_rings_afterwards(yard: Yard) -> None:
    await quiet(yard)
    await overrun(yard, dollars="8.50")
    await pass_time(yard, 30 * MINUTE)
    await spend(yard, "12.00")
    assert [action for action, _, _ in await written(yard)] == ["open", "raise"]
    await pass_time(yard, 4 * HOUR)
    (delivery,) = [one for _, one in yard.channels.sent if one.message.kind == "budget"]
    assert (delivery.action, delivery.message.severity) == (Action.OPEN, Severity.CRITICAL)
    assert (await yard.notifications())[-1].level == "2"


async def test_a_raise_in_a_silence_is_a_raise_to_those_who_heard_the_opening(yard: Yard) -> None:
    await overrun(yard, dollars="8.50")
    await quiet(yard)
    await spend(yard, "12.00")
    await pass_time(yard, 4 * HOUR)
    assert said(yard) == [("console", "open"), ("console", "raise")]


async def test_a_raise_after_a_silence_is_the_opening_to_those_who_heard_nothing(yard: Yard) -> None:
    await quiet(yard)
    await overrun(yard, dollars="8.50")
    yard.clock.advance(2 * HOUR)
    await spend(yard, "12.00")
    await pass_time(yard, HOUR)
    assert said(yard) == [("console", "open")]


async def test_of_two_silences_the_later_end_counts(yard: Yard) -> None:
    await quiet(yard, hours=1)
    yard.clock.advance(MINUTE)
    await quiet(yard, hours=2)
    await overrun(yard)
    await pass_time(yard, 110 * MINUTE)
    assert said(yard) == []
    await pass_time(yard, 20 * MINUTE)
    assert said(yard) == [("console", "open")]


async def test_a_silence_of_something_else_is_none(yard: Yard) -> None:
    await quiet(yard, matchers=(Matcher("budget", Op.EQUAL, "another"),))
    await overrun(yard)
    assert said(yard) == [("console", "open")]


async def test_a_person_s_label_and_a_budget_s_name_are_known_to_silences(yard: Yard) -> None:
    await quiet(yard, matchers=(Matcher("budget", Op.LIKE, "en."), Matcher("severity", Op.EQUAL, "critical")))
    await overrun(yard)
    assert said(yard) == []


# ------------------------------------------------------------------------------------------- routes


async def test_an_alert_goes_to_the_first_route_that_matches(yard: Yard) -> None:
    mail = await receiver(yard, "mail", MAIL)
    critical = (Matcher("severity", Op.EQUAL, "critical"),)
    await lead(yard, Route(mail, critical), Route(yard.receiver.id))
    await overrun(yard, dollars="8.50")
    await spend(yard, "12.00")
    assert said(yard) == [("console", "open"), ("email", "raise")]


async def test_a_route_that_continues_shares_its_alert(yard: Yard) -> None:
    mail = await receiver(yard, "mail", MAIL, Console())
    await lead(yard, Route(mail, BUDGET_ALERTS, continues=True), Route(yard.receiver.id))
    await overrun(yard)
    assert sorted(said(yard)) == [("console", "open"), ("email", "open")]


@pytest.mark.parametrize("times", ["mute_times", "active_times"])
async def test_when_a_mute_time_ends_what_still_fires_rings_once(yard: Yard, times: str) -> None:
    muted = Route(yard.receiver.id, mute_times=(UNTIL_TWO,))
    if times == "active_times":
        muted = Route(yard.receiver.id, active_times=(TimeInterval((TimeRange(14 * 60, 11 * 60),)),))
    await lead(yard, muted)
    await overrun(yard)
    await pass_time(yard, 110 * MINUTE)
    assert said(yard) == []
    assert await written(yard) == [("open", "muted_time", "suppressed")]
    await pass_time(yard, 2 * HOUR)
    assert said(yard) == [("console", "open")]


async def test_a_muted_route_does_not_keep_its_alert_from_another(yard: Yard) -> None:
    mail = await receiver(yard, "mail", MAIL)
    await lead(yard, Route(mail, BUDGET_ALERTS, continues=True, mute_times=(UNTIL_TWO,)), Route(yard.receiver.id))
    await overrun(yard)
    assert said(yard) == [("console", "open")]
    await pass_time(yard, 3 * HOUR)
    assert said(yard) == [("console", "open"), ("email", "open")]


async def test_a_silence_may_end_in_a_mute_time(yard: Yard) -> None:
    await lead(yard, Route(yard.receiver.id, mute_times=(UNTIL_TWO,)))
    await quiet(yard, hours=1)
    await overrun(yard)
    await pass_time(yard, 110 * MINUTE)
    assert said(yard) == []
    await pass_time(yard, 20 * MINUTE)
    assert said(yard) == [("console", "open")]


async def test_routes_that_were_changed_meanwhile_lead_what_was_held_back(yard: Yard) -> None:
    await quiet(yard)
    await overrun(yard)
    await lead(yard, Route(await receiver(yard, "mail", MAIL)))
    await pass_time(yard, 4 * HOUR)
    assert said(yard) == [("email", "open")]


# ------------------------------------------------------------------------------------------- repetitions


async def test_what_nobody_acknowledges_is_repeated_until_somebody_does(yard: Yard) -> None:
    await lead(yard, Route(yard.receiver.id, repeat_interval=HOUR))
    alert = await overrun(yard)
    await pass_time(yard, 2 * HOUR)
    assert said(yard) == [("console", "open"), ("console", "raise"), ("console", "raise")]
    assert {one.reason for one in (await yard.notifications())[1:]} == {Reason.REPEAT_DUE}
    await answer(yard, alert, Command.ACKNOWLEDGE)
    await pass_time(yard, 2 * HOUR)
    assert said(yard)[3:] == [("console", "acknowledge")]


async def test_a_repetition_does_not_claim_that_anything_was_raised(yard: Yard) -> None:
    await lead(yard, Route(yard.receiver.id, repeat_interval=HOUR))
    await overrun(yard)
    await pass_time(yard, HOUR)
    assert (
        yard.channels.sent[-1][1].message.change
        == "Still going on: Budget eng exceeded: $12.00 of $10.00, 15 days left; nobody has acknowledged."
    )


async def test_a_policy_that_calls_in_the_same_channel_does_not_end_the_repeats(yard: Yard) -> None:
    """The call of its second round is newer than the repeats, which go on after it all the same."""
    boss = await receiver(yard, "boss", MAIL)
    steps = (EscalationStep(timedelta(), yard.receiver.id), EscalationStep(60 * MINUTE, boss))
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps, repeat=1))
    often = Route(yard.receiver.id, BUDGET_ALERTS, continues=True, repeat_interval=30 * MINUTE)
    await lead(yard, often, Route(yard.receiver.id, escalation_policy_id=policy.id))
    alert = await overrun(yard)
    await pass_time(yard, 2 * HOUR)
    await run_step(yard.ports, PlannedStep(alert.id, policy.id, chain=1, round=1, step=0))
    await yard.settle()
    before = len(said(yard))
    await pass_time(yard, 2 * HOUR)
    assert said(yard)[before:] == [("console", "raise")] * 4


async def test_without_an_interval_nothing_is_repeated(yard: Yard) -> None:
    await overrun(yard)
    await pass_time(yard, 12 * HOUR, step=HOUR)
    assert said(yard) == [("console", "open")]


async def incident(yard: Yard) -> None:
    """A rule's alert, critical."""
    async with yard.ports.uow() as uow:
        event = replace(event_of(alert=replace(RULE_ALERT, severity=Severity.CRITICAL)), at=yard.clock())
        await uow.alerts.save(event)
        await announce_one(uow, event)
    await yard.settle()


async def test_without_an_interval_a_loud_alert_of_a_rule_is_repeated_every_four_hours(yard: Yard) -> None:
    await incident(yard)
    await pass_time(yard, 9 * HOUR, step=HOUR)
    assert said(yard) == [("console", "open"), ("console", "raise"), ("console", "raise")]


async def test_an_interval_of_nothing_is_never(yard: Yard) -> None:
    await lead(yard, Route(yard.receiver.id, repeat_interval=timedelta()))
    await incident(yard)
    await pass_time(yard, 9 * HOUR, step=HOUR)
    assert said(yard) == [("console", "open")]


# ------------------------------------------------------------------------------------------- what is calm


async def note(yard: Yard, evidence: Evidence) -> None:
    """The alert is found like this by now, which is no news."""
    (alert,) = await yard.alerts()
    async with yard.ports.uow() as uow:
        await uow.alerts.note_latest({alert.id: evidence})


async def test_an_incident_that_is_calm_is_not_repeated_until_it_returns(yard: Yard) -> None:
    await incident(yard)
    now = yard.clock()
    await note(yard, replace(RULE, calm_since=now, closes_at=now + 6 * HOUR))
    await pass_time(yard, 9 * HOUR, step=HOUR)
    assert said(yard) == [("console", "open")]
    await note(yard, RULE)
    await pass_time(yard, HOUR)
    assert said(yard) == [("console", "open"), ("console", "raise")]


async def test_a_budget_that_fell_back_below_its_level_is_not_repeated(yard: Yard) -> None:
    await lead(yard, Route(yard.receiver.id, repeat_interval=HOUR))
    await overrun(yard)
    await spend(yard, "3.00")
    sent = len(said(yard))
    await pass_time(yard, 3 * HOUR)
    assert said(yard)[sent:] == []


async def test_what_was_held_back_and_is_calm_notifies_nobody_when_a_silence_ends(yard: Yard) -> None:
    await quiet(yard)
    await overrun(yard)
    await spend(yard, "3.00")
    await pass_time(yard, 3 * HOUR)
    assert said(yard) == []
    await spend(yard, "12.50")
    await pass_time(yard, 30 * MINUTE)
    assert said(yard) == [("console", "open")]


async def test_a_step_about_what_is_calm_waits_until_it_returns(yard: Yard) -> None:
    mail = await receiver(yard, "mail", MAIL)
    steps = (EscalationStep(timedelta(), mail), EscalationStep(30 * MINUTE, yard.receiver.id))
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps))
    await lead(yard, Route(yard.receiver.id, escalation_policy_id=policy.id))
    alert = await overrun(yard)
    planned = PlannedStep(alert.id, policy.id, chain=1, round=0, step=1)
    yard.clock.advance(30 * MINUTE)
    await spend(yard, "3.00")
    await run_step(yard.ports, planned)
    await yard.settle()
    assert said(yard) == [("email", "open")]
    await spend(yard, "12.50")
    await run_step(yard.ports, planned)
    await yard.settle()
    assert said(yard) == [("email", "open"), ("console", "open")]


# ------------------------------------------------------------------------------------------- escalation


async def test_a_silence_holds_back_an_escalation_and_its_end_begins_it(yard: Yard) -> None:
    mail = await receiver(yard, "mail", MAIL)
    steps = (EscalationStep(timedelta(), mail), EscalationStep(30 * MINUTE, yard.receiver.id))
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps))
    await lead(yard, Route(yard.receiver.id, escalation_policy_id=policy.id))
    await quiet(yard)
    alert = await overrun(yard)
    await pass_time(yard, 110 * MINUTE)
    assert said(yard) == []
    await pass_time(yard, 20 * MINUTE)
    assert said(yard) == [("email", "open")]
    await pass_time(yard, 30 * MINUTE)
    await run_step(yard.ports, PlannedStep(alert.id, policy.id, chain=1, round=0, step=1))
    await pass_time(yard, 2 * HOUR)
    assert said(yard) == [("email", "open"), ("console", "open")]


@pytest.mark.parametrize("notified", [(), (UNTIL_TWO,)], ids=["free", "muted as well"])
async def test_a_policy_begins_after_its_mute_time_though_another_route_leads_to_the_same_channel(
    yard: Yard, notified: tuple[TimeInterval, ...]
) -> None:
    boss, other = await receiver(yard, "boss", MAIL), await receiver(yard, "other", Console())
    steps = (EscalationStep(timedelta(), boss),)
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps))
    first = Route(yard.receiver.id, BUDGET_ALERTS, continues=True, mute_times=notified)
    await lead(yard, first, Route(other, escalation_policy_id=policy.id, mute_times=(UNTIL_TWO,)))
    await overrun(yard)
    await pass_time(yard, 110 * MINUTE)
    assert ("email", "open") not in said(yard)
    await pass_time(yard, 2 * HOUR)
    assert sorted(said(yard)) == [("console", "open"), ("email", "open")]


@pytest.mark.parametrize("heard", [True, False], ids=["beside a free route", "alone"])
async def test_a_policy_that_takes_the_place_of_one_that_was_held_back_begins(yard: Yard, heard: bool) -> None:
    boss, other = await receiver(yard, "boss", MAIL), await receiver(yard, "other", Console())
    steps = EscalationPolicy((EscalationStep(timedelta(), boss),))
    former, policy = [await yard.create(EscalationPolicies(), name, steps) for name in ("former", "on call")]
    muted = Route(other, escalation_policy_id=former.id, mute_times=(UNTIL_TWO,))
    free = (Route(yard.receiver.id, BUDGET_ALERTS, continues=True),) if heard else ()
    await lead(yard, *free, muted)
    await overrun(yard)
    await lead(yard, *free, replace(muted, receiver_id=other if heard else boss, escalation_policy_id=policy.id))
    await pass_time(yard, 3 * HOUR)
    assert said(yard)[-1] == ("email", "open")


async def test_a_policy_that_a_raise_interrupts_in_its_mute_time_goes_on_afterwards(yard: Yard) -> None:
    """The raise ends the older calls, and its own wait."""
    boss = await receiver(yard, "boss", MAIL)
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy((EscalationStep(timedelta(), boss),)))
    free = Route(yard.receiver.id, BUDGET_ALERTS, continues=True)
    later = TimeInterval((TimeRange(13 * 60, 14 * 60),))
    await lead(yard, free, Route(yard.receiver.id, escalation_policy_id=policy.id, mute_times=(later,)))
    await overrun(yard, dollars="8.50")
    await pass_time(yard, 90 * MINUTE)
    await spend(yard, "12.00")
    await pass_time(yard, HOUR)
    assert said(yard) == [("console", "open"), ("email", "open"), ("console", "raise"), ("email", "raise")]


async def test_of_what_is_held_back_nothing_is_sent(yard: Yard) -> None:
    await quiet(yard)
    await overrun(yard)
    (held,) = await yard.notifications()
    assert replace(held, state=NotificationState.SUPPRESSED) == held
    async with yard.ports.uow() as uow:
        assert await uow.notifications.next_due() is None
        assert await uow.notified.of([held.alert_id]) == {held.alert_id: []}
