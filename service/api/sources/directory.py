"""`/v1/workspaces`, `/v1/models`, `/v1/api-keys`, `/v1/actors`, `/v1/products`: what has been seen, with names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import UowDep, viewer
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing, References, part_of
from service.api.http.responses import respond
from service.api.sources.references import seen
from service.domain.sources.ownership import OwnerBook, Ownership
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.configuration.ownership import owned
from service.workflows.configuration.spend import source_named
from service.workflows.ports.sources import Seen
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(prefix="/v1", tags=["Directory"])


class SeenOut(BaseModel):
    """`id` is what budgets store; names may be used in its place where they are unique."""

    id: str = Field(examples=["default"])
    name: str
    source: str
    first_seen_at: datetime
    last_seen_at: datetime


class OwnedOut(SeenOut):
    owner: str | None = Field(description="a receiver's name: the own one's, else that of a key's workspace")
    tags: dict[str, str] = Field(description="own ones, and those that a key has from its workspace")


class WorkspaceOut(OwnedOut):
    status: str = Field(description="empty where the directory does not say", examples=["active"])


class ModelOut(SeenOut):
    unpriced_tokens: int = Field(description="tokens without a known price: they are in no figure of spend")


class ApiKeyOut(OwnedOut):
    workspace: str = Field(description="the workspace's id")
    status: str


async def _all_seen(uow: UnitOfWork, dimension: Dimension, wanted: Sequence[str]) -> tuple[list[Seen], dict[str, str]]:
    named = [await source_named(uow, one, "/source") for one in wanted]
    sources = list({one.id: one for one in named}.values()) if wanted else await uow.sources.readable()
    found = [one for each in sources for one in await seen(uow, each.id, dimension)]
    return found, {each.id: each.name for each in sources}


def _place(one: Seen) -> str:
    return f"{one.source_id}/{one.id}"


def _seen(one: Seen, sources: dict[str, str]) -> SeenOut:
    return SeenOut(
        id=one.id,
        name=one.name,
        source=sources[one.source_id],
        first_seen_at=one.first_seen_at,
        last_seen_at=one.last_seen_at,
    )


class Owners:
    """Who owns what has been seen in any source."""

    def __init__(self, owners: Ownership, receivers: Mapping[str, str], api_keys: Iterable[Seen] = ()) -> None:
        self._owners, self._receivers = owners, receivers
        self._workspaces = {key.id: key.workspace for key in api_keys if key.workspace}
        self._books: dict[str, OwnerBook] = {}

    def of(self, one: Seen, dimension: Dimension) -> dict[str, object]:
        """Returns the fields of `OwnedOut`."""
        if one.source_id not in self._books:
            self._books[one.source_id] = OwnerBook(self._owners.of_source(one.source_id), self._workspaces)
        book, member = self._books[one.source_id], ScopeKey(dimension, one.id)
        return {"owner": self._receivers.get(book.owner(member)), "tags": book.tags(member)}


@router.get("/workspaces", summary="List workspaces", response_model=Listing[WorkspaceOut], dependencies=[viewer])
async def workspaces(uow: UowDep, source: References, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    found, sources = await _all_seen(uow, Dimension.WORKSPACE, source)
    part = part_of("workspaces", found, _place, limit, cursor)
    owners = Owners(await owned(uow), await uow.receivers.named())
    items = [
        WorkspaceOut.model_validate(
            _seen(one, sources).model_dump() | owners.of(one, Dimension.WORKSPACE) | {"status": one.status}
        )
        for one in part.items
    ]
    return respond(Listing[WorkspaceOut](items=items, next=part.next))


@router.get("/models", summary="List models", response_model=Listing[ModelOut], dependencies=[viewer])
async def models(uow: UowDep, source: References, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    found, sources = await _all_seen(uow, Dimension.MODEL, source)
    part = part_of("models", found, _place, limit, cursor)
    items = [ModelOut(**_seen(one, sources).model_dump(), unpriced_tokens=one.unpriced_tokens) for one in part.items]
    return respond(Listing[ModelOut](items=items, next=part.next))


@router.get("/api-keys", summary="List API keys", response_model=Listing[ApiKeyOut], dependencies=[viewer])
async def api_keys(uow: UowDep, source: References, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    found, sources = await _all_seen(uow, Dimension.API_KEY, source)
    part = part_of("API keys", found, _place, limit, cursor)
    owners = Owners(await owned(uow), await uow.receivers.named(), found)
    items = [
        ApiKeyOut.model_validate(
            _seen(one, sources).model_dump()
            | owners.of(one, Dimension.API_KEY)
            | {"workspace": one.workspace, "status": one.status}
        )
        for one in part.items
    ]
    return respond(Listing[ApiKeyOut](items=items, next=part.next))


@router.get("/actors", summary="List actors", response_model=Listing[SeenOut], dependencies=[viewer])
async def actors(uow: UowDep, source: References, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    """People and service accounts, as far as the switch `people` of their source lets them be known."""
    return await _spenders(uow, Dimension.ACTOR, source, limit, cursor)


@router.get("/products", summary="List products", response_model=Listing[SeenOut], dependencies=[viewer])
async def products(uow: UowDep, source: References, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    return await _spenders(uow, Dimension.PRODUCT, source, limit, cursor)


async def _spenders(
    uow: UnitOfWork, dimension: Dimension, source: Sequence[str], limit: int, cursor: str | None
) -> Response:
    found, sources = await _all_seen(uow, dimension, source)
    part = part_of(f"{dimension.value}s", found, _place, limit, cursor)
    return respond(Listing[SeenOut](items=[_seen(one, sources) for one in part.items], next=part.next))
