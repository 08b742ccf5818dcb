"""Channels that take no messages: an alert of their own, of which other channels are notified."""

from __future__ import annotations

from datetime import datetime

from service.domain.alerts.findings import Finding
from service.domain.alerts.reconcile import reconcile
from service.domain.notify.routing.situation import Situation
from service.domain.notify.undelivered import FIRE_AGAIN, NO_SOURCE, PATIENCE, assess_channels, fingerprint
from service.workflows.alerts.carry_out import carry_out, log_moves
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def run_watch_channels(ports: Ports) -> None:
    """Opens an alert for each channel with undelivered messages, and resolves it when none is left."""
    now = ports.clock()
    async with ports.uow() as uow:
        if await _is_quiet(uow, now):
            return
        await uow.become_only_writer()  # every worker comes here each minute: whoever is second finds it done
        situation = await read_situation(uow, NO_SOURCE, now)
        events = await carry_out(uow, situation, reconcile(situation.open_alerts, await _find(uow, situation)))
    log_moves(events)


async def _is_quiet(uow: UnitOfWork, now: datetime) -> bool:
    health = uow.channel_health
    return not (await health.failing() or await health.waiting(now - PATIENCE) or await uow.alerts.open(NO_SOURCE))


async def _find(uow: UnitOfWork, situation: Situation) -> list[Finding]:
    now = situation.now
    failing, waiting = await uow.channel_health.failing(), await uow.channel_health.waiting(now)
    places = {fingerprint(one.receiver_id, one.channel) for one in failing}
    places |= {fingerprint(one.receiver_id, one.channel) for one in waiting}
    return assess_channels(
        failing,
        waiting,
        receivers=situation.configuration.receivers,
        open_alerts=situation.open_alerts,
        is_muted=(await _muted(uow, places, now)).__contains__,
        now=now,
    )


async def _muted(uow: UnitOfWork, fingerprints: set[str], now: datetime) -> frozenset[str]:
    """Those that a person resolved lately."""
    latest = await uow.alerts.latest(sorted(fingerprints))
    return frozenset(
        alert.fingerprint for alert in latest if alert.resolved_by_a_person and now - alert.changed_at < FIRE_AGAIN
    )
