"""Somebody else is called while nobody answers, whatever happens to the process in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from service.adapters.postgres.queue.queue import Queue
from service.domain.alerts.alert import Alert, AlertState, Command, Reason
from service.domain.alerts.snooze import SnoozeRequest
from service.domain.notify.channels.email import Email
from service.domain.notify.escalation import EscalationPolicy, EscalationStep, PlannedStep
from service.domain.notify.notification import Action
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.intervals import TimeInterval, TimeRange
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.values.errors import Conflict
from service.domain.values.resources import Resource
from service.domain.values.severity import Severity
from service.worker import JobHandlers
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.configuration.notify import EscalationPolicies, Receivers, Silences, put_routes
from service.workflows.notify.escalate import run_step
from tests.factories import budget, percent
from tests.workflows.yard import HOUR, MINUTE, Yard, billed

TODAY = date(2026, 11, 16)


@dataclass
class Rota:
    """The first is called at once, the second after 15 minutes, the boss after 30."""

    yard: Yard
    policy: Resource[EscalationPolicy]

    async def ring(self) -> Alert:
        """A budget alert of $12, of which the first has heard."""
        yard = self.yard
        await yard.add_budget("eng", budget("10.00", percent(100), percent(200, Severity.CRITICAL)))
        await self.spend("12.00")
        return await self.alert()

    async def spend(self, dollars: str) -> None:
        self.yard.reader.bill(TODAY, billed(dollars))
        await self.yard.poll()
        await self.yard.settle()

    async def alert(self) -> Alert:
        (alert,) = await self.yard.alerts()
        return alert

    async def wait(self, minutes: float) -> None:
        """The jobs' own time comes with the business clock's."""
        yard = self.yard
        yard.clock.advance(minutes * MINUTE)
        async with yard.engine.begin() as connection:
            await connection.exec_driver_sql(
                f"UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - interval '{minutes} minutes'"
            )
        await yard.settle()

    def called(self) -> list[str]:
        """Who was called, in order."""
        return [
            config.to[0].partition("@")[0]
            for config, delivery in self.yard.channels.sent
            if isinstance(config, Email) and delivery.action in (Action.OPEN, Action.RAISE)
        ]


@pytest.fixture
async def rota(yard: Yard) -> Rota:
    return await make_rota(yard)


async def make_rota(yard: Yard, repeat: int = 0) -> Rota:
    receivers = [
        await yard.create(Receivers(), name, Receiver((Email((f"{name}@example.com",)),)))
        for name in ("first", "second", "boss")
    ]
    steps = tuple(EscalationStep(15 * MINUTE * number, receiver.id) for number, receiver in enumerate(receivers))
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps, repeat))
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((Route(yard.receiver.id, escalation_policy_id=policy.id),)), yard.author)
    return Rota(yard, policy)


async def test_each_is_called_in_turn_while_nobody_answers(rota: Rota) -> None:
    await rota.ring()
    assert rota.called() == ["first"]
    await rota.wait(14)
    assert rota.called() == ["first"]
    await rota.wait(1)
    assert rota.called() == ["first", "second"]
    await rota.wait(15)
    assert rota.called() == ["first", "second", "boss"]
    await rota.wait(600)
    assert rota.called() == ["first", "second", "boss"]


async def test_a_later_call_says_that_nobody_has_answered_and_what_is_known_by_now(rota: Rota) -> None:
    await rota.ring()
    await rota.spend("15.00")
    await rota.wait(15)
    ((_, delivery),) = [one for one in rota.yard.channels.sent if one[0] == Email(("second@example.com",))]
    assert delivery.message.change.startswith(
        "Nobody has acknowledged this since 2026-11-16 12:00 UTC: escalation step 2."
    )
    assert "$15.00" in delivery.message.headline
    assert [one.reason for one in await rota.yard.notifications() if one.step == 1] == [Reason.ESCALATED]


async def acknowledge(yard: Yard, alert: Alert) -> None:
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.ACKNOWLEDGE, "", yard.author)


async def resolve(yard: Yard, alert: Alert) -> None:
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.RESOLVE, "", yard.author)


async def snooze(yard: Yard, alert: Alert) -> None:
    async with yard.ports.uow() as uow:
        await snooze_alert(uow, alert.id, SnoozeRequest(until=yard.clock() + 2 * HOUR), "", yard.author)


@pytest.mark.parametrize("act", [acknowledge, resolve, snooze])
async def test_whoever_acts_ends_the_calls(rota: Rota, act: Callable[[Yard, Alert], Awaitable[None]]) -> None:
    alert = await rota.ring()
    await rota.wait(10)
    await act(rota.yard, alert)
    await rota.wait(60)
    assert rota.called() == ["first"]


async def test_a_graver_severity_begins_again_and_ends_the_older_calls(rota: Rota) -> None:
    alert = await rota.ring()
    await acknowledge(rota.yard, alert)
    await rota.wait(10)
    await rota.spend("21.00")
    assert (await rota.alert()).state is AlertState.FIRING
    assert rota.called() == ["first", "first"]
    await rota.wait(5)  # the older chain's second step
    assert rota.called() == ["first", "first"]
    await rota.wait(10)
    assert rota.called() == ["first", "first", "second"]


async def test_a_snooze_that_is_over_begins_again(rota: Rota) -> None:
    alert = await rota.ring()
    await snooze(rota.yard, alert)
    await rota.wait(120)
    assert rota.called() == ["first", "first"]
    await rota.wait(15)
    assert rota.called() == ["first", "first", "second"]


async def test_the_calls_survive_the_process(rota: Rota, database_url: str) -> None:
    """Another process, with a queue of its own, finds the steps in the database."""
    yard = rota.yard
    await rota.ring()
    yard.clock.advance(15 * MINUTE)
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - interval '15 minutes'"
        )
    async with Queue.open(database_url, JobHandlers(yard.ports)) as other:
        await other.drain()
    assert rota.called() == ["first", "second"]


async def test_a_step_that_runs_twice_calls_once(rota: Rota) -> None:
    alert = await rota.ring()
    await rota.wait(15)
    await rota.spend("14.00")  # an amendment in between
    await run_step(rota.yard.ports, PlannedStep(alert.id, rota.policy.id, chain=1, round=0, step=1))
    await rota.yard.settle()
    assert rota.called() == ["first", "second"]


async def test_rounds_repeat_as_often_as_asked(yard: Yard) -> None:
    rota = await make_rota(yard, repeat=1)
    await rota.ring()
    for _ in range(10):
        await rota.wait(15)
    assert rota.called() == ["first", "second", "boss"] * 2


async def test_calls_for_which_no_worker_was_there_come_one_after_the_other(yard: Yard) -> None:
    """They are all due at once, of both rounds."""
    rota = await make_rota(yard, repeat=1)
    await rota.ring()
    await rota.wait(600)
    assert rota.called() == ["first", "second"]
    for _ in range(4):
        await rota.wait(15)
    assert rota.called() == ["first", "second", "boss", "first", "second", "boss"]


async def test_after_a_silence_the_calls_keep_their_distances(rota: Rota) -> None:
    yard = rota.yard
    await rota.ring()
    now = yard.clock()
    everything = Silence((Matcher("severity", Op.LIKE, ".+"),), now, now + 2 * HOUR, "load test", "token:ann")
    await yard.create(Silences(), "quiet", everything)
    for _ in range(25):
        await rota.wait(5)
    assert rota.called() == ["first", "second"]
    await rota.wait(9)
    assert rota.called() == ["first", "second"]
    await rota.wait(1)
    assert rota.called() == ["first", "second", "boss"]


async def test_a_step_that_waits_for_an_earlier_one_looks_once_a_minute_however_short_its_pause_is(rota: Rota) -> None:
    yard, (at_once, second, boss) = rota.yard, rota.policy.spec.steps
    alert = await rota.ring()
    quick = (at_once, second, replace(boss, after=second.after + timedelta(seconds=1)))
    await yard.change(EscalationPolicies(), rota.policy, replace(rota.policy.spec, steps=quick))
    await run_step(yard.ports, PlannedStep(alert.id, rota.policy.id, chain=1, round=0, step=2))
    async with yard.engine.connect() as connection:
        due = await connection.exec_driver_sql(
            "SELECT min(scheduled_at) - now() > interval '30 seconds' FROM procrastinate_jobs"
            " WHERE task_name = 'step' AND args ->> 'step' = '2' AND status = 'todo'"
        )
        assert due.scalar_one() is True


async def test_a_step_that_fails_holds_up_no_other(rota: Rota) -> None:
    await rota.ring()
    async with rota.yard.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE procrastinate_jobs SET attempts = 1, scheduled_at = scheduled_at + interval '1 day'"
            " WHERE task_name = 'step' AND args ->> 'step' = '1'"
        )
    await rota.wait(30)
    assert rota.called() == ["first", "boss"]


async def test_a_step_taken_out_of_the_policy_is_not_called(rota: Rota) -> None:
    await rota.ring()
    shorter = replace(rota.policy.spec, steps=rota.policy.spec.steps[:1])
    await rota.yard.change(EscalationPolicies(), rota.policy, shorter)
    await rota.wait(60)
    assert rota.called() == ["first"]


async def test_what_is_in_use_cannot_be_deleted(rota: Rota) -> None:
    yard = rota.yard
    with pytest.raises(Conflict, match="the default route"):
        await yard.delete(EscalationPolicies(), rota.policy)
    async with yard.ports.uow() as uow:
        boss = await uow.receivers.get("boss")
    with pytest.raises(Conflict, match="escalation policy 'on call'"):
        await yard.delete(Receivers(), boss)


async def call_by(yard: Yard, *policies: EscalationPolicy, directly: Resource[Receiver] | None = None) -> Rota:
    """Each of the policies has a route to it, and so has a receiver that is notified `directly`."""
    made = [await yard.create(EscalationPolicies(), f"policy {number}", one) for number, one in enumerate(policies)]
    routes = [Route(yard.receiver.id, escalation_policy_id=one.id, continues=True) for one in made]
    direct = [Route(directly.id, continues=True)] if directly else []
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((*direct, *routes, Route(yard.receiver.id))), yard.author)
    return Rota(yard, made[0])


def steps(*calls: tuple[int, Resource[Receiver]]) -> EscalationPolicy:
    return EscalationPolicy(tuple(EscalationStep(minutes * MINUTE, receiver.id) for minutes, receiver in calls))


async def mailed(yard: Yard, name: str) -> Resource[Receiver]:
    return await yard.create(Receivers(), name, Receiver((Email((f"{name}@example.com",)),)))


async def test_two_policies_each_call_the_same_person_when_their_step_comes(yard: Yard) -> None:
    first, second, boss = [await mailed(yard, name) for name in ("first", "second", "boss")]
    rota = await call_by(yard, steps((0, first), (10, boss)), steps((0, second), (20, boss)))
    await rota.ring()
    await rota.wait(10)
    assert sorted(rota.called()) == ["boss", "first", "second"]
    await rota.wait(10)
    assert sorted(rota.called()) == ["boss", "boss", "first", "second"]


async def test_what_two_policies_say_at_once_is_said_once(yard: Yard) -> None:
    first, second, boss = [await mailed(yard, name) for name in ("first", "second", "boss")]
    rota = await call_by(yard, steps((0, first), (10, boss)), steps((0, second), (10, boss)))
    await rota.ring()
    await rota.wait(30)
    assert sorted(rota.called()) == ["boss", "first", "second"]


async def test_who_was_just_called_is_called_again_when_it_gets_critical(yard: Yard) -> None:
    """The call before was of the chain that ended: it did not say that this is critical."""
    first, boss = [await mailed(yard, name) for name in ("first", "boss")]
    soon = EscalationStep(MINUTE / 2, boss.id)
    rota = await call_by(yard, EscalationPolicy((EscalationStep(0 * MINUTE, first.id), soon)))
    await rota.ring()
    await rota.wait(0.5)
    assert rota.called() == ["first", "boss"]
    await rota.spend("21.00")
    await rota.wait(0.5)
    assert rota.called() == ["first", "boss", "first", "boss"]


async def test_a_policy_that_begins_later_calls_whoever_a_route_has_notified(yard: Yard) -> None:
    first = await mailed(yard, "first")
    rota = await call_by(yard, steps((10, first)), directly=first)
    await rota.ring()
    assert rota.called() == ["first"]
    await rota.wait(10)
    assert rota.called() == ["first", "first"]
    reminder = [one for to, one in rota.yard.channels.sent if isinstance(to, Email)][-1]
    assert reminder.message.change.startswith("Nobody has acknowledged this since 2026-11-16 12:00 UTC")


async def test_the_distances_of_a_policy_do_not_depend_on_the_calls_of_another(yard: Yard) -> None:
    """Its second call waits for its first one, which was taken late, and not for that of the other policy."""
    first, second, boss = [await mailed(yard, name) for name in ("first", "second", "boss")]
    rota = await call_by(yard, steps((5, first), (10, boss)), steps((60, second), (70, boss)))
    await rota.ring()
    await rota.wait(5)
    await rota.wait(5)
    await rota.wait(55)
    assert rota.called() == ["first", "boss", "second"], "nobody was there at 60"
    await rota.wait(5)
    assert rota.called() == ["first", "boss", "second"]
    await rota.wait(5)
    assert rota.called() == ["first", "boss", "second", "boss"]


async def test_a_step_in_a_time_when_its_route_notifies_nobody_waits_for_the_end_of_it(yard: Yard) -> None:
    """Who asked for calls by day alone is not called in the night since something fired just before it."""
    first, boss = await mailed(yard, "first"), await mailed(yard, "boss")
    policy = await yard.create(EscalationPolicies(), "by day", steps((0, first), (15, boss)))
    night = TimeInterval((TimeRange(12 * 60 + 10, 14 * 60),))
    route = Route(yard.receiver.id, escalation_policy_id=policy.id, mute_times=(night,))
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((route,)), yard.author)
    rota = Rota(yard, policy)
    await rota.ring()
    await rota.wait(15)
    await rota.wait(60)
    assert rota.called() == ["first"]
    await rota.wait(50)
    assert rota.called() == ["first", "boss"]


async def test_a_step_is_taken_where_one_route_to_its_policy_is_free(yard: Yard) -> None:
    first, boss = await mailed(yard, "first"), await mailed(yard, "boss")
    policy = await yard.create(EscalationPolicies(), "by day", steps((0, first), (15, boss)))
    night = TimeInterval((TimeRange(12 * 60 + 10, 14 * 60),))
    muted = Route(yard.receiver.id, escalation_policy_id=policy.id, mute_times=(night,), continues=True)
    free = Route(yard.receiver.id, escalation_policy_id=policy.id)
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((muted, free)), yard.author)
    rota = Rota(yard, policy)
    await rota.ring()
    await rota.wait(15)
    assert rota.called() == ["first", "boss"]
