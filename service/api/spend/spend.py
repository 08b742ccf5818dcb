"""`/v1/spend`: best-known spend over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import NowDep, UowDep, viewer
from service.api.http.fields import InstantOrDate, Reference, Usd
from service.api.http.listing import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    References,
    decode,
    encode,
    foreign_cursor,
    part_of,
)
from service.api.http.responses import respond
from service.api.spend.grouping import GroupByText, SpendGrouping, read_grouping
from service.api.spend.scopes import Member, require_seen, scope_of
from service.domain.sources.source import Source
from service.domain.spend.best_known import Basis
from service.domain.spend.completeness import LACKING, NOTHING_KNOWN, BucketKnowledge, BucketState, state_of
from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.errors import Invalid
from service.domain.values.names import Names, name_of
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope, ScopeKey, tells_spenders
from service.workflows.configuration.spend import source_named
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import SpendBasis, aligned, buckets, require_affordable, spend_basis

router = APIRouter(prefix="/v1/spend", tags=["Spend"])

LONGEST = {Width.DAY: timedelta(days=800), Width.HOUR: timedelta(days=35)}
SERIES = "spend"
MOST_FIGURES = 5_000
"""Figures of groups in one answer: a part has fewer buckets where they would hold more. Writing so many down takes a
quarter of a second, in which nobody else is answered."""
USUAL = {Width.DAY: timedelta(days=30), Width.HOUR: timedelta(days=1)}


class Granularity(StrEnum):
    DAY = "1d"
    HOUR = "1h"


class CellGroupBy(StrEnum):
    WORKSPACE = "workspace"
    MODEL = "model"
    API_KEY = "api_key"


class FigureOut(BaseModel):
    """Best-known spend. `basis` says whether it was read off the bill, estimated from usage, or both.

    `unpriced_tokens` have no known price and `priority_estimate` no cost row: neither is in `amount`.
    """

    amount: Usd
    billed: Usd
    estimated: Usd
    basis: Basis
    unpriced_tokens: int
    priority_estimate: Usd


class GroupOut(FigureOut):
    id: str = Field(description='empty for what cannot be attributed, such as "no API key"')
    name: str


class BucketOut(FigureOut):
    """`state` says what is known of it: a bucket of $0.00 is one thing when it is empty, and another when missing."""

    start: datetime
    end: datetime
    state: BucketState
    groups: list[GroupOut] | None = Field(description="null without `group_by`; the largest first")


class LackingOut(BaseModel):
    """How many days or hours of the window have begun and are not final; all zero: the figures are."""

    missing: int = Field(description="no report has contained them")
    suspect: int = Field(description="a report said that nothing was spent, and is not believed")
    late: int = Field(description="they should be complete by now, and are not")
    open: int = Field(description="they still fill up")


class SpendOut(BaseModel):
    """`since` and `until` are the whole days or hours that hold what was asked for."""

    source: str
    since: datetime
    until: datetime
    granularity: Granularity
    billed_until: datetime | None
    estimated_until: datetime | None
    simulated: bool
    lacking: LackingOut
    total: FigureOut


class SeriesOut(SpendOut):
    """Every bucket, in order, each with its state."""

    items: list[BucketOut]
    next: str | None


def show_figure(figure: Figure) -> dict[str, object]:
    return {
        "amount": str(figure.spend.total),
        "billed": str(figure.spend.billed),
        "estimated": str(figure.spend.estimated),
        "basis": figure.spend.basis,
        "unpriced_tokens": figure.unpriced_tokens,
        "priority_estimate": str(figure.priority),
    }


Groups = Mapping[ScopeKey, Figure]
KnownBuckets = Mapping[datetime, BucketKnowledge]


def largest_first(groups: Groups) -> Groups:
    return dict(sorted(groups.items(), key=lambda one: (-one[1].spend.total.usd, one[0].id)))


def show_groups(groups: Groups, names: Names) -> list[GroupOut]:
    return [
        GroupOut.model_validate(show_figure(figure) | {"id": key.id, "name": name_of(key, names)})
        for key, figure in groups.items()
    ]


Moment = Annotated[InstantOrDate | None, Query(description="a time, or a date for its midnight UTC")]


class SpendFilters:
    """Members of dimensions: those of one add up, and all dimensions must hold."""

    def __init__(
        self, workspace: References, model: References, api_key: References, actor: References, product: References
    ) -> None:
        self.members: dict[Dimension, list[str]] = {
            Dimension.WORKSPACE: workspace,
            Dimension.MODEL: model,
            Dimension.API_KEY: api_key,
            Dimension.ACTOR: actor,
            Dimension.PRODUCT: product,
        }


class SpendQuery:
    """The query of spend over time and of its breakdown: a window, its granularity, and filters."""

    def __init__(
        self,
        filters: Annotated[SpendFilters, Depends()],
        since: Moment = None,
        until: Moment = None,
        granularity: Granularity = Granularity.DAY,
        source: Annotated[Reference | None, Query(description="an id or a name")] = None,
    ) -> None:
        self.since, self.until, self.width, self.source = since, until, Width(granularity), source
        self.members = filters.members

    def window(self, now: datetime) -> Window:
        """Returns whole buckets. Raises Invalid for a window that is empty, or too long to answer."""
        until = self.until or now
        since = self.since or until - USUAL[self.width]
        if since >= until:
            raise Invalid("must be earlier than until", "/since")
        if until - since > LONGEST[self.width]:
            raise Invalid(f"at most {LONGEST[self.width].days} days at granularity {self.width}", "/since")
        return aligned(Window(since, until), self.width)

    async def scope(self, uow: UnitOfWork, source_id: str) -> Scope:
        """Raises Invalid for an unknown name."""
        members = {
            dimension: [Member(reference, f"/{dimension.value}") for reference in references]
            for dimension, references in self.members.items()
        }
        scope = await scope_of(uow, source_id, members)
        await require_seen(uow, source_id, scope)
        return scope


class AskedSpend(NamedTuple):
    """A question about a source, what it is divided by, and what the answer rests on."""

    source: Resource[Source]
    question: SpendQuestion
    grouping: SpendGrouping
    basis: SpendBasis

    def head(self, total: Figure, known: KnownBuckets, now: datetime) -> dict[str, object]:
        """Returns the fields of `SpendOut`."""
        return {
            "source": self.source.name,
            "since": self.question.window.start,
            "until": self.question.window.end,
            "granularity": self.question.width,
            "billed_until": self.basis.billed_until,
            "estimated_until": self.basis.estimated_until,
            "simulated": self.basis.simulated,
            "lacking": show_lacking(self.question, known, now),
            "total": show_figure(total),
        }


def show_lacking(question: SpendQuestion, known: KnownBuckets, now: datetime) -> LackingOut:
    """Counts the buckets of a question's window that are not final."""
    counted = Counter(
        state_of(question.width, bucket, known.get(bucket.start, NOTHING_KNOWN), now, spent=False)
        for bucket in buckets(question.window, question.width)
    )
    return LackingOut(**{state.value: counted[state] for state in LACKING})


