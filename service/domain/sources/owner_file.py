"""A file of owners and tags (CSV): one line a workspace or API key, a column a tag."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from service.domain.sources.ownership import OwnedMember
from service.domain.values.csv_text import as_given
from service.domain.values.errors import Invalid
from service.domain.values.names import listed

TAG = "tag:"
SOURCE, MEMBER, NAME, WORKSPACE, OWNER = COLUMNS = ("source", "member", "name", "workspace", "owner")
"""The columns besides those of tags. `name` and `workspace` are for people, and not read."""


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """One line. `owner` is None where the file has no such column; `tags` are those of its columns, "" for none."""

    number: int
    source: str
    member: str
    owner: str | None
    tags: Mapping[str, str]

    def applied(self, before: OwnedMember, owner: str | None) -> OwnedMember:
        """Returns the member as the line leaves it; what the file has no column for stays. `owner`: a receiver's id."""
        tags = {tag: value for tag, value in {**before.tags, **self.tags}.items() if value}
        return replace(before, owner=before.owner if owner is None else owner, tags=dict(sorted(tags.items())))


def read_owner_file(text: str) -> list[OwnerLine]:
    """Reads lines with commas, or with the semicolons of some spreadsheets.

    Raises Invalid, which names the line, for columns that are unknown or stand there twice, and for ragged lines.
    """
    written = _lines_of(text.removeprefix("\ufeff"))
    head = next(filter(str.strip, written), "")
    separator = ";" if head.count(";") > head.count(",") else ","
    lines = csv.reader(written, delimiter=separator, strict=True)
    try:
        rows = [(lines.line_num, row) for row in lines if any(row)]
    except csv.Error as error:
        raise Invalid(f"line {lines.line_num}: {error}") from error
    if not rows:
        raise Invalid(f"line 1: expected the columns {', '.join(COLUMNS)}")
    columns = [column.strip() for column in rows[0][1]]
    _require_columns(columns)
    return list(_lines(columns, rows[1:]))


def _lines_of(text: str) -> list[str]:
    """With their ends. No other characters end a line of CSV, though Python knows more."""
    ended = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    return [f"{line}\n" for line in ended.split("\n")]


def _require_columns(columns: Sequence[str]) -> None:
    for position, column in enumerate(columns):
        if column not in COLUMNS and not column.startswith(TAG):
            raise Invalid(f"line 1: there is no column {column!r}: it is {listed([*COLUMNS, f'{TAG}team'])}")
        if column in columns[:position]:
            raise Invalid(f"line 1: the column {column!r} stands here twice")
    if MEMBER not in columns:
        raise Invalid(f"line 1: the column {MEMBER!r} is missing")


def _lines(columns: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> Iterator[OwnerLine]:
    for number, row in rows:
        if len(row) != len(columns):
            raise Invalid(f"line {number}: {len(columns)} columns expected, {len(row)} found")
        cells = {column: as_given(cell).strip() for column, cell in zip(columns, row, strict=True)}
        tags = {column.removeprefix(TAG): cell for column, cell in cells.items() if column.startswith(TAG)}
        yield OwnerLine(number, cells.get(SOURCE, ""), cells[MEMBER], cells.get(OWNER), tags)
