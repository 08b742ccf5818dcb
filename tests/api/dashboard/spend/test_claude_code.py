"""Claude Code: who did what, what it is estimated to cost, and why there is nothing to see."""

from __future__ import annotations

import re

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.spend.test_claude_code import used
from tests.api.stand import SOURCE, Stand, answered

PLACE = "/pages/claude-code"


def lines(page: str) -> list[list[str]]:
    """The cells of each line, without their marks."""
    rows = re.findall(r"<tr>(<td>.*?)</tr>", page, re.DOTALL)
    return [[re.sub("<[^>]*>", " ", cell).strip() for cell in re.findall(r"<td.*?</td>", row)] for row in rows]


async def test_people_stand_with_what_they_did_and_its_estimate_is_marked_as_one(stand: Stand) -> None:
    await used(stand)
    page = (await (await signed_in(stand)).get(PLACE)).text
    assert "estimated by Claude Code, not on the bill" in page
    assert '<b><span title="$7.00">$7.00</span></b>' in page
    assert lines(page) == [
        ["ada@people.example", "3", "+100 -40", "2", "80%", "$6.50"],
        ["nobody known", "1", "+0 -0", "0", "none proposed", "$0.50"],
    ]


async def test_it_is_divided_by_model_day_and_terminal(stand: Stand) -> None:
    await used(stand)
    opened = await signed_in(stand)
    by_model = lines((await opened.get(f"{PLACE}?by=model")).text)
    assert by_model == [["claude-opus-5-5", "80", "20", "$6.00"], ["claude-haiku-4-5", "16", "4", "$1.00"]]
    assert [one[0] for one in lines((await opened.get(f"{PLACE}?by=terminal")).text)] == ["vscode", "tmux"]
    assert [one[0] for one in lines((await opened.get(f"{PLACE}?by=day&days=7")).text)] == ["2026-11-14"]
    assert (await opened.get(f"{PLACE}?by=tool")).status_code == 422


async def test_it_says_why_there_is_nothing_to_see_and_where_to_change_that(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    assert "No organisation is read yet" in (await opened.get(PLACE)).text
    source = await stand.create("/sources", SOURCE)
    page = (await opened.get(PLACE)).text
    assert "report of Claude Code is not read" in page
    assert f'href="/pages/sources/{source["id"]}/edit"' in page
    answered(await stand.admin.patch("/v1/sources/production", json={"claude_code": True}))
    assert "Nothing has been read of these days yet" in (await opened.get(PLACE)).text
    assert "/edit" not in (await (await signed_in(stand)).get(PLACE)).text, "an operator asks an admin"


async def test_where_people_are_off_it_says_so_beside_nobody(stand: Stand) -> None:
    await used(stand)
    opened = await signed_in(stand, Role.ADMIN)
    assert "what is kept of people is off" not in (await opened.get(PLACE)).text
    answered(await stand.admin.patch("/v1/sources/production", json={"people": "off"}))
    assert "ada@people.example" not in (await opened.get(PLACE)).text
