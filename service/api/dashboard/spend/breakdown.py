"""`/pages/spend`: where the money went, from the organisation down to a key and a token type, beside another time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from service.api.dashboard.figures import day_bars, dollars
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.session import SignedInDep
from service.api.dashboard.spend.frame import AREAS, PLACE, SPEND, Filter, chosen_source, without_source
from service.api.http.deps import NowDep, UowDep
from service.api.spend.breakdown import DivideBy
from service.domain.messages.phrases import BASES
from service.domain.sources.source import People, Source
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.errors import Invalid
from service.domain.values.money import ZERO, Money
from service.domain.values.names import name_of
from service.domain.values.periods import Window
from service.domain.values.plain_text import percentage, scaled, short_day
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope, ScopeKey
from service.domain.values.utc import DAY, day_start
from service.workflows.dashboard.compared import ComparedGroup, ComparedSpend, Comparison, compared
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)


class Days(IntEnum):
    WEEK = 7
    MONTH = 30
    QUARTER = 90


WORDS: Mapping[str, str] = {
    DivideBy.WORKSPACE: "Workspace",
    DivideBy.MODEL: "Model",
    DivideBy.API_KEY: "API key",
    DivideBy.TOKEN_TYPE: "Token type",
    DivideBy.COST_TYPE: "Cost type",
    DivideBy.SERVICE_TIER: "Service tier",
    DivideBy.CONTEXT_WINDOW: "Context window",
    DivideBy.INFERENCE_GEO: "Region",
    DivideBy.CALLER: "Caller",
    DivideBy.ACTOR: "Person",
    DivideBy.PRODUCT: "Product",
}
SPENDERS = (DivideBy.ACTOR, DivideBy.PRODUCT)
FILTERS = (DivideBy.WORKSPACE, DivideBy.MODEL, DivideBy.API_KEY, *SPENDERS)
DEEPER = (DivideBy.WORKSPACE, DivideBy.MODEL, DivideBy.API_KEY, DivideBy.TOKEN_TYPE)
"""The way down, from the organisation's workspaces to what a key's tokens were."""
DEEPER_OF_SPENDERS = (DivideBy.PRODUCT, DivideBy.MODEL, DivideBy.WORKSPACE, DivideBy.API_KEY)
"""The way down from a person or a product: of their tokens nothing is known."""
UNKNOWN = (
    "Who spent is not known of this organisation: its switch people is off. An admin switches it on where the source is"
    " changed."
)
COMPARISONS = {Comparison.BEFORE: "as long before", Comparison.USUAL: "what is usual"}


def divisions(source: Resource[Source], filters: Collection[DivideBy] = ()) -> list[tuple[str, str]]:
    """Returns by what spend may be divided, and the words for it.

    By people and products where people are known; what one of those spent, by no lines of the bill.
    """
    is_known, is_by_spender = source.spec.people is not People.OFF, not set(SPENDERS).isdisjoint(filters)
    left_out = {*(() if is_known else SPENDERS), *(set(WORDS) - {*FILTERS} if is_by_spender else ())}
    return [(by, words) for by, words in WORDS.items() if by not in left_out]


class NoSecond(StrEnum):
    """The text of a form without a second dimension."""

    NONE = ""


@dataclass(frozen=True, slots=True)
class SpendAddress:
    """The page's address: how far back, by what, beside what, and of whom."""

    source: Filter = None
    days: Days = Days.MONTH
    by: DivideBy = DivideBy.WORKSPACE
    then: DivideBy | NoSecond = NoSecond.NONE
    beside: Comparison = Comparison.BEFORE
    workspace: Filter = None
    model: Filter = None
    api_key: Filter = None
    actor: Filter = None
    product: Filter = None

    @property
    def dimensions(self) -> tuple[DivideBy, ...]:
        """One or two; a second one that is the first says nothing."""
        second = self.then if isinstance(self.then, DivideBy) and self.then is not self.by else None
        return (self.by, second) if second else (self.by,)

    def filters(self) -> dict[DivideBy, str]:
        given = dict(zip(FILTERS, (self.workspace, self.model, self.api_key, self.actor, self.product), strict=True))
        return {by: id for by, id in given.items() if id}

    def scope(self) -> Scope:
        ids = self.filters()
        return Scope(*(tuple([ids[by]]) if by in ids else () for by in FILTERS))

    def kept(self) -> dict[str, str]:
        """Returns what a change of the division leaves as it is."""
        of_whom = {by.value: id for by, id in self.filters().items()}
        return {"source": self.source or "", "days": str(int(self.days)), **of_whom}

    def address(
        self, *, days: Days | None = None, by: DivideBy | None = None, filters: Mapping[DivideBy, str] | None = None
    ) -> str:
        """Returns the page's address with some of it changed; another dimension stands alone."""
        kept = self.filters() if filters is None else filters
        query = {
            "source": self.source or "",
            "days": str(int(days or self.days)),
            "by": by or self.by,
            "then": "" if by else self.then,
            "beside": self.beside,
        }
        return f"{SPEND}?{urlencode({**query, **{key.value: id for key, id in kept.items()}})}"


