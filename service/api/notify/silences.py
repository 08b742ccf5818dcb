"""`/v1/silences`: for a time, matching alerts notify nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from fastapi.responses import Response
from pydantic import Field

from service.api.http.configured import Document, ReadOnly, Shape, Shown, Written, configured_router, identity
from service.api.http.deps import IdOrName, UowDep, operator
from service.api.http.fields import Instant, Note
from service.api.http.idempotency import OnceDep
from service.api.http.responses import etag
from service.api.notify.route_documents import MatcherDocument, read_matcher, show_matcher
from service.domain.messages.people import known_as
from service.domain.notify.routing.doubts import doubts
from service.domain.notify.routing.silences import Silence, SilenceState
from service.domain.values.errors import Conflict
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author
from service.workflows.configuration.notify import Silences, expire_silence
from service.workflows.notify.known_labels import known_labels
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


class SilenceIn(Written):
    """Alerts that all matchers match notify nobody from `starts_at` to `ends_at`."""

    matchers: list[MatcherDocument] = Field(min_length=1, max_length=50)
    starts_at: Instant | None = Field(default=None, description="now, where it is left out")
    ends_at: Instant = Field(description="not included; at most 90 days after starts_at")
    comment: Note = ""
    author: ReadOnly = None
    author_name: ReadOnly = None
    doubts: ReadOnly = None
    state: ReadOnly = None
    expired_at: ReadOnly = None
    too_long: ReadOnly = None


class SilenceOut(Shown):
    matchers: list[MatcherDocument]
    starts_at: datetime
    ends_at: datetime
    comment: str
    author: str
    author_name: str = Field(description="the author as people know them", examples=["deploy"])
    state: SilenceState
    expired_at: datetime | None = Field(description="when somebody ended it early")
    doubts: list[str] = Field(description="what of the matchers nothing has so far, with the nearest that is known")
    too_long: bool = Field(description="longer than the 90 days that a new one may last")


class SilenceShape(Shape[Silence, SilenceIn, SilenceOut]):
    written, shown = SilenceIn, SilenceOut
    example: ClassVar[Document] = {
        "name": "load test of Saturday",
        "matchers": [{"label": "workspace", "op": "=", "value": "staging"}],
        "starts_at": "2026-12-05T08:00:00Z",
        "ends_at": "2026-12-05T20:00:00Z",
        "comment": "announced by the platform team",
    }
    patch_example: ClassVar[Document] = {"ends_at": "2026-12-05T22:00:00Z"}

    async def read(self, ports: Ports, uow: UnitOfWork, document: SilenceIn, stored: Silence | None) -> Silence:
        now = ports.clock()
        if stored is not None and stored.state(now) is SilenceState.EXPIRED:
            raise Conflict("the silence is over; create another one")
        return Silence(
            matchers=tuple(read_matcher(one) for one in document.matchers),
            starts_at=document.starts_at or (stored.starts_at if stored else now),
            ends_at=document.ends_at,
            comment=document.comment,
            author=stored.author if stored else "",
            author_name=stored.author_name if stored else "",
        )

    def sign(self, spec: Silence, author: Author) -> Silence:
        return replace(spec, author=author.actor, author_name=author.name)

    async def show(self, uow: UnitOfWork, resource: Resource[Silence], now: datetime) -> SilenceOut:
        spec = resource.spec
        return SilenceOut(
            **identity(resource),
            matchers=[show_matcher(one) for one in spec.matchers],
            starts_at=spec.starts_at,
            ends_at=spec.ends_at,
            comment=spec.comment,
            author=spec.author,
            author_name=known_as(spec.author, spec.author_name),
            state=spec.state(now),
            expired_at=spec.expired_at,
            doubts=doubts(spec.matchers, await known_labels(uow))
            if spec.state(now) is not SilenceState.EXPIRED
            else [],
            too_long=spec.is_too_long,
        )


SHAPE = SilenceShape()
router = configured_router("/silences", Silences(), SHAPE, "Routes", writer=operator)


@router.post(
    "/{id}/expire",
    summary="End a silence now",
    response_model=SilenceOut,
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def expire(id: IdOrName, uow: UowDep, once: OnceDep) -> Response:
    ended = await expire_silence(uow, id, once.author)
    return await once.answer(await SHAPE.show(uow, ended, once.author.at), headers=etag(ended.version))
