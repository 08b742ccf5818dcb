"""`/v1/alerts`: what fired, why, and what people did about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Body, Depends, Query
from fastapi.responses import Response
from pydantic import Field

from service.api.alerts.documents import AlertDetailOut, AlertOut, show_alert, show_detail, source_names
from service.api.http.deps import Id, UowDep, operator, viewer
from service.api.http.fields import Duration, Instant, InstantOrDate, Note, Percent, Reference, Strict
from service.api.http.idempotency import Once, OnceDep
from service.api.http.listing import ANY_OF, DEFAULT_LIMIT, Cursor, Limit, Listing, References
from service.api.http.responses import respond
from service.api.sources.references import seen
from service.domain.alerts.alert import AlertState, Command
from service.domain.alerts.snooze import LONGEST_SNOOZE, SnoozeRequest
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.scopes import Dimension
from service.domain.values.severity import Severity
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.alerts.hand_on import hand_alert_on
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(prefix="/v1/alerts", tags=["Alerts"])
Spec = TypeVar("Spec")


class MoveIn(Strict):
    """`note` is kept with the move and told to the receivers."""

    note: Note = ""


async def workspace_ids(uow: UnitOfWork, references: Sequence[str]) -> tuple[str, ...]:
    """The ids behind workspaces' names, in whatever source.

    What is not known is taken as an id: the alert may outlive its workspace.
    """
    sources = await uow.sources.readable() if references else []
    known = [one for source in sources for one in await seen(uow, source.id, Dimension.WORKSPACE)]
    own = {one.id for one in known}
    named = {name: [one.id for one in known if one.name == name] for name in references if name not in own}
    return tuple(id for reference in references for id in named.get(reference) or [reference])


States = Annotated[list[AlertState], ANY_OF]
Severities = Annotated[list[Severity], ANY_OF]


class Filters:
    """Which alerts; all of what is given must hold, of what is repeated any."""

    def __init__(
        self,
        state: States,
        severity: Severities,
        source: References,
        budget: References,
        rule: References,
        workspace: References,
        since: Annotated[InstantOrDate | None, Query(description="opened at or after")] = None,
    ) -> None:
        self.state, self.severity, self.since = state, severity, since
        self.source, self.budget, self.rule, self.workspace = source, budget, rule, workspace

    async def read(self, uow: UnitOfWork, sources: dict[str, str]) -> AlertFilter:
        ids = {name: id for id, name in sources.items()}
        return AlertFilter(
            states=tuple(self.state),
            severities=tuple(self.severity),
            source_ids=tuple(ids.get(source, source) for source in self.source),
            budget_ids=tuple([await id_or_gone(uow.budgets, budget) for budget in self.budget]),
            rule_ids=tuple([await id_or_gone(uow.rules, rule) for rule in self.rule]),
            workspaces=await workspace_ids(uow, self.workspace),
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


async def id_or_gone(store: Resources[Spec], reference: str) -> str:
    """A budget's or rule's id; what is not known is taken as the id of one that is gone."""
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


class HandOnIn(MoveIn):
    to: Reference = Field(description="a receiver's id or name")


HandOnBody = Annotated[HandOnIn, Body(openapi_examples={"example": {"value": {"to": "console", "note": "your key"}}})]


@router.post(
    "/{id}/hand-on",
    summary="It belongs to somebody else: they are notified once, and everybody who was notified hears of it",
    response_model=AlertDetailOut,
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def hand_on(id: Id, uow: UowDep, once: OnceDep, document: HandOnBody) -> Response:
    event = await hand_alert_on(uow, id, document.to, document.note, once.author)
    return await once.answer(await show_detail(uow, event.alert))


async def _move(uow: UnitOfWork, id: str, command: Command, document: MoveIn | None, once: Once) -> Response:
    event = await move_alert(uow, id, command, document.note if document else "", once.author)
    return await once.answer(await show_detail(uow, event.alert))
