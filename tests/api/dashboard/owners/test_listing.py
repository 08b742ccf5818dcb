"""Everything that can have an owner: whose it is, what it cost this month, and what has none."""

from __future__ import annotations

import re
from html import unescape

from service.domain.access import Role
from service.domain.values.scopes import Dimension, ScopeKey
from tests.api.dashboard.browser import signed_in
from tests.api.sources.test_owners import patch
from tests.api.stand import Stand

PLACE = "/pages/owners"


def names(page: str) -> list[str]:
    return re.findall(r"<tr><td>(?:<a [^>]*>)?([^<]+)", page)


def tile(page: str) -> str:
    """What nobody answers for."""
    (found,) = re.findall(r"Of it without [^<]+</span><b><span[^>]*>([^<]+)<", page)
    return unescape(found)


async def test_what_costs_most_comes_first_and_what_nobody_owns_is_added_up(spent: Stand) -> None:
    opened = await signed_in(spent)
    page = (await opened.get(PLACE)).text
    assert names(page) == ["wrkspc_eng", "apikey_ci", "wrkspc_research", "apikey_lab"]
    assert tile(page) == "$40.00"
    assert "/pages/owners/edit" not in page, "an operator changes none"
    await patch(spent, {"member": "workspace:wrkspc_eng", "owner": "eng", "tags": {"team": "core"}})
    page = (await opened.get(f"{PLACE}?without=owner")).text
    assert names(page) == ["wrkspc_research", "apikey_lab"], "a key is its workspace's owner's"
    assert tile(page) == "$10.00"
    page = (await opened.get(PLACE)).text
    key = page[page.index("apikey_ci") : page.index("wrkspc_research")]
    assert "its workspace's: eng, team=core" in key


async def test_a_tag_that_something_lacks_is_looked_for_as_an_owner_is(spent: Stand) -> None:
    await patch(spent, {"member": "api_key:apikey_lab", "tags": {"team": "lab"}})
    opened = await signed_in(spent)
    page = (await opened.get(f"{PLACE}?without=tag%3Ateam")).text
    assert names(page) == ["wrkspc_eng", "apikey_ci", "wrkspc_research"]
    assert tile(page) == "$30.00"
    assert (await opened.get(f"{PLACE}?without=tag%3Anobody")).status_code == 422
    assert (await opened.get(f"{PLACE}?without=x")).status_code == 422


async def test_a_part_of_a_name_finds_who_has_it(spent: Stand) -> None:
    opened = await signed_in(spent, Role.ADMIN)
    assert names((await opened.get(f"{PLACE}?named=LAB")).text) == ["apikey_lab"]
    assert "all that was seen has another name" in (await opened.get(f"{PLACE}?named=%3Cb%3E")).text


async def test_people_have_owners_where_they_are_known(spent: Stand) -> None:
    ada = ScopeKey(Dimension.ACTOR, "person_aaaaaaaaaaaaaaaa")
    async with spent.ports.uow() as uow:
        (source,) = await uow.sources.all()
        await uow.directory.note_named(source.id, {ada: "ada@people.example"}, spent.clock())
    await patch(spent, {"member": "actor:ada@people.example", "owner": "eng"})
    opened = await signed_in(spent, Role.ADMIN)
    page = (await opened.get(f"{PLACE}?named=ada")).text
    assert names(page) == ["ada@people.example"]
    (form,) = re.findall(r'href="(/pages/owners/edit[^"]+)"', page)
    assert "<h1>Person ada@people.example</h1>" in (await opened.get(unescape(form))).text


async def test_without_a_source_it_says_what_to_do(stand: Stand) -> None:
    assert "No organisation is read yet" in (await (await signed_in(stand)).get(PLACE)).text
