"""Pages of lists: a limit, and the cursor of the next page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from service.api.http.fields import Reference
from service.domain.values.errors import Invalid
from service.domain.values.resources import Page

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=500, description="The most items in the answer")]
DEFAULT_LIMIT = 50
Cursor = Annotated[
    str | None,
    Query(description="`next` of the part before", pattern=r"^[A-Za-z0-9_-]{1,500}$"),
]

MOST_VALUES = 50
ANY_OF = Query(default_factory=list, max_length=MOST_VALUES, description="repeated: any of them")
"""A filter that may be repeated."""
References = Annotated[
    list[Reference],
    Query(default_factory=list, max_length=MOST_VALUES, description="an id or a name; repeated: any of them"),
]


class Listing(BaseModel, Generic[T]):
    """Part of a list."""

    items: list[T]
    next: str | None = Field(description="cursor of the next part, null at the end")


LONGEST_PLACE = 9
"""Digits."""


def encode(listing: str, key: str) -> str:
    """Returns the cursor of a list's items after a key."""
    return base64.urlsafe_b64encode(f"{listing}>{key}".encode()).decode().rstrip("=")


def decode(listing: str, cursor: str) -> str:
    """Raises Invalid for what `encode` does not make for this list."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    if not text.startswith(f"{listing}>"):
        raise foreign_cursor()
    return text.removeprefix(f"{listing}>")


def foreign_cursor() -> Invalid:
    return Invalid("this cursor is not one that this list answered with", "/cursor")


def place_in(listing: str, cursor: str | None) -> int:
    """Returns how many items came before, for lists whose cursor is a place. Raises Invalid."""
    place = decode(listing, cursor) if cursor else "0"
    if not place.isascii() or not place.isdecimal() or len(place) > LONGEST_PLACE:
        raise foreign_cursor()
    return int(place)


def part_of(listing: str, items: Sequence[T], key: Callable[[T], str], limit: int, cursor: str | None) -> Page[T]:
    """Returns a page of a list that is at hand whole, in the order of unique keys."""
    after = decode(listing, cursor) if cursor is not None else ""
    ordered = sorted((item for item in items if key(item) > after), key=key)
    part = tuple(ordered[:limit])
    return Page(part, encode(listing, key(part[-1])) if len(ordered) > limit else None)


def page_at(listing: str, items: Sequence[T], place: int, limit: int, more: int) -> Page[T]:
    """Returns the page that begins at a place of a list; `more` items come after it."""
    following = encode(listing, str(place + limit)) if more else None
    previous = encode(listing, str(max(0, place - limit))) if place else None
    return Page(tuple(items), following, previous)


def part_by_place(listing: str, items: Sequence[T], limit: int, cursor: str | None) -> Page[T]:
    """Returns a page of a list that is at hand whole, in its own order. Raises Invalid."""
    place = place_in(listing, cursor)
    return page_at(listing, items[place : place + limit], place, limit, max(0, len(items) - place - limit))
