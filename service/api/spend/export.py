"""`/v1/spend/export`: every day, workspace, model and key as a file, of any length."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from service.api.http.deps import NowDep, PortsDep, in_one_transaction, viewer
from service.api.http.fields import InstantOrDate, Reference
from service.api.spend.files import HEADINGS, PARQUET, CsvFile, SpendFile, plain_row
from service.domain.spend.best_known import SpendDay
from service.domain.spend.focus import COLUMNS, Account, ChargedCell, focus_row
from service.domain.spend.rows import Width
from service.domain.values.errors import Invalid
from service.domain.values.names import name_of
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.domain.values.utc import DAY
from service.workflows.configuration.spend import source_named
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.spend import aligned, buckets

router = APIRouter(prefix="/v1/spend", tags=["Spend"])

LONGEST = 800 * DAY
FORMS = {
    CsvFile.media_type.partition(";")[0]: {"schema": {"type": "string"}},
    PARQUET: {"schema": {"type": "string", "format": "binary"}},
}


class ExportFormat(StrEnum):
    CSV = "csv"
    FOCUS = "focus"
    PARQUET = "parquet"


@router.get(
    "/export",
    summary="All days, workspaces, models and keys as CSV, as FOCUS 1.2 or as Parquet",
    response_class=StreamingResponse,
    responses={200: {"content": FORMS}, 404: {}},
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
    file = _file(format, account)
    name = f"tocsin-{format}-{window.start:%Y-%m-%d}-{window.end:%Y-%m-%d}.{file.ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_parts(ports, account, window, file), media_type=file.media_type, headers=headers)


def _file(form: ExportFormat, account: Account) -> SpendFile:
    match form:
        case ExportFormat.CSV:
            return CsvFile(HEADINGS, plain_row)
        case ExportFormat.FOCUS:
            return CsvFile(COLUMNS, partial(focus_row, account=account))
        case ExportFormat.PARQUET:
            return _parquet()


def _parquet() -> SpendFile:
    """pyarrow is an extra, as it takes 165 MB, and is loaded when it is asked for."""
    try:
        from service.api.spend.parquet import ParquetFile
    except ImportError as error:
        raise Invalid("needs pyarrow on the server: install tocsin[parquet]; csv needs nothing", "/format") from error
    return ParquetFile()


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


async def _parts(ports: Ports, account: Account, window: Window, file: SpendFile) -> AsyncIterator[bytes]:
    yield file.start()
    for day in buckets(window, Width.DAY):
        cells = await in_one_transaction(ports, partial(_charged, account.id, day))
        if cells:
            yield await asyncio.to_thread(file.add, cells)
    yield await asyncio.to_thread(file.end)


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
