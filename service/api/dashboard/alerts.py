"""Alerts in a list, and one with its story and its answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from service.api.alerts.documents import source_names
from service.api.alerts.page import alert_content
from service.api.dashboard.alert_lines import alert_line
from service.api.dashboard.forms import FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.session import AnsweringDep, SignedInDep, our_page
from service.api.http.deps import Id, PortsDep, UowDep
from service.api.http.pages import DASHBOARD_HEADERS
from service.api.notify.notifications import show_notifications
from service.domain.access import Role
from service.domain.alerts.alert import Alert, AlertState, Command
from service.domain.alerts.snooze import SnoozeRequest
from service.domain.notify.page_links import ALERT_PAGES
from service.domain.values.errors import Invalid
from service.domain.values.plain_text import NOTE_LENGTH, clean, moment
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.charts.chart import chart_of
from service.workflows.configuration.engine import Author
from service.workflows.dashboard.overview import OPEN
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

PAGE = 25
MOST_NOTIFIED = 50
ANSWERS = {
    "acknowledge": "Acknowledge",
    "snooze-1h": "Snooze 1 hour",
    "snooze-24h": "Snooze 24 hours",
    "resolve": "Resolve",
}
_SNOOZES = {"snooze-1h": timedelta(hours=1), "snooze-24h": timedelta(hours=24)}
_COMMANDS = {"acknowledge": Command.ACKNOWLEDGE, "resolve": Command.RESOLVE}


@router.head(ALERT_PAGES)  # probes ask so
@router.get(ALERT_PAGES)
async def list_alerts(
    caller: SignedInDep, uow: UowDep, all: bool = False, after: Annotated[str | None, Query(max_length=500)] = None
) -> Response:
    """The open alerts, or all of them, newest first."""
    found = await uow.alerts.page(AlertFilter(states=() if all else OPEN), limit=PAGE, cursor=after)
    names = await source_names(uow)
    content = {
        "alerts": [alert_line(alert, names) for alert in found.items],
        "all": all,
        "next": found.next,
    }
    return dashboard_page("alerts.html.j2", "Alerts", caller, content)


@router.head(f"{ALERT_PAGES}/{{id}}")  # probes ask so
@router.get(f"{ALERT_PAGES}/{{id}}")
async def show_alert(caller: SignedInDep, ports: PortsDep, uow: UowDep, id: Id) -> Response:
    alert = await uow.alerts.get(id)
    events = await uow.alerts.events(id)
    may_answer = caller.role.allows(Role.OPERATOR)
    content = alert_content(ports, events, await chart_of(uow, events[-1]))
    answers = _possible(alert) if may_answer else {}
    refused = "" if may_answer or not alert.is_open else "A viewer's token only shows the alert."
    own = {
        "answers": list(answers.items()),
        "only_shown": refused,
        "address": f"{ALERT_PAGES}/{id}",
        "notified": await _notified(uow, id),
    }
    return dashboard_page("dashboard_alert.html.j2", "Alerts", caller, {**content, **own})


@router.post(f"{ALERT_PAGES}/{{id}}", dependencies=[our_page])
async def answer_alert(author: AnsweringDep, uow: UowDep, id: Id, form: FormDep) -> Response:
    """Moves the alert, and leads back to it; one that stands as asked already is left as it is."""
    answer = form.get("answer", "")
    if answer not in ANSWERS:
        raise Invalid("the form has no such answer")
    if answer in _possible(await uow.alerts.get(id)):
        await _move(uow, id, answer, clean(form.get("note", ""), NOTE_LENGTH), author)
    return RedirectResponse(f"{ALERT_PAGES}/{id}", 303, DASHBOARD_HEADERS)


async def _move(uow: UnitOfWork, id: str, answer: str, note: str, author: Author) -> None:
    if answer in _SNOOZES:
        await snooze_alert(uow, id, SnoozeRequest(author.at + _SNOOZES[answer]), note, author)
    else:
        await move_alert(uow, id, _COMMANDS[answer], note, author)


async def _notified(uow: UnitOfWork, id: str) -> list[tuple[str, str, str]]:
    """Returns when which channel was told what, and what came of it, newest first."""
    found = await uow.notifications.page(NotificationFilter((id,)), limit=MOST_NOTIFIED, cursor=None)
    shown = await show_notifications(uow, found.items)
    return [
        (
            moment(one.sent_at or one.created_at),
            f"{one.receiver}, {one.channel.partition(':')[0]}: {one.action}",
            ": ".join(part for part in (one.state, one.attempts[-1].detail if one.attempts else "") if part),
        )
        for one in shown
    ]


def _possible(alert: Alert) -> dict[str, str]:
    """Returns the answers that would change something, and their words."""
    if not alert.is_open:
        return {}
    done = {AlertState.ACKNOWLEDGED: {"acknowledge"}, AlertState.SNOOZED: set(_SNOOZES)}.get(alert.state, set())
    return {answer: words for answer, words in ANSWERS.items() if answer not in done}
