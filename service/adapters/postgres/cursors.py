"""Pages of a list by the last id of the page before: ids sort by time, so no row moves to another page."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.values.errors import Invalid
from service.domain.values.resources import Page

Item = TypeVar("Item")

_ID = re.compile(r"[!-~]{1,200}")


def to_cursor(last_id: str) -> str:
    return urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> str:
    """Returns the id in a cursor. Raises Invalid for one that no list answered with."""
    try:
        last_id = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        last_id = ""
    if _ID.fullmatch(last_id) is None or to_cursor(last_id) != cursor:
        raise Invalid("this cursor is not one that a list answered with", "/cursor")
    return last_id


async def read_page(
    connection: AsyncConnection,
    query: Select[Any],
    by: ColumnElement[str],
    build: Callable[[Row[Any]], Item],
    *,
    limit: int,
    cursor: str | None,
    newest_first: bool = False,
) -> Page[Item]:
    """Returns one page of a query by its id column. One row more tells whether another page follows."""
    after: ColumnElement[bool] = true()
    if cursor is not None:
        last_id = from_cursor(cursor)
        after = by < last_id if newest_first else by > last_id
    order = by.desc() if newest_first else by.asc()
    rows: Sequence[Row[Any]] = (await connection.execute(query.where(after).order_by(order).limit(limit + 1))).all()
    more = len(rows) > limit
    last = rows[limit - 1]._mapping["id"] if more else None
    return Page(tuple(build(row) for row in rows[:limit]), None if last is None else to_cursor(last))
