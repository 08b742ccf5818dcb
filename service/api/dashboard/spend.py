"""`/pages/spend`: where the money went, from the organisation down to a key, beside the time before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from service.api.dashboard.figures import day_bars, dollars
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.session import SignedInDep
from service.api.http.deps import NowDep, UowDep
from service.api.http.fields import LINE
from service.domain.messages.phrases import BASES
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import ZERO, Money
from service.domain.values.names import name_of
from service.domain.values.periods import Window
from service.domain.values.plain_text import percentage, short_day
from service.domain.values.scopes import Dimension, Scope, ScopeKey
from service.domain.values.utc import DAY, day_start
from service.workflows.configuration.spend import source_named
from service.workflows.dashboard.compared import ComparedGroup, ComparedSpend, compared
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

PLACE = "/pages/spend"


class Days(IntEnum):
    WEEK = 7
    MONTH = 30
    QUARTER = 90


class By(StrEnum):
    WORKSPACE = "workspace"
    MODEL = "model"
    API_KEY = "api_key"


WORDS = {By.WORKSPACE: "Workspace", By.MODEL: "Model", By.API_KEY: "API key"}
Filter = Annotated[str | None, Query(max_length=200, pattern=LINE)]


@dataclass(frozen=True, slots=True)
class SpendAddress:
    """The page's address: how far back, by what, and of whom."""

    source: Filter = None
    days: Days = Days.MONTH
    by: By = By.WORKSPACE
    workspace: Filter = None
    model: Filter = None
    api_key: Filter = None

    def filters(self) -> dict[By, str]:
        given = {By.WORKSPACE: self.workspace, By.MODEL: self.model, By.API_KEY: self.api_key}
        return {by: id for by, id in given.items() if id}

    def scope(self) -> Scope:
        ids = self.filters()
        return Scope(*(tuple([ids[by]]) if by in ids else () for by in By))

    def address(
        self, *, days: Days | None = None, by: By | None = None, filters: Mapping[By, str] | None = None
    ) -> str:
        """Returns the page's address with some of it changed."""
        kept = self.filters() if filters is None else filters
        query = {"source": self.source or "", "days": str(int(days or self.days)), "by": by or self.by}
        return f"{PLACE}?{urlencode({**query, **{key.value: id for key, id in kept.items()}})}"


@router.head(PLACE)  # probes ask so
@router.get(PLACE)
async def show_spend(
    caller: SignedInDep, uow: UowDep, now: NowDep, asked: Annotated[SpendAddress, Depends()]
) -> Response:
    sources = await uow.sources.readable()
    if not sources:
        return dashboard_page("no_source.html.j2", "Spend", caller, {})
    source = await source_named(uow, asked.source or sources[0].id, "/source")
    tomorrow = day_start(now) + DAY
    window = Window(tomorrow - DAY * int(asked.days), tomorrow)
    question = SpendQuestion(source.id, window, Width.DAY, asked.scope(), Dimension(asked.by))
    found = await compared(uow, question)
    content = {
        "source": source.name,
        "sources": [(one.name, f"{PLACE}?{urlencode({'source': one.id})}") for one in sources[:20]],
        "ranges": [(f"{int(days)} days", asked.address(days=days), days is asked.days) for days in Days],
        "groupings": [(WORDS[by], asked.address(by=by), by is asked.by) for by in By],
        "path": await _path(uow, source.id, asked),
        "noun": WORDS[asked.by],
        "total": dollars(found.total.spend.total),
        "basis": BASES[found.total.spend.basis],
        "before": dollars(found.before),
        "change": change(found.total.spend.total, found.before),
        "bars": day_bars(found.days),
        "first_day": short_day(window.start.date()),
        "highest": _highest(found),
        "rows": [_row(group, found.total.spend.total, asked) for group in found.groups],
        "rest": dollars(found.rest) if found.rest else None,
    }
    return dashboard_page("spend.html.j2", "Spend", caller, content)


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
        "name": group.name,
        "address": _deeper(group, asked),
        "amount": dollars(group.figure.spend.total),
        "share": percentage(share),
        "filled": f"{min(max(share, Decimal(0)), Decimal(100)):.1f}",
        "before": dollars(group.before) if group.before is not None else None,
        "change": change(group.figure.spend.total, group.before) if group.before is not None else "",
    }


def _deeper(group: ComparedGroup, asked: SpendAddress) -> str:
    """Returns the address of this group alone, by the first dimension that is still open; empty where there is none."""
    if not group.key.id:
        return ""  # what cannot be attributed is no filter
    filters = {**asked.filters(), asked.by: group.key.id}
    following = next((by for by in By if by not in filters), None)
    return asked.address(by=following, filters=filters) if following else ""


def change(amount: Money, before: Money) -> str:
    """Returns how far an amount is from what was before: "+12%", "-3%", "new"."""
    if not before:
        return "new" if amount else ""
    percent = (amount - before).ratio_to(abs(before)) * 100
    return f"{'+' if percent > 0 else ''}{percentage(percent)}"
