"""Scopes in requests and answers: members of dimensions, taken as id or name, stored as id, shown as name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints

from service.api.http.fields import Reference, Strict
from service.api.sources.references import id_of, names_by_id, other_spellings, seen, unseen
from service.domain.values.errors import Invalid
from service.domain.values.names import listed
from service.domain.values.scopes import ORGANISATION, Dimension, Scope, ScopeKey
from service.workflows.ports.unit_of_work import UnitOfWork

References = Annotated[list[Reference], Field(max_length=500)]

_PART = r"^(org|(workspace|model|api_key|actor|product):[^\x00-\x1f\x7f]{1,200})$"
Part = Annotated[str, StringConstraints(max_length=220, pattern=_PART)]
"""A scope key as people write it: `org`, `workspace:eng`."""


class ForEach(StrEnum):
    WORKSPACE = "workspace"
    MODEL = "model"
    API_KEY = "api_key"
    ACTOR = "actor"
    PRODUCT = "product"


class ScopeIn(Strict):
    """Filters; an empty list means all. Members by id or name."""

    workspaces: References = Field(default=[])
    models: References = Field(default=[])
    api_keys: References = Field(default=[])
    actors: References = Field(default=[], description="people and service accounts, as far as the source tells them")
    products: References = Field(default=[], examples=[["claude_code"]])


FIELDS = {
    Dimension.WORKSPACE: "workspaces",
    Dimension.MODEL: "models",
    Dimension.API_KEY: "api_keys",
    Dimension.ACTOR: "actors",
    Dimension.PRODUCT: "products",
}
"""The fields of a scope by dimension."""


class Member(NamedTuple):
    """A reference to a member of a dimension, and the JSON pointer to it."""

    reference: str
    pointer: str


async def scope_of(uow: UnitOfWork, source_id: str, members: Mapping[Dimension, Sequence[Member]]) -> Scope:
    """Members of one dimension add up; dimensions must all hold.

    Raises Invalid for a name that nobody or more than one has.
    """
    ids = {
        field: await _ids(uow, source_id, dimension, members.get(dimension, ())) for dimension, field in FIELDS.items()
    }
    return Scope(**ids)


async def require_seen(uow: UnitOfWork, source_id: str, scope: Scope, pointer: str = "") -> None:
    """Raises Invalid where a question is about what has never been seen: $0.00 would be no answer.

    The pointer is the dimension's parameter where none is given.
    """
    for dimension, ids in scope.filters.items():
        known = await seen(uow, source_id, dimension) if ids else []
        for id in ids:
            if all(one.id != id for one in known):
                raise Invalid(unseen(id, known, dimension), pointer or f"/{dimension.value}")


async def _ids(uow: UnitOfWork, source_id: str, dimension: Dimension, members: Sequence[Member]) -> tuple[str, ...]:
    known = await seen(uow, source_id, dimension) if members else []
    ids = [id_of(one.reference, known, dimension, one.pointer) for one in members]
    return tuple(dict.fromkeys(ids))


async def read_scope(uow: UnitOfWork, source_id: str, scope: ScopeIn, stored: Scope | None) -> Scope:
    """Reads the scope of a resource, of which `stored` is the present one. Raises Invalid as `scope_of` does, and for a
    model that the reports call otherwise.
    """
    written = scope.model_dump()
    members = {
        dimension: [Member(one, f"/scope/{field}/{position}") for position, one in enumerate(written[field])]
        for dimension, field in FIELDS.items()
    }
    read = await scope_of(uow, source_id, members)
    if stored is None or set(read.models) != set(stored.models):
        await _require_spelling(uow, source_id, read, members[Dimension.MODEL])
    return read


async def _require_spelling(uow: UnitOfWork, source_id: str, read: Scope, models: Sequence[Member]) -> None:
    """`claude-sonnet-4-5` alone would count $0.00 for ever where reports name its date.

    A resource whose models are stored already may stay as it is: they were taken before anything was read.
    """
    known = await seen(uow, source_id, Dimension.MODEL) if models else []
    for reference, pointer in models:
        id = id_of(reference, known, Dimension.MODEL, pointer)
        others = other_spellings(id, known)
        if others and not set(others) & set(read.models):
            raise Invalid(f"the reports call {id!r} {listed(others)}: name that, alone or beside it", pointer)


async def show_scope(uow: UnitOfWork, source_id: str, scope: Scope) -> ScopeIn:
    shown = {FIELDS[one]: await _names(uow, source_id, one, ids) for one, ids in scope.filters.items()}
    return ScopeIn(**shown)


async def _names(uow: UnitOfWork, source_id: str, dimension: Dimension, ids: Sequence[str]) -> list[str]:
    names = names_by_id(await seen(uow, source_id, dimension)) if ids else {}
    return [names.get(id, id) for id in ids]


async def read_parts(uow: UnitOfWork, source_id: str, parts: Iterable[str]) -> Scope:
    """Reads the scope of a question from several parts. Raises Invalid as `scope_of` and `require_seen` do."""
    members: dict[Dimension, list[Member]] = defaultdict(list)
    for part in parts:
        dimension, reference = _split(part)
        members[dimension].append(Member(reference, "/scope"))
    scope = await scope_of(uow, source_id, members)
    await require_seen(uow, source_id, scope, "/scope")
    return scope


async def read_scope_key(uow: UnitOfWork, source_id: str, part: str | None) -> ScopeKey | None:
    """Reads the scope of a question from one part alone, None for all. Raises Invalid as `read_parts` does."""
    if part is None:
        return None
    dimension, reference = _split(part)
    if dimension is Dimension.ORGANISATION:
        return ORGANISATION
    known = await seen(uow, source_id, dimension)
    id = id_of(reference, known, dimension, "/scope")
    if all(one.id != id for one in known):
        raise Invalid(unseen(id, known, dimension), "/scope")
    return ScopeKey(dimension, id)


def _split(part: str) -> tuple[Dimension, str]:
    dimension, _, reference = part.partition(":")
    return Dimension(dimension), reference
