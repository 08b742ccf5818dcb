"""A rule's backtest in a real browser."""

from __future__ import annotations

from pathlib import Path

from service.domain.access import Role
from service.workflows.backtest import run_backtest
from tests.api.dashboard.looking import IN_A_BROWSER, looked_at, on_a_phone, signed_in_at
from tests.api.dashboard.rules.test_trying import joined
from tests.api.stand import Stand, answered

pytestmark = IN_A_BROWSER


async def test_somebody_moves_the_slider_and_saves_what_they_saw(stand: Stand, tmp_path: Path) -> None:
    id = await joined(stand)
    said: list[str] = []
    async with on_a_phone(stand, said) as (page, site):
        await signed_in_at(page, f"{site}/pages/rules", Role.ADMIN)
        await looked_at(page, tmp_path, "rules")
        await page.click("text=newcomers")
        await looked_at(page, tmp_path, "rule")
        await page.click("text=Try it over the last 90 days")
        await page.wait_for_selector("text=It waits for a worker")
        (backtest,) = answered(await stand.viewer.get("/v1/backtests"))["items"]
        await run_backtest(stand.ports, backtest["id"])
        await page.wait_for_selector("text=Would have fired once in 20 days")
        assert await page.is_visible("b:has-text('Least excess, US dollars: $20.00.')")
        await page.check("label:has-text('$40.00') input")
        assert await page.is_visible("b:has-text('Least excess, US dollars: $40.00.')")
        assert not await page.is_visible("b:has-text('Least excess, US dollars: $20.00.')")
        await looked_at(page, tmp_path, "tried")
        await page.click("text=Set the form below to it")
        assert await page.input_value("[name='/gates/min_amount']") == "40.00"
        await page.click("button:has-text('Save')")
        await page.wait_for_url(f"{site}/pages/rules/{id}")
    assert said == []
    assert answered(await stand.viewer.get(f"/v1/rules/{id}"))["gates"]["min_amount"] == "40.00"


async def test_an_operator_tries_a_rule_that_has_no_name_yet(stand: Stand, tmp_path: Path) -> None:
    await joined(stand)
    said: list[str] = []
    async with on_a_phone(stand, said) as (page, site):
        await signed_in_at(page, f"{site}/pages/rules", Role.OPERATOR)
        await page.click("a[href$=first_seen]")
        await looked_at(page, tmp_path, "to-try")
        await page.select_option("[name='/params/dimension']", "workspace")
        await page.click("text=Try it over the last 90 days")
        await page.wait_for_selector("text=It waits for a worker")
        (backtest,) = answered(await stand.viewer.get("/v1/backtests"))["items"]
        await run_backtest(stand.ports, backtest["id"])
        await page.wait_for_selector("text=Would have fired once in 20 days")
        await looked_at(page, tmp_path, "tried")
    assert said == []
