"""The pages in a real browser: signing in, looking deeper, answering an alert; and whether everybody can use them."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from service.workflows.alerts.evaluate import run_evaluation
from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine: apt install chromium"),
]
PHONE = {"width": 390, "height": 844}
PLACES = ("/", "/pages/spend", "/pages/chargeback?month=2026-11", "/pages/alerts")


@asynccontextmanager
async def served(stand: Stand) -> AsyncIterator[str]:
    """The application on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(stand.app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


async def sign_in(page: Page, site: str, place: str = "/") -> None:
    await page.goto(f"{site}{place}")
    await page.fill("#token", "tcn_FAKE-operator-token-of-the-tests")
    await page.click("button.main")
    await page.wait_for_url(f"{site}{place}")


async def fired(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    await stand.spend(ENG, "123.45")
    await run_evaluation(stand.ports, source["id"])


async def test_somebody_signs_in_looks_deeper_and_acknowledges(stand: Stand, tmp_path: Path) -> None:
    await fired(stand)
    async with served(stand) as site, chromium() as browser:
        page = await browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        await sign_in(page, site, "/pages/spend")
        await page.click("text=wrkspc_eng")
        assert await page.locator("th").first.inner_text() == "Model"
        await page.click("text=Alerts")
        await page.click("ul.alerts a")
        await page.fill("#note", "a batch job")
        await page.click("button[value=acknowledge]")
        await page.wait_for_selector("text=Acknowledged by")
        await page.screenshot(path=tmp_path / "alert.png", full_page=True)
        (alert,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
        assert (alert["state"], alert["acknowledged_by"]) == ("acknowledged", "token:the operator")
        assert said == [], "the console stays empty: nothing is blocked by the policy, nothing is missing"


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_everybody_can_use_every_page_also_on_a_phone(stand: Stand, theme: str) -> None:
    await fired(stand)
    async with served(stand) as site, chromium() as browser:
        dark_or_light = "dark" if theme == "dark" else "light"
        context = await browser.new_context(color_scheme=dark_or_light, viewport=PHONE)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(f"{site}/")
        await is_usable(page)
        await sign_in(page, site)
        (alert,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
        for place in (*PLACES, f"/pages/alerts/{alert['id']}"):
            await page.goto(f"{site}{place}")
            await is_usable(page)


async def is_usable(page: Page) -> None:
    """Nothing is wider than the screen, and axe-core finds nothing that keeps anybody from using the page."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    found = (await Axe().run(page)).response["violations"]
    grave = [f"{page.url}: {one['id']}: {one['help']}" for one in found if one["impact"] in {"serious", "critical"}]
    assert grave == []
