"""Escalations: the first call in the transaction in which the alert fires, a job for every later one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog

from service.domain.alerts.alert import AlertEvent, Command, Reason
from service.domain.alerts.reconcile import brought_up_to_date
from service.domain.notify.escalation import PlannedStep, is_stopped, running_chain, timetable
from service.domain.notify.notification import FIRING_ACTIONS, Notification, NotificationCause, NotificationState
from service.domain.notify.planning import plan_notifications
from service.domain.notify.routing.pipeline import hold_reason
from service.domain.notify.routing.situation import Situation
from service.workflows.notify.follow_up import follow_up, queue, schedule, store
from service.workflows.notify.situation import read_situation
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

log = structlog.get_logger(__name__)

MOST_OF_AN_ALERT = 500
ASK_AGAIN = timedelta(minutes=5)
"""A step that a silence holds back waits for the silence's end; one about what is calm until it returns."""


async def begin_chain(
    uow: UnitOfWork, situation: Situation, policy_id: str, *, chain: AlertEvent, standing: AlertEvent
) -> list[Notification]:
    """Begins the steps of a policy for a move that fires (`chain`); older chains of the alert end by it.

    Stores the notifications of the first call, which say how the alert stands by now (`standing`), and returns them.
    """
    called: list[Notification] = []
    for due in timetable(situation.configuration.policies[policy_id].spec):
        planned = PlannedStep(chain.alert.id, policy_id, chain.alert.version, due.round, due.step)
        if due.after:
            await uow.jobs.step(planned, chain.at + due.after)
        else:
            called += await _call(uow, situation, planned, chain=chain, standing=standing)
    return called


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
        held = Reason.CALM if alert.newest.is_calm else hold_reason(alert, situation.labels(alert), situation)
        if held is not None:
            log.info("step_held_back", alert_id=alert.id, step=planned.step, reason=held.value)
            await uow.jobs.step(planned, now + ASK_AGAIN)
            return
        amendment = brought_up_to_date(alert, now)
        if amendment is not None:
            await uow.alerts.save(amendment)
        standing = amendment or replace(events[-1], at=now)
        called = await _call(uow, situation, planned, chain=chain, standing=standing)
        await schedule(uow, now, called)
        if amendment is not None:
            besides = {one.channel for one in called}
            await queue(uow, now, await follow_up(uow, situation, amendment, besides=besides))


def _has_step(situation: Situation, planned: PlannedStep) -> bool:
    """Whether the policy still has a step: it may have been deleted, or edited."""
    policy = situation.configuration.policies.get(planned.policy_id)
    return policy is not None and planned.step < len(policy.spec.steps) and planned.round <= policy.spec.repeat


async def _call(
    uow: UnitOfWork, situation: Situation, planned: PlannedStep, *, chain: AlertEvent, standing: AlertEvent
) -> list[Notification]:
    """Stores what one step says, which is how the alert stands by now, and returns it.

    For a channel that was notified before it is a raise, so that its post is edited and its page stays one.
    """
    cause = _cause(planned)
    event = replace(standing, reason=Reason.ESCALATED if cause is NotificationCause.ESCALATION else chain.reason)
    known = await _notified_before(uow, planned)
    notifications: list[Notification] = []
    for address in situation.addresses(situation.called(planned.policy_id, planned.step)):
        move = replace(event, command=Command.RAISE if address.key in known else Command.OPEN)
        notifications += plan_notifications(move, [address], cause=cause, step=planned.step, round=planned.round)
    # Known by the chain, so that a job that runs twice says it once, whatever was amended in between.
    of_chain = [replace(one, level=str(planned.chain)) for one in notifications]
    await store(uow, of_chain)
    return of_chain


async def _notified_before(uow: UnitOfWork, planned: PlannedStep) -> set[str]:
    """The channels that the alert has notified by other means than this very call, which may run twice."""
    page = await uow.notifications.page(NotificationFilter((planned.alert_id,)), limit=MOST_OF_AN_ALERT, cursor=None)
    call = str(planned.chain), _cause(planned), planned.step, planned.round
    return {
        one.channel
        for one in page.items
        if one.action in FIRING_ACTIONS and one.state is not NotificationState.SUPPRESSED and one.call != call
    }


def _cause(planned: PlannedStep) -> NotificationCause:
    """A policy's first step notifies of the event, as a route does: a channel that both lead to is notified once."""
    is_first = (planned.round, planned.step) == (0, 0)
    return NotificationCause.EVENT if is_first else NotificationCause.ESCALATION
