"""An alert's page behind a signed link: what happened, and two answers. Nothing changes but by a POST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from service.api.http.deps import NowDep, PortsDep
from service.api.http.pages import PAGE_HEADERS, notice, page, refused
from service.domain.alerts.alert import AlertEvent, AlertState, Reason
from service.domain.charts.chart import Chart
from service.domain.messages.console_pages import NAMES as CONSOLE_PAGES
from service.domain.messages.kinds import words_of
from service.domain.messages.message import badge, change, compose
from service.domain.messages.parts import parts_tables
from service.domain.notify.link_answers import LinkAnswer
from service.domain.notify.notification import Action, Message
from service.domain.notify.page_links import ALERT_PAGES
from service.domain.notify.planning import ACTIONS
from service.domain.values.errors import NotFound
from service.domain.values.plain_text import moment
from service.workflows.alerts.linked import OnlyShown, run_answer, run_linked_alert
from service.workflows.charts.picture import token_of
from service.workflows.notify.followed_links import LinkForged
from service.workflows.ports.unit_of_work import Ports

router = APIRouter(include_in_schema=False)

MOST_SHOWN = 30
"""Moves of an alert that its page lists."""
WORDS: Mapping[LinkAnswer, str] = {
    LinkAnswer.ACKNOWLEDGE: "Acknowledge",
    LinkAnswer.HOUR: "Snooze 1 hour",
    LinkAnswer.DAY: "Snooze 24 hours",
}
ELSEWHERE = "Answer it in Slack, or with a token by the API."


@router.head("/alerts/{token}")  # mail scanners ask so
@router.get("/alerts/{token}")
async def show_page(ports: PortsDep, token: str) -> Response:
    try:
        found, chart = await run_linked_alert(ports, token)
    except NotFound as error:
        return refused(error)
    alert = found.newest.alert
    answers = {
        "signed_in": f"{ALERT_PAGES}/{alert.id}",
        "answers": [(WORDS[one], f"/alerts/{token}/{one}") for one in found.answers],
        "only_shown": f"This link only shows the alert. {ELSEWHERE}" if alert.is_open and not found.permitted else "",
    }
    return page("alert.html.j2", {**alert_content(ports, found.events, chart), **answers})


@router.post("/alerts/{token}/{answer}")
async def answer_page(ports: PortsDep, now: NowDep, token: str, answer: str) -> Response:
    """Moves the alert once, and leads back to its page, which says how it stands."""
    try:
        await run_answer(ports, token, _answer(answer), now)
    except OnlyShown:
        return notice(403, "This link only shows the alert", f"Nothing was changed. {ELSEWHERE}")
    except NotFound as error:
        return refused(error)
    return RedirectResponse(f"/alerts/{token}", 303, PAGE_HEADERS)


def _answer(text: str) -> LinkAnswer:
    if text not in set(LinkAnswer):
        raise LinkForged("no page has this form")
    return LinkAnswer(text)


def alert_content(ports: Ports, events: Sequence[AlertEvent], chart: Chart | None) -> Mapping[str, object]:
    """Returns what a page shows of an alert, whoever looks at it. `events` are all of its moves."""
    newest, alert = events[-1], events[-1].alert
    # Whoever it was handed on to reads the page, too: what to do is said as to them.
    action = Action.OPEN if newest.reason is Reason.HANDED_ON else ACTIONS.get(newest.command, Action.AMEND)
    message = compose(newest, action, ports.public_url, events)
    in_tables = set(words_of(alert.evidence).parts())
    return {
        "message": message,
        "badge": badge(message),
        "tone": str(alert.severity) if alert.state is AlertState.FIRING else "calm",
        "step": _step(message),
        "page_name": CONSOLE_PAGES.get(message.page, ""),
        "chart": f"/charts/{token_of(ports, alert, ports.clock())}.png" if chart else "",
        "alt": chart.alt if chart else "",
        "tables": parts_tables(alert.newest),
        "timeline": _timeline(events),
        "earlier": max(0, len(events) - MOST_SHOWN),
        "facts": [fact for fact in message.facts if fact not in in_tables],
    }


def _step(message: Message) -> tuple[str, str] | None:
    """Returns what to do, around the address of the Console's page; None where nothing is left to do."""
    if not message.next_step:
        return None
    before, _, after = message.next_step.partition(message.page) if message.page else (message.next_step, "", "")
    return before, after


def _timeline(events: Sequence[AlertEvent]) -> list[tuple[str, str]]:
    """Returns the newest moves, newest first."""
    return [(moment(event.at), _happened(event, events)) for event in reversed(events[-MOST_SHOWN:])]


def _happened(event: AlertEvent, events: Sequence[AlertEvent]) -> str:
    action, before = ACTIONS.get(event.command), [one for one in events if one.alert.version <= event.alert.version]
    said = change(event, action, before) if action else ""
    return said or f"Fired: {event.alert.severity}"
