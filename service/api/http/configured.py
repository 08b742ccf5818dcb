"""The REST operations of every configured resource: list, create, read, change, delete.

A resource is a `ResourceKind` (its rules), a `Shape` (its JSON) and one call of `configured_router`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from fastapi import APIRouter, Body
from fastapi.params import Depends as DependsParam
from fastapi.responses import Response
from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError

from service.api.http.deps import AuthorDep, IdOrName, PortsDep, UowDep, admin, viewer
from service.api.http.fields import Labels, Name, Strict
from service.api.http.idempotency import OnceDep
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing
from service.api.http.merge_patch import merge
from service.api.http.problems import in_the_body
from service.api.http.responses import IfMatch, etag, require_match, respond
from service.domain.values.errors import UnreadableDocument
from service.domain.values.resources import Resource
from service.workflows.configuration import engine
from service.workflows.configuration.engine import Author, Draft, ResourceKind
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

T = TypeVar("T")
Spec = TypeVar("Spec")
Document = Mapping[str, JsonValue]

ReadOnly = Annotated[
    JsonValue,
    Field(exclude=True, description="Given by a read; ignored in a write", json_schema_extra={"readOnly": True}),
]


class Written(Strict):
    """The fields that every resource is written with. A document from a read may be sent back."""

    name: Name = Field(examples=["eng monthly"])
    labels: Labels = Field(default={})
    id: ReadOnly = None
    version: ReadOnly = None
    created_at: ReadOnly = None
    updated_at: ReadOnly = None


class Shown(BaseModel):
    """The fields that every resource is read with."""

    id: str
    name: str
    version: int
    created_at: datetime
    updated_at: datetime
    labels: dict[str, str]


WrittenT = TypeVar("WrittenT", bound=Written)
ShownT = TypeVar("ShownT", bound=Shown)


def identity(resource: Resource[Spec]) -> dict[str, Any]:
    """Returns the fields of `Shown`."""
    return {
        "id": resource.id,
        "name": resource.name,
        "version": resource.version,
        "created_at": resource.created_at,
        "updated_at": resource.updated_at,
        "labels": dict(resource.labels),
    }


class Shape(ABC, Generic[Spec, WrittenT, ShownT]):
    """A kind of resource as JSON."""

    written: type[WrittenT]
    shown: type[ShownT]
    example: ClassVar[Document]
    patch_example: ClassVar[Document]

    @abstractmethod
    async def read(self, ports: Ports, uow: UnitOfWork, document: WrittenT, stored: Spec | None) -> Spec:
        """Returns the spec of a document. Raises Invalid; secret stubs stand for the secrets in `stored`."""

    def sign(self, spec: Spec, author: Author) -> Spec:
        """Returns the spec of a new resource with its author, where it has one."""
        return spec

    @abstractmethod
    async def show(self, uow: UnitOfWork, resource: Resource[Spec], now: datetime) -> ShownT: ...

    def parse(self, document: JsonValue) -> WrittenT:
        """Raises RequestValidationError, so that a merged document fails like a posted one."""
        try:
            return TypeAdapter(self.written).validate_python(document)
        except ValidationError as error:
            raise in_the_body(error, document) from error


class UnreadableOut(BaseModel):
    """A stored text that this release cannot read, or that needs such a text to be shown."""

    id: str
    name: str
    error: str


class ConfiguredListing(Listing[T]):
    """Part of a list, and what belongs there and cannot be read: `limit` counts both."""

    unreadable: list[UnreadableOut] = Field(description="empty where all is well")


async def shown_or_not(
    shape: Shape[Spec, WrittenT, ShownT], uow: UnitOfWork, one: Resource[Spec] | UnreadableDocument, now: datetime
) -> ShownT | UnreadableOut:
    """One that cannot be shown hides no other."""
    if isinstance(one, UnreadableDocument):
        return UnreadableOut(id=one.id, name=one.name, error=str(one))
    try:
        return await shape.show(uow, one, now)
    except UnreadableDocument as error:
        return UnreadableOut(id=one.id, name=one.name, error=str(error))


@dataclass(frozen=True, slots=True)
class _Edit(Generic[Spec]):
    """A write of one resource, of which the stored text may be one that cannot be read."""

    kind: ResourceKind[Spec]
    uow: UnitOfWork
    author: Author
    if_match: str | None

    async def change(
        self, ports: Ports, shape: Shape[Spec, WrittenT, ShownT], id: str, patch: dict[str, JsonValue]
    ) -> Resource[Spec]:
        try:
            stored = await self.kind.store(self.uow).get(id)
        except UnreadableDocument:
            return await self._overwrite(ports, shape, id, patch)
        require_match(self.if_match, stored.version)
        before = await shape.show(self.uow, stored, self.author.at)
        document = shape.parse(merge(before.model_dump(mode="json", by_alias=True), patch))
        spec = await shape.read(ports, self.uow, document, stored.spec)
        draft = Draft(document.name, document.labels, spec)
        return await engine.change(self.uow, self.kind, stored, draft, self.author)

    async def _overwrite(
        self, ports: Ports, shape: Shape[Spec, WrittenT, ShownT], id: str, patch: dict[str, JsonValue]
    ) -> Resource[Spec]:
        """There is nothing to merge a patch with: it has to be the whole document but for the name and the labels."""
        stored = await self._unread(id)
        document = shape.parse(merge({"name": stored.name, "labels": dict(stored.labels)}, patch))
        draft = Draft(document.name, document.labels, await shape.read(ports, self.uow, document, None))
        return await engine.overwrite(self.uow, self.kind, stored, draft, self.author)

    async def delete(self, id: str) -> None:
        try:
            stored = await self.kind.store(self.uow).get(id)
        except UnreadableDocument:
            await engine.delete_unread(self.uow, self.kind, await self._unread(id), self.author)
        else:
            require_match(self.if_match, stored.version)
            await engine.delete(self.uow, self.kind, stored, self.author)

    async def _unread(self, id: str) -> Resource[None]:
        stored = await self.kind.store(self.uow).unread(id)
        require_match(self.if_match, stored.version)
        return stored


def configured_router(
    path: str, kind: ResourceKind[Spec], shape: Shape[Spec, WrittenT, ShownT], tag: str, writer: DependsParam = admin
) -> APIRouter:
    """Returns the five operations under `/v1{path}`; `writer` is the dependency that admits writers."""
    router = APIRouter(prefix=f"/v1{path}", tags=[tag])
    noun, item = kind.noun, "/{id}"
    of_one: dict[int | str, dict[str, Any]] = {404: {}, 412: {}}

    async def list_(uow: UowDep, author: AuthorDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
        page = await kind.store(uow).page(limit=limit, cursor=cursor)
        shown = [await shown_or_not(shape, uow, one, author.at) for one in page.items]
        unreadable = [one for one in shown if isinstance(one, UnreadableOut)]
        items = [one for one in shown if not isinstance(one, UnreadableOut)]
        return respond(ConfiguredListing[ShownT](items=items, next=page.next, unreadable=unreadable))

    async def create(document: WrittenT, once: OnceDep, uow: UowDep, ports: PortsDep) -> Response:
        spec = shape.sign(await shape.read(ports, uow, document, None), once.author)
        draft = Draft(document.name, document.labels, spec)
        created = await engine.create(uow, kind, draft, once.author)
        headers = {"Location": f"/v1{path}/{created.id}"} | etag(created.version)
        return await once.answer(await shape.show(uow, created, once.author.at), 201, headers)

    async def get(id: IdOrName, uow: UowDep, author: AuthorDep) -> Response:
        resource = await kind.store(uow).get(id)
        return respond(await shape.show(uow, resource, author.at), headers=etag(resource.version))

    async def change(
        id: IdOrName,
        patch: Annotated[dict[str, JsonValue], Body(openapi_examples={"change": {"value": shape.patch_example}})],
        uow: UowDep,
        ports: PortsDep,
        author: AuthorDep,
        if_match: IfMatch = None,
    ) -> Response:
        after = await _Edit(kind, uow, author, if_match).change(ports, shape, id, patch)
        return respond(await shape.show(uow, after, author.at), headers=etag(after.version))

    async def delete(id: IdOrName, uow: UowDep, author: AuthorDep, if_match: IfMatch = None) -> Response:
        await _Edit(kind, uow, author, if_match).delete(id)
        return Response(status_code=204)

    # FastAPI reads annotations when a route is added; only here is it known which models they stand for.
    create.__annotations__["document"] = Annotated[
        shape.written, Body(openapi_examples={"example": {"value": shape.example}})
    ]
    change.__annotations__["patch"] = Annotated[
        dict[str, JsonValue], Body(openapi_examples={"example": {"value": shape.patch_example}})
    ]
    listing = ConfiguredListing[shape.shown]  # type: ignore[name-defined]
    router.add_api_route(
        "", list_, methods=["GET"], summary=f"List {kind.plural}", dependencies=[viewer], response_model=listing
    )
    router.add_api_route(
        "",
        create,
        methods=["POST"],
        summary=f"Create a {noun}",
        dependencies=[writer],
        response_model=shape.shown,
        status_code=201,
        responses={409: {}},
    )
    router.add_api_route(
        item,
        get,
        methods=["GET"],
        summary=f"Read a {noun}",
        dependencies=[viewer],
        response_model=shape.shown,
        responses={404: {}},
    )
    router.add_api_route(
        item,
        change,
        methods=["PATCH"],
        summary=f"Change a {noun} (JSON merge patch)",
        dependencies=[writer],
        response_model=shape.shown,
        responses=of_one | {409: {}},
    )
    router.add_api_route(
        item,
        delete,
        methods=["DELETE"],
        summary=f"Delete a {noun}",
        dependencies=[writer],
        status_code=204,
        responses=of_one | {409: {}},
    )
    return router
