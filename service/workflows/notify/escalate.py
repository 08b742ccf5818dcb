"""Beginning an escalation: its first call in the caller's transaction, a job for every later one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import AlertEvent, Command, Reason
from service.domain.notify.escalation import EscalationPolicy, PlannedStep, Step, timetable
from service.domain.notify.notification import FIRING_ACTIONS, Notification, NotificationState
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.receivers import channel_key
from service.domain.notify.rotas import on_call
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.unit_of_work import UnitOfWork

MOST_OF_AN_ALERT = 500


async def schedule_steps(uow: UnitOfWork, told: AlertEvent, policy_id: str, *, chain: AlertEvent) -> set[str]:
    """Begins a chain for a move that rings (`chain`); older chains of the alert end by it. Raises NotFound.

    The first call says how the alert stands by now (`told`). Gives the channels that it rings.
    """
    rung: set[str] = set()
    policy = (await uow.policies.get(policy_id)).spec
    for due in timetable(policy):
        planned = PlannedStep(chain.alert.id, policy_id, chain.alert.version, due.round, due.step)
        if due.after:
            await uow.jobs.step(planned, chain.at + due.after)
        else:
            rung |= await call(uow, told, policy, planned, chain=chain)
    return rung


async def call(
    uow: UnitOfWork, told: AlertEvent, policy: EscalationPolicy, planned: PlannedStep, *, chain: AlertEvent
) -> set[str]:
    """Queues what one step says: how the alert stands by now (`told`). Gives the channels that it rings.

    To a channel that was rung before it is a raise, so that its post is edited and its page stays one.
    """
    is_first = (planned.round, planned.step) == (0, 0)
    event = replace(told, reason=chain.reason if is_first else Reason.ESCALATED)
    known = await _rung_before(uow, planned)
    notifications: list[Notification] = []
    for address in await _addresses(uow, policy.steps[planned.step], event.at):
        move = replace(event, command=Command.RAISE if address.key in known else Command.OPEN)
        notifications += plan_notifications(move, [address], step=planned.step, round=planned.round)
    for notification in notifications:
        # By the chain, so that a job that runs twice says it once, whatever was amended in between.
        await uow.notifications.add(replace(notification, level=str(planned.chain)))
    if notifications:
        await uow.jobs.deliver(event.at)
    return {one.channel for one in notifications}


async def _rung_before(uow: UnitOfWork, planned: PlannedStep) -> set[str]:
    """The channels that the alert has rung by other means than this very call, which may run twice."""
    page = await uow.notifications.page(NotificationFilter(planned.alert_id), limit=MOST_OF_AN_ALERT, cursor=None)
    call = str(planned.chain), planned.step, planned.round
    return {
        one.channel
        for one in page.items
        if one.action in FIRING_ACTIONS
        and one.state is not NotificationState.SUPPRESSED
        and (one.level, one.step, one.round) != call
    }


async def _addresses(uow: UnitOfWork, step: Step, now: datetime) -> list[Address]:
    receiver = await uow.receivers.get(await _receiver_id(uow, step, now))
    return [Address(receiver.id, channel_key(channel), channel) for channel in receiver.spec.channels]


async def _receiver_id(uow: UnitOfWork, step: Step, now: datetime) -> str:
    """The step's own, or that of whoever is on call now."""
    if step.receiver_id is not None:
        return step.receiver_id
    assert step.rota_id is not None  # as `validate_policy` has seen to
    return on_call((await uow.rotas.get(step.rota_id)).spec, now).receiver_id
