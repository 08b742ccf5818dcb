"""Scopes in documents: which workspaces, models and API keys a budget, a rule or a planned activity is about."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from service.api.http.fields import Reference, Strict
from service.api.http.references import id_of, names_by_id, seen
from service.domain.values.scopes import Dimension, Scope
from service.workflows.ports.unit_of_work import UnitOfWork

References = Annotated[list[Reference], Field(max_length=500)]


class ForEach(StrEnum):
    WORKSPACE = "workspace"
    MODEL = "model"
    API_KEY = "api_key"


class ScopeIn(Strict):
    """Filters; an empty list means all. Members by id or name."""

    workspaces: References = Field(default=[])
    models: References = Field(default=[])
    api_keys: References = Field(default=[])


async def read_scope(uow: UnitOfWork, source_id: str, scope: ScopeIn) -> Scope:
    """Raises Invalid for a name that nobody or more than one has."""
    ids: dict[Dimension, tuple[str, ...]] = {}
    for dimension, references, field in (
        (Dimension.WORKSPACE, scope.workspaces, "workspaces"),
        (Dimension.MODEL, scope.models, "models"),
        (Dimension.API_KEY, scope.api_keys, "api_keys"),
    ):
        known = await seen(uow, source_id, dimension) if references else []
        found = [
            id_of(reference, known, dimension, f"/scope/{field}/{position}")
            for position, reference in enumerate(references)
        ]
        ids[dimension] = tuple(dict.fromkeys(found))
    return Scope(ids[Dimension.WORKSPACE], ids[Dimension.MODEL], ids[Dimension.API_KEY])


async def show_scope(uow: UnitOfWork, source_id: str, scope: Scope) -> ScopeIn:
    shown: dict[Dimension, list[str]] = {}
    for dimension, ids in (
        (Dimension.WORKSPACE, scope.workspaces),
        (Dimension.MODEL, scope.models),
        (Dimension.API_KEY, scope.api_keys),
    ):
        names = names_by_id(await seen(uow, source_id, dimension)) if ids else {}
        shown[dimension] = [names.get(id, id) for id in ids]
    return ScopeIn(
        workspaces=shown[Dimension.WORKSPACE],
        models=shown[Dimension.MODEL],
        api_keys=shown[Dimension.API_KEY],
    )
