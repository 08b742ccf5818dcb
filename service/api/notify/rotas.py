"""`/v1/rotas`: who is on call, week by week."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar

from fastapi import Query
from fastapi.responses import Response
from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema

from service.api.http.configured import Document, ReadOnly, Shape, Shown, Written, configured_router, identity
from service.api.http.deps import IdOrName, NowDep, UowDep, viewer
from service.api.http.fields import Instant, Name, Reference, Strict, calendar_day
from service.api.http.responses import respond
from service.api.notify.addressees import receiver_id, receivers_by_reference
from service.domain.notify.rotas import MOST_OVERRIDES, MOST_PEOPLE, Handover, Override, Person, Rota, shift_at
from service.domain.values.calendars import local_date, zone_names, zone_of
from service.domain.values.errors import Invalid
from service.domain.values.periods import Weekday
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import Rotas
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

Day = Annotated[
    date,
    PlainValidator(calendar_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-23"]}),
]


class PersonDocument(Strict):
    """Somebody who is notified through a receiver while on call."""

    name: Name = Field(examples=["ann"])
    receiver: Reference = Field(description="a receiver's id or name", examples=["ann's phone"])


class HandoverDocument(Strict):
    """On the wall clock of the rota's time zone."""

    weekday: Weekday = Weekday.MONDAY
    hour: int = Field(default=9, ge=0, le=23)


class OverrideIn(Strict):
    """A person of the rota is on call instead of whoever would be."""

    person: Name = Field(examples=["ann"])
    starts_at: Instant
    ends_at: Instant = Field(description="not included")


class OverrideOut(BaseModel):
    person: str
    starts_at: datetime
    ends_at: datetime


class LinkOut(BaseModel):
    """Since when a link opens the rota's calendar to whoever has it."""

    since: datetime


class RotaIn(Written):
    """People who are on call a week each, in this order."""

    people: list[PersonDocument] = Field(min_length=1, max_length=MOST_PEOPLE)
    handover: HandoverDocument = HandoverDocument()
    timezone: Reference = Field(default="UTC", description="IANA time zone of the handover")
    starts_on: Day | None = Field(
        default=None,
        description="the first person has the week that begins then, or last began; by default the day of its creation",
    )
    overrides: list[OverrideIn] = Field(default=[], max_length=MOST_OVERRIDES)
    calendar_link: ReadOnly = None


class RotaOut(Shown):
    people: list[PersonDocument]
    handover: HandoverDocument
    timezone: str
    starts_on: date
    overrides: list[OverrideOut]
    calendar_link: LinkOut | None = Field(description="null: its calendar needs a token")


class OnCallOut(BaseModel):
    """Who is on call at an instant, in which shift, and who comes after."""

    at: datetime
    person: str
    receiver: str
    starts_at: datetime
    ends_at: datetime
    next: str


class RotaShape(Shape[Rota, RotaIn, RotaOut]):
    written, shown = RotaIn, RotaOut
    example: ClassVar[Document] = {
        "name": "engineers",
        "people": [{"name": "ann", "receiver": "console"}, {"name": "ben", "receiver": "console"}],
        "handover": {"weekday": "monday", "hour": 9},
        "timezone": "Europe/Berlin",
        "starts_on": "2026-11-23",
    }
    patch_example: ClassVar[Document] = {
        "overrides": [{"person": "ben", "starts_at": "2026-12-24T08:00:00Z", "ends_at": "2026-12-27T08:00:00Z"}]
    }

    async def read(self, ports: Ports, uow: UnitOfWork, document: RotaIn, stored: Rota | None) -> Rota:
        if document.timezone not in zone_names():
            raise Invalid(f"{document.timezone!r} is not an IANA time zone, such as Europe/Berlin", "/timezone")
        today = local_date(ports.clock(), zone_of(document.timezone))
        return Rota(
            people=await _people(uow, document.people),
            handover=Handover(document.handover.weekday, document.handover.hour),
            timezone=document.timezone,
            starts_on=document.starts_on or (stored.starts_on if stored else today),
            overrides=tuple(Override(one.person, one.starts_at, one.ends_at) for one in document.overrides),
            feed=stored.feed if stored else None,
        )

    async def show(self, uow: UnitOfWork, resource: Resource[Rota], now: datetime) -> RotaOut:
        spec, names = resource.spec, await uow.receivers.named()
        return RotaOut(
            **identity(resource),
            people=[PersonDocument(name=one.name, receiver=names[one.receiver_id]) for one in spec.people],
            handover=HandoverDocument(weekday=spec.handover.weekday, hour=spec.handover.hour),
            timezone=spec.timezone,
            starts_on=spec.starts_on,
            overrides=[OverrideOut.model_validate(one, from_attributes=True) for one in spec.overrides],
            calendar_link=LinkOut(since=spec.feed.since) if spec.feed else None,
        )


async def _people(uow: UnitOfWork, documents: list[PersonDocument]) -> tuple[Person, ...]:
    ids = await receivers_by_reference(uow)
    return tuple(
        Person(document.name, receiver_id(ids, document.receiver, f"/people/{position}/receiver"))
        for position, document in enumerate(documents)
    )


router = configured_router("/rotas", Rotas(), RotaShape(), "Receivers")


@router.get(
    "/{id}/on-call",
    summary="Who is on call",
    response_model=OnCallOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def on_call(
    id: IdOrName,
    uow: UowDep,
    now: NowDep,
    at: Annotated[Instant | None, Query(description="now, where it is left out")] = None,
) -> Response:
    rota, at = (await uow.rotas.get(id)).spec, at or now
    shift = shift_at(rota, at)
    return respond(
        OnCallOut(
            at=at,
            person=shift.person.name,
            receiver=(await uow.receivers.named())[shift.person.receiver_id],
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            next=shift_at(rota, shift.ends_at).person.name,
        )
    )
