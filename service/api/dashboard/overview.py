"""`/`: what is spent, how budgets stand, what is open, and how fresh all of it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from service.api.dashboard.alert_lines import alert_line
from service.api.dashboard.budgets.pages import ScopeAddress, standing
from service.api.dashboard.figures import day_bars, dollars
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.session import SignedInDep
from service.api.dashboard.start.page import START
from service.api.http.deps import NowDep, UowDep
from service.api.http.pages import DASHBOARD_HEADERS
from service.domain.forecasts.forecast import Forecast
from service.domain.messages.phrases import BASES
from service.domain.spend.lateness import is_stale
from service.domain.values.plain_text import minute, short_day
from service.workflows.budgets.fullest import BudgetLine
from service.workflows.dashboard.overview import SourceOverview, overview
from service.workflows.spend import so_far

router = APIRouter(include_in_schema=False)


@router.head("/")  # probes ask so
@router.get("/")
async def show_overview(caller: SignedInDep, uow: UowDep, now: NowDep) -> Response:
    found = await overview(uow, now)
    if not found.sources:
        return RedirectResponse(START, 303, DASHBOARD_HEADERS)
    names = {one.source.id: one.source.name for one in found.sources}
    content = {
        "now": minute(now),
        "sources": [_source(one, now) for one in found.sources],
        "more_sources": found.more_sources,
        "budgets": [_budget(line, now) for line in found.budgets],
        "more_budgets": found.more_budgets,
        "alerts": [alert_line(alert, names) for alert in found.alerts],
        "more_alerts": found.more_alerts,
    }
    return dashboard_page("overview.html.j2", "Overview", caller, content)


def _source(one: SourceOverview, now: datetime) -> Mapping[str, object]:
    bars = day_bars(one.days)
    return {
        "name": one.source.name,
        "id": one.source.id,
        "simulated": one.basis.simulated,
        "enabled": one.source.spec.enabled,
        "today": dollars(one.today.spend.total),
        "today_basis": BASES[one.today.spend.basis] if _is_read(one) else "nothing was read yet",
        "month": dollars(one.spent.total),
        "month_name": one.month.label,
        "forecast": _forecast(one),
        "bars": bars,
        "first_day": short_day(one.days[0][0].date()),
        "highest": max(figure.spend.total for _, figure in one.days).display(),
        "fresh": _freshness(one, now),
        "is_stale": is_stale(one.state, now),
        "error": one.state.last_error if one.state.failures else "",
    }


def _forecast(one: SourceOverview) -> Mapping[str, object] | None:
    made = one.forecast
    if not isinstance(made, Forecast):
        return None
    return {"mid": dollars(made.mid), "low": made.low.brief(), "high": made.high.brief()}


def _freshness(one: SourceOverview, now: datetime) -> list[tuple[str, str]]:
    return [
        ("Bill read", _minute(one.state.cost_read_at)),
        ("Usage read", _minute(one.state.usage_read_at)),
        ("Billed until", _minute(one.basis.billed_until)),
        ("Estimated until", _minute(so_far(one.basis.estimated_until, now))),
    ]


def _is_read(one: SourceOverview) -> bool:
    return one.basis.billed_until is not None or one.basis.estimated_until is not None


def _minute(at: datetime | None) -> str:
    return minute(at) if at else "not yet"


def _budget(line: BudgetLine, now: datetime) -> Mapping[str, object]:
    return {
        **standing(line.status, now),
        "name": line.budget.name,
        "address": ScopeAddress(line.budget.id, line.status).address(0),
        "amount": dollars(line.status.terms.amount),
    }
