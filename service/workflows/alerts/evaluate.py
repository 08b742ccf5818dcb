"""From stored spend to alerts and the messages they cause, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from service.domain.alerts.alert import AlertEvent, AlertKind, AlertState, Reason
from service.domain.alerts.findings import Finding
from service.domain.alerts.reconcile import SYSTEM, execute, reconcile
from service.domain.budgets.assessment import assess, budget_endings
from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import assess_forecasts, forecast_budgets, has_forecast_thresholds
from service.domain.budgets.known import Known, ScopePeriod, WindowSpend, live_windows
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.forecasts.watch import Watch, WatchKey
from service.domain.rules.kinds.stale_source import assess_source, stale_fingerprint
from service.domain.sources.source import SourceKind, SourceState
from service.domain.values.resources import Resource, new_id
from service.workflows.alerts.ended_terms import with_ended_terms
from service.workflows.alerts.present import keep_newest
from service.workflows.notify.announce import announce
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.rules.ruling import find_by_rules
from service.workflows.sources.naming import names_of

log = structlog.get_logger(__name__)

UNDONE = frozenset({Reason.BUDGET_GONE, Reason.BUDGET_DISABLED, Reason.BUDGET_EDITED})
"""Ends that an edit brought about: should the edit be taken back, the levels ring anew."""


async def run_evaluation(ports: Ports, source_id: str) -> list[AlertEvent]:
    """Compares one source's spend with its budgets and carries out what follows. Safe to repeat at any time."""
    async with ports.uow() as uow:
        state = await uow.polling_states.hold(source_id)
        now = ports.clock()  # by then whoever held the source has written what is judged here
        findings = await _find(uow, state, now)
        open_alerts = await uow.alerts.open(source_id)
        events: list[AlertEvent] = []
        moves = reconcile(open_alerts, findings)
        await keep_newest(uow, moves)
        for move in moves:
            event = execute(move, new_alert_id=new_id("alert", now), now=now)
            alert_id = event.alert.id if event else move.alert.id if move.alert else ""
            for crossing in move.finding.released:
                await uow.crossings.release(crossing)
            for crossing in move.finding.crossings:
                await uow.crossings.add(replace(crossing, alert_id=alert_id))
            if event is not None:
                await uow.alerts.save(event)
                await announce(uow, event)
                events.append(event)
                if event.alert.state is AlertState.RESOLVED and event.reason in UNDONE:
                    await uow.crossings.release_all(alert_id)
    for event in events:
        log.info(
            "alert_moved",
            alert_id=event.alert.id,
            command=event.command.value,
            reason=event.reason.value,
            severity=event.alert.severity.value,
        )
    return events


async def _find(uow: UnitOfWork, state: SourceState, now: datetime) -> list[Finding]:
    source_id = state.source_id
    open_alerts = await uow.alerts.open(source_id)
    sources = {source.id: source for source in await uow.sources.all()}
    source = sources.get(source_id)
    budgets = [budget for budget in await uow.budgets.all() if budget.spec.source_id == source_id]
    known = Known(
        crossings=await uow.crossings.of([budget.id for budget in budgets]),
        open_alerts=[alert for alert in open_alerts if alert.kind is AlertKind.BUDGET],
        names=await names_of(uow, state),
        now=now,
        # The assessment that first sees a bill still looks at the periods that could have closed in the blind.
        read_at=state.assessed_read_at or state.cost_read_at,
        simulated=source is not None and source.spec.kind is SourceKind.SIMULATOR,
    )
    findings = await _assess_budgets(uow, source_id, budgets, known)
    await uow.polling_states.note_assessed(source_id, state.cost_read_at)
    await uow.polling_states.note_evaluated(source_id, now)
    findings += await find_by_rules(uow, source, state, now)
    return findings + assess_source(
        source,
        state,
        has_rung=(await _stale_alerts_to_respect(uow, state, now)).__contains__,
        open_alerts=open_alerts,
        now=now,
        rules=await uow.rules.all(),
    )


async def _stale_alerts_to_respect(uow: UnitOfWork, state: SourceState, now: datetime) -> frozenset[str]:
    """Fingerprints of today's alert of the running episode. One that an edit ended, and no person, may ring anew."""
    stale = stale_fingerprint(state, now)
    rung = await uow.alerts.latest([stale]) if stale else []
    return frozenset(alert.fingerprint for alert in rung if alert.resolved_by != SYSTEM)


async def _assess_budgets(
    uow: UnitOfWork, source_id: str, budgets: Sequence[Resource[Budget]], known: Known
) -> list[Finding]:
    enabled = [budget for budget in budgets if budget.spec.enabled]
    spend = {window: await uow.facts.spend(source_id, window, known.now) for window in live_windows(enabled, known)}
    known = await with_ended_terms(uow, enabled, known)
    known = replace(
        known,
        forecasts=await _forecasts(uow, source_id, enabled, spend, known),
        watches=await uow.watches.of([budget.id for budget in budgets]),
    )
    findings: list[Finding] = []
    watches: dict[WatchKey, Watch] = {}
    for budget in enabled:
        on_spend = assess(budget, spend, known)
        heading = assess_forecasts(budget, spend, known, on_spend)
        findings += [*on_spend, *heading.findings]
        watches |= heading.watches
    await uow.watches.replace(known.watches, watches)
    return findings + budget_endings({budget.id: budget for budget in budgets}, findings, known)


async def _forecasts(
    uow: UnitOfWork, source_id: str, budgets: Sequence[Resource[Budget]], spend: WindowSpend, known: Known
) -> dict[ScopePeriod, Forecast | NoForecast]:
    """Those of the budgets that have thresholds on forecast; recent days are read once for all of them."""
    watching = [budget for budget in budgets if has_forecast_thresholds(budget)]
    if not watching:
        return {}
    recent = await uow.facts.recent(source_id, known.now)
    return forecast_budgets(watching, spend, recent, known)
