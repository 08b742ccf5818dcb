"""Forms of an alert's page that make good: they send a message that did not arrive again, and take an answer back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.forms import FormDep
from service.api.dashboard.session import AnsweringDep, our_page
from service.api.http.deps import Id, UowDep
from service.api.notify.notifications import NotificationOut, show_notifications
from service.domain.alerts.alert import AlertEvent
from service.domain.notify.notification import Notification, NotificationState
from service.domain.notify.page_links import ALERT_PAGES
from service.domain.values.errors import Conflict
from service.domain.values.plain_text import moment
from service.workflows.alerts.attend import is_overtaken, retry_notification
from service.workflows.alerts.feedback import withdraw_answer
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

MOST_NOTIFIED = 50


@dataclass(frozen=True, slots=True)
class NotifiedLine:
    """When which channel was told what, and what came of it. `id` is of one that can be sent again, else empty."""

    at: str
    whom: str
    outcome: str
    id: str


@dataclass(frozen=True, slots=True)
class NotifiedLines:
    """The newest come first; whether there are older ones that are not listed."""

    lines: Sequence[NotifiedLine]
    are_more: bool


async def notified_lines(uow: UnitOfWork, events: Sequence[AlertEvent], may_answer: bool) -> NotifiedLines:
    """Returns the notifications of the alert that `events` are the moves of."""
    found = await uow.notifications.page(NotificationFilter((events[-1].alert.id,)), limit=MOST_NOTIFIED, cursor=None)
    shown = await show_notifications(uow, found.items)
    pairs = zip(found.items, shown, strict=True)
    lines = [_line(out, may_answer and _can_be_sent_again(one, events)) for one, out in pairs]
    return NotifiedLines(lines, found.next is not None)


def _can_be_sent_again(notification: Notification, events: Sequence[AlertEvent]) -> bool:
    return notification.state is NotificationState.DEAD and not is_overtaken(notification, events)


def _line(one: NotificationOut, can_be_sent_again: bool) -> NotifiedLine:
    detail = one.attempts[-1].detail if one.attempts else ""
    return NotifiedLine(
        at=moment(one.sent_at or one.created_at),
        whom=f"{one.receiver}, {one.channel.partition(':')[0]}: {one.action}",
        outcome=": ".join(part for part in (one.state, detail) if part),
        id=one.id if can_be_sent_again else "",
    )


@router.post(f"{ALERT_PAGES}/{{id}}/retry", dependencies=[our_page])
async def send_again(author: AnsweringDep, uow: UowDep, id: Id, form: FormDep) -> Response:
    """Sends a message once more, and leads back; one that was sent meanwhile is left as it is."""
    with suppress(Conflict):
        await retry_notification(uow, form.get("notification", ""), author)
    return led_to(f"{ALERT_PAGES}/{id}#notified")


@router.post(f"{ALERT_PAGES}/{{id}}/withdraw", dependencies=[our_page])
async def take_back(author: AnsweringDep, uow: UowDep, id: Id, form: FormDep) -> Response:
    """Takes an answer back, and leads back; one that was taken back already is left as it is."""
    with suppress(Conflict):
        await withdraw_answer(uow, form.get("feedback", ""), author)
    return led_to(f"{ALERT_PAGES}/{id}#said")
