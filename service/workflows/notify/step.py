"""One step of an escalation, when its time has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog

from service.domain.alerts.reconcile import brought_up_to_date
from service.domain.notify.escalation import EscalationPolicy, PlannedStep, is_stopped, running_chain
from service.domain.values.errors import NotFound
from service.workflows.notify.announce import announce
from service.workflows.notify.escalate import call
from service.workflows.notify.routing import quiet_reason
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

log = structlog.get_logger(__name__)

ASK_AGAIN = timedelta(minutes=5)
"""A step that a silence holds back waits for the silence's end."""


async def run_step(ports: Ports, planned: PlannedStep) -> None:
    """Calls the step's receiver, unless somebody has acted, it is over, or a newer chain runs. Safe to repeat."""
    now = ports.clock()
    async with ports.uow() as uow:
        # Whoever acts at this moment comes before the call, which then is none, or after it, and is told of to all.
        alert = await uow.alerts.lock(planned.alert_id)
        events = await uow.alerts.events(planned.alert_id)
        policy = await _policy(uow, planned)
        chain = running_chain(events)
        if policy is None or chain is None or is_stopped(alert, events, planned.chain):
            return
        quiet = await quiet_reason(uow, alert, now)
        if quiet is not None:
            log.info("step_held_back", alert_id=alert.id, step=planned.step, reason=quiet.value)
            await uow.jobs.step(planned, now + ASK_AGAIN)
            return
        amendment = brought_up_to_date(alert, now)
        if amendment is not None:
            await uow.alerts.save(amendment)
        told = amendment or replace(events[-1], at=now)
        rung = await call(uow, told, policy, planned, chain=chain)
        if amendment is not None:
            await announce(uow, amendment, besides=rung)


async def _policy(uow: UnitOfWork, planned: PlannedStep) -> EscalationPolicy | None:
    """The policy as it is now; None where it has been deleted, or has lost this step."""
    try:
        policy = (await uow.policies.get(planned.policy_id)).spec
    except NotFound:
        return None
    return policy if planned.step < len(policy.steps) and planned.round <= policy.repeat else None
