"""An hour before a silence ends, whoever is routed to hears what still fires behind it: once for each end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from service.domain.alerts.alert import AlertState, Command
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.notification import Delivery
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route
from service.domain.notify.routing.silences import Silence
from service.domain.values.resources import Resource
from service.domain.values.severity import Severity
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.watch_silences import run_watch_silences
from service.workflows.configuration.engine import Draft, change
from service.workflows.configuration.notify import EscalationPolicies, Silences, expire_silence
from tests.workflows.notify.test_repeats import lead, overrun
from tests.workflows.yard import HOUR, MINUTE, Yard

EVERYTHING = Matcher("severity", Op.LIKE, "info|warning|error|critical")


async def silenced(
    yard: Yard, hours: int = 4, matcher: Matcher = EVERYTHING, name: str = "load test"
) -> Resource[Silence]:
    now = yard.clock()
    return await yard.create(Silences(), name, Silence((matcher,), now, now + hours * HOUR, "", "token:ann"))


async def after(yard: Yard, time: timedelta) -> None:
    yard.clock.advance(time)
    await yard.minute()


def reminders(yard: Yard) -> list[Delivery]:
    """The openings among what was sent."""
    sent = [delivery for _, delivery in yard.channels.sent if delivery.message.kind == "silence_ends"]
    return [one for one in sent if one.message.state is AlertState.FIRING]


async def states(yard: Yard) -> list[AlertState]:
    return [alert.state for alert in await yard.alerts() if alert.kind == "silence_ends"]


async def test_an_hour_before_its_end_it_is_said_once_even_where_the_silence_matches_everything(yard: Yard) -> None:
    silence = await silenced(yard)
    await overrun(yard)
    await after(yard, 3 * HOUR - MINUTE)
    assert yard.channels.sent == []
    for _ in range(5):  # nothing but the database remembers it
        await after(yard, MINUTE)
    (delivery,) = reminders(yard)
    message = delivery.message
    assert message.headline.startswith("Silence 'load test' ends at ")
    assert message.headline.endswith(": 1 alert behind it still fires")
    assert message.severity is Severity.INFO
    assert "Made by ann." in message.summary
    assert message.facts[0][0] == "Fires behind it"
    assert f"curl -X PATCH http://tocsin.example/v1/silences/{silence.id} " in message.next_step
    await after(yard, HOUR)
    assert await states(yard) == [AlertState.RESOLVED]
    assert len(reminders(yard)) == 1


async def test_its_end_pages_nobody_and_begins_no_policy_whatever_the_routes_say(yard: Yard) -> None:
    await yard.receive_with(Console(), PagerDuty(yard.ports.vault.seal("FAKE-key")), Jsm(yard.ports.vault.seal("FAKE")))
    steps = (EscalationStep(timedelta(), yard.receiver.id), EscalationStep(MINUTE, yard.receiver.id))
    policy = await yard.create(EscalationPolicies(), "night", EscalationPolicy(steps))
    await lead(yard, Route(yard.receiver.id, continues=True, escalation_policy_id=policy.id), Route(yard.receiver.id))
    await silenced(yard)
    await overrun(yard)
    await after(yard, 3 * HOUR)
    await after(yard, 2 * MINUTE)
    assert [config.kind for config, one in yard.channels.sent if one.message.kind == "silence_ends"] == ["console"]


async def test_workers_that_look_at_once_say_it_once(yard: Yard) -> None:
    await silenced(yard)
    await overrun(yard)
    yard.clock.advance(3 * HOUR)
    await asyncio.gather(*(run_watch_silences(yard.ports) for _ in range(4)))
    await yard.settle()
    assert len(reminders(yard)) == 1


async def test_a_silence_that_is_extended_afterwards_is_reminded_of_its_new_end(yard: Yard) -> None:
    silence = await silenced(yard)
    await overrun(yard)
    await after(yard, 3 * HOUR)
    longer = replace(silence.spec, ends_at=silence.spec.ends_at + 4 * HOUR)
    async with yard.ports.uow() as uow:
        await change(uow, Silences(), silence, Draft(silence.name, {}, longer), yard.author)
    await after(yard, MINUTE)
    assert await states(yard) == [AlertState.RESOLVED]
    await after(yard, 4 * HOUR)
    assert await states(yard) == [AlertState.RESOLVED, AlertState.FIRING]
    first, second = (one.message.headline for one in reminders(yard))
    assert first != second


async def test_a_silence_that_is_ended_early_is_reminded_of_no_more(yard: Yard) -> None:
    silence = await silenced(yard)
    await overrun(yard)
    await after(yard, 2 * HOUR)
    async with yard.ports.uow() as uow:
        await expire_silence(uow, silence.id, yard.author)
    await after(yard, HOUR)
    assert await states(yard) == []


async def test_what_somebody_has_acknowledged_or_the_silence_does_not_match_reminds_of_nothing(yard: Yard) -> None:
    await silenced(yard, matcher=Matcher("kind", Op.EQUAL, "undelivered"))
    alert = await overrun(yard)
    await after(yard, 3 * HOUR)
    assert await states(yard) == []
    await silenced(yard, hours=2, name="another")
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.ACKNOWLEDGE, "", yard.author)
    await after(yard, HOUR)
    assert await states(yard) == []


async def test_an_alert_that_a_later_silence_goes_on_to_hold_back_reminds_of_nothing(yard: Yard) -> None:
    await silenced(yard)
    await silenced(yard, hours=9, name="longer")
    await overrun(yard)
    await after(yard, 3 * HOUR)
    assert await states(yard) == []
