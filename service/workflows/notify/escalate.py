"""Escalations: the first call in the transaction in which the alert fires, a job for every later one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from service.domain.alerts.alert import AlertEvent, Command, Reason
from service.domain.alerts.reconcile import brought_up_to_date
from service.domain.notify.escalation import (
    EscalationPolicy,
    PlannedStep,
    call_before,
    call_level,
    is_call_of,
    is_stopped,
    pause_after,
    running_chain,
    timetable,
)
from service.domain.notify.notification import Attempt, Notification, NotificationCause, NotificationState
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.routing.pipeline import step_hold
from service.domain.notify.routing.situation import Situation
from service.workflows.notify.follow_up import follow_up, queue, read_notified, schedule, store
from service.workflows.notify.situation import read_situation
from service.workflows.ports.notify import ChannelCall
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

log = structlog.get_logger(__name__)

ASK_AGAIN = timedelta(minutes=5)
"""A step that a silence or a muted route holds back waits for the end of that; one about what is calm until it returns.
"""

SOONEST = timedelta(minutes=1)
"""A step that waits for an earlier one does not look more often, however short its pause is."""

AT_ONCE = timedelta(minutes=1)
"""A channel that another policy has called so lately is not called again."""

PUNCTUAL = 0.9
"""The part of its pause after which a call may come: jobs are a little late, and not all by as much."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A policy that begins for a move that fires (`began`); older chains of the alert end by it.

    Its first call says how the alert stands by now (`standing`).
    """

    policy_id: str
    began: AlertEvent
    standing: AlertEvent


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of a chain. A policy's calls at its beginning notify of the event, as a route does; others are its own.

    `spoken_to` are the channels that another policy has just called.
    """

    planned: PlannedStep
    chain: Chain
    cause: NotificationCause
    spoken_to: Collection[str] = ()

    @property
    def level(self) -> str:
        """Identifies the chain, and of a policy's own calls the policy: another one's calls have the same numbers."""
        return call_level(self.planned) if self.cause is NotificationCause.ESCALATION else str(self.planned.chain)


async def begin_chains(uow: UnitOfWork, situation: Situation, chains: Iterable[Chain]) -> list[Notification]:
    """Begins the steps of policies. Stores the notifications of the first calls, and returns them."""
    first: list[_Call] = []
    later: list[tuple[PlannedStep, datetime]] = []
    for chain in chains:
        for due in timetable(situation.configuration.policies[chain.policy_id].spec):
            alert = chain.began.alert
            planned = PlannedStep(alert.id, chain.policy_id, alert.version, due.round, due.step)
            if due.after:
                later.append((planned, chain.began.at + due.after))
            else:
                first.append(_Call(planned, chain, NotificationCause.EVENT))
    await uow.jobs.steps(later)
    return await _call(uow, situation, first)


async def run_step(ports: Ports, planned: PlannedStep) -> None:
    """Calls the step's receiver, unless somebody has acted, it is over, or a newer chain runs. Safe to repeat."""
    now = ports.clock()
    async with ports.uow() as uow:
        # Whoever acts at this moment comes before the call, which then is none, or after it, and all hear of it.
        alert = await uow.alerts.lock(planned.alert_id)
        events = await uow.alerts.events(planned.alert_id)
        chain = running_chain(events)
        if chain is None or is_stopped(alert, events, planned.chain):
            return
        situation = await read_situation(uow, alert.source_id, now)
        if not _has_step(situation, planned):
            return
        turn = await _turn(uow, situation.configuration.policies[planned.policy_id].spec, planned, now)
        if turn > now:
            await uow.jobs.steps([(planned, turn)])
            return
        held = Reason.CALM if alert.newest.is_calm else step_hold(alert, planned.policy_id, situation)
        if held is not None:
            log.info("step_held_back", alert_id=alert.id, step=planned.step, reason=held.value)
            await uow.jobs.steps([(planned, now + ASK_AGAIN)])
            return
        amendment = brought_up_to_date(alert, now)
        if amendment is not None:
            await uow.alerts.save(amendment)
        standing = amendment or replace(events[-1], at=now)
        spoken_to = await _called_by_others(uow, planned, now)
        chain_now = Chain(planned.policy_id, chain, standing)
        called = await _call(uow, situation, [_Call(planned, chain_now, NotificationCause.ESCALATION, spoken_to)])
        await schedule(uow, now, called)
        if amendment is not None:
            besides = {one.channel for one in called}
            notified = await read_notified(uow, [alert.id])
            await queue(uow, now, follow_up(situation, amendment, notified, besides=besides))


