"""Creating a budget in a real browser."""

from __future__ import annotations

from pathlib import Path

from service.domain.access import Role
from tests.api.dashboard.looking import IN_A_BROWSER, looked_at, on_a_phone, signed_in_at
from tests.api.stand import ENG, SOURCE, Stand, answered

pytestmark = IN_A_BROWSER


async def test_somebody_creates_a_budget_by_week(stand: Stand, tmp_path: Path) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "123.45")
    said: list[str] = []
    async with on_a_phone(stand, said) as (page, site):
        await signed_in_at(page, f"{site}/pages/budgets", Role.ADMIN)
        await looked_at(page, tmp_path, "budgets")
        await page.click("text=New budget")
        await page.fill("[name='/name']", "eng weekly")
        await page.fill("[name='/amount']", "100")
        assert not await page.is_visible("[name='/period/week_start']")
        await page.select_option("[name='/period/kind']", "weekly")
        assert await page.is_visible("[name='/period/week_start']")
        assert not await page.is_visible("[name='/period/anchor_day']")
        await looked_at(page, tmp_path, "budget-form")
        await page.click("text=Create")
        await page.wait_for_selector("h1:has-text('eng weekly')")
        assert await page.is_visible("text=$123.45")
        await looked_at(page, tmp_path, "budget")
    assert said == []
    (budget,) = answered(await stand.viewer.get("/v1/budgets"))["items"]
    assert budget["period"] == {"kind": "weekly", "timezone": "UTC", "week_start": "monday"}
