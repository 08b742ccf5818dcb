"""Parts of a list by the ids at their ends: ids sort by time, so no row moves to another part."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, Table, true
from sqlalchemy.ext.asyncio import AsyncConnection

from service.domain.values.errors import Invalid
from service.domain.values.resources import Page

Item = TypeVar("Item")

AFTER, BEFORE = ">", "<"
_PLACE = re.compile(r"([<>])([!-~]{1,200})")


@dataclass(frozen=True, slots=True)
class ListPlace:
    """A place in a list: just after or before the row of an id; before the first row where there is none."""

    side: str = AFTER
    id: str = ""


def to_cursor(listing: str, place: ListPlace) -> str:
    return urlsafe_b64encode(f"{listing}{place.side}{place.id}".encode()).decode().rstrip("=")


def from_cursor(listing: str, cursor: str) -> ListPlace:
    """Raises Invalid for a cursor that another list answered with, or none."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    found = _PLACE.fullmatch(text.removeprefix(listing))
    if found is None or to_cursor(listing, place := ListPlace(found[1], found[2])) != cursor:
        raise Invalid("this cursor is not one that this list answered with", "/cursor")
    return place


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
    """Returns one part of a query by its table's ids. One row more tells whether there are further ones that way.

    A cursor is of one `listing`: the table's, where it holds no others.
    """
    listing = listing or by.name
    place = ListPlace() if cursor is None else from_cursor(listing, cursor)
    rows = await _read_on(connection, query, by, place, newest_first, limit + 1)
    part = rows[:limit] if place.side == AFTER else rows[:limit][::-1]
    previous, following = _ends(part, place, len(rows) > limit)
    return Page(
        tuple(build(row) for row in part),
        to_cursor(listing, following) if following else None,
        to_cursor(listing, previous) if previous else None,
    )


async def _read_on(
    connection: AsyncConnection, query: Select[Any], by: Table, place: ListPlace, newest_first: bool, most: int
) -> Sequence[Row[Any]]:
    """Returns the rows nearest to a place, on its side."""
    is_descending = newest_first is (place.side == AFTER)
    beyond: ColumnElement[bool] = true()
    if place.id:
        beyond = by.c.id < place.id if is_descending else by.c.id > place.id
    order = by.c.id.desc() if is_descending else by.c.id.asc()
    rows: Sequence[Row[Any]] = (await connection.execute(query.where(beyond).order_by(order).limit(most))).all()
    return rows


def _ends(part: Sequence[Row[Any]], place: ListPlace, more: bool) -> tuple[ListPlace | None, ListPlace | None]:
    """Returns the places before and after a part, None where nothing is known to be there."""
    if not part:
        return None, None
    first, last = ListPlace(BEFORE, part[0]._mapping["id"]), ListPlace(AFTER, part[-1]._mapping["id"])
    if place.side == BEFORE:
        return (first if more else None), last
    return (first if place.id else None), (last if more else None)
