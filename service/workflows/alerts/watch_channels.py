"""Channels that take no messages: an alert of their own, told elsewhere."""

from __future__ import annotations

from datetime import datetime

import structlog

from service.domain.alerts.alert import AlertState
from service.domain.alerts.reconcile import SYSTEM, execute, reconcile
from service.domain.notify.undelivered import NO_SOURCE, PATIENCE, RING_AGAIN, assess_channels, fingerprint
from service.domain.values.resources import new_id
from service.workflows.alerts.present import keep_newest
from service.workflows.notify.announce import announce
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

log = structlog.get_logger(__name__)


async def run_watch_channels(ports: Ports) -> None:
    """Opens an alert for each channel with undelivered messages, and resolves it when none is left."""
    now = ports.clock()
    async with ports.uow() as uow:
        if await _is_quiet(uow, now):
            return
        await uow.become_only_writer()  # every worker comes here each minute: whoever is second finds it done
        await _watch(uow, now)


async def _is_quiet(uow: UnitOfWork, now: datetime) -> bool:
    health = uow.channel_health
    return not (await health.failing() or await health.waiting(now - PATIENCE) or await uow.alerts.open(NO_SOURCE))


async def _watch(uow: UnitOfWork, now: datetime) -> None:
    failing, waiting = await uow.channel_health.failing(), await uow.channel_health.waiting(now - PATIENCE)
    open_alerts = await uow.alerts.open(NO_SOURCE)
    places = {fingerprint(one.receiver_id, one.channel) for one in failing}
    places |= {fingerprint(one.receiver_id, one.channel) for one in waiting}
    findings = assess_channels(
        failing,
        waiting,
        names={receiver.id: receiver.name for receiver in await uow.receivers.all()},
        open_alerts=open_alerts,
        is_muted=(await _muted(uow, places, now)).__contains__,
        now=now,
    )
    moves = reconcile(open_alerts, findings)
    await keep_newest(uow, moves)
    for move in moves:
        event = execute(move, new_alert_id=new_id("alert", now), now=now)
        if event is not None:
            await uow.alerts.save(event)
            await announce(uow, event)
            log.info("alert_moved", alert_id=event.alert.id, command=event.command.value, reason=event.reason.value)


async def _muted(uow: UnitOfWork, fingerprints: set[str], now: datetime) -> frozenset[str]:
    """Those that a person resolved lately."""
    latest = await uow.alerts.latest(sorted(fingerprints))
    return frozenset(
        alert.fingerprint
        for alert in latest
        if alert.state is AlertState.RESOLVED and alert.resolved_by != SYSTEM and now - alert.changed_at < RING_AGAIN
    )
