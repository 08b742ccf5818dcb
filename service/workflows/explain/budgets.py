"""Why a budget's thresholds fired at an instant, or did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from service.domain.alerts.crossings import Crossing
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.budgets.budget import Budget, finest_of
from service.domain.budgets.forecasting import forecast_budgets, has_forecast_thresholds
from service.domain.budgets.known import Known, WindowSpend, live_windows, with_earlier
from service.domain.explain.budgets import BudgetCase, explain_budget, unassessed, unseen
from service.domain.explain.past_spend import USUAL_HOURS, days_back_to, recent_spend, window_spend
from service.domain.forecasts.recent import UTC_DAYS, RecentSpend
from service.domain.rules.view import KnownFigures
from service.domain.sources.source import Source, SourceKind
from service.domain.values.errors import NotFound
from service.domain.values.periods import Window
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, ScopeKey
from service.domain.values.utc import utc_day
from service.workflows.budgets.defects import BudgetDefect, attempt
from service.workflows.budgets.ended_terms import with_ended_terms
from service.workflows.explain.explain import MOST_ITEMS, AlertsThen, Asked, Explained, absent, alerts_at, source_at
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import names_of


@dataclass(frozen=True, slots=True)
class _Money:
    """The spend that was known: of every live window, and lately. `read` says it in words."""

    spend: WindowSpend
    recent: RecentSpend | None
    is_read: bool
    read: str
    assumed_share: float = 0.0


async def ask_budget(uow: UnitOfWork, reference: str, at: datetime, now: datetime) -> Asked[Budget]:
    """A budget by id or name, also a deleted one. Raises NotFound, and Invalid for an instant without knowledge."""
    lifetime = await uow.budgets.lifetime(reference)
    first = await uow.budgets.as_of(lifetime.id, lifetime.since)
    if first is None:
        raise NotFound(f"the budget {lifetime.name!r} was deleted the moment it was made")
    source = await source_at(uow, first.spec.source_id, at, now)
    return Asked(at, now, lifetime, first.spec.source_id, await uow.budgets.as_of(lifetime.id, at), source)


async def explain_budget_at(uow: UnitOfWork, asked: Asked[Budget], scope: ScopeKey | None) -> Explained:
    """Every scope, live period and threshold of a budget, or those of one scope."""
    if asked.resource is None or asked.source is None:
        return absent(asked, "budget")
    crossings = await uow.crossings.of([asked.resource.id])
    alerts = await alerts_at(uow, AlertFilter(budget_ids=(asked.resource.id,)), BudgetEvidence, asked.at)
    known = await _known(uow, asked, asked.source, crossings, alerts)
    windows = attempt(partial(live_windows, [asked.resource], known))
    if isinstance(windows, BudgetDefect):
        return _defective(asked, asked.resource, windows)
    known = await with_ended_terms(uow, [asked.resource], known)
    money = await _money(uow, asked, asked.resource, windows, known)
    if money.recent is not None:
        made = attempt(partial(forecast_budgets, [asked.resource], money.spend, money.recent, known))
        known = known if isinstance(made, BudgetDefect) else replace(known, forecasts=made)
    case = BudgetCase(
        budget=asked.resource,
        source_enabled=asked.source.spec.enabled,
        spend=money.spend,
        known=known,
        fired=[crossing for crossing in crossings if crossing.crossed_at == asked.at],
        alerts={one.alert.fingerprint: one for one in alerts.open()},
        is_past=asked.is_past,
        is_read=money.is_read,
        read=money.read,
    )
    explained = attempt(partial(explain_budget, case))
    if isinstance(explained, BudgetDefect):
        return _defective(asked, asked.resource, explained)
    answers = [answer for answer in explained if scope in (None, answer.scope)]
    if not answers:
        answers = [unseen(case, scope or ORGANISATION)]
    ringing_first = sorted(answers, key=lambda answer: not answer.outcome.fires)
    return Explained(tuple(ringing_first[:MOST_ITEMS]), assumed_share=money.assumed_share)


def _defective(asked: Asked[Budget], budget: Resource[Budget], defect: BudgetDefect) -> Explained:
    return Explained((unassessed(budget.name, defect.words, past=asked.is_past),))


async def _known(
    uow: UnitOfWork,
    asked: Asked[Budget],
    source: Resource[Source],
    crossings: Sequence[Crossing],
    alerts: AlertsThen,
) -> Known:
    """The state just before the instant. The watches of forecasts are known of the present alone."""
    state = await uow.polling_states.get(asked.source_id)
    latest = [events[-1].alert for events in alerts.before]
    return Known(
        crossings=[crossing for crossing in crossings if crossing.crossed_at < asked.at],
        open_alerts=[alert for alert in latest if alert.is_open],
        names=await names_of(uow, state),
        now=asked.at,
        read_at=None if asked.is_past else state.cost_read_at,
        simulated=source.spec.kind is SourceKind.SIMULATOR,
        locality=source.spec.locality,
        watches={} if asked.is_past else await uow.watches.of([asked.lifetime.id]),
    )


async def _money(
    uow: UnitOfWork, asked: Asked[Budget], budget: Resource[Budget], windows: frozenset[Window], known: Known
) -> _Money:
    forecasts, grain = has_forecast_thresholds(budget), finest_of(with_earlier([budget], known.ended_as))
    if asked.is_past:
        starts = [days_back_to(window.start, asked.at) for window in windows]
        days = max([*starts, UTC_DAYS if forecasts else 1])
        hours = USUAL_HOURS if forecasts else 0
        figures = await uow.facts.figures_at(asked.source_id, asked.at, days=days, hours=hours, grain=grain)
        return _Money(
            spend={window: window_spend(figures, window) for window in windows},
            recent=recent_spend(figures) if forecasts else None,
            is_read=not figures.unknown_days.issuperset(figures.days),
            read=_as_known(figures, windows),
            assumed_share=figures.assumed_share,
        )
    read_at = known.read_at
    return _Money(
        spend={window: await uow.facts.spend(asked.source_id, window, known.now, grain) for window in windows},
        recent=await uow.facts.recent(asked.source_id, known.now, grain) if forecasts else None,
        is_read=read_at is not None,
        read=f"the bill was read on {minute(read_at)}" if read_at else "the bill has not been read yet",
    )


def _as_known(figures: KnownFigures, windows: frozenset[Window]) -> str:
    if figures.unknown_days.issuperset(figures.days):
        return "nothing had been read yet"
    missing = sum(any(utc_day(day).start in window for window in windows) for day in figures.unknown_days)
    words = ["spend by UTC day, as it was known then; usage of the hour that was running is not kept"]
    if missing:
        words.append(f"{missing} of the days had not been read")
    if any(edge.hour or edge.minute for window in windows for edge in (window.start, window.end)):
        words.append("a day that the period cuts is split evenly over its time")
    return "; ".join(words)
