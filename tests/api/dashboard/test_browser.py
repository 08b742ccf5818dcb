"""The pages in a real browser: signing in, looking deeper, answering an alert; and whether everybody can use them."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from service.adapters.claude.connector import ClaudeConnector
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.cli.serving import serving
from service.domain.access import Role
from service.domain.sources.poll import PollKind
from service.simulator.app import create_app as create_simulator
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import Faults
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.platform import Egress
from service.workflows.ports.unit_of_work import Ports
from service.workflows.sources.backfill import run_backfill
from service.workflows.sources.ingest import run_ingest
from tests.api.access.test_audit_events import ROTA
from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered
from tests.fakes.clock import FakeClock
from tests.fakes.fixed_world import FixedWorld, token_cost

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine: apt install chromium"),
]
PHONE = {"width": 390, "height": 844}
PLACES = (
    "/",
    "/pages/spend",
    "/pages/chargeback?month=2026-11",
    "/pages/claude-code",
    "/pages/owners",
    "/pages/owners/edit?source=production&member=workspace%3Awrkspc_eng",
    "/pages/owners/file",
    "/pages/prices",
    "/pages/prices/new?model=claude-next&measure=output_tokens",
    "/pages/alerts",
    "/pages/start",
    "/pages/sources",
    "/pages/sources/new",
    "/pages/sources/production",
    "/pages/sources/production/drill",
    "/pages/receivers",
    "/pages/receivers/new?add=slack",
    "/pages/routes?severity=critical",
    "/pages/routes/edit",
    "/pages/silences/new",
    "/pages/escalation/new",
    "/pages/rotas",
    "/pages/rotas/new",
    "/pages/rotas/eng/calendar",
    "/pages/digests",
    "/pages/digests/new",
    "/pages/digests/weekly",
    "/pages/rules",
    "/pages/planned-activities",
    "/pages/planned-activities/new",
    "/pages/planned-activities/migration",
    "/pages/settings",
    "/pages/slack-users",
    "/pages/slack-users/new",
    "/pages/tokens",
    "/pages/audit",
)


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


async def sign_in(page: Page, site: str, place: str = "/", role: Role = Role.OPERATOR) -> None:
    await page.goto(f"{site}{place}")
    await page.fill("#token", f"tcn_FAKE-{role}-token-of-the-tests")
    await page.click("button.main")
    await page.wait_for_url(f"{site}{place}")


async def fired(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    await stand.spend(ENG, "123.45")
    await run_evaluation(stand.ports, source["id"])


async def told(stand: Stand) -> None:
    """A digest that has been asked for."""
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    await stand.create("/digests", {"name": "weekly", "receiver": "console", "cron": "0 9 * * 1"})
    answered(await stand.operator.post("/v1/digests/weekly/send"), 202)
    planned = {"starts_at": "2026-11-16", "ends_at": "2026-11-20", "extra_amount": "500", "comment": "to a new model"}
    await stand.create("/rules", {"name": "jump", "kind": "change"})
    await stand.create("/planned-activities", {"name": "migration", **planned})


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
async def test_somebody_hands_an_alert_on(stand: Stand, theme: str, tmp_path: Path) -> None:
    await fired(stand)
    for name in ("bob@example.com", "oncall"):
        await stand.create("/receivers", {"name": name, "channels": [{"kind": "console"}]})
    async with served(stand) as site, chromium() as browser:
        dark_or_light = "dark" if theme == "dark" else "light"
        for width, to in ((PHONE["width"], "bob@example.com"), (1280, "oncall")):
            viewport = {"width": width, "height": PHONE["height"]}
            context = await browser.new_context(color_scheme=dark_or_light, viewport=viewport)  # type: ignore[arg-type]
            page = await context.new_page()
            await sign_in(page, site, "/pages/alerts")
            await page.click("ul.alerts a")
            await page.click("details.handover summary")
            if width == PHONE["width"]:
                await is_usable(page)
            await page.screenshot(path=tmp_path / f"{theme}-{width}-form.png", full_page=True)
            await page.select_option("#to", label=to)
            await page.fill("#why", "your key")
            await page.click("details.handover button")
            await page.wait_for_selector(f"text=Handed on by the operator to {to}. Note: your key")
            await page.screenshot(path=tmp_path / f"{theme}-{width}-handed.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_everybody_can_use_every_page_also_on_a_phone(stand: Stand, theme: str, tmp_path: Path) -> None:
    await fired(stand)
    await stand.create("/receivers", {"name": "spare", "channels": [{"kind": "console"}]})
    await stand.create("/rotas", ROTA)
    async with served(stand) as site, chromium() as browser:
        dark_or_light = "dark" if theme == "dark" else "light"
        context = await browser.new_context(color_scheme=dark_or_light, viewport=PHONE)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(f"{site}/")
        await is_usable(page)
        await sign_in(page, site, role=Role.ADMIN)
        (alert,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
        await told(stand)
        for place in (*PLACES, f"/pages/alerts/{alert['id']}"):
            await page.goto(f"{site}{place}")
            await is_usable(page)
            await page.screenshot(
                path=tmp_path / f"{theme}-{place.strip('/').replace('/', '-')[:40]}.png", full_page=True
            )


async def test_the_first_steps_lead_from_a_key_to_the_first_message(
    stand: Stand, clock: FakeClock, tmp_path: Path
) -> None:
    """Against the simulator. Jobs are run by hand while the page follows."""
    guard = Guard(parse_networks("127.0.0.0/8"))
    world = FixedWorld()
    for days in range(1, 40):
        world.set_cost((clock() - timedelta(days=days)).date(), token_cost("123456", None, model="claude-sonnet-4-5"))
    simulator = create_simulator(world, clock, Faults(), Behaviour(requests_per_minute=100_000))
    async with serving(simulator) as address, open_transport(guard, proxy=None) as transport, chromium() as browser:
        connector = ClaudeConnector(stand.ports.vault, transport)
        stand.app.state.ports = replace(stand.ports, sources=connector, egress=Egress(guard, guard))
        async with served(stand) as site:
            page = await browser.new_page()
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            await page.goto(site)
            await page.fill("#token", "tcn_FAKE-admin-token-of-the-tests")
            await page.click("button.main")
            await page.wait_for_url(f"{site}/pages/start")
            await page.fill("#at-base_url", address)
            await page.fill("#at-admin_key", "sk-ant-api03-FAKE-of-a-workspace")
            await page.click("text=Check it, and begin")
            await page.wait_for_selector("text=the keys of workspaces")
            await page.screenshot(path=tmp_path / "start-refused.png", full_page=True)
            await page.fill("#at-admin_key", "sk-ant-admin01-FAKE-key-of-the-tests")
            await page.click("text=Check it, and begin")
            await page.wait_for_selector("text=0 of 4 reports are read.")
            await page.evaluate("document.activeElement.blur()")
            await read_all(stand.app.state.ports)
            await page.wait_for_selector("text=The last three months are read.")
            await page.wait_for_selector("#at-amount")
            await page.screenshot(path=tmp_path / "start-read.png", full_page=True)
            await page.click("text=Create the budget")
            await page.fill("#at-token", "xoxb-FAKE-token")
            await page.click("text=Send all alerts there")
            await page.click("text=Send a test message")
            await page.wait_for_selector("text=slack took it.")
            await page.screenshot(path=tmp_path / "start-done.png", full_page=True)
            assert [line for line in said if "422" not in line] == [], "the browser notes the refused form itself"
    (budget,) = answered(await stand.admin.get("/v1/budgets"))["items"]
    assert len(stand.channels.sent) == 1
    assert budget["source"] == "production"


async def read_all(ports: Ports) -> None:
    """Runs the jobs of the source that are queued."""
    async with ports.uow() as uow:
        (source,) = await uow.sources.all()
        waiting = await uow.polls.unfinished(source.id)
    for poll in waiting:
        if poll.kind is not PollKind.BACKFILL:
            await run_ingest(ports, source.id, poll.id)
    for poll in waiting:
        for _ in range(5 if poll.kind is PollKind.BACKFILL else 0):
            await run_backfill(ports, source.id, poll.id)


async def is_usable(page: Page) -> None:
    """Nothing is wider than the screen, and axe-core finds nothing that keeps anybody from using the page."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    found = (await Axe().run(page)).response["violations"]
    grave = [f"{page.url}: {one['id']}: {one['help']}" for one in found if one["impact"] in {"serious", "critical"}]
    assert grave == []
