"""`/pages/budgets`: how every budget stands, and one with its burn-up, its thresholds and the alerts it fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response

from service.api.alerts.documents import source_names
from service.api.dashboard.alert_lines import alert_line
from service.api.dashboard.budgets.drawing import draw
from service.api.dashboard.figures import HUNDRED, dollars, share_bar
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import FULLEST_FIRST, AskedPartDep
from service.api.dashboard.session import SignedInDep
from service.api.http.deps import Id, NowDep, UowDep
from service.api.http.fields import LINE
from service.api.http.listing import page_at, place_in
from service.domain.access import Caller, Role
from service.domain.alerts.crossings import ThresholdBasis
from service.domain.budgets.budget import Budget, Threshold
from service.domain.budgets.statuses import ScopeStatus
from service.domain.explain.budgets import MISSING
from service.domain.forecasts.forecast import Forecast
from service.domain.messages.phrases import BASES
from service.domain.values.calendars import zone_of
from service.domain.values.money import Money
from service.domain.values.names import NOUNS
from service.domain.values.periods import PeriodKind, Phase
from service.domain.values.plain_text import minute, percentage
from service.domain.values.resources import Resource
from service.workflows.budgets.fullest import BudgetSummary, summaries
from service.workflows.budgets.statuses import status_part, unseen_members
from service.workflows.dashboard.burn_up import burn_up
from service.workflows.dashboard.overview import passed_percent
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

PLACE = "/pages/budgets"
PAGE, MOST_SCOPES, MOST_ALERTS = 50, 50, 10
Skipped = Annotated[int, Query(ge=0, le=1_000_000)]
Chosen = Annotated[str | None, Query(max_length=300, pattern=LINE)]


@router.head(PLACE)  # probes ask so
@router.get(PLACE)
async def list_budgets(caller: SignedInDep, uow: UowDep, now: NowDep, part: AskedPartDep) -> Response:
    """All budgets, the fullest first."""
    if not await uow.sources.named():
        return dashboard_page("no_source.html.j2", "Budgets", caller, {})
    place = place_in(PLACE, part.cursor)
    found, more = await summaries(uow, now, PAGE, place)
    content = {
        "budgets": [summary_line(one, now) for one in found],
        "part": part.links(PLACE, page_at(PLACE, found, place, PAGE, more), FULLEST_FIRST),
        "may_write": caller.role.allows(Role.ADMIN),
    }
    return dashboard_page("budgets.html.j2", "Budgets", caller, content)


def summary_line(one: BudgetSummary, now: datetime) -> Mapping[str, object]:
    """Returns what a list shows of a budget."""
    line = {
        "name": one.budget.name,
        "address": f"{PLACE}/{one.budget.id}",
        "enabled": one.budget.spec.enabled,
        "amount": dollars(one.budget.spec.amount),
        "scopes": one.scopes,
    }
    return {**line, "status": standing(one.fullest, now) if one.fullest else None}


def standing(status: ScopeStatus, now: datetime) -> Mapping[str, object]:
    """Returns what a line shows of a budget's scope."""
    return {
        "scope": status.scope_name,
        "period": _until(status),
        "spent": dollars(status.spent.total),
        "percent": percentage(status.percent) if status.percent is not None else "",
        "bar": share_bar(status.percent, passed_percent(status.period, now)),
    }


def _until(status: ScopeStatus) -> str:
    zone = status.terms.period.timezone
    end = status.period.window.end.astimezone(zone_of(zone))
    return f"{status.period.label}, until {end:%Y-%m-%d %H:%M} {zone}"


@dataclass(frozen=True, slots=True)
class ScopeAddress:
    """One scope of a budget in one of its live periods."""

    budget_id: str
    status: ScopeStatus

    @property
    def key(self) -> str:
        return f"{self.status.scope}@{self.status.period.window.start:%Y-%m-%dT%H:%M}"

    def address(self, skipped: int) -> str:
        return f"{PLACE}/{self.budget_id}?{urlencode({'of': self.key, 'skip': skipped})}"


@router.head(f"{PLACE}/{{id}}")  # probes ask so
@router.get(f"{PLACE}/{{id}}")
async def show_budget(
    caller: SignedInDep, uow: UowDep, now: NowDep, id: Id, of: Chosen = None, skip: Skipped = 0
) -> Response:
    """One budget: the scope that is asked for, else its first one."""
    budget = await uow.budgets.get(id)
    part = await status_part(uow, budget, now, skip, MOST_SCOPES + 1)
    scopes = [ScopeAddress(id, status) for status in sorted(part.statuses[:MOST_SCOPES], key=_place)]
    chosen = next((one for one in scopes if one.key == of), scopes[0] if scopes else None)
    content = {
        **_head(budget, caller),
        "error": part.error,
        "unseen": ", ".join(f"{NOUNS[one.dimension]} {one.id}" for one in await unseen_members(uow, budget)),
        "scopes": [_choice(one, one is chosen, skip) for one in scopes] if len(scopes) > 1 or skip else [],
        "before": f"{PLACE}/{id}?skip={max(0, skip - MOST_SCOPES)}" if skip else "",
        "more": f"{PLACE}/{id}?skip={skip + MOST_SCOPES}" if len(part.statuses) > MOST_SCOPES else "",
        "alerts": await _alerts(uow, id),
        "status": await _status(uow, budget, chosen.status, now) if chosen else None,
    }
    return dashboard_page("budget.html.j2", "Budgets", caller, content)