async def ask(uow: UnitOfWork, query: SpendQuery, group_by: str | None, now: datetime) -> AskedSpend:
    window = query.window(now)
    source = await source_named(uow, query.source, "/source")
    scope = await query.scope(uow, source.id)
    grouping = await read_grouping(uow, source.id, group_by) if group_by else SpendGrouping(Dimension.ORGANISATION)
    question = SpendQuestion(source.id, window, query.width, scope, grouping.dimension, grouping.attribution)
    if query.width is Width.HOUR and tells_spenders(question.grain):
        raise Invalid("actors and products are known by whole days", "/granularity")
    await require_affordable(uow, question)
    return AskedSpend(source, question, grouping, await spend_basis(uow, source))


QueryDep = Annotated[SpendQuery, Depends()]


@router.get("", summary="Spend over time", response_model=SeriesOut, dependencies=[viewer])
async def series(
    uow: UowDep,
    now: NowDep,
    query: QueryDep,
    group_by: GroupByText | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    asked = await ask(uow, query, group_by, now)
    windows = list(buckets(asked.question.window, query.width))
    part = part_of(SERIES, windows, _place, limit, cursor)
    if not part.items or (cursor and not _is_place(decode(SERIES, cursor))):
        raise foreign_cursor()
    found = await uow.facts.figures_by_bucket(replace(asked.question, window=_span(part.items)), MOST_FIGURES)
    shown = [bucket for bucket in part.items if bucket.end <= found.until]
    keys = {key for groups in found.figures.values() for key in groups}
    names = await asked.grouping.names(uow, asked.source.id, keys)
    known = await uow.completeness.knowledge(asked.source.id, asked.question.window, query.width)
    items = []
    for bucket in shown:
        groups = found.figures.get(bucket.start, {})
        total = sum(groups.values(), Figure())
        knowledge = known.get(bucket.start, NOTHING_KNOWN)
        state = state_of(query.width, bucket, knowledge, now, spent=total.is_something)
        listed = show_groups(largest_first(groups), names) if group_by else None
        items.append(show_figure(total) | {"groups": listed, "start": bucket.start, "end": bucket.end, "state": state})
    is_whole = shown == windows
    answered = (figure for groups in found.figures.values() for figure in groups.values())
    head = asked.head(sum(answered, Figure()) if is_whole else await uow.facts.total(asked.question), known, now)
    following = part.next if len(shown) == len(part.items) else encode(SERIES, _place(shown[-1]))
    return respond(SeriesOut.model_validate(head | {"items": items, "next": following}))


def _place(bucket: Window) -> str:
    return bucket.start.isoformat()


def _is_place(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta()
    except ValueError:
        return False


def _span(windows: Sequence[Window]) -> Window:
    """Returns the window from the first one's start to the last one's end."""
    return Window(windows[0].start, windows[-1].end)
