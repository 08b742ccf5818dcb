"""Alerts in a list, and one with its story and its answers."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from service.api.alerts.documents import source_names
from service.api.alerts.page import alert_content
from service.api.dashboard.alert_corrections import notified_lines
from service.api.dashboard.alert_handover import holder_choices
from service.api.dashboard.alert_lines import alert_line
from service.api.dashboard.answers import ATTENDING, TEACHING, answer_with, given_lines, possible, teaching
from service.api.dashboard.forms import FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import NEWEST_FIRST, AskedPartDep
from service.api.dashboard.rules.planned_form import begun
from service.api.dashboard.session import AnsweringDep, SignedInDep, our_page
from service.api.dashboard.spend.frame import PRICES
from service.api.http.deps import Id, PortsDep, UowDep
from service.api.http.pages import DASHBOARD_HEADERS
from service.domain.access import Role
from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import OriginKind, UnpricedEvidence
from service.domain.notify.page_links import ALERT_PAGES
from service.domain.values.errors import Invalid
from service.domain.values.plain_text import NOTE_LENGTH, clean
from service.workflows.charts.chart import chart_of
from service.workflows.dashboard.overview import OPEN
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

PAGE = 25
Origin = Annotated[str, Query(max_length=100, pattern=r"^[A-Za-z0-9_-]*$")]
ORIGINS = {OriginKind.BUDGET: "/pages/budgets", OriginKind.RULE: "/pages/rules"}


@router.head(ALERT_PAGES)  # probes ask so
@router.get(ALERT_PAGES)
async def list_alerts(
    caller: SignedInDep, uow: UowDep, part: AskedPartDep, all: bool = False, budget: Origin = "", rule: Origin = ""
) -> Response:
    """The open alerts, or all of them, newest first; those of one budget or rule if one is named by its id."""
    origins = {"budget": budget, "rule": rule}
    budgets, rules = (tuple([id]) if id else () for id in origins.values())
    asked = AlertFilter(states=() if all else OPEN, budget_ids=budgets, rule_ids=rules)
    found = await uow.alerts.page(asked, limit=PAGE, cursor=part.cursor)
    names = await source_names(uow)
    content = {
        "alerts": [alert_line(alert, names) for alert in found.items],
        "all": all,
        "origin": await _named_origin(uow, budget, rule),
        "kept": urlencode({name: id for name, id in origins.items() if id}),
        "part": part.links(ALERT_PAGES, found, NEWEST_FIRST),
    }
    return dashboard_page("alerts.html.j2", "Alerts", caller, content)


async def _named_origin(uow: UnitOfWork, budget: str, rule: str) -> str:
    """Returns "budget eng monthly" where alerts of one are asked for; empty for those of all."""
    if budget:
        return f"budget {(await uow.budgets.named()).get(budget, budget)}"
    return f"rule {(await uow.rules.named()).get(rule, rule)}" if rule else ""


@router.head(f"{ALERT_PAGES}/{{id}}")  # probes ask so
@router.get(f"{ALERT_PAGES}/{{id}}")
async def show_alert(caller: SignedInDep, ports: PortsDep, uow: UowDep, id: Id) -> Response:
    alert = await uow.alerts.get(id)
    events = await uow.alerts.events(id)
    may_answer = caller.role.allows(Role.OPERATOR)
    content = alert_content(ports, events, await chart_of(uow, events[-1]))
    given, sources = await uow.feedback.of_alert(id), await source_names(uow)
    refused = "" if may_answer or not alert.is_open else "A viewer's token only shows the alert."
    own = {
        "answers": list(possible(alert).items()) if may_answer else [],
        "teaching": list(teaching(alert, given).items()) if may_answer else [],
        "given": given_lines(given),
        "only_shown": refused,
        "address": f"{ALERT_PAGES}/{id}",
        "notified": await notified_lines(uow, events, may_answer),
        "may_answer": may_answer,
        "holders": await holder_choices(uow, alert, ports.clock()) if may_answer else [],
        "origin": _origin(alert),
        "announce": begun(alert, sources.get(alert.source_id, "")) if caller.role.allows(Role.ADMIN) else "",
    }
    return dashboard_page("dashboard_alert.html.j2", "Alerts", caller, {**content, **own})


@router.post(f"{ALERT_PAGES}/{{id}}", dependencies=[our_page])
async def answer_alert(author: AnsweringDep, uow: UowDep, id: Id, form: FormDep) -> Response:
    """Moves the alert, and leads back to it; one that stands as asked already is left as it is."""
    answer = form.get("answer", "")
    if answer not in ATTENDING and answer not in TEACHING:
        raise Invalid("the form has no such answer")
    await answer_with(uow, await uow.alerts.get(id), answer, clean(form.get("note", ""), NOTE_LENGTH), author)
    return RedirectResponse(f"{ALERT_PAGES}/{id}", 303, DASHBOARD_HEADERS)


def _origin(alert: Alert) -> tuple[str, str] | None:
    """Returns the name and the page of the budget or rule that fired, or of what ends the alert; None of others."""
    if isinstance(alert.evidence, UnpricedEvidence):
        return ("Set the prices that are missing", PRICES)
    origin = alert.evidence.origin
    return (f"{origin.kind.capitalize()} {origin.name}", f"{ORIGINS[origin.kind]}/{origin.id}") if origin else None
