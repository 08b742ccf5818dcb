"""Budgets on pages: how they stand, their burn-up, and what they fired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from service.workflows.alerts.evaluate import run_evaluation
from tests.api.dashboard.browser import signed_in
from tests.api.stand import BUDGET, ENG, SOURCE, TODAY, Stand

HOSTILE = "<script>alert(1)</script>"


async def spent(stand: Stand, **fields: Any) -> dict[str, Any]:
    """A budget of $100 a month, of which $60 is spent in halves on two days of 30, by noon of the sixteenth."""
    await stand.create("/sources", SOURCE)
    budget = await stand.create("/budgets", BUDGET | fields)
    await stand.spend(ENG, "30.00", day=TODAY - timedelta(days=10))
    await stand.spend(ENG, "30.004", day=TODAY)
    return budget


async def test_without_a_source_the_list_says_what_to_do(stand: Stand) -> None:
    assert "No organisation is read yet" in (await (await signed_in(stand)).get("/pages/budgets")).text


async def test_without_a_budget_the_list_says_what_one_is(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    assert "There is no budget yet." in (await (await signed_in(stand)).get("/pages/budgets")).text


async def test_the_list_shows_the_fullest_first_and_what_is_not_watched_last(stand: Stand) -> None:
    await spent(stand)
    await stand.create("/budgets", {"name": HOSTILE, "amount": "50.00"})
    await stand.create("/budgets", {"name": "asleep", "amount": "1.00", "enabled": False})
    page = (await (await signed_in(stand)).get("/pages/budgets")).text
    assert "<script" not in page
    places = [page.index(name) for name in ("&lt;script&gt;", "eng monthly", "asleep")]
    assert places == sorted(places)
    assert "60% spent; 51% of the period is over" in page
    assert '<b class="critical">over</b>' in page
    assert page.count("not watched") == 1


async def test_one_says_what_is_spent_and_what_an_even_pace_would_be(stand: Stand) -> None:
    budget = await spent(stand)
    page = (await (await signed_in(stand)).get(f"/pages/budgets/{budget['id']}")).text
    assert '<span title="$60.004">$60.00</span>' in page
    assert '<span title="$51.70">$51.70</span>' in page
    assert "$8.30 more than at an even pace" in page
    assert "$100.00 a month (UTC): the organisation, November 2026, until 2026-12-01 00:00 UTC" in page
    assert "none</b>" in page, "two days are no history to forecast from"
    assert "nothing has been spent lately" in page


async def test_the_line_grows_with_the_days(stand: Stand) -> None:
    budget = await spent(stand)
    page = (await (await signed_in(stand)).get(f"/pages/budgets/{budget['id']}")).text
    assert "$30.00 by Mon 16 Nov, 00:00" in page
    assert "$60.00 by Mon 16 Nov, 12:00" in page
    assert " style=" not in page


async def test_a_crossed_threshold_says_when_and_leads_to_its_alert(stand: Stand) -> None:
    budget = await spent(stand, thresholds=[{"percent": 50}, {"amount": "90.00", "severity": "critical"}])
    await run_evaluation(stand.ports, (await stand.viewer.get("/v1/sources")).json()["items"][0]["id"])
    page = (await (await signed_in(stand)).get(f"/pages/budgets/{budget['id']}")).text
    assert "<td>2026-11-16 12:00 UTC</td>" in page
    assert "<td>not in this period</td>" in page
    assert "\N{CHECK MARK} reached" in page.replace("&#10003;", "\N{CHECK MARK}")
    (alert,) = (await stand.viewer.get("/v1/alerts")).json()["items"]
    assert f'href="/pages/alerts/{alert["id"]}"' in page


async def test_each_member_has_a_page_of_its_own(stand: Stand) -> None:
    budget = await spent(stand, for_each="workspace")
    opened = await signed_in(stand)
    address = f"/pages/budgets/{budget['id']}"
    first = (await opened.get(address)).text
    assert "$100.00 a month (UTC) for each workspace: workspace wrkspc_eng" in first
    other = await opened.get(address, params={"of": "workspace:gone@2026-11-01T00:00"})
    assert other.status_code == 200


async def test_a_rolling_budget_of_nothing_is_shown(stand: Stand) -> None:
    budget = await spent(stand, amount="0.00", period={"kind": "rolling", "days": 7}, thresholds=[])
    page = (await (await signed_in(stand)).get(f"/pages/budgets/{budget['id']}")).text
    assert "in any 7 days" in page
    assert "It has none: nothing of it fires." in page


async def test_a_budget_that_is_gone_is_a_page_that_says_so(stand: Stand) -> None:
    answer = await (await signed_in(stand)).get("/pages/budgets/bud_gone")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
