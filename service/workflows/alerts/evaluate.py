"""From stored spend to alerts and the messages they cause, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from service.domain.alerts.alert import AlertEvent, AlertState, Reason
from service.domain.alerts.crossings import Crossing
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.alerts.findings import Finding
from service.domain.alerts.reconcile import Move, execute, found_since, reconcile
from service.domain.budgets.assessment import assess, budget_endings
from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import assess_forecasts, forecast_budgets, has_forecast_thresholds
from service.domain.budgets.known import Known, ScopePeriod, WindowSpend, live_windows
from service.domain.budgets.strain import with_budgets
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.forecasts.watch import Watch, WatchKey
from service.domain.notify.routing.situation import Situation
from service.domain.rules.kinds.stale_source import assess_source, stale_fingerprint
from service.domain.sources.source import SourceKind, SourceState
from service.domain.values.resources import Resource, new_id
from service.workflows.alerts.ended_terms import with_ended_terms
from service.workflows.charts.kept import with_spend_so_far
from service.workflows.notify.announce import announce
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.rules.ruling import find_by_rules
from service.workflows.sources.naming import with_organisation

log = structlog.get_logger(__name__)

UNDONE = frozenset({Reason.BUDGET_GONE, Reason.BUDGET_DISABLED, Reason.BUDGET_EDITED})
"""Ends caused by an edit: if the edit is taken back, the levels fire again."""


async def run_evaluation(ports: Ports, source_id: str) -> list[AlertEvent]:
    """Compares one source's spend with its budgets and carries out what follows. Safe to repeat at any time."""
    async with ports.uow() as uow:
        state = await uow.polling_states.hold(source_id)
        now = ports.clock()  # by then whoever held the source has written what is evaluated here
        situation = await read_situation(uow, source_id, now)
        events = await carry_out(uow, situation, await _find(uow, situation, state))
    log_moves(events)
    return events


async def carry_out(uow: UnitOfWork, situation: Situation, findings: Iterable[Finding]) -> list[AlertEvent]:
    """Moves the open alerts by what was found, and announces the moves."""
    moves = reconcile(situation.open_alerts, findings)
    await _keep_newest(uow, moves)
    events = await _execute(uow, moves, situation.now)
    await announce(uow, situation.after(events), events)
    return events


def log_moves(events: Iterable[AlertEvent]) -> None:
    for event in events:
        log.info(
            "alert_moved",
            alert_id=event.alert.id,
            command=event.command.value,
            reason=event.reason.value,
            severity=event.alert.severity.value,
        )


async def _keep_newest(uow: UnitOfWork, moves: Iterable[Move]) -> None:
    """Keeps what was found of the alerts that stay as they are: for whatever notifies again before the next move.

    An alert's row is taken before a group's, as where it notifies again; else the two could wait for each other.
    """
    found = {move.alert.id: found_since(move) for move in moves if move.alert is not None}
    await uow.alerts.note_latest({id: evidence for id, evidence in found.items() if evidence is not None})


async def _execute(uow: UnitOfWork, moves: Sequence[Move], now: datetime) -> list[AlertEvent]:
    """Stores the alerts as the moves leave them, and the crossings that belong to them.

    Nothing of a move whose alert somebody else moved meanwhile: the next evaluation finds what is still to be done.
    """
    made = [(move, execute(move, new_alert_id=new_id("alert", now), now=now)) for move in moves]
    stored = await uow.alerts.save_all([event for _, event in made if event is not None])
    kept = {event.alert.id for event in stored}
    made = [(move, event) for move, event in made if event is None or event.alert.id in kept]
    await uow.crossings.release([one for move, _ in made for one in move.finding.released])
    await uow.crossings.add([one for move, event in made for one in _crossings(move, event)])
    await uow.crossings.release_all([event.alert.id for event in stored if _is_undone(event)])
    return stored


def _crossings(move: Move, event: AlertEvent | None) -> list[Crossing]:
    alert = event.alert if event is not None else move.alert
    return [replace(one, alert_id=alert.id if alert is not None else "") for one in move.finding.crossings]


def _is_undone(event: AlertEvent) -> bool:
    return event.alert.state is AlertState.RESOLVED and event.reason in UNDONE


async def _find(uow: UnitOfWork, situation: Situation, state: SourceState) -> list[Finding]:
    source_id, now, configuration = state.source_id, situation.now, situation.configuration
    source = configuration.sources.get(source_id)
    budgets = [budget for budget in configuration.budgets.values() if budget.spec.source_id == source_id]
    known = Known(
        crossings=await uow.crossings.of([budget.id for budget in budgets]),
        open_alerts=[alert for alert in situation.open_alerts if isinstance(alert.evidence, BudgetEvidence)],
        names=with_organisation(situation.names, state),
        now=now,
        # The assessment that first sees a bill still looks at the periods that could have closed in the blind.
        read_at=state.assessed_read_at or state.cost_read_at,
        billed_at=state.cost_read_at,
        simulated=source is not None and source.spec.kind is SourceKind.SIMULATOR,
    )
    enabled = [budget for budget in budgets if budget.spec.enabled]
    spend = {window: await uow.facts.spend(source_id, window, now) for window in live_windows(enabled, known)}
    by_budgets = await _assess_budgets(uow, source_id, budgets, spend, known)
    findings = await with_spend_so_far(uow, by_budgets, known.open_alerts, budgets, now)
    await uow.polling_states.note_assessed(source_id, state.cost_read_at)
    await uow.polling_states.note_evaluated(source_id, now)
    by_rules = await find_by_rules(uow, situation, state)
    findings += [with_budgets(finding, enabled, spend, now) for finding in by_rules]
    return findings + assess_source(
        source,
        state,
        has_fired=(await _stale_alerts_to_respect(uow, state, now)).__contains__,
        open_alerts=situation.open_alerts,
        now=now,
        rules=list(configuration.rules.values()),
    )


async def _stale_alerts_to_respect(uow: UnitOfWork, state: SourceState, now: datetime) -> frozenset[str]:
    """Fingerprints of today's alert of the running episode. One that an edit ended, and no person, may fire again."""
    stale = stale_fingerprint(state, now)
    fired = await uow.alerts.latest([stale]) if stale else []
    return frozenset(alert.fingerprint for alert in fired if alert.is_open or alert.resolved_by_a_person)


async def _assess_budgets(
    uow: UnitOfWork, source_id: str, budgets: Sequence[Resource[Budget]], spend: WindowSpend, known: Known
) -> list[Finding]:
    enabled = [budget for budget in budgets if budget.spec.enabled]
    known = await with_ended_terms(uow, enabled, known)
    known = replace(
        known,
        forecasts=await _forecasts(uow, source_id, _worth_forecasting(enabled, spend, known), spend, known),
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
    """Recent days are read once for all of them."""
    if not budgets:
        return {}
    recent = await uow.facts.recent(source_id, known.now)
    return forecast_budgets(budgets, spend, recent, known)


def _worth_forecasting(budgets: Sequence[Resource[Budget]], spend: WindowSpend, known: Known) -> list[Resource[Budget]]:
    """The budgets with thresholds on forecast, and those whose alert says where spend is heading."""
    return [budget for budget in budgets if has_forecast_thresholds(budget) or assess(budget, spend, known)]
