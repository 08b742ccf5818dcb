"""From stored spend to alerts and the messages they cause, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from service.domain.alerts import AlertEvent, AlertKind
from service.domain.assessment import Known, assess, live_windows
from service.domain.budgets import Budget
from service.domain.endings import budget_endings
from service.domain.findings import Finding
from service.domain.names import Names
from service.domain.planning import plan_notifications
from service.domain.reconcile import execute, reconcile
from service.domain.resources import Resource, new_id
from service.domain.scopes import ORGANISATION, Dimension, ScopeKey
from service.domain.sources import SourceKind, SourceState
from service.domain.staleness import assess_source, stale_fingerprint
from service.workflows.ports import Ports, UnitOfWork

log = structlog.get_logger(__name__)


async def run_evaluation(ports: Ports, source_id: str) -> list[AlertEvent]:
    """Compares one source's spend with its budgets and carries out what follows. Safe to repeat at any time."""
    now = ports.clock()
    async with ports.uow() as uow:
        findings = await _find(uow, source_id, now)
        open_alerts = await uow.alerts.open(source_id)
        events: list[AlertEvent] = []
        for move in reconcile(open_alerts, findings):
            event = execute(move, new_alert_id=new_id("alert", now), now=now)
            alert_id = event.alert.id if event else move.alert.id if move.alert else ""
            for crossing in move.finding.crossings:
                await uow.crossings.add(replace(crossing, alert_id=alert_id))
            if event is not None:
                await uow.alerts.save(event)
                await announce(uow, event)
                events.append(event)
    for event in events:
        log.info(
            "alert_moved",
            alert_id=event.alert.id,
            command=event.command.value,
            reason=event.reason.value,
            severity=event.alert.severity.value,
        )
    return events


async def announce(uow: UnitOfWork, event: AlertEvent) -> None:
    """Queues what an alert's move says to its receivers, in the move's own transaction."""
    route = (await uow.routes.all())[0].spec.items[-1]
    receiver = await uow.receivers.get(route.receiver_id)
    notifications = plan_notifications(event, receiver)
    for notification in notifications:
        await uow.notifications.add(notification)
    if notifications:
        await uow.jobs.deliver(event.at)


async def _find(uow: UnitOfWork, source_id: str, now: datetime) -> list[Finding]:
    state = await uow.feeds.get(source_id)
    open_alerts = await uow.alerts.open(source_id)
    sources = {source.id: source for source in await uow.sources.all()}
    source = sources.get(source_id)
    budgets = [budget for budget in await uow.budgets.all() if budget.spec.source_id == source_id]
    known = Known(
        crossings=await uow.crossings.of([budget.id for budget in budgets]),
        open_alerts=[alert for alert in open_alerts if alert.kind is AlertKind.BUDGET],
        names=await names_of(uow, state),
        now=now,
        read_at=state.cost_read_at,
        simulated=source is not None and source.spec.kind is SourceKind.SIMULATOR,
    )
    findings = await _assess_budgets(uow, source_id, budgets, known)
    stale = stale_fingerprint(state)
    rung = await uow.alerts.known([stale]) if stale else frozenset()
    return findings + assess_source(source, state, has_rung=rung.__contains__, open_alerts=open_alerts, now=now)


async def _assess_budgets(
    uow: UnitOfWork, source_id: str, budgets: Sequence[Resource[Budget]], known: Known
) -> list[Finding]:
    enabled = [budget for budget in budgets if budget.spec.enabled]
    spend = {window: await uow.facts.spend(source_id, window, known.now) for window in live_windows(enabled, known)}
    findings = [finding for budget in enabled for finding in assess(budget, spend, known)]
    return findings + budget_endings({budget.id: budget for budget in budgets}, findings, known)


async def names_of(uow: UnitOfWork, state: SourceState) -> Names:
    """What the source's directory calls its workspaces and keys."""
    names = {
        ScopeKey(dimension, seen.id): seen.name
        for dimension, all_seen in (
            (Dimension.WORKSPACE, await uow.directory.workspaces(state.source_id)),
            (Dimension.API_KEY, await uow.directory.api_keys(state.source_id)),
        )
        for seen in all_seen
    }
    if state.organization_name:
        names[ORGANISATION] = state.organization_name
    return names
