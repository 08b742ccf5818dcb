"""Pages of a list by the last id of the page before: ids sort by time, so no row moves to another page."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, Table, true
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.values.errors import Invalid
from service.domain.values.resources import Page

Item = TypeVar("Item")

_ID = re.compile(r"[!-~]{1,200}")


def to_cursor(listing: str, last_id: str) -> str:
    return urlsafe_b64encode(f"{listing}>{last_id}".encode()).decode().rstrip("=")


def from_cursor(listing: str, cursor: str) -> str:
    """Returns the id in a cursor. Raises Invalid for one that another list answered with, or none."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    last_id = text.removeprefix(f"{listing}>")
    if _ID.fullmatch(last_id) is None or to_cursor(listing, last_id) != cursor:
        raise Invalid("this cursor is not one that this list answered with", "/cursor")
    return last_id


async def read_page(
    connection: AsyncConnection,
    query: Select[Any],
    by: Table,
    build: Callable[[Row[Any]], Item],
    *,
    limit: int,
    cursor: str | None,
    listing: str = "",
    newest_first: bool = False,
) -> Page[Item]:
    """Returns one page of a query by its table's ids. One row more tells whether another page follows.

    A cursor is of one `listing`: the table's, where it holds no others.
    """
    listing = listing or by.name
    after: ColumnElement[bool] = true()
    if cursor is not None:
        last_id = from_cursor(listing, cursor)
        after = by.c.id < last_id if newest_first else by.c.id > last_id
    order = by.c.id.desc() if newest_first else by.c.id.asc()
    rows: Sequence[Row[Any]] = (await connection.execute(query.where(after).order_by(order).limit(limit + 1))).all()
    more = len(rows) > limit
    last = rows[limit - 1]._mapping["id"] if more else None
    return Page(tuple(build(row) for row in rows[:limit]), None if last is None else to_cursor(listing, last))
