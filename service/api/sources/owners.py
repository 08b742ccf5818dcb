"""`/v1/owners`: who owns which workspaces and API keys, and their tags, as one document."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.responses import Response
from pydantic import BaseModel

from service.api.http.deps import AuthorDep, UowDep, admin, viewer
from service.api.http.responses import IfMatch, etag, require_match, respond
from service.api.sources.owner_documents import OwnerDocument, OwnersDocument, read_owners, show_owners
from service.domain.sources.ownership import Ownership
from service.domain.values.resources import Resource
from service.workflows.configuration.ownership import NOTHING_OWNED, change_ownership, ownership, put_ownership
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(prefix="/v1/owners", tags=["Directory"])

EXAMPLE = {"items": [{"member": "workspace:default", "owner": "console", "tags": {"team": "eng"}}]}
OwnersBody = Annotated[OwnersDocument, Body(openapi_examples={"example": {"value": EXAMPLE}})]


class OwnersOut(BaseModel):
    """Everything that has an owner or tags of its own."""

    items: list[OwnerDocument]
    next: None = None


@router.get("", summary="Read owners and tags", response_model=OwnersOut, dependencies=[viewer])
async def get(uow: UowDep) -> Response:
    return await _answer(uow, await ownership(uow))


@router.put(
    "",
    summary="Replace all owners and tags",
    response_model=OwnersOut,
    responses={409: {}, 412: {}},
    dependencies=[admin],
)
async def put(document: OwnersBody, uow: UowDep, author: AuthorDep, if_match: IfMatch = None) -> Response:
    await uow.become_only_writer()
    stored = await ownership(uow)
    require_match(if_match, stored.version if stored else 0)
    owners = Ownership().with_members(await read_owners(uow, document.items, author))
    return await _answer(uow, await put_ownership(uow, owners, author))


@router.patch(
    "",
    summary="Replace the owner and the tags of some members; one with neither is taken off the list",
    response_model=OwnersOut,
    responses={409: {}, 412: {}},
    dependencies=[admin],
)
async def patch(document: OwnersBody, uow: UowDep, author: AuthorDep, if_match: IfMatch = None) -> Response:
    await uow.become_only_writer()
    stored = await ownership(uow)
    require_match(if_match, stored.version if stored else 0)
    changed = await read_owners(uow, document.items, author)
    return await _answer(uow, await change_ownership(uow, changed, author))


async def _answer(uow: UnitOfWork, stored: Resource[Ownership] | None) -> Response:
    owners, version = (stored.spec, stored.version) if stored else (NOTHING_OWNED, 0)
    return respond(OwnersOut.model_construct(items=await show_owners(uow, owners), next=None), headers=etag(version))
