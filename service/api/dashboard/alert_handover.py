"""The form of an alert's page that hands it on to somebody else."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.forms import FormDep
from service.api.dashboard.session import AnsweringDep, our_page
from service.api.http.deps import Id, UowDep
from service.domain.alerts.alert import Alert
from service.domain.notify.page_links import ALERT_PAGES
from service.domain.values.errors import Conflict
from service.domain.values.plain_text import NOTE_LENGTH, clean
from service.workflows.alerts.hand_on import hand_alert_on, possible_holders
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)


async def holder_choices(uow: UnitOfWork, alert: Alert, now: datetime) -> list[tuple[str, str]]:
    """Returns the ids and words of whom an open alert can be handed on to, its owners first."""
    if not alert.is_open:
        return []
    found = await possible_holders(uow, alert, now)
    return [(one.receiver_id, f"{clean(one.name)}{', who owns it' if one.owns else ''}") for one in found]


@router.post(f"{ALERT_PAGES}/{{id}}/hand-on", dependencies=[our_page])
async def hand_on(author: AnsweringDep, uow: UowDep, id: Id, form: FormDep) -> Response:
    """Hands the alert on, and leads back to it; one that is there already, or over, is left as it is."""
    try:
        await hand_alert_on(uow, id, form.get("to", ""), clean(form.get("note", ""), NOTE_LENGTH), author)
    except Conflict:
        return led_to(f"{ALERT_PAGES}/{id}")
    return led_to(f"{ALERT_PAGES}/{id}")
