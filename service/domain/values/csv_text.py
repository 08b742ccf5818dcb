"""Rows as CSV (RFC 4180), harmless to spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from service.domain.values.money import Money

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""The beginnings of texts that a spreadsheet would carry out: https://owasp.org/www-community/attacks/CSV_Injection"""

Value = str | int | Money | None


def csv_text(rows: Iterable[Sequence[Value]]) -> str:
    """Returns the rows as lines. A text that a spreadsheet could take for a formula gets an apostrophe before it."""
    lines = _Lines()
    csv.writer(lines, lineterminator="\r\n").writerows([_harmless(value) for value in row] for row in rows)
    return "".join(lines.written)


def as_given(text: str) -> str:
    """Returns the text that `csv_text` wrote as this one: without the apostrophe before what looks like a formula."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULAS) else text


class _Lines:
    """The writer's destination."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, line: str) -> None:
        self.written.append(line)


def _harmless(value: Value) -> Value:
    if isinstance(value, Money):
        return str(value)
    return f"'{value}" if isinstance(value, str) and value.lstrip("'").startswith(_FORMULAS) else value
