"""The end of a snooze."""

from __future__ import annotations

import structlog

from service.domain.alerts.alert import TOCSIN, Alert, AlertState, Command, Reason, apply
from service.domain.alerts.snooze import is_over, wakes
from service.domain.notify.undelivered import NO_SOURCE
from service.workflows.notify.announce import announce
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

log = structlog.get_logger(__name__)


async def run_wake(ports: Ports, alert_id: str) -> None:
    """Fires a snoozed alert again once its time has come. One that was moved meanwhile is left alone."""
    now = ports.clock()
    async with ports.uow() as uow:
        alert = await _hold(uow, alert_id)
        if wakes(alert, now):
            event = apply(alert, Command.WAKE, actor=TOCSIN, reason=Reason.SNOOZE_OVER, now=now)
            await uow.alerts.save(event)
            await announce(uow, await read_situation(uow, alert.source_id, now), [event])
            log.info("alert_moved", alert_id=alert_id, command=event.command.value, reason=event.reason.value)
        elif alert.state is AlertState.SNOOZED and alert.snoozed_until is not None and not is_over(alert, now):
            # Snoozed again, or this host's clock is behind the one that the queue goes by.
            await uow.jobs.wake(alert_id, alert.snoozed_until)


async def _hold(uow: UnitOfWork, alert_id: str) -> Alert:
    """The alert, kept from evaluations until the transaction ends."""
    source_id = (await uow.alerts.get(alert_id)).source_id
    if source_id != NO_SOURCE:
        await uow.polling_states.hold(source_id)
    return await uow.alerts.get(alert_id)
