"""Parts of a list, walked to the end and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.access import AuditEvent, Role, Token
from service.domain.values.errors import Invalid
from service.domain.values.resources import Page
from service.workflows.ports.unit_of_work import UowFactory
from tests.factories import utc

NOW = utc("2026-11-16T12:00")
TOKEN = Token("tok_0", "ci", Role.OPERATOR, "digest", "...abcd", NOW)


async def tokens(uow: UowFactory, number: int) -> None:
    async with uow() as unit:
        for n in range(number):
            await unit.tokens.add(replace(TOKEN, id=f"tok_{n}", name=f"ci {n}", digest=f"digest-{n}"))


async def part(uow: UowFactory, cursor: str | None, limit: int = 2) -> Page[Token]:
    async with uow() as unit:
        return await unit.tokens.page(limit=limit, cursor=cursor)


async def test_a_walk_to_the_end_and_back_sees_the_same_parts(uow: UowFactory) -> None:
    await tokens(uow, 5)
    there = [await part(uow, None)]
    while there[-1].next:
        there.append(await part(uow, there[-1].next))
    back = [there[-1]]
    while back[-1].previous:
        back.append(await part(uow, back[-1].previous))
    assert [[one.id for one in page.items] for page in there] == [["tok_0", "tok_1"], ["tok_2", "tok_3"], ["tok_4"]]
    assert [page.items for page in back] == [page.items for page in reversed(there)]
    assert (there[0].previous, there[-1].next) == (None, None)
    assert (await part(uow, back[-1].next)).items == there[1].items


async def test_what_comes_newest_first_is_walked_back_newest_first(uow: UowFactory) -> None:
    async with uow() as unit:
        for n in range(3):
            at = NOW + timedelta(minutes=n)
            await unit.audit.add(AuditEvent(f"aud_{n}", at, "ci", "budget.create", "bdg_1", ""))
        first = await unit.audit.page(limit=2, cursor=None)
        second = await unit.audit.page(limit=2, cursor=first.next)
        again = await unit.audit.page(limit=2, cursor=second.previous)
    assert [one.id for one in first.items] == ["aud_2", "aud_1"]
    assert (again.items, again.previous) == (first.items, None)


async def test_rows_that_came_meanwhile_are_before_the_part_that_was_left(uow: UowFactory) -> None:
    async with uow() as unit:
        for n in range(3):
            await unit.audit.add(AuditEvent(f"aud_{n}", NOW, "ci", "budget.create", "bdg_1", ""))
        second = await unit.audit.page(limit=2, cursor=(await unit.audit.page(limit=2, cursor=None)).next)
        await unit.audit.add(AuditEvent("aud_3", NOW, "ci", "budget.create", "bdg_1", ""))
        back = await unit.audit.page(limit=2, cursor=second.previous)
        newest = await unit.audit.page(limit=2, cursor=back.previous)
    assert [one.id for one in back.items] == ["aud_2", "aud_1"]
    assert [one.id for one in newest.items] == ["aud_3"]


@pytest.mark.parametrize("text", ["", "x", "dG9rZW5z", "YXVkaXRfZXZlbnRzPmF1ZF8x"])
async def test_a_cursor_of_another_list_is_refused(uow: UowFactory, text: str) -> None:
    with pytest.raises(Invalid, match="not one that this list answered with"):
        await part(uow, text)
