"""An alert's page behind a signed link: what happened, and two answers. Nothing changes but by a POST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from service.api.http.deps import NowDep, PortsDep
from service.api.http.pages import PAGE_HEADERS, notice, page
from service.domain.alerts.alert import AlertEvent, Command
from service.domain.charts.chart import Chart
from service.domain.messages.message import badge, change, compose, standing_of
from service.domain.notify.link_answers import LinkAnswer
from service.domain.notify.planning import ACTIONS
from service.domain.values.errors import NotFound
from service.domain.values.money import ZERO
from service.domain.values.plain_text import clean, moment
from service.workflows.alerts.linked import LinkedAlert, OnlyShown, run_answer, run_linked_alert
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


@router.head("/alerts/{token}")  # mail scanners ask so
@router.get("/alerts/{token}")
async def show_page(ports: PortsDep, token: str) -> Response:
    try:
        found, chart = await run_linked_alert(ports, token)
    except NotFound as error:
        return _refused(error)
    return page("alert.html.j2", _content(ports, token, found, chart))


@router.post("/alerts/{token}/{answer}")
async def answer_page(ports: PortsDep, now: NowDep, token: str, answer: str) -> Response:
    """Moves the alert once, and leads back to its page, which says how it stands."""
    try:
        await run_answer(ports, token, _answer(answer), now)
    except NotFound as error:
        return _refused(error)
    return RedirectResponse(f"/alerts/{token}", 303, PAGE_HEADERS)


def _answer(text: str) -> LinkAnswer:
    if text not in set(LinkAnswer):
        raise LinkForged("no page has this form")
    return LinkAnswer(text)


def _refused(error: NotFound) -> Response:
    """Returns a page that says as little to a stranger as to a friend."""
    if isinstance(error, LinkForged):
        return notice(404, "There is no such page", "The link is incomplete, or not one of Tocsin's.")
    if isinstance(error, OnlyShown):
        return notice(403, "This link only shows the alert", "Nothing was changed.")
    return notice(410, "This link is over", "It has expired or was withdrawn. A newer message has a new one.")


def _content(ports: Ports, token: str, found: LinkedAlert, chart: Chart | None) -> Mapping[str, object]:
    newest, alert = found.newest, found.newest.alert
    message = compose(newest, ACTIONS.get(newest.command) or ACTIONS[Command.AMEND], ports.public_url, found.events)
    return {
        "message": message,
        "badge": badge(message),
        "standing": standing_of(newest),
        "answers": [(WORDS[one], f"/alerts/{token}/{one}") for one in found.answers],
        "chart": f"/charts/{token_of(ports, alert, ports.clock())}.png" if chart else "",
        "alt": chart.alt if chart else "",
        "parts": _parts(newest),
        "timeline": _timeline(found.events),
    }


def _parts(event: AlertEvent) -> list[tuple[str, str, str]]:
    """Returns the largest parts, each with its dollars and its share of the whole."""
    evidence = event.alert.newest
    whole = evidence.whole
    shares = [part.amount.ratio_to(whole) * 100 if whole > ZERO else Decimal(0) for part in evidence.contributions]
    return [
        (f"{part.scope.dimension}: {clean(part.name)}", part.amount.display(), f"{share:.0f}%")
        for part, share in zip(evidence.contributions, shares, strict=True)
    ]


def _timeline(events: Sequence[AlertEvent]) -> list[tuple[str, str]]:
    """Returns the newest moves, newest first."""
    return [(moment(event.at), _happened(event)) for event in reversed(events[-MOST_SHOWN:])]


def _happened(event: AlertEvent) -> str:
    action = ACTIONS.get(event.command)
    said = change(event, action) if action else ""
    return said or f"{event.command.capitalize()}: {standing_of(event)}"
