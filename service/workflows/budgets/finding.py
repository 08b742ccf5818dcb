"""The budgets of one source compared with its spend. One that cannot be assessed keeps no other from firing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.alerts.findings import Finding
from service.domain.budgets.assessment import Assessment, budget_endings, findings_of, standing
from service.domain.budgets.budget import Budget, finest_of
from service.domain.budgets.forecasting import Heading, assess_forecasts, has_forecast_thresholds
from service.domain.budgets.known import Known, WindowSpend, counted_scope, with_earlier
from service.domain.budgets.places import BudgetScope, places_of
from service.domain.forecasts.watch import Watch, WatchKey
from service.domain.notify.routing.situation import Situation
from service.domain.sources.locality import NOWHERE
from service.domain.sources.source import SourceKind, SourceState
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.workflows.budgets.defects import BudgetDefect, FailedScopes, attempt, judged_windows, windows_by_budget
from service.workflows.budgets.ended_terms import with_ended_terms
from service.workflows.budgets.forecasts import forecast_each
from service.workflows.budgets.late_bills import with_late_bills
from service.workflows.charts.kept import with_spend_so_far
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import with_organisation

Budgets = Sequence[Resource[Budget]]


@dataclass(frozen=True, slots=True)
class FoundByBudgets:
    """`assessed` are the enabled budgets but those that failed as a whole, `spend` is that of their windows."""

    findings: Sequence[Finding]
    assessed: Budgets
    spend: WindowSpend


async def find_by_budgets(uow: UnitOfWork, situation: Situation, state: SourceState) -> FoundByBudgets:
    """The findings of the source's budgets, and what their forecasts remember.

    First all scopes of a budget are assessed at once, and only if that raises each alone. What still raises is logged
    and stored; its open alerts and watches stay as they are, and the next evaluation tries again.
    """
    source_id, now = state.source_id, situation.now
    budgets = [one for one in situation.configuration.budgets.values() if one.spec.source_id == source_id]
    known, failed = await _known(uow, situation, state, budgets), FailedScopes(situation.unreadable("budget"))
    windows = windows_by_budget((one for one in budgets if one.spec.enabled), known, failed, judged_windows)
    assessed = [one for one in budgets if one.id in windows]
    asked = frozenset[Window]().union(*windows.values())
    known = await with_ended_terms(uow, assessed, known)
    grain = finest_of(with_earlier(assessed, known.ended_as))
    spend = {window: await uow.facts.spend(source_id, window, now, grain) for window in asked}
    found = await _assess_all(uow, state, assessed, spend, known, failed)
    endings = _endings({one.id: one for one in budgets}, found, _without_failed(known, failed), failed)
    counts = partial(counted_scope, budgets={one.id: one for one in budgets}, ended=known.ended_as)
    named = await with_late_bills(uow, [*found, *endings], counts, now, failed)
    shown = await with_spend_so_far(uow, named, known.open_alerts, counts, now)
    if failed.met:
        await uow.budget_failures.note(state, failed.met, now)
    return FoundByBudgets(shown, assessed, spend)


async def _known(uow: UnitOfWork, situation: Situation, state: SourceState, budgets: Budgets) -> Known:
    source = situation.configuration.sources.get(state.source_id)
    ids = [budget.id for budget in budgets]
    return Known(
        crossings=await uow.crossings.of(ids),
        open_alerts=[alert for alert in situation.open_alerts if isinstance(alert.evidence, BudgetEvidence)],
        names=with_organisation(situation.names, state),
        now=situation.now,
        # The assessment that first sees a bill still looks at the periods that could have closed in the blind.
        read_at=state.assessed_read_at or state.cost_read_at,
        billed_at=state.cost_read_at,
        simulated=source is not None and source.spec.kind is SourceKind.SIMULATOR,
        watches=await uow.watches.of(ids),
        locality=NOWHERE if source is None else source.spec.locality,
    )


async def _assess_all(
    uow: UnitOfWork, state: SourceState, budgets: Budgets, spend: WindowSpend, known: Known, failed: FailedScopes
) -> list[Finding]:
    stands = {budget.id: attempt(partial(standing, budget, spend, known)) for budget in budgets}
    worth_forecasting = [one for one in budgets if has_forecast_thresholds(one) or stands[one.id]]
    if worth_forecasting:
        recent = await uow.facts.recent(state.source_id, known.now, finest_of(budgets))
        known = replace(known, forecasts=forecast_each(worth_forecasting, spend, recent, known, failed))
    headings = [assess_each(budget, stands[budget.id], spend, known, failed) for budget in budgets]
    watches = {key: watch for heading in headings for key, watch in heading.watches.items()}
    await uow.watches.replace(known.watches, _watches_of_failed(known, failed) | watches)
    return [finding for heading in headings for finding in heading.findings]


def assess_each(
    budget: Resource[Budget],
    stands: list[Assessment] | BudgetDefect,
    spend: WindowSpend,
    known: Known,
    failed: FailedScopes,
) -> Heading:
    """One budget's findings and watches, without those of the scopes that fail."""
    whole = stands if isinstance(stands, BudgetDefect) else attempt(partial(_heading, budget, stands, spend, known))
    if not isinstance(whole, BudgetDefect):
        return whole
    failed.log(budget.id, whole)
    places = attempt(partial(places_of, budget, spend, known))
    if isinstance(places, BudgetDefect):
        failed.note(BudgetScope(budget.id), places)
        return Heading((), {})
    alone = [(place, attempt(partial(place.assess, spend))) for place in places]
    for place, one in alone:
        if isinstance(one, BudgetDefect):
            failed.note(BudgetScope(budget.id, place.scope), one)
    return _together([one for _, one in alone if not isinstance(one, BudgetDefect)])


def _heading(budget: Resource[Budget], stands: list[Assessment], spend: WindowSpend, known: Known) -> Heading:
    on_spend = findings_of(stands, known.forecasts)
    ahead = assess_forecasts(budget, spend, known, on_spend)
    return Heading((*on_spend, *ahead.findings), ahead.watches)


def _together(headings: Iterable[Heading]) -> Heading:
    findings: list[Finding] = []
    watches: dict[WatchKey, Watch] = {}
    for heading in headings:
        findings += heading.findings
        watches |= heading.watches
    return Heading(tuple(findings), watches)


def _endings(
    budgets: Mapping[str, Resource[Budget]], found: Sequence[Finding], known: Known, failed: FailedScopes
) -> list[Finding]:
    """The ends of alerts. One whose end cannot be told stays open, and keeps no other so."""
    at_once = attempt(partial(budget_endings, budgets, found, known))
    if not isinstance(at_once, BudgetDefect):
        return at_once
    endings: list[Finding] = []
    for alert in known.open_alerts:
        one = attempt(partial(budget_endings, budgets, found, replace(known, open_alerts=[alert])))
        if isinstance(one, BudgetDefect):
            failed.note(_place_of(alert), one)
        else:
            endings += one
    return endings


def _watches_of_failed(known: Known, failed: FailedScopes) -> dict[WatchKey, Watch]:
    return {key: watch for key, watch in known.watches.items() if failed.holds(BudgetScope(key.budget_id, key.scope))}


def _without_failed(known: Known, failed: FailedScopes) -> Known:
    """`known` without the alerts of which nothing could be found: none of them is over for that."""
    return replace(known, open_alerts=[alert for alert in known.open_alerts if not failed.holds(_place_of(alert))])


def _place_of(alert: Alert) -> BudgetScope:
    evidence = alert.evidence
    assert isinstance(evidence, BudgetEvidence)
    return BudgetScope(evidence.budget_id, alert.scope)
