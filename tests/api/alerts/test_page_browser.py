"""An alert answered by its signed link in a real browser, where nobody has signed in."""

from __future__ import annotations

from pathlib import Path

from tests.api.alerts.test_page import alert_of, sent_link
from tests.api.dashboard.looking import IN_A_BROWSER, looked_at, on_a_phone
from tests.api.stand import Stand

pytestmark = IN_A_BROWSER


async def test_somebody_acknowledges_from_a_mail(stand: Stand, tmp_path: Path) -> None:
    link = await sent_link(stand)
    said: list[str] = []
    async with on_a_phone(stand, said) as (page, site):
        await page.goto(f"{site}{link}")
        await looked_at(page, tmp_path, "linked-alert")
        await page.click("button:has-text('Acknowledge')")
        await page.wait_for_selector("text=Acknowledged by")
        assert (await alert_of(stand))["state"] == "acknowledged"
        assert said == []
        await page.goto(f"{site}{link}x")
        await page.wait_for_selector("text=There is no such page")
        await looked_at(page, tmp_path, "altered-link")
