"""The first page: what is spent, how budgets stand, what is open, how fresh it is."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

from service.domain.spend.rows import Bucket, Width
from service.domain.values.periods import Window
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.spend import Stamp
from tests.api.dashboard.browser import signed_in
from tests.api.stand import BUDGET, ENG, SOURCE, TODAY, Stand, midnight

HOSTILE = "<script>alert(1)</script>"


async def test_it_shows_the_days_dollars_and_the_budget_that_is_over(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET | {"name": HOSTILE})
    await stand.spend(ENG, "123.456789")
    await run_evaluation(stand.ports, source["id"])
    page = (await (await signed_in(stand)).get("/")).text
    assert '<span title="$123.456789">$123.45</span>' in page
    assert "Mon 16 Nov: $123.45, billed" in page
    assert "123% spent; 51% of the period is over" in page
    assert '<b class="critical">over</b>' in page
    assert "FIRING" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


async def test_a_budget_of_the_list_leads_to_its_scope_and_ends_in_its_own_zone(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    berlin = {"kind": "monthly", "timezone": "Europe/Berlin"}
    budget = await stand.create("/budgets", BUDGET | {"for_each": "workspace", "period": berlin})
    await stand.spend(ENG, "23.45")
    browser = await signed_in(stand)
    page = (await browser.get("/")).text
    assert "November 2026, until 2026-12-01 00:00 Europe/Berlin" in page
    (address,) = re.findall(rf'href="(/pages/budgets/{budget["id"]}[^"]*)"', page)
    assert "$23.45" in (await browser.get(unescape(address))).text


async def test_a_budget_that_is_off_is_not_said_to_be_missing(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET | {"enabled": False})
    page = (await (await signed_in(stand)).get("/")).text
    assert "There is no budget yet" not in page
    assert 'No budget watches anything now. <a href="/pages/budgets">' in page


async def test_spend_of_yesterday_is_not_todays(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "50.00", day=TODAY - timedelta(days=1))
    page = (await (await signed_in(stand)).get("/")).text
    assert 'Today, UTC</span><b><span title="$0.00">$0.00</span></b>' in page
    assert 'November 2026 so far</span><b><span title="$50.00">$50.00</span></b>' in page


async def test_an_hour_that_runs_is_known_until_now(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.ports.storage.make_room(Window(midnight(TODAY), midnight(TODAY) + timedelta(days=1)))
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        stamp, hour = Stamp(source.id, "poll_1", stand.clock()), midnight(TODAY) + timedelta(hours=12)
        await uow.facts.replace_usage(stamp, Width.HOUR, [Bucket(Window(hour, hour + timedelta(hours=1)), ())])
    stand.clock.advance(timedelta(minutes=10))
    browser = await signed_in(stand)
    for place in ("/", f"/pages/sources/{source.id}"):
        assert "<dt>Estimated until</dt><dd>2026-11-16 12:10 UTC</dd>" in (await browser.get(place)).text


async def test_a_source_that_was_never_read_says_so(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    page = (await (await signed_in(stand)).get("/")).text
    assert "<dt>Bill read</dt><dd>not yet</dd>" in page
    assert '<span class="quiet">nothing was read yet</span>' in page


async def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    answer = await (await signed_in(stand)).get("/")
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert " style=" not in answer.text, "the policy forbids it: nothing would be seen of it"
