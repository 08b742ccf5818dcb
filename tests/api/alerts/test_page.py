"""The page behind a message's link: for phones without a login, and for mail scanners that change nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from httpx import Response

from service.api.app import create_app
from service.domain.notify.page_links import LinkUse
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.unit_of_work import UnitOfWork
from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered, client, problem

HOSTILE = "<script>alert(1)</script>"
MAIL: dict[str, Any] = {"kind": "email", "to": ["finops@example.com"]}
HOOK: dict[str, Any] = {
    "kind": "webhook",
    "url": "https://hook.example/x",
    "secret": "whsec_FAKEFAKEFAKEFAKEFAKEFAKEFAKEFAKE",
}


async def sent_link(stand: Stand, channel: dict[str, Any] = MAIL) -> str:
    """The path of the link in the message that a channel got of a budget with a hostile name."""
    source = await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "oncall", "channels": [channel]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "oncall"}]}))
    await stand.create("/budgets", BUDGET | {"name": HOSTILE})
    await stand.spend(ENG, "123.45")
    await run_evaluation(stand.ports, source["id"])
    await run_delivery(stand.ports)
    _, delivery = stand.channels.sent[-1]
    return delivery.message.link.removeprefix(stand.ports.public_url)


async def alert_of(stand: Stand) -> dict[str, Any]:
    (alert,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
    detail: dict[str, Any] = answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}"))
    return detail


def is_a_plain_page(answer: Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "alert_" not in answer.text
    assert "oncall" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_a_mails_link_shows_the_alert_without_a_login(stand: Stand) -> None:
    page = await stand.stranger.get(await sent_link(stand))
    assert page.status_code == 200
    assert "$123 of $100" in page.text
    assert "Acknowledge" in page.text
    assert "Snooze 1 hour" in page.text
    picture = re.findall(r'<img src="([^"]+)"', page.text)
    assert (await stand.stranger.get(picture[0])).headers["content-type"] == "image/png"


async def test_names_are_text_and_nothing_runs(stand: Stand) -> None:
    page = await stand.stranger.get(await sent_link(stand))
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"


async def test_a_scanner_that_follows_every_link_changes_nothing(stand: Stand) -> None:
    link = await sent_link(stand)
    before = await alert_of(stand)
    for address in (link, f"{link}?utm_source=scanner", f"{link}/acknowledge", f"{link}/snooze-1h"):
        await stand.stranger.get(address)
        await stand.stranger.head(address)
    assert await alert_of(stand) == before
    assert (await stand.stranger.head(link)).status_code == 200
    assert (await stand.stranger.get(f"{link}?utm_source=scanner")).status_code == 200


async def test_a_press_acknowledges_once_and_the_audit_log_names_the_link(stand: Stand) -> None:
    link = await sent_link(stand)
    for _ in range(2):
        pressed = await stand.stranger.post(f"{link}/acknowledge")
        assert (pressed.status_code, pressed.headers["location"]) == (303, link)
    alert = await alert_of(stand)
    assert (alert["state"], alert["acknowledged_by"]) == ("acknowledged", "link to oncall (email)")
    assert [event["command"] for event in alert["events"]] == ["open", "acknowledge"]
    audit = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert [one["actor"] for one in audit if one["action"] == "alert.acknowledge"] == ["link to oncall (email)"]
    page = (await stand.stranger.get(link)).text
    assert "Acknowledged by link to oncall (email)" in page
    assert f'action="{link}/acknowledge"' not in page


async def test_a_press_snoozes_for_an_hour_and_twice_is_not_longer(stand: Stand) -> None:
    link = await sent_link(stand)
    await stand.stranger.post(f"{link}/snooze-1h")
    until = (await alert_of(stand))["snoozed_until"]
    stand.clock.advance(timedelta(minutes=5))
    await stand.stranger.post(f"{link}/snooze-1h")
    assert (await alert_of(stand))["snoozed_until"] == until


async def test_presses_of_links_have_a_bound(stand: Stand) -> None:
    link = await sent_link(stand)
    for _ in range(15):
        await stand.stranger.post(f"{link}/acknowledge")
        await stand.stranger.post(f"{link}/snooze-1h")
    assert len((await alert_of(stand))["events"]) == 21
    assert "<form" not in (await stand.stranger.get(link)).text


async def test_a_machines_link_only_shows(stand: Stand) -> None:
    link = await sent_link(stand, HOOK)
    page = await stand.stranger.get(link)
    assert page.status_code == 200
    assert "<form" not in page.text
    assert (await stand.stranger.post(f"{link}/acknowledge")).status_code == 403
    forged = link.replace(f"-{LinkUse.READ}-", f"-{LinkUse.ANSWER}-")
    is_a_plain_page(await stand.stranger.post(f"{forged}/acknowledge"), 404)
    assert (await alert_of(stand))["state"] == "firing"


async def test_what_a_log_prints_opens_nothing(stand: Stand) -> None:
    assert await sent_link(stand, {"kind": "console"}) == f"/pages/alerts/{(await alert_of(stand))['id']}"


async def test_a_link_ends_after_a_week(stand: Stand) -> None:
    link = await sent_link(stand)
    stand.clock.advance(timedelta(days=7))
    assert (await stand.stranger.get(link)).status_code == 200
    stand.clock.advance(timedelta(days=1))
    is_a_plain_page(await stand.stranger.get(link), 410)
    is_a_plain_page(await stand.stranger.post(f"{link}/acknowledge"), 410)
    assert (await alert_of(stand))["state"] == "firing"


@pytest.mark.parametrize("spoilt", ["other alert", "later", "signature", "chart", "shortened", "long", "odd"])
async def test_a_forged_link_is_a_page_that_says_nothing(stand: Stand, spoilt: str) -> None:
    link = await sent_link(stand)
    text, _, signature = link.removeprefix("/alerts/").partition(".")
    alert = re.findall("alert_([0-9a-f]{32})", text)[0]
    until = text.rpartition("-")[2]
    place = {
        "other alert": f"{text.replace(alert, alert[::-1])}.{signature}",
        "later": f"{text.replace(until, str(int(until) + 9))}.{signature}",
        "signature": f"{text}.{signature[::-1]}",
        "chart": f"alert_{alert}-1-{until}.{stand.ports.signer.sign(f'alert_{alert}-1-{until}')}",
        "shortened": text,
        "long": "a" * 5000,
        "odd": "%00%ff%27.%C3%A9",
    }[spoilt]
    is_a_plain_page(await stand.stranger.get(f"/alerts/{place}"), 404)
    is_a_plain_page(await stand.stranger.post(f"/alerts/{place}/acknowledge"), 404)
    assert (await alert_of(stand))["state"] == "firing"


async def test_a_link_of_an_alert_that_is_gone_is_over(stand: Stand) -> None:
    text = (await sent_link(stand)).removeprefix("/alerts/").partition(".")[0]
    alert = re.findall("alert_([0-9a-f]{32})", text)[0]
    gone = text.replace(alert, alert[::-1])
    link = f"/alerts/{gone}.{stand.ports.signer.sign(gone)}"
    is_a_plain_page(await stand.stranger.get(link), 410)
    is_a_plain_page(await stand.stranger.post(f"{link}/acknowledge"), 410)
    assert "This link is over" in (await stand.stranger.get(link)).text


async def test_a_channel_that_leaves_its_receiver_takes_its_links_with_it(stand: Stand) -> None:
    link = await sent_link(stand)
    moved = [MAIL | {"to": ["others@example.com"]}]
    answered(await stand.admin.patch("/v1/receivers/oncall", json={"channels": moved}))
    is_a_plain_page(await stand.stranger.get(link), 410)
    is_a_plain_page(await stand.stranger.post(f"{link}/acknowledge"), 410)


async def test_a_failure_behind_a_link_is_logged_without_the_link(
    stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[UnitOfWork]:
        raise RuntimeError("no database")
        yield

    async def ready() -> str | None:
        return None

    link = await sent_link(stand)
    app = create_app(replace(stand.ports, uow=broken), ready=ready)
    capsys.readouterr()
    async with client(app, None) as visitor:
        assert (await visitor.get(link)).status_code == 500
        assert (await visitor.post(f"{link}/acknowledge")).status_code == 500
    logged = "".join(capsys.readouterr())
    assert "request_failed" in logged
    assert "/alerts/{token}" in logged
    assert link.rpartition(".")[2] not in logged


async def test_a_link_rings_nobody_else_and_leads_to_who_signs_in(stand: Stand) -> None:
    link = await sent_link(stand)
    await stand.create("/receivers", {"name": "the-boss", "channels": [MAIL]})
    before = await alert_of(stand)
    page = (await stand.stranger.get(link)).text
    assert f'<a href="/pages/alerts/{before["id"]}">Sign in</a> to hand it on.' in page
    assert "the-boss" not in page, "whoever a mail is forwarded to learns nobody's address"
    is_a_plain_page(await stand.stranger.post(f"{link}/hand-on", data={"to": "the-boss"}), 404)
    assert await alert_of(stand) == before


async def test_an_unknown_answer_is_no_form_of_ours(stand: Stand) -> None:
    link = await sent_link(stand)
    is_a_plain_page(await stand.stranger.post(f"{link}/resolve"), 404)


async def test_a_browser_without_a_token_reads_a_sentence_and_a_program_a_problem(stand: Stand) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}
    page = await stand.stranger.get("/v1/alerts", headers=browser)
    is_a_plain_page(page, 401)
    assert "needs a token" in page.text
    problem(await stand.stranger.get("/v1/alerts"), 401)


async def test_a_forms_address_opened_in_a_browser_is_a_page_and_changes_nothing(stand: Stand) -> None:
    address = f"{await sent_link(stand)}/acknowledge"
    page = await stand.stranger.get(address, headers={"Accept": "text/html,*/*;q=0.8"})
    is_a_plain_page(page, 405)
    assert page.headers["allow"] == "OPTIONS, POST"
    assert (await alert_of(stand))["state"] == "firing"
    program = await stand.stranger.get(address, headers={"Accept": "application/json"})
    assert program.headers["content-type"].startswith("application/problem+json")
