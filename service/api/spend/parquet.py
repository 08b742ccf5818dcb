"""Spend as Parquet, in row groups that are sent as they fill, so that a file of any length holds little memory."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pyarrow as arrow
from pyarrow import parquet

from service.api.spend.files import HEADINGS, PARQUET
from service.domain.spend.focus import ChargedCell
from service.domain.values.money import PLACES

ROWS_A_GROUP = 20_000
DIGITS = 12 + PLACES
"""Money is below a trillion dollars, so that nothing is rounded."""


class ParquetFile:
    """Its columns are those of the CSV; dollars are decimals, days are dates."""

    media_type = PARQUET
    ending = "parquet"

    def __init__(self) -> None:
        self._sent = _Sent()
        self._waiting: list[ChargedCell] = []
        self._schema = _schema()
        self._writer = parquet.ParquetWriter(self._sent, self._schema)

    def start(self) -> bytes:
        return self._sent.taken()

    def add(self, cells: Sequence[ChargedCell]) -> bytes:
        self._waiting += cells
        if len(self._waiting) >= ROWS_A_GROUP:
            self._write()
        return self._sent.taken()

    def end(self) -> bytes:
        self._write()
        self._writer.close()
        return self._sent.taken()

    def _write(self) -> None:
        rows = [dict(zip(HEADINGS, _row(cell), strict=True)) for cell in self._waiting]
        self._writer.write_table(arrow.Table.from_pylist(rows, schema=self._schema))
        self._waiting = []


class _Sent(io.RawIOBase):
    """Keeps what the writer wrote until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(part))
        return len(part)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _schema() -> arrow.Schema:
    dollars = arrow.decimal128(DIGITS, PLACES)
    kinds = {"day": arrow.date32(), "unpriced_tokens": arrow.int64()}
    kinds |= {name: dollars for name in HEADINGS if name.endswith("_usd")}
    return arrow.schema([(name, kinds.get(name, arrow.string())) for name in HEADINGS])


def _row(cell: ChargedCell) -> tuple[date | str | Decimal | int, ...]:
    spend = cell.known.spend
    return (
        cell.day,
        cell.workspace,
        cell.workspace_name,
        cell.model,
        cell.api_key,
        cell.api_key_name,
        spend.billed.usd,
        spend.estimated.usd,
        spend.total.usd,
        str(spend.basis),
        spend.unpriced_tokens,
    )
