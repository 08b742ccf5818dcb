"""`/v1/chargeback`: who pays which part of a calendar month, to the cent."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field

from service.api.http.deps import NowDep, UowDep, viewer
from service.api.http.fields import Reference, Usd
from service.api.http.responses import respond
from service.api.spend.files import CsvFile
from service.api.spend.grouping import GroupBy, GroupByText, read_grouping
from service.domain.spend.best_known import Basis
from service.domain.spend.chargeback import ChargebackLine
from service.domain.values.csv_text import csv_text
from service.domain.values.names import Names, name_of
from service.workflows.configuration.spend import source_named
from service.workflows.spend import MonthCharged, month_charged

router = APIRouter(prefix="/v1/chargeback", tags=["Spend"])

HEADINGS = ("month", "group_by", "id", "name", "charged_usd", "exact_usd", "basis", "final")
NOT_ATTRIBUTABLE = "not attributable"


def _month(text: str) -> str:
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", text):
        raise ValueError("write a month such as 2026-11")
    return text


Month = Annotated[str, AfterValidator(_month), Query(description="a calendar month, UTC", examples=["2026-11"])]


class ChargebackFormat(StrEnum):
    JSON = "json"
    CSV = "csv"


class ChargebackLineOut(BaseModel):
    id: str
    name: str
    amount: Usd = Field(description="whole cents: the lines add up to the total")
    exact: Usd
    basis: Basis


class ChargebackOut(BaseModel):
    """`final`: every day of the month is billed and settled; before that a part is an estimate and may change."""

    source: str
    month: str = Field(examples=["2026-11"])
    group_by: str
    final: bool
    simulated: bool
    total: Usd
    items: list[ChargebackLineOut]
    not_attributable: ChargebackLineOut | None = Field(
        description="spend without such a name: of no API key, of nobody's, without the tag"
    )


@router.get(
    "",
    summary="A calendar month by workspace, model, key, owner or tag, in cents that add up; as JSON or CSV",
    response_model=ChargebackOut,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    dependencies=[viewer],
)
async def chargeback(
    uow: UowDep,
    now: NowDep,
    month: Month,
    group_by: GroupByText = GroupBy.WORKSPACE,
    source: Annotated[Reference | None, Query(description="an id or a name")] = None,
    format: ChargebackFormat = ChargebackFormat.JSON,
) -> Response:
    found = await source_named(uow, source, "/source")
    grouping = await read_grouping(uow, found.id, group_by)
    charged = await month_charged(uow, found, first_of(month), grouping.dimension, grouping.attribution)
    names = await grouping.names(uow, found.id, [line.key for line in charged.made.lines])
    if format is ChargebackFormat.JSON:
        return respond(_shown(charged, names, month, group_by))
    plain = re.sub("[^A-Za-z0-9_.-]", "-", group_by)
    headers = {"Content-Disposition": f'attachment; filename="tocsin-chargeback-{month}-{plain}.csv"'}
    return Response(_csv(charged, names, month, group_by), headers=headers, media_type=CsvFile.media_type)


def first_of(month: str) -> datetime:
    return datetime.combine(date.fromisoformat(f"{month}-01"), datetime.min.time(), UTC)


def _shown(charged: MonthCharged, names: Names, month: str, group_by: str) -> ChargebackOut:
    made = charged.made
    return ChargebackOut(
        source=charged.source.name,
        month=month,
        group_by=group_by,
        final=charged.final,
        simulated=charged.simulated,
        total=str(made.total),
        items=[_line(line, name_of(line.key, names)) for line in made.lines],
        not_attributable=_line(made.nobody, NOT_ATTRIBUTABLE) if made.nobody else None,
    )


def _line(line: ChargebackLine, name: str) -> ChargebackLineOut:
    spend = line.figure.spend
    return ChargebackLineOut(
        id=line.key.id, name=name, amount=str(line.cents), exact=str(spend.total), basis=spend.basis
    )


def _csv(charged: MonthCharged, names: Names, month: str, group_by: str) -> str:
    made, final = charged.made, "yes" if charged.final else "no"
    named = [(line, name_of(line.key, names)) for line in made.lines]
    named += [(made.nobody, NOT_ATTRIBUTABLE)] if made.nobody else []
    rows = [
        (
            month,
            group_by,
            line.key.id,
            name,
            line.cents,
            line.figure.spend.total,
            str(line.figure.spend.basis),
            final,
        )
        for line, name in named
    ]
    return csv_text([HEADINGS, *rows])
