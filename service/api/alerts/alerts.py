"""`/v1/alerts`: what fired, why, and what people did about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Body, Depends, Query
from fastapi.responses import Response
from pydantic import Field

from service.api.alerts.documents import AlertDetailOut, AlertOut, show_alert, show_detail, source_names
from service.api.http.deps import Id, UowDep, operator, viewer
from service.api.http.fields import Duration, Instant, InstantOrDate, Note, Percent, Reference, Strict
from service.api.http.idempotency import Once, OnceDep
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing
from service.api.http.responses import respond
from service.api.sources.references import seen
from service.domain.alerts.alert import AlertState, Command
from service.domain.alerts.snooze import LONGEST_SNOOZE, SnoozeRequest
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.scopes import Dimension
from service.domain.values.severity import Severity
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(prefix="/v1/alerts", tags=["Alerts"])
Spec = TypeVar("Spec")


class MoveIn(Strict):
    """`note` is kept with the move and told to the receivers."""

    note: Note = ""


async def workspace_id(uow: UnitOfWork, reference: str | None) -> str | None:
    """The id behind a workspace's name. What is not known is taken as an id: the alert may outlive its workspace."""
    if reference is None:
        return None
    for source in await uow.sources.all():
        known = await seen(uow, source.id, Dimension.WORKSPACE)
        if not any(one.id == reference for one in known):
            named = [one.id for one in known if one.name == reference]
            if named:
                return named[0]
    return reference


Member = Annotated[Reference | None, Query(description="an id or a name")]


class Filters:
    """Which alerts; all of what is given must hold."""

    def __init__(
        self,
        state: AlertState | None = None,
        severity: Severity | None = None,
        source: Member = None,
        budget: Member = None,
        rule: Member = None,
        workspace: Member = None,
        since: Annotated[InstantOrDate | None, Query(description="opened at or after")] = None,
    ) -> None:
        self.state, self.severity, self.since = state, severity, since
        self.source, self.budget, self.rule, self.workspace = source, budget, rule, workspace

    async def read(self, uow: UnitOfWork, sources: dict[str, str]) -> AlertFilter:
        ids = {name: id for id, name in sources.items()}
        return AlertFilter(
            state=self.state,
            severity=self.severity,
            source_id=ids.get(self.source, self.source) if self.source else None,
            budget_id=await id_or_gone(uow.budgets, self.budget),
            rule_id=await id_or_gone(uow.rules, self.rule),
            workspace=await workspace_id(uow, self.workspace),
            since=self.since,
        )


@router.get("", summary="List alerts, newest first", response_model=Listing[AlertOut], dependencies=[viewer])
async def list_(
    uow: UowDep,
    filters: Annotated[Filters, Depends()],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    sources = await source_names(uow)
    page = await uow.alerts.page(await filters.read(uow, sources), limit=limit, cursor=cursor)
    items = [show_alert(alert, sources) for alert in page.items]
    return respond(Listing[AlertOut](items=items, next=page.next))


async def id_or_gone(store: Resources[Spec], reference: str | None) -> str | None:
    """A budget's or rule's id; what is not known is taken as the id of one that is gone."""
    if reference is None:
        return None
    try:
        return (await store.get(reference)).id
    except NotFound:
        return reference


@router.get(
    "/{id}",
    summary="Read an alert with all that is known of it",
    response_model=AlertDetailOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def get(id: Id, uow: UowDep) -> Response:
    return respond(await show_detail(uow, await uow.alerts.get(id)))


Move = Annotated[MoveIn | None, Body(openapi_examples={"example": {"value": {"note": "batch job, stopped"}}})]


@router.post(
    "/{id}/acknowledge",
    summary="Somebody is looking into it",
    response_model=AlertDetailOut,
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def acknowledge(id: Id, uow: UowDep, once: OnceDep, document: Move = None) -> Response:
    return await _move(uow, id, Command.ACKNOWLEDGE, document, once)


@router.post(
    "/{id}/resolve",
    summary="It is over; a budget stays quiet up to this level for the period, a rule until it is calm again",
    response_model=AlertDetailOut,
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def resolve(id: Id, uow: UowDep, once: OnceDep, document: Move = None) -> Response:
    return await _move(uow, id, Command.RESOLVE, document, once)


class SnoozeIn(MoveIn):
    """`until` or `for`, or `until_growth_percent`, or one of the former with the latter: whichever comes first."""

    until: Instant | None = Field(default=None, description="at most 90 days ahead")
    for_: Duration | None = Field(default=None, alias="for", examples=["4h"])
    until_growth_percent: Percent | None = Field(
        default=None, description="until what is spent, or forecast, or a rule's excess has grown by this much"
    )

    def request(self, now: datetime) -> SnoozeRequest:
        if self.until is not None and self.for_ is not None:
            raise Invalid("say either until or for", "/for")
        if self.for_ is not None and self.for_ > LONGEST_SNOOZE:
            raise Invalid(f"must be {LONGEST_SNOOZE.days} days or less", "/for")
        return SnoozeRequest(now + self.for_ if self.for_ is not None else self.until, self.until_growth_percent)


SNOOZE_EXAMPLE = {"for": "4h", "until_growth_percent": 50, "note": "batch job, ends tonight"}
SnoozeBody = Annotated[SnoozeIn, Body(openapi_examples={"example": {"value": SNOOZE_EXAMPLE}})]


@router.post(
    "/{id}/snooze",
    summary="Quiet until a time, or until it has grown; a higher severity ends it at once",
    response_model=AlertDetailOut,
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def snooze(id: Id, uow: UowDep, once: OnceDep, document: SnoozeBody) -> Response:
    event = await snooze_alert(uow, id, document.request(once.author.at), document.note, once.author)
    return await once.answer(await show_detail(uow, event.alert))


async def _move(uow: UnitOfWork, id: str, command: Command, document: MoveIn | None, once: Once) -> Response:
    event = await move_alert(uow, id, command, document.note if document else "", once.author)
    return await once.answer(await show_detail(uow, event.alert))
