"""From stored spend to alerts and the messages they cause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from service.domain.alerts.alert import AlertEvent
from service.domain.alerts.drills import end_drills
from service.domain.alerts.due_again import due_again
from service.domain.alerts.findings import Finding
from service.domain.alerts.flaws import assess_flaws, flaw_fingerprint, is_flaw_kept_quiet
from service.domain.alerts.reconcile import reconcile
from service.domain.alerts.slices import sliced
from service.domain.budgets.strain import with_budgets
from service.domain.budgets.unpriced import assess_unpriced, is_kept_quiet, unpriced_fingerprint
from service.domain.notify.routing.situation import Situation
from service.domain.rules.kinds.stale_source import assess_source, stale_fingerprint
from service.domain.sources.source import SourceState
from service.domain.spend.flaws import FlawKind
from service.workflows.alerts.carry_out import carry_out, log_moves
from service.workflows.budgets.finding import find_by_budgets
from service.workflows.notify.situation import read_situation
from service.workflows.ports.spans import Note, identified
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.rules.ruling import find_by_rules

log = structlog.get_logger(__name__)

MOST_NAMED = 50
"""Alerts on the span of an evaluation; each has its line in the log."""


async def run_evaluation(ports: Ports, source_id: str) -> list[AlertEvent]:
    """Compares one source's spend with its budgets and rules, and carries out what follows. Safe to repeat at any time.

    What follows is stored in slices, each a transaction. The first one decides, and stores what rules and forecasts
    remember; the last one notes that the source was evaluated. Whatever ends it in between, the next evaluation finds
    the rest again. Its log lines have the poll whose reading it is about.
    """
    with identified(ports.spans, "evaluation", {"source_id": source_id}) as note:
        events = await _run_evaluation(ports, source_id, note)
        note({"alert_ids": " ".join(event.alert.id for event in events[:MOST_NAMED])} if events else {})
        return events


async def _run_evaluation(ports: Ports, source_id: str, note: Note) -> list[AlertEvent]:
    async with ports.uow() as uow:
        state = await uow.polling_states.begin_evaluation(source_id)
        newest = await uow.polls.newest_finished(source_id)
        note({"evaluation": f"{source_id}:{state.evaluation}"} | ({"poll_id": newest} if newest else {}))
        now = ports.clock()  # by then whoever held the source has written what is evaluated here
        situation = await read_situation(uow, source_id, now)
        found = await _find(uow, situation, state)
        slices = sliced(reconcile(situation.open_alerts, found.findings))
        events = await carry_out(uow, situation, slices[0])
        if len(slices) == 1:
            await _end(uow, state, found, now)
    log_moves(events)
    for moves in slices[1:]:
        situation = replace(situation.after(events), now=ports.clock())
        async with ports.uow() as uow:
            if not await uow.polling_states.holds_evaluation(state):
                log.info("evaluation_overtaken")
                return events
            moved = await carry_out(uow, situation, moves)
            if moves is slices[-1]:
                await _end(uow, state, found, now)
        log_moves(moved)
        events += moved
    if len(events) < sum(move.command is not None for moves in slices for move in moves):
        async with ports.uow() as uow:  # somebody else moved an alert meanwhile: its own next move is found at once
            await uow.jobs.evaluate(source_id)
    return events


async def _end(uow: UnitOfWork, state: SourceState, found: Found, now: datetime) -> None:
    assessed_at = now if found.rules_assessed else state.rules_assessed_at
    due_at = due_again(state, now, waits=found.rules_wait)
    await uow.polling_states.end_evaluation(state, rules_assessed_at=assessed_at, now=now, due_at=due_at)


@dataclass(frozen=True, slots=True)
class Found:
    """`rules_assessed`: whether the rules were gone through, too. `rules_wait`: whether minutes count for one."""

    findings: tuple[Finding, ...]
    rules_assessed: bool
    rules_wait: bool


async def _find(uow: UnitOfWork, situation: Situation, state: SourceState) -> Found:
    now, configuration = situation.now, situation.configuration
    by_budgets = await find_by_budgets(uow, situation, state)
    by_rules = await find_by_rules(uow, situation, state)
    about_source = assess_source(
        configuration.sources.get(state.source_id),
        state,
        has_fired=(await _stale_alerts_to_respect(uow, state, now)).__contains__,
        open_alerts=situation.open_alerts,
        now=now,
        rules=list(configuration.rules.values()),
    )
    about_prices = await _assess_prices(uow, state.source_id, situation)
    about_reports = await _assess_reports(uow, state, situation)
    strained = (with_budgets(one, by_budgets.assessed, by_budgets.spend, now) for one in by_rules.findings)
    drills = end_drills(situation.open_alerts, now)
    findings = (*by_budgets.findings, *strained, *about_source, *about_prices, *about_reports, *drills)
    return Found(findings, by_rules.assessed, by_rules.waits)


async def _assess_prices(uow: UnitOfWork, source_id: str, situation: Situation) -> list[Finding]:
    found, now = await uow.facts.unpriced(source_id, situation.now), situation.now
    newest = await uow.alerts.latest([unpriced_fingerprint(source_id, one.model) for one in found]) if found else []
    quiet = frozenset(alert.fingerprint for alert in newest if is_kept_quiet(alert, now))
    source = situation.configuration.sources.get(source_id)
    return assess_unpriced(source, found, is_quiet=quiet.__contains__, open_alerts=situation.open_alerts)


async def _assess_reports(uow: UnitOfWork, state: SourceState, situation: Situation) -> list[Finding]:
    source_id = state.source_id
    flaws, now = await uow.completeness.flaws(source_id), situation.now
    prints = {flaw_fingerprint(source_id, flaw.kind) for flaw in flaws}
    newest = await uow.alerts.latest(sorted(prints)) if prints else []
    quiet = frozenset(alert.fingerprint for alert in newest if is_flaw_kept_quiet(alert, now))
    source = situation.configuration.sources.get(source_id)
    return assess_flaws(
        source,
        flaws,
        is_quiet=quiet.__contains__,
        open_alerts=situation.open_alerts,
        now=now,
        read_at=_read_at(state),
    )


def _read_at(state: SourceState) -> dict[FlawKind, datetime]:
    """When the report of each flaw was read last."""
    read = {kind: state.usage_read_at if kind is FlawKind.EMPTY_USAGE else state.cost_read_at for kind in FlawKind}
    return {kind: at for kind, at in read.items() if at is not None}


async def _stale_alerts_to_respect(uow: UnitOfWork, state: SourceState, now: datetime) -> frozenset[str]:
    """Fingerprints of today's alert of the running episode. One that an edit ended, and no person, may fire again."""
    stale = stale_fingerprint(state, now)
    fired = await uow.alerts.latest([stale]) if stale else []
    return frozenset(alert.fingerprint for alert in fired if alert.is_open or alert.resolved_by_a_person)
