"""Shows long lists in parts: which one is asked for, and the links to those before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request

from service.api.http.listing import Cursor
from service.domain.values.errors import UnreadableDocument
from service.domain.values.resources import Page, Resource
from service.workflows.ports.configuration import Resources

Spec = TypeVar("Spec")

AT_ONCE = 500
NEWEST_FIRST = ("Newer", "Older")
OLDEST_FIRST = ("Older", "Newer")
FULLEST_FIRST = ("Fuller ones", "Less full ones")
RUNNING_FIRST = ("Those before", "Those after")


@dataclass(frozen=True, slots=True)
class PartLinks:
    """How many are shown, and the parts before and after: words and an address, empty where there is none."""

    shown: int = 0
    before: tuple[str, str] = ("", "")
    after: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class AskedPart:
    """The part that a page's address asks for. `kept` is the rest of the query: filters, which links keep."""

    cursor: str | None = None
    kept: Sequence[tuple[str, str]] = ()

    def links(self, path: str, page: Page[object], order: tuple[str, str]) -> PartLinks:
        """Returns the links around a page; `order` has the words for what is before and after it."""
        before, after = (self._address(path, cursor) for cursor in (page.previous, page.next))
        return PartLinks(len(page.items), (order[0], before), (order[1], after))

    def _address(self, path: str, cursor: str | None) -> str:
        return f"{path}?{urlencode([*self.kept, ('cursor', cursor)])}" if cursor else ""


FIRST_PART = AskedPart()


def asked_part(request: Request, cursor: Cursor = None) -> AskedPart:
    return AskedPart(cursor, [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"])


AskedPartDep = Annotated[AskedPart, Depends(asked_part)]


@dataclass(frozen=True, slots=True)
class ListPart(Generic[Spec]):
    """A part of a list of resources: those that can be read, and a sentence for each that cannot."""

    readable: Sequence[Resource[Spec]]
    unreadable: Sequence[str]


async def all_of(store: Resources[Spec]) -> list[Resource[Spec] | UnreadableDocument]:
    """Returns all resources by id, oldest first, for lists in an order that nobody knows before they are read."""
    page = await store.page(limit=AT_ONCE, cursor=None)
    found = [*page.items]
    while page.next:
        page = await store.page(limit=AT_ONCE, cursor=page.next)
        found += page.items
    return found


def sorted_out(page: Page[Resource[Spec] | UnreadableDocument]) -> ListPart[Spec]:
    readable = [one for one in page.items if not isinstance(one, UnreadableDocument)]
    return ListPart(readable, [str(one) for one in page.items if isinstance(one, UnreadableDocument)])