async def _called_by_others(uow: UnitOfWork, planned: PlannedStep, now: datetime) -> set[str]:
    """The channels that another policy has called just now in this chain: it said what this call would say."""
    newest = [one.notification for one in await uow.notified.newest(planned.alert_id)]
    lately = [one for one in newest if one.created_at > now - AT_ONCE]
    own = call_level(planned)
    return {one.channel for one in lately if one.level != own and is_call_of(planned.chain, one.level)}


async def _turn(uow: UnitOfWork, policy: EscalationPolicy, planned: PlannedStep, now: datetime) -> datetime:
    """When a step may call: steps that were held back, or for which no worker was there, are due all at once.

    It waits while an earlier one does, and then for as long after the call before it as the policy says.
    """
    own, before = (planned.round, planned.step), call_before(policy, planned)
    waiting = [one for one in await uow.jobs.steps_before(planned) if pause_after(policy, one, own)]
    if waiting:
        return now + max(pause_after(policy, max(waiting), own), SOONEST)
    called_at = await _called_at(uow, policy, planned, before) if before else None
    if before is None or called_at is None:
        return now
    pause = pause_after(policy, before, own)
    return now if now - called_at >= pause * PUNCTUAL else called_at + pause


async def _called_at(
    uow: UnitOfWork, policy: EscalationPolicy, planned: PlannedStep, call: tuple[int, int]
) -> datetime | None:
    """When an earlier call of a chain, by its round and step, was made."""
    is_event = call == (0, 0) and not policy.steps[0].after
    level = str(planned.chain) if is_event else call_level(planned)
    return await uow.notified.called_at(planned.alert_id, level, *call)


def _has_step(situation: Situation, planned: PlannedStep) -> bool:
    """Whether the policy still has a step: it may have been deleted, or edited."""
    policy = situation.configuration.policies.get(planned.policy_id)
    return policy is not None and planned.step < len(policy.spec.steps) and planned.round <= policy.spec.repeat


async def _call(uow: UnitOfWork, situation: Situation, calls: Sequence[_Call]) -> list[Notification]:
    """Stores what these calls say, which is how each alert stands by now, and returns it."""
    if not calls:
        return []
    before = await uow.notified.calls({one.planned.alert_id for one in calls})
    called = [made for one in calls for made in _made(one, _addresses(situation, one), before[one.planned.alert_id])]
    await store(uow, called)
    return called


def _addresses(situation: Situation, call: _Call) -> list[Address]:
    planned, owners = call.planned, situation.owners(call.chain.standing.alert, {})
    return situation.addresses(*situation.called(planned.policy_id, planned.step, owners))


def _made(call: _Call, addresses: Sequence[Address], before: Iterable[ChannelCall]) -> list[Notification]:
    """The notifications of one call. For a channel that was notified before, by other means than this very call, which
    may run twice, it is a raise, so that its post is edited and its page stays one."""
    planned, cause = call.planned, call.cause
    known = {channel for channel, made in before if made != (call.level, cause, planned.step, planned.round)}
    reason = Reason.ESCALATED if cause is NotificationCause.ESCALATION else call.chain.began.reason
    event = replace(call.chain.standing, reason=reason)
    notifications: list[Notification] = []
    for address in addresses:
        move = replace(event, command=Command.RAISE if address.key in known else Command.OPEN)
        notifications += plan_notifications(move, [address], cause=cause, step=planned.step, round=planned.round)
    # Known by the chain, so that a job that runs twice says it once, whatever was amended in between.
    made = [replace(one, level=call.level) for one in notifications]
    return [_said(one) if one.channel in call.spoken_to else one for one in made]


def _said(one: Notification) -> Notification:
    """The same call, on record and not sent."""
    settled = Attempt(one.created_at, "settled", "another escalation policy has just called this channel")
    return replace(one, state=NotificationState.SUPPRESSED, attempts=(settled,))
