"""`/v1/spend/export`: every day, workspace, model and key as CSV, of any length."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from service.api.http.deps import NowDep, PortsDep, in_one_transaction, viewer
from service.api.http.fields import InstantOrDate, Reference
from service.domain.spend.best_known import SpendDay
from service.domain.spend.focus import COLUMNS, Account, ChargedCell, focus_row
from service.domain.spend.rows import Width
from service.domain.values.csv_text import Value, csv_text
from service.domain.values.errors import Invalid
from service.domain.values.names import name_of
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.domain.values.utc import DAY
from service.workflows.configuration.spend import source_named
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.spend import aligned, buckets

router = APIRouter(prefix="/v1/spend", tags=["Spend"])

CSV = "text/csv; charset=utf-8"
LONGEST = 800 * DAY
HEADINGS = (
    "day", "workspace_id", "workspace", "model", "api_key_id", "api_key", "billed_usd", "estimated_usd", "amount_usd",
    "basis", "unpriced_tokens",
)  # fmt: skip


class ExportFormat(StrEnum):
    CSV = "csv"
    FOCUS = "focus"


@router.get(
    "/export",
    summary="All days, workspaces, models and keys as CSV or as FOCUS 1.2",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, 404: {}},
    dependencies=[viewer],
)
async def export(
    ports: PortsDep,
    now: NowDep,
    since: InstantOrDate,
    until: InstantOrDate | None = None,
    source: Annotated[Reference | None, Query(description="an id or a name")] = None,
    format: ExportFormat = ExportFormat.CSV,
) -> StreamingResponse:
    """Each day is read and sent by itself, so that an export of any length holds neither memory nor a connection."""
    window = _window(since, until or now)
    account = await in_one_transaction(ports, partial(_account, source))
    headings, row = (HEADINGS, _row) if format is ExportFormat.CSV else (COLUMNS, partial(_focus, account))
    name = f"tocsin-{format}-{window.start:%Y-%m-%d}-{window.end:%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_lines(ports, account, window, headings, row), media_type=CSV, headers=headers)


def _window(since: InstantOrDate, until: InstantOrDate) -> Window:
    if since >= until:
        raise Invalid("must be earlier than until", "/since")
    window = aligned(Window(since, until), Width.DAY)
    if window.end - window.start > LONGEST:
        raise Invalid(f"at most {LONGEST.days} days", "/since")
    return window


async def _account(reference: str | None, uow: UnitOfWork) -> Account:
    source = await source_named(uow, reference, "/source")
    state = await uow.polling_states.get(source.id)
    return Account(source.id, state.organization_name or source.name)


async def _lines(
    ports: Ports,
    account: Account,
    window: Window,
    headings: Sequence[str],
    row: Callable[[ChargedCell], Sequence[Value]],
) -> AsyncIterator[str]:
    yield csv_text([headings])
    for day in buckets(window, Width.DAY):
        cells = await in_one_transaction(ports, partial(_charged, account.id, day))
        if cells:
            yield await asyncio.to_thread(_text, cells, row)


def _text(cells: Iterable[ChargedCell], row: Callable[[ChargedCell], Sequence[Value]]) -> str:
    return csv_text(row(cell) for cell in cells)


async def _charged(source_id: str, day: Window, uow: UnitOfWork) -> list[ChargedCell]:
    found = await uow.facts.days(source_id, day)
    keys = {ScopeKey(Dimension.WORKSPACE, cell.workspace) for _, cell, _ in found}
    keys |= {ScopeKey(Dimension.API_KEY, cell.api_key) for _, cell, _ in found}
    names = await uow.directory.names(source_id, keys)
    return [
        ChargedCell(
            day=at,
            workspace=cell.workspace,
            workspace_name=name_of(ScopeKey(Dimension.WORKSPACE, cell.workspace), names),
            model=cell.model,
            api_key=cell.api_key,
            api_key_name=name_of(ScopeKey(Dimension.API_KEY, cell.api_key), names) if cell.api_key else "",
            known=known,
        )
        for at, cell, known in sorted(found, key=_place)
    ]


def _place(one: tuple[date, Cell, SpendDay]) -> tuple[date, str, str, str]:
    day, cell, _ = one
    return day, cell.workspace, cell.model, cell.api_key


def _row(cell: ChargedCell) -> tuple[Value, ...]:
    spend = cell.known.spend
    return (
        f"{cell.day:%Y-%m-%d}",
        cell.workspace,
        cell.workspace_name,
        cell.model,
        cell.api_key,
        cell.api_key_name,
        spend.billed,
        spend.estimated,
        spend.total,
        str(spend.basis),
        spend.unpriced_tokens,
    )


def _focus(account: Account, cell: ChargedCell) -> tuple[Value, ...]:
    return focus_row(cell, account)
