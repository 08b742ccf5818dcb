"""The first steps of an empty installation, and what each says when it fails."""

from __future__ import annotations

from datetime import timedelta

from service.domain.access import Role
from service.domain.sources.source import SourceKind
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.sources import SourceError
from service.workflows.sources.ingest import run_ingest
from tests.api.dashboard.browser import signed_in
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered

KEY = {"/name": "production", "/admin_key": "sk-ant-admin01-FAKE-production", "/base_url": "https://api.anthropic.com"}
SLACK = {"/token": "xoxb-FAKE-token", "/channel": "#claude-spend"}


async def test_an_empty_installation_leads_to_the_first_steps(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/pages/start")
    assert "Check it, and begin" in (await opened.get("/pages/start")).text


async def test_a_viewer_is_told_that_an_admin_takes_the_steps(stand: Stand) -> None:
    opened = await signed_in(stand, Role.VIEWER)
    assert "sign in with an admin" in (await opened.get("/pages/start")).text
    assert (await opened.post("/pages/start/key", data=KEY)).status_code == 403
    assert answered(await stand.admin.get("/v1/sources"))["items"] == []


async def test_a_key_that_fails_its_check_is_not_polled_with_and_can_be_corrected(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)

    async def refuse() -> None:
        raise SourceError("The Claude Admin API does not know the admin key <b>: it is wrong", retryable=False)

    stand.source.naming = refuse
    answer = await opened.post("/pages/start/key", data=KEY)
    assert answer.status_code == 422
    assert "does not know the admin key &lt;b&gt;" in answer.text
    (source,) = answered(await stand.admin.get("/v1/sources"))["items"]
    assert source["enabled"] is False
    stand.source.naming = None
    answer = await opened.post("/pages/start/key", data=KEY | {"/admin_key": "sk-ant-admin01-FAKE-corrected"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/pages/start#read")
    (source,) = answered(await stand.admin.get("/v1/sources"))["items"]
    assert (source["enabled"], source["admin_key"]["hint"]) == (True, "...cted")


async def test_a_wrong_address_comes_back_with_the_form(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post("/pages/start/key", data=KEY | {"/base_url": "http://10.0.0.1", "/name": "a&b"})
    assert answer.status_code == 422
    assert "is a private address" in answer.text
    assert 'value="a&amp;b"' in answer.text
    assert answered(await stand.admin.get("/v1/sources"))["items"] == []


async def test_the_real_organisation_ends_the_simulation_and_is_watched_by_the_usual_rules(stand: Stand) -> None:
    simulated = await stand.create("/sources", SOURCE | {"name": "simulator", "kind": SourceKind.SIMULATOR.value})
    opened = await signed_in(stand, Role.ADMIN)
    await opened.post("/pages/start/key", data=KEY)
    assert answered(await stand.admin.get(f"/v1/sources/{simulated['id']}"))["enabled"] is False
    rules = answered(await stand.admin.get("/v1/rules"))["items"]
    assert {rule["source"] for rule in rules} == {"production"}
    assert len(rules) == 3
    polls = answered(await stand.admin.get("/v1/sources/production/polls"))["items"]
    assert min(one["window"]["start"] for one in polls if one["window"]) <= "2026-08-01", "the last three whole months"


async def test_a_budget_is_suggested_from_what_was_spent_and_created(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    await opened.post("/pages/start/key", data=KEY)
    assert "once they are read" in (await opened.get("/pages/start")).text
    await poll(stand)
    await stand.spend(ENG, "1234.56", day=TODAY - timedelta(days=30))
    page = (await opened.get("/pages/start")).text
    assert 'October 2026 <span title="$1,234.56">$1,234.56</span>' in page
    assert 'value="1500.00"' in page
    answer = await opened.post("/pages/start/budget", data={"/name": "all of it", "/amount": "lots"})
    assert answer.status_code == 422
    assert 'value="lots"' in answer.text
    await opened.post("/pages/start/budget", data={"/name": "all of it", "/amount": "1500.00"})
    (budget,) = answered(await stand.admin.get("/v1/budgets"))["items"]
    assert (budget["amount"], budget["source"]) == ("1500.00", "production")


async def poll(stand: Stand) -> None:
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        waiting = [one for one in await uow.polls.unfinished(source.id) if one.window is None]
    for one in waiting:
        await run_ingest(stand.ports, source.id, one.id)


async def test_slack_takes_all_alerts_and_a_test_shows_what_it_answers(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "console"}]}))
    opened = await signed_in(stand, Role.ADMIN)
    await opened.post("/pages/start/key", data=KEY)
    answer = await opened.post("/pages/start/slack", data=SLACK | {"/token": "xoxp-FAKE"})
    assert answer.status_code == 422
    assert "a bot&#39;s token begins with xoxb-" in answer.text
    answer = await opened.post("/pages/start/slack", data=SLACK)
    assert answer.headers["location"] == "/pages/start#test"
    (route,) = answered(await stand.admin.get("/v1/routes"))["items"]
    assert route["receiver"] == "slack"
    stand.channels.refusals["slack_bot"] = DeliveryError("not_in_channel: invite the app")
    page = (await opened.post("/pages/start/test")).text
    assert "slack refused it.</b> not_in_channel: invite the app" in page
    del stand.channels.refusals["slack_bot"]
    assert "slack took it." in (await opened.post("/pages/start/test")).text
