"""`/v1/rule-kinds`: which kinds of rule there are, and which parameters each has."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import viewer
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing, part_of
from service.api.http.responses import respond
from service.api.rules.params import KindName, params_schema
from service.api.rules.rules import GatesOut, show_gates
from service.api.spend.scopes import ForEach
from service.domain.rules.kind import RuleKind
from service.domain.rules.registry import KINDS

router = APIRouter(prefix="/v1/rule-kinds", tags=["Rules"])


class RuleKindOut(BaseModel):
    """`for_each`: what such a rule may be repeated over. `gates`: those that hold where a rule gives none."""

    kind: KindName
    title: str
    description: str
    params: dict[str, Any] = Field(description="JSON Schema (2020-12) of a rule's `params`, with their defaults")
    gates: GatesOut
    for_each: list[ForEach]


def show_kind(kind: RuleKind[object]) -> RuleKindOut:
    return RuleKindOut(
        kind=kind.name,
        title=kind.title,
        description=kind.description,
        params=params_schema(kind.name),
        gates=show_gates(kind.gates),
        for_each=[ForEach(dimension) for dimension in kind.for_each],
    )


@router.get("", summary="List the kinds of rule", response_model=Listing[RuleKindOut], dependencies=[viewer])
async def list_(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    part = part_of("rule kinds", list(KINDS), str, limit, cursor)
    return respond(Listing[RuleKindOut](items=[show_kind(KINDS[kind]) for kind in part.items], next=part.next))
