"""Many rows in one statement: they are one JSON document, so that the statement is the same for any number of rows.

Arrays, one a column, would do the same; but the driver escapes JSON in arrays character by character.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    Table,
    TableValuedAlias,
    Text,
    TypeDecorator,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, Insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine.default import DefaultDialect

from service.adapters.postgres.codec import Json, encode
from service.adapters.postgres.column_types import Encoded

Record = Mapping[str, Any]
"""The values of one row, by the names of its columns."""

_ANY = DefaultDialect()


def array_of(texts: Iterable[str]) -> BindParameter[Sequence[str]]:
    """Returns the texts as one parameter: an IN of so many would be another statement for each number."""
    return bindparam(None, list(texts), type_=ARRAY(Text), unique=True)


def as_rows(columns: Iterable[Column[Any]], records: Sequence[Record]) -> TableValuedAlias:
    """Returns these columns of the records, of which there may be none, as something to select from."""
    columns = tuple(columns)
    writers = [(one.name, _writer(one)) for one in columns]
    document = [{name: write(record[name]) for name, write in writers} for record in records]
    rows = func.jsonb_to_recordset(bindparam(None, document, type_=JSONB, unique=True))
    return rows.table_valued(*(column(one.name, one.type) for one in columns), name="given").render_derived(
        with_types=True
    )


def insert_rows(table: Table, records: Sequence[Record]) -> Insert:
    """Returns the statement that inserts the records. There is one at least, and all have the same columns."""
    names = list(records[0])
    given = as_rows([table.c[name] for name in names], records)
    return upsert(table).from_select(names, select(*(given.c[name] for name in names)))


def _writer(of: Column[Any]) -> Callable[[Any], Json]:
    """Returns what makes JSON of a value: as the column holds it."""
    kind = of.type
    if not isinstance(kind, TypeDecorator):
        return encode
    bind = kind.process_bind_param
    if isinstance(kind, Encoded):
        return lambda value: bind(value, _ANY)
    return lambda value: encode(bind(value, _ANY))
