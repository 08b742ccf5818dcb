"""`/v1/spend/breakdown`: spend by member of a dimension or by line of the bill, along two dimensions if need be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints

from service.api.http.deps import NowDep, UowDep, viewer
from service.api.http.fields import Usd
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, encode, place_in
from service.api.http.responses import respond
from service.api.sources.sources import KeyBasis
from service.api.spend.grouping import ATTRIBUTED
from service.api.spend.spend import AskedSpend, GroupOut, QueryDep, SpendOut, ask, show_figure
from service.domain.sources.source import ReportFamily
from service.domain.spend.lines import (
    LargestLines,
    LineDimension,
    LinePart,
    LineQuestion,
    SpendLine,
    keys_of,
    line_name,
)
from service.domain.spend.questions import Figure
from service.domain.spend.rows import Width
from service.domain.values.errors import Invalid
from service.domain.values.money import ZERO
from service.domain.values.names import Names, name_of
from service.domain.values.scopes import Dimension
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import require_affordable, require_told

router = APIRouter(prefix="/v1/spend", tags=["Spend"])


class DivideBy(StrEnum):
    """Members of scopes, then the dimensions of a bill's rows."""

    WORKSPACE = "workspace"
    MODEL = "model"
    API_KEY = "api_key"
    ACTOR = "actor"
    PRODUCT = "product"
    COST_TYPE = "cost_type"
    TOKEN_TYPE = "token_type"
    SERVICE_TIER = "service_tier"
    CONTEXT_WINDOW = "context_window"
    INFERENCE_GEO = "inference_geo"
    CALLER = "caller"

    @property
    def dimension(self) -> LineDimension:
        return Dimension(self) if self in (*Dimension,) else LinePart(self)


class ValueOut(BaseModel):
    id: str = Field(description="empty for what cannot be attributed, `none` where the report names none")
    name: str


class LineOut(GroupOut):
    then: ValueOut | None = Field(description="the value of `then_by`; null without it")
    shared: Usd = Field(
        description="the part of `billed` whose API key the bill does not name: it was divided among keys by the "
        "estimates of their usage. 0 where keys were not asked for"
    )


class BreakdownOut(SpendOut):
    """The members of one dimension or of two, the largest first. They add up to `total` to the last digit."""

    group_by: str
    then_by: DivideBy | None
    api_keys: KeyBasis = Field(description="whether the bill names API keys, or they share what it says")
    items: list[LineOut]
    next: str | None


GroupText = Annotated[
    str,
    StringConstraints(pattern=rf"^({'|'.join(DivideBy)}|{ATTRIBUTED})$"),
    Query(description=f"{', '.join(DivideBy)}, owner, or a tag such as tag:team", examples=["workspace", "tag:team"]),
]
ThenBy = Annotated[DivideBy | None, Query(description="a second dimension: a line for each pair")]


@router.get(
    "/breakdown",
    summary="Spend by workspace, model, key, actor, product, owner, tag or line of the bill",
    response_model=BreakdownOut,
    dependencies=[viewer],
)
async def breakdown(
    uow: UowDep,
    now: NowDep,
    query: QueryDep,
    group_by: GroupText = DivideBy.WORKSPACE,
    then_by: ThenBy = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    if then_by == group_by:
        raise Invalid("name another dimension than group_by", "/then_by")
    listing = f"spend by {group_by}" + (f" and {then_by}" if then_by else "")
    skipped = place_in(listing, cursor)
    if group_by in list(DivideBy):
        asked = await ask(uow, query, None, now)
        by = tuple(one.dimension for one in (DivideBy(group_by), then_by) if one is not None)
        require_told(LineQuestion(asked.question, by))
        total, items = await _lines(uow, asked, by, limit + 1, skipped)
    elif then_by is not None:
        raise Invalid("owners and tags are not divided further", "/then_by")
    else:
        asked = await ask(uow, query, group_by, now)
        total, items = await _attributed(uow, asked, limit + 1, skipped)
    known = await uow.completeness.knowledge(asked.source.id, asked.question.window, query.width)
    polled = await uow.polling_states.get(asked.source.id)
    answer = asked.head(total, known, now) | {
        "group_by": group_by,
        "then_by": then_by,
        "api_keys": KeyBasis.BILLED if polled.reports_read is ReportFamily.ANALYTICS else KeyBasis.SHARED,
        "items": items[:limit],
        "next": encode(listing, str(skipped + limit)) if len(items) > limit else None,
    }
    return respond(BreakdownOut.model_validate(answer))


Items = list[dict[str, object]]


async def _lines(
    uow: UnitOfWork, asked: AskedSpend, by: Sequence[LineDimension], limit: int, skipped: int
) -> tuple[Figure, Items]:
    found = await _found(uow, asked, by, limit, skipped)
    names = await uow.directory.names(asked.source.id, keys_of(by, found.lines))
    return found.total, [_shown(by, line, names) for line in found.lines]


async def _attributed(uow: UnitOfWork, asked: AskedSpend, limit: int, skipped: int) -> tuple[Figure, Items]:
    """Owners, or the values of a tag."""
    found = await uow.facts.largest(asked.question, limit, skipped)
    names = await asked.grouping.names(uow, asked.source.id, [key for key, _ in found.groups])
    one_by_one: Items = [
        show_figure(figure) | {"id": key.id, "name": name_of(key, names), "then": None, "shared": str(ZERO)}
        for key, figure in found.groups
    ]
    return found.total, one_by_one


async def _found(
    uow: UnitOfWork, asked: AskedSpend, by: Sequence[LineDimension], limit: int, skipped: int
) -> LargestLines:
    """Raises Invalid for lines with too many stored rows behind them: they are told by usage, which is by the hour."""
    if any(isinstance(one, LinePart) for one in by):
        await require_affordable(uow, replace(asked.question, width=Width.HOUR))
    return await uow.facts.largest_lines(LineQuestion(asked.question, tuple(by)), limit, skipped)


def _shown(by: Sequence[LineDimension], line: SpendLine, names: Names) -> dict[str, object]:
    first, *then = (
        {"id": id, "name": line_name(dimension, id, names)} for dimension, id in zip(by, line.ids, strict=True)
    )
    return show_figure(line.figure) | first | {"then": then[0] if then else None, "shared": str(line.shared)}
