"""Reading every page of a list, or failing: a part of a report must never pass for the whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.adapters.claude.answers import LONGEST_TOKEN, AnswerPage, NotUnderstood, Record, flag, text_or_none
from service.adapters.claude.client import Query, Report
from service.adapters.claude.failures import RequestFailed

MOST_PAGES = 1_000
_GONE = 410

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Cursor:
    """How a list continues: the answer's field and the parameter it is sent back in."""

    field: str
    parameter: str


BY_TOKEN = Cursor("next_page", "page")
"""Pages of reports. The token is opaque, goes back verbatim, and holds for unchanged parameters only."""

BY_ID = Cursor("last_id", "after_id")
"""Pages of workspaces and of API keys."""


@dataclass(frozen=True, slots=True)
class Paged(Generic[Item]):
    """A list to read: where it is, how an item is parsed, and what tells two items apart."""

    path: str
    query: Query
    cursor: Cursor
    parse: Callable[[bytes], Item]
    identity: Callable[[Item], Hashable]


@dataclass(frozen=True, slots=True)
class Pages(Generic[Item]):
    """Every item of a list, and what stood beside the items on each page."""

    items: tuple[Item, ...]
    answers: tuple[Record, ...]


async def read_all(report: Report, paged: Paged[Item]) -> tuple[Item, ...]:
    """Every item of a list, as by `read_pages`."""
    return (await read_pages(report, paged)).items


async def read_pages(report: Report, paged: Paged[Item]) -> Pages[Item]:
    """Every page of a list. Raises RequestFailed, and NotUnderstood when the pages do not fit together.

    A page token may expire while a long report is read (410): then it is read once more from its start.
    """
    try:
        return await _read(report, paged)
    except RequestFailed as error:
        if error.status != _GONE:
            raise
    return await _read(report, paged)


async def _read(report: Report, paged: Paged[Item]) -> Pages[Item]:
    items: dict[Hashable, Item] = {}
    answers: list[Record] = []
    async for page in _pages(report, paged.path, paged.query, paged.cursor):
        answers.append(page.answer)
        for entry in page.entries:
            item = paged.parse(bytes(entry))
            identity = paged.identity(item)
            if identity in items:
                raise NotUnderstood(f"the pages overlap: {identity} came twice", retryable=True)
            items[identity] = item
            await asyncio.sleep(0)  # a page can take a second to parse: heartbeats and the deadline go on
    return Pages(tuple(items.values()), tuple(answers))


async def _pages(report: Report, path: str, query: Query, cursor: Cursor) -> AsyncIterator[AnswerPage]:
    seen: set[str] = set()
    position: str | None = None
    for _ in range(MOST_PAGES):
        page = await report.get_page(path, query if position is None else [*query, (cursor.parameter, position)])
        yield page
        if not flag(page.answer, "has_more"):
            return
        position = text_or_none(page.answer.get(cursor.field), cursor.field, longest=LONGEST_TOKEN)
        if not position:
            raise NotUnderstood(f"has_more is true but {cursor.field} is empty", retryable=True)
        if position in seen:
            raise NotUnderstood(f"{cursor.field} was repeated: the pages go in a circle", retryable=True)
        seen.add(position)
    raise NotUnderstood(f"the list does not end after {MOST_PAGES} pages", retryable=True)
