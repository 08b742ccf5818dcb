"""A month by who pays, to print: the lines add up to the cent, and say what they are not."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from service.domain.spend.best_known import EstimatedDay, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.workflows.ports.spend import Stamp
from tests.api.dashboard.browser import signed_in
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered

THIRD = SpendDay(Spend(Money.of("0.333333333333")), EstimatedDay())
CELLS = (ENG, Cell("wrkspc_b", ENG.model, "apikey_b"), Cell("wrkspc_b", ENG.model, ""))
OPS = {"member": "workspace:wrkspc_b", "tags": {"team": "ops"}}
AMOUNT = re.compile(r'<td class="figure"><span title="[^"]+">\$([0-9.]+)</span></td>')


async def spent(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    async with stand.ports.uow() as uow:
        await uow.facts.store_days(Stamp(source["id"], "poll_1", stand.clock()), {TODAY: dict.fromkeys(CELLS, THIRD)})
        await uow.directory.note_cells(source["id"], CELLS, stand.clock())


async def test_the_lines_add_up_to_the_month_s_cents(stand: Stand) -> None:
    await spent(stand)
    page = (await (await signed_in(stand)).get("/pages/chargeback?month=2026-11&by=api_key")).text
    assert sum(map(Decimal, AMOUNT.findall(page))) == Decimal("1.00")
    assert '<b><span title="$1.00">$1.00</span></b>' in page
    assert page.count("not attributable") == 1


async def test_a_month_that_is_not_over_says_so_and_leads_to_others(stand: Stand) -> None:
    await spent(stand)
    page = (await (await signed_in(stand)).get("/pages/chargeback?month=2026-11")).text
    assert "<b>Not final:</b>" in page
    assert "month=2026-10&amp;by=workspace" in page
    assert "Chargeback of production, November 2026 (UTC)" in page


async def test_an_empty_month_and_no_month(stand: Stand) -> None:
    await spent(stand)
    opened = await signed_in(stand)
    empty = (await opened.get("/pages/chargeback")).text
    assert "October 2026" in empty, "the last full month"
    assert "Nothing was spent in this month" in empty
    assert (await opened.get("/pages/chargeback?month=2026-13")).status_code == 422


async def test_it_is_also_divided_by_what_has_owners_and_tags(stand: Stand) -> None:
    await spent(stand)
    answered(
        await stand.admin.patch(
            "/v1/owners", json={"items": [{"member": "workspace:wrkspc_b", "tags": {"team": "ops"}}]}
        )
    )
    page = (await (await signed_in(stand)).get("/pages/chargeback?month=2026-11&by=tag:team")).text
    assert sum(map(Decimal, AMOUNT.findall(page))) == Decimal("1.00")
    assert page.count("not attributable") == 1
    assert "by=tag%3Ateam" in page
    assert "by=owner" not in page, "nothing has an owner"


@pytest.mark.parametrize("place", ["spend", "chargeback"])
@pytest.mark.parametrize("number", [2, 25])
async def test_every_organisation_can_be_chosen(stand: Stand, place: str, number: int) -> None:
    for n in range(number):
        await stand.create("/sources", SOURCE | {"name": f"org {n:02}", "admin_key": f"sk-ant-admin01-FAKE-{n}"})
    opened = await signed_in(stand)
    page = (await opened.get(f"/pages/{place}")).text
    assert " of org 00" in page
    links = re.findall(rf'href="(/pages/{place}\?source=[^"&]+)"[^>]*>org \d\d<', page)
    assert len(links) == number
    assert f" of org {number - 1:02}" in (await opened.get(links[-1])).text