def _place(status: ScopeStatus) -> tuple[bool, Decimal]:
    """Orders statuses: those of the open period first, of each period the fullest."""
    return status.phase is not Phase.OPEN, -(status.percent or Decimal(0))


def _head(budget: Resource[Budget], caller: Caller) -> Mapping[str, object]:
    spec = budget.spec
    return {
        "name": budget.name,
        "id": budget.id,
        "address": f"{PLACE}/{budget.id}",
        "version": budget.version,
        "enabled": spec.enabled,
        "said": amount_said(spec),
        "written": f"Version {budget.version}, written {minute(budget.updated_at)}",
        "labels": [f"{key} = {value}" for key, value in sorted(budget.labels.items())],
        "may_write": caller.role.allows(Role.ADMIN),
        "may_try": caller.role.allows(Role.OPERATOR),
    }


def amount_said(spec: Budget) -> str:
    """Returns "$5,000.00 a month (UTC) for each workspace"."""
    return f"{spec.amount.display()} {_every(spec)}"


def _every(spec: Budget) -> str:
    """Returns "a month (UTC) for each workspace"."""
    period = spec.period
    words = {PeriodKind.CUSTOM: "once", PeriodKind.ROLLING: f"in any {period.days} days", PeriodKind.DAILY: "a day"}
    often = words.get(period.kind) or f"a {period.kind.removesuffix('ly')}"
    each = f" for each {NOUNS[spec.for_each]}" if spec.for_each else ""
    return f"{often} ({period.timezone}){each}"


def _choice(one: ScopeAddress, is_chosen: bool, skipped: int) -> tuple[str, str, bool]:
    status = one.status
    share = f", {percentage(status.percent)}" if status.percent is not None else ""
    when = f", {status.period.label}" if status.phase is not Phase.OPEN else ""
    return f"{status.scope_name}{when}{share}", one.address(skipped), is_chosen


async def _alerts(uow: UnitOfWork, id: str) -> Sequence[Mapping[str, str]]:
    found = await uow.alerts.page(AlertFilter(budget_ids=(id,)), limit=MOST_ALERTS, cursor=None)
    names = await source_names(uow)
    return [alert_line(alert, names) for alert in found.items]


async def _status(uow: UnitOfWork, budget: Resource[Budget], status: ScopeStatus, now: datetime) -> object:
    passed = min(passed_percent(status.period, now), HUNDRED)
    expected = status.terms.amount * (passed / HUNDRED)
    return {
        **standing(status, now),
        "phase": str(status.phase),
        "basis": BASES[status.spent.basis],
        "amount": dollars(status.terms.amount),
        "expected": dollars(expected),
        "ahead": _ahead(status.spent.total, expected),
        "remaining": dollars(status.remaining),
        "forecast": _forecast(status),
        "thresholds": [_threshold(one, status) for one in status.terms.thresholds],
        "chart": draw(await burn_up(uow, budget.spec.source_id, status, now)),
    }


def _ahead(spent: Money, expected: Money) -> str:
    apart = spent - expected
    return f"{abs(apart).brief()} {'more' if spent > expected else 'less'} than at an even pace"


def _forecast(status: ScopeStatus) -> Mapping[str, object]:
    made = status.forecast
    if not isinstance(made, Forecast):
        return {"mid": None, "said": MISSING[made.reason] if made else "the period is over"}
    at = made.exhausted_at(status.terms.amount)
    used_up = f"; used up {minute(at)}" if at else ""
    return {"mid": dollars(made.mid), "said": f"{made.low.brief()} to {made.high.brief()}, 80 of 100 times{used_up}"}


def _threshold(one: Threshold, status: ScopeStatus) -> Mapping[str, object]:
    crossed = status.crossed_at.get(one.key)
    return {
        "level": dollars(one.level(status.terms.amount)),
        "percent": percentage(one.percent) if one.percent is not None else "",
        "basis": "of the forecast" if one.basis is ThresholdBasis.FORECAST else "of what is spent",
        "severity": str(one.severity),
        "crossed": minute(crossed) if crossed else "",
    }