@router.head(SPEND)  # probes ask so
@router.get(SPEND)
async def show_spend(
    caller: SignedInDep, uow: UowDep, now: NowDep, asked: Annotated[SpendAddress, Depends()]
) -> Response:
    chosen = await chosen_source(uow, asked.source)
    if chosen is None:
        return without_source(caller)
    source = chosen.source
    try:
        figures, status = await _figures(uow, source, asked, now), 200
    except Invalid as error:
        figures, status = {"flaw": str(error)}, 422
    content = {
        "areas": AREAS,
        "area": SPEND,
        "source": source.name,
        "sources": chosen.links(SPEND),
        "simulated": chosen.is_simulated,
        "ranges": [(f"{int(days)} days", asked.address(days=days), days is asked.days) for days in Days],
        "asked": asked,
        "kept": asked.kept(),
        "groupings": divisions(source, asked.filters()),
        "comparisons": [(one.value, words) for one, words in COMPARISONS.items()],
        "path": await _path(uow, source.id, asked),
    }
    return dashboard_page("spend.html.j2", PLACE, caller, {**content, **figures}, status)


async def _figures(
    uow: UnitOfWork, source: Resource[Source], asked: SpendAddress, now: datetime
) -> Mapping[str, object]:
    """Raises Invalid for what is not known of the source, and for a question that is too large."""
    if source.spec.people is People.OFF and not set(SPENDERS).isdisjoint({*asked.dimensions, *asked.filters()}):
        raise Invalid(UNKNOWN)
    tomorrow = day_start(now) + DAY
    window = Window(tomorrow - DAY * int(asked.days), tomorrow)
    question = SpendQuestion(source.id, window, Width.DAY, asked.scope(), Dimension.ORGANISATION)
    found = await compared(uow, question, [one.dimension for one in asked.dimensions], asked.beside, now)
    return {
        "nouns": [WORDS[one] for one in asked.dimensions],
        "total": dollars(found.total.spend.total),
        "basis": BASES[found.total.spend.basis],
        "before": dollars(found.before),
        "beside": _beside(asked, found),
        "over": dollars(found.over),
        "days_over": found.days_over,
        "change": change(found.over, found.before),
        "unknown": _unknown(found),
        "bars": day_bars(found.days),
        "first_day": short_day(window.start.date()),
        "highest": _highest(found),
        "rows": [_row(group, found.total.spend.total, asked) for group in found.groups],
        "rest": dollars(found.rest) if found.rest else None,
        "flaw": "",
        "unpriced": scaled(found.total.unpriced_tokens) if found.total.unpriced_tokens else "",
    }


def _beside(asked: SpendAddress, found: ComparedSpend) -> str:
    if asked.beside is Comparison.BEFORE:
        return "As long before"
    return f"Usual: mean of {found.windows} times before" if found.windows > 1 else "Before: one such time is known"


def _unknown(found: ComparedSpend) -> str:
    """Returns "12 of these days and 25 of the days before"; empty where all are known."""
    counts = ((found.unknown, "of these days"), (found.unknown_before, "of the days before"))
    return " and ".join(f"{days} {whose}" for days, whose in counts if days)


def _highest(found: ComparedSpend) -> str:
    return max(figure.spend.total for _, figure in found.days).display()


async def _path(uow: UnitOfWork, source_id: str, asked: SpendAddress) -> list[tuple[str, str]]:
    """Returns the filters in words, and for each the address without it."""
    filters = asked.filters()
    keys = {by: ScopeKey(Dimension(by), id) for by, id in filters.items()}
    names = await uow.directory.names(source_id, keys.values())
    return [
        (
            f"{WORDS[by]} {name_of(keys[by], names)}",
            asked.address(filters={other: id for other, id in filters.items() if other is not by}),
        )
        for by in filters
    ]


def _row(group: ComparedGroup, total: Money, asked: SpendAddress) -> Mapping[str, object]:
    share = group.figure.spend.total.ratio_to(total) * 100 if total > ZERO else Decimal(0)
    return {
        "cells": _cells(group, asked),
        "amount": dollars(group.figure.spend.total),
        "share": percentage(share),
        "filled": f"{min(max(share, Decimal(0)), Decimal(100)):.1f}",
        "before": dollars(group.before) if group.before is not None else None,
        "change": change(group.over, group.before) if group.before is not None else "",
    }


def _cells(group: ComparedGroup, asked: SpendAddress) -> Sequence[tuple[str, str]]:
    """Returns the group's names, each with the address of what is inside it; empty where there is nothing deeper."""
    members = zip(asked.dimensions, group.ids, group.names, strict=True)
    return [(name, _deeper(by, id, asked)) for by, id, name in members]


def _deeper(by: DivideBy, id: str, asked: SpendAddress) -> str:
    """Returns the address of one member alone, by the first dimension that is still open."""
    if not id or by not in FILTERS:
        return ""  # what cannot be attributed is no filter, and neither is a line of the bill
    filters = {**asked.filters(), by: id}
    way = DEEPER if set(SPENDERS).isdisjoint(filters) else DEEPER_OF_SPENDERS
    following = next((one for one in way if one not in filters), None)
    return asked.address(by=following, filters=filters) if following else ""


def change(amount: Money, before: Money) -> str:
    """Returns how far an amount is from what was before: "+12%", "-3%", "new"."""
    if not before:
        return "new" if amount else ""
    percent = (amount - before).ratio_to(abs(before)) * 100
    shown = percentage(percent)
    return f"+{shown}" if percent > 0 and shown != "0%" else shown
