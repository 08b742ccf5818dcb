"""A page in a real browser on a phone, looked at in both themes; what its console says is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from service.domain.access import Role
from tests.api.dashboard.test_browser import PHONE, chromium, is_usable, pytestmark, served
from tests.api.stand import Stand

THEMES = ("light", "dark")
IN_A_BROWSER = pytestmark
"""The marks of a test that needs Chromium."""


@asynccontextmanager
async def on_a_phone(stand: Stand, said: list[str]) -> AsyncIterator[tuple[Page, str]]:
    """Yields a page and the site's address. `said` gets each line of the console."""
    async with served(stand) as site, chromium() as browser:
        page = await browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page, site


async def signed_in_at(page: Page, address: str, role: Role) -> None:
    await page.goto(address)
    await page.fill("#token", f"tcn_FAKE-{role}-token-of-the-tests")
    await page.click("button.main")
    await page.wait_for_url(address)


async def looked_at(page: Page, folder: Path, name: str) -> None:
    """Keeps a picture of each theme. Everybody can use both."""
    for theme in THEMES:
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        await is_usable(page)
        await page.screenshot(path=folder / f"{name}-{theme}.png", full_page=True)
