"""The forms of an export: each takes days of spend, and gives the bytes that are ready to be sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from service.domain.spend.focus import ChargedCell
from service.domain.values.csv_text import Value, csv_text

PARQUET = "application/vnd.apache.parquet"
HEADINGS = (
    "day", "workspace_id", "workspace", "model", "api_key_id", "api_key", "billed_usd", "estimated_usd", "amount_usd",
    "basis", "unpriced_tokens",
)  # fmt: skip


class SpendFile(Protocol):
    media_type: str
    ending: str

    def start(self) -> bytes: ...
    def add(self, cells: Sequence[ChargedCell]) -> bytes: ...
    def end(self) -> bytes: ...


class CsvFile:
    media_type = "text/csv; charset=utf-8"
    ending = "csv"

    def __init__(self, headings: Sequence[str], row: Callable[[ChargedCell], Sequence[Value]]) -> None:
        self._headings = headings
        self._row = row

    def start(self) -> bytes:
        return csv_text([self._headings]).encode()

    def add(self, cells: Sequence[ChargedCell]) -> bytes:
        return csv_text(self._row(cell) for cell in cells).encode()

    def end(self) -> bytes:
        return b""


def plain_row(cell: ChargedCell) -> tuple[Value, ...]:
    """Returns the values of `HEADINGS`."""
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
