"""Beginning an escalation: its first call in the caller's transaction, a job for every later one."""

from __future__ import annotations

from dataclasses import replace

from service.domain.alerts import AlertEvent, Reason
from service.domain.escalation import EscalationPolicy, PlannedStep, timetable
from service.domain.planning import Address, plan_notifications
from service.domain.receivers import channel_key
from service.workflows.ports import UnitOfWork


async def schedule_steps(uow: UnitOfWork, event: AlertEvent, policy_id: str) -> None:
    """Begins a chain for a move that rings; older chains of the alert end by it. Raises NotFound."""
    policy = (await uow.policies.get(policy_id)).spec
    for due in timetable(policy):
        planned = PlannedStep(event.alert.id, policy_id, event.alert.version, due.round, due.step)
        if due.after:
            await uow.jobs.step(planned, event.at + due.after)
        else:
            await call(uow, event, policy, planned, chain=event)


async def call(
    uow: UnitOfWork, told: AlertEvent, policy: EscalationPolicy, planned: PlannedStep, *, chain: AlertEvent
) -> None:
    """Queues what one step says: how the alert stands by now (`told`), as the move that began the chain."""
    is_first = (planned.round, planned.step) == (0, 0)
    event = replace(told, command=chain.command, reason=chain.reason if is_first else Reason.ESCALATED)
    addresses = await _addresses(uow, policy.steps[planned.step].receiver_id)
    notifications = plan_notifications(event, addresses, step=planned.step, round=planned.round)
    for notification in notifications:
        # By the chain, so that a job that runs twice says it once, whatever was amended in between.
        await uow.notifications.add(replace(notification, level=str(planned.chain)))
    if notifications:
        await uow.jobs.deliver(event.at)


async def _addresses(uow: UnitOfWork, receiver_id: str) -> list[Address]:
    receiver = await uow.receivers.get(receiver_id)
    return [Address(receiver.id, channel_key(channel), channel) for channel in receiver.spec.channels]
