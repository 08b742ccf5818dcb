"""`/v1/drills`: a rehearsal of the whole way from a poll to the channels' answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.alerts.documents import AlertDetailOut, show_detail
from service.api.http.deps import UowDep, operator
from service.api.http.fields import Labels, Reference, Strict
from service.api.http.idempotency import OnceDep
from service.api.sources.polls import PollOut, show_poll
from service.domain.values.severity import Severity
from service.workflows.alerts.drill import begin_drill
from service.workflows.configuration.spend import source_named

router = APIRouter(prefix="/v1/drills", tags=["Alerts"])


class DrillIn(Strict):
    """The alert to rehearse. Its labels are those that routes match; `kind` is `drill` unless one is given."""

    source: Reference | None = Field(default=None, description="may be left out while one is enabled")
    severity: Severity = Severity.CRITICAL
    labels: Labels = Field(default={}, description="besides severity, source and scope")


class DrillOut(BaseModel):
    """The poll and the alert of a drill. Resolve the alert when it is over; it ends by itself after 15 minutes."""

    poll: PollOut
    alert: AlertDetailOut


EXAMPLE = {"severity": "critical", "labels": {"team": "eng"}}


@router.post(
    "",
    summary="Rehearse: poll a source, and open an alert that says that it is a drill",
    status_code=201,
    response_model=DrillOut,
    responses={409: {}},
    dependencies=[operator],
)
async def start(
    uow: UowDep,
    once: OnceDep,
    document: Annotated[DrillIn, Body(openapi_examples={"example": {"value": EXAMPLE}})],
) -> Response:
    source = await source_named(uow, document.source, "/source")
    begun = await begin_drill(uow, source, document.severity, document.labels, once.author)
    shown = DrillOut(poll=show_poll(begun.poll), alert=await show_detail(uow, begun.alert))
    return await once.answer(shown, 201, {"Location": f"/v1/alerts/{begun.alert.id}"})
