"""docs/pictures, drawn by `make pictures`: the product with an invented organisation, whose agent runs in a loop."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import httpx
from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SITE, SIMULATOR = "http://127.0.0.1:8400", "http://127.0.0.1:8401"
CLOCK = "2026-11-18T06:50:00Z@60"
LOOP = {"scenario": "runaway_loop", "api_key_id": "apikey_support_bot", "hours": 5}
AMOUNTS = {"demo: organisation, monthly": "16000.00", "demo: each workspace, weekly": "2500.00"}
PATIENCE = 300


@contextmanager
def running() -> Iterator[str]:
    """The product with an empty store. Yields its admin token."""
    with TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("tocsin")), "up"]
        settings = {"TOCSIN_CLOCK": CLOCK, "TOCSIN_DATA_DIR": folder, "TOCSIN_PORT": "8400"}
        process = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            yield next(found[0] for line in process.stdout if (found := re.search(r"tcn_\S+", line)))
        finally:
            process.terminate()
            process.wait()


def awaited(api: httpx.Client, path: str) -> dict[str, Any]:
    """The first item of a list that fills within minutes."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if items := api.get(path).raise_for_status().json()["items"]:
            return dict(items[0])
        time.sleep(1)
    raise TimeoutError(f"nothing came to {path}")


def made_unusual(api: httpx.Client) -> str:
    """Budgets that an organisation of this size would have, and a loop. Returns the address of its alert."""
    awaited(api, "/v1/alerts")
    for name, amount in AMOUNTS.items():
        api.patch(f"/v1/budgets/{name}", json={"amount": amount}).raise_for_status()
    httpx.post(f"{SIMULATOR}/_simulator/incidents", json=LOOP).raise_for_status()
    return f"/pages/alerts/{awaited(api, '/v1/alerts?rule=unusual%20spend')['id']}"


def drawn(page: Page, name: str, place: str) -> None:
    page.goto(f"{SITE}{place}")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with running() as token, httpx.Client(base_url=SITE, headers={"Authorization": f"Bearer {token}"}) as api:
        alert = made_unusual(api)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            shown: tuple[tuple[Literal["light", "dark"], str, str], ...] = (
                ("light", "overview", "/"),
                ("dark", "alert", alert),
                ("light", "spend", "/pages/spend"),
            )
            for scheme, name, place in shown:
                page = browser.new_page(viewport={"width": 1000, "height": 1140}, color_scheme=scheme)
                page.goto(f"{SITE}/sign-in")
                page.fill("#token", token)
                page.click("button.main")
                drawn(page, name, place)
            browser.close()


if __name__ == "__main__":
    main()
