"""`/v1/cache`: what prompt caching saves, and what it costs where nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import NowDep, PortsDep, UowDep, viewer
from service.api.http.fields import Reference, Usd
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, References, encode, place_in
from service.api.http.responses import respond
from service.api.spend.spend import AskedSpend, CellGroupBy, Moment, SpendFilters, SpendQuery, ask
from service.domain.spend.caching import CacheFigure, InputDay, summed
from service.domain.spend.rows import Width
from service.domain.values.names import name_of
from service.domain.values.scopes import ScopeKey
from service.domain.values.utc import midnight
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.spend import buckets, require_affordable

router = APIRouter(prefix="/v1/cache", tags=["Spend"])

Group = TypeVar("Group", ScopeKey, datetime)
_FOUR_PLACES = Decimal("0.0001")


class CacheFigureOut(BaseModel):
    """Input tokens by their way through a cache, and dollars at list prices or your own. Priority Tier is left out.

    `saved` is what the same input would have cost uncached, less what it cost. The dollars of `unread_5m` and
    `unread_1h` are part of it: at least so much was paid, beyond the price of uncached input, for tokens that were
    written and read by nobody. `unpriced_tokens` are in no amount.
    """

    uncached_tokens: int
    read_tokens: int
    written_5m_tokens: int
    written_1h_tokens: int
    hit_share: str | None = Field(description="the share of the input that a cache served; null without input")
    saved: Usd = Field(description="below zero where writes cost more than reads saved")
    unread_5m: Usd
    unread_1h: Usd
    unpriced_tokens: int


class CacheDayOut(CacheFigureOut):
    start: datetime
    end: datetime


class CacheGroupOut(CacheFigureOut):
    id: str = Field(description='empty for what cannot be attributed, such as "no API key"')
    name: str


class CacheHeadOut(BaseModel):
    """`since` and `until` are the whole days that hold what was asked for."""

    source: str
    since: datetime
    until: datetime
    estimated_until: datetime | None
    simulated: bool
    total: CacheFigureOut


class CacheSeriesOut(CacheHeadOut):
    """Every day, in order."""

    items: list[CacheDayOut]


class CacheBreakdownOut(CacheHeadOut):
    """The members of one dimension, those with the most input tokens first."""

    group_by: CellGroupBy
    items: list[CacheGroupOut]
    next: str | None


class CacheQuery(SpendQuery):
    """The query of both operations: whole days, and filters."""

    def __init__(
        self,
        workspace: References,
        model: References,
        api_key: References,
        since: Moment = None,
        until: Moment = None,
        source: Annotated[Reference | None, Query(description="an id or a name")] = None,
    ) -> None:
        super().__init__(SpendFilters(workspace, model, api_key, [], []), since, until, source=source)


CacheQueryDep = Annotated[CacheQuery, Depends()]


def show(figure: CacheFigure) -> dict[str, object]:
    share = figure.hit_share
    return {
        "uncached_tokens": figure.uncached,
        "read_tokens": figure.read,
        "written_5m_tokens": figure.written_5m,
        "written_1h_tokens": figure.written_1h,
        "hit_share": None if share is None else str(share.quantize(_FOUR_PLACES)),
        "saved": str(figure.saved),
        "unread_5m": str(figure.unread_5m),
        "unread_1h": str(figure.unread_1h),
        "unpriced_tokens": figure.unpriced,
    }


@router.get("", summary="What caching saves, day by day", response_model=CacheSeriesOut, dependencies=[viewer])
async def series(uow: UowDep, ports: PortsDep, now: NowDep, query: CacheQueryDep) -> Response:
    asked = await ask(uow, query, None, now)
    found = await _figures(uow, ports, asked, lambda day: midnight(day.day))
    items = [
        show(found.get(day.start, CacheFigure())) | {"start": day.start, "end": day.end}
        for day in buckets(asked.question.window, Width.DAY)
    ]
    return respond(CacheSeriesOut.model_validate(_head(asked, found) | {"items": items}))


@router.get(
    "/breakdown",
    summary="What caching saves by workspace, model or key",
    response_model=CacheBreakdownOut,
    dependencies=[viewer],
)
async def breakdown(
    uow: UowDep,
    ports: PortsDep,
    now: NowDep,
    query: CacheQueryDep,
    group_by: CellGroupBy = CellGroupBy.WORKSPACE,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    asked = await ask(uow, query, group_by, now)
    listing = f"caches by {group_by}"
    skipped = place_in(listing, cursor)
    dimension = asked.question.group_by
    found = await _figures(uow, ports, asked, lambda day: ScopeKey(dimension, day.cell.along(dimension)))
    largest = sorted(found.items(), key=lambda one: (-one[1].tokens, one[0].id))
    shown = largest[skipped : skipped + limit]
    names = await uow.directory.names(asked.source.id, [key for key, _ in shown])
    items = [show(figure) | {"id": key.id, "name": name_of(key, names)} for key, figure in shown]
    following = encode(listing, str(skipped + limit)) if len(largest) > skipped + limit else None
    answer = _head(asked, found) | {"group_by": group_by, "items": items, "next": following}
    return respond(CacheBreakdownOut.model_validate(answer))


async def _figures(
    uow: UnitOfWork, ports: Ports, asked: AskedSpend, group: Callable[[InputDay], Group]
) -> dict[Group, CacheFigure]:
    """Raises Invalid for too many stored rows. They are added up in a thread: others are answered meanwhile."""
    await require_affordable(uow, replace(asked.question, width=Width.HOUR))  # usage is kept by the hour
    prices = ports.price_book([price.spec for price in await uow.prices.all()])
    days = await uow.facts.input_days(asked.question)
    return await asyncio.to_thread(summed, days, prices, group)


def _head(asked: AskedSpend, found: Mapping[Group, CacheFigure]) -> dict[str, object]:
    return {
        "source": asked.source.name,
        "since": asked.question.window.start,
        "until": asked.question.window.end,
        "estimated_until": asked.basis.estimated_until,
        "simulated": asked.basis.simulated,
        "total": show(sum(found.values(), CacheFigure())),
    }
