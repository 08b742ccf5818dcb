"""`/pages/chargeback`: who pays which part of a calendar month, as a page to print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from service.api.dashboard.figures import ShownMoney, dollars
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.session import SignedInDep
from service.api.dashboard.spend.breakdown import WORDS
from service.api.dashboard.spend.frame import AREAS, CHARGEBACK, PLACE, Filter, chosen_source, without_source
from service.api.http.deps import NowDep, UowDep
from service.api.spend.chargeback import NOT_ATTRIBUTABLE, Month, first_of
from service.api.spend.grouping import TAG, GroupBy, GroupByText, attributions, read_grouping
from service.domain.messages.phrases import BASES
from service.domain.spend.chargeback import ChargebackLine
from service.domain.values.names import name_of
from service.domain.values.plain_text import percentage
from service.domain.values.utc import DAY
from service.workflows.spend import MonthCharged, month_charged

router = APIRouter(include_in_schema=False)

MONTHS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class ChargebackAddress:
    """The page's address: of whom, which month, and by what."""

    source: Filter = None
    month: Month | None = None
    by: GroupByText = GroupBy.WORKSPACE.value

    def address(self, **changed: str) -> str:
        query = {"source": self.source or "", "month": self.month or "", "by": self.by, **changed}
        return f"{CHARGEBACK}?{urlencode({key: value for key, value in query.items() if value})}"


@router.head(CHARGEBACK)  # probes ask so
@router.get(CHARGEBACK)
async def show_chargeback(
    caller: SignedInDep, uow: UowDep, now: NowDep, asked: Annotated[ChargebackAddress, Depends()]
) -> Response:
    chosen = await chosen_source(uow, asked.source)
    if chosen is None:
        return without_source(caller)
    source = chosen.source
    months = _months(now)
    month = asked.month or months[1]
    grouping = await read_grouping(uow, source.id, asked.by)
    charged = await month_charged(uow, source, first_of(month), grouping.dimension, grouping.attribution)
    names = await grouping.names(uow, source.id, [line.key for line in charged.made.lines])
    ways = [*(by.value for by in GroupBy), *await attributions(uow)]
    content = {
        "areas": AREAS,
        "area": CHARGEBACK,
        "source": source.name,
        "sources": chosen.links(CHARGEBACK),
        "simulated": chosen.is_simulated,
        "month": f"{first_of(month):%B %Y}",
        "months": [(f"{first_of(one):%b %Y}", asked.address(month=one), one == month) for one in months],
        "groupings": [(_word(by), asked.address(by=by, month=month), by == asked.by) for by in ways],
        "noun": _word(asked.by),
        "final": charged.final,
        "total": dollars(charged.made.total),
        "rows": [_row(line, name_of(line.key, names), charged) for line in charged.made.lines],
        "nobody": _row(charged.made.nobody, NOT_ATTRIBUTABLE, charged) if charged.made.nobody else None,
    }
    return dashboard_page("chargeback.html.j2", PLACE, caller, content)


def _word(by: str) -> str:
    return WORDS.get(by, by.removeprefix(TAG))


def _months(now: datetime) -> list[str]:
    """Returns this month and those before it, such as "2026-11"."""
    first = now.replace(day=1)
    months = []
    for _ in range(MONTHS_SHOWN):
        months.append(f"{first:%Y-%m}")
        first = (first - DAY).replace(day=1)
    return months


def _row(line: ChargebackLine, name: str, charged: MonthCharged) -> Mapping[str, object]:
    total = charged.made.total
    return {
        "name": name,
        "id": line.key.id,
        "amount": ShownMoney(f"${line.cents.usd:,.2f}", line.figure.spend.total.in_full()),
        "share": percentage(line.cents.ratio_to(total) * 100) if total else "",
        "basis": BASES[line.figure.spend.basis],
    }
