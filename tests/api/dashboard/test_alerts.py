"""Alerts on pages: who may answer, and what an answer does."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from service.domain.access import Role
from service.domain.notify.channels.console import Console
from service.domain.notify.receivers import channel_key
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.alerts.watch_channels import run_watch_channels
from tests.api.dashboard.browser import signed_in
from tests.api.rules.watched import rung_by_rule
from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered


async def fired(stand: Stand) -> dict[str, Any]:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    await stand.spend(ENG, "123.45")
    await run_evaluation(stand.ports, source["id"])
    (alert,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
    found: dict[str, Any] = alert
    return found


async def of_rest(stand: Stand, id: str) -> dict[str, Any]:
    detail: dict[str, Any] = answered(await stand.viewer.get(f"/v1/alerts/{id}"))
    return detail


@pytest.mark.parametrize(
    ("answer", "state"),
    [("acknowledge", "acknowledged"), ("snooze-1h", "snoozed"), ("snooze-24h", "snoozed"), ("resolve", "resolved")],
)
async def test_an_operator_answers_once_with_a_note(stand: Stand, answer: str, state: str) -> None:
    alert, opened = await fired(stand), await signed_in(stand)
    address = f"/pages/alerts/{alert['id']}"
    for _ in range(2):
        sent = await opened.post(address, data={"answer": answer, "note": "batch\njob"})
        assert (sent.status_code, sent.headers["location"]) == (303, address)
    after = await of_rest(stand, alert["id"])
    assert after["state"] == state
    assert [event["note"] for event in after["events"]] == ["", "batch job"]
    assert after["events"][-1]["actor"] == "token:the operator"
    assert f'value="{answer}"' not in (await opened.get(address)).text


async def test_a_viewer_sees_it_and_may_not_answer(stand: Stand) -> None:
    alert, opened = await fired(stand), await signed_in(stand, Role.VIEWER)
    address = f"/pages/alerts/{alert['id']}"
    page = await opened.get(address)
    assert "$123 of $100" in page.text
    assert "<button name=" not in page.text
    assert (await opened.post(address, data={"answer": "resolve"})).status_code == 403
    assert (await of_rest(stand, alert["id"]))["state"] == "firing"
    audit = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert audit[0]["action"] == "request.refused"


async def test_another_sites_form_answers_nothing(stand: Stand) -> None:
    alert, opened = await fired(stand), await signed_in(stand)
    address = f"/pages/alerts/{alert['id']}"
    sent = await opened.post(address, data={"answer": "resolve"}, headers={"Origin": "http://evil.example"})
    assert sent.status_code == 403
    assert (await of_rest(stand, alert["id"]))["state"] == "firing"


async def test_an_answer_that_there_is_not_is_refused(stand: Stand) -> None:
    alert, opened = await fired(stand), await signed_in(stand)
    assert (await opened.post(f"/pages/alerts/{alert['id']}", data={"answer": "delete"})).status_code == 422
    assert (await opened.get("/pages/alerts/alert_gone")).status_code == 404


async def test_the_list_holds_the_open_ones_and_all_on_request(stand: Stand) -> None:
    alert, opened = await fired(stand), await signed_in(stand)
    assert alert["id"] in (await opened.get("/pages/alerts")).text
    await opened.post(f"/pages/alerts/{alert['id']}", data={"answer": "resolve"})
    assert "No alert is open." in (await opened.get("/pages/alerts")).text
    assert alert["id"] in (await opened.get("/pages/alerts?all=true")).text


async def test_an_alert_of_a_rule_leads_an_admin_to_announcing_such_spend(stand: Stand) -> None:
    alert = await rung_by_rule(stand)
    address = f"/pages/alerts/{alert['id']}"
    admin, operator = await signed_in(stand, Role.ADMIN), await signed_in(stand)
    (place,) = re.findall(r'<a href="([^"]*)">Announce the spend', (await admin.get(address)).text)
    assert f"workspaces={ENG.workspace}" in place
    form = (await admin.get(unescape(place))).text
    assert f"{ENG.workspace}</textarea>" in form
    assert "Announce the spend" not in (await operator.get(address)).text, "to announce takes an admin"
    await operator.post(address, data={"answer": "resolve"})
    assert "Announce the spend" not in (await admin.get(address)).text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.ADMIN])
async def test_an_alert_of_no_source_is_shown_to_everybody(stand: Stand, role: Role) -> None:
    pager = await stand.create("/receivers", {"name": "pager", "channels": [{"kind": "console"}]})
    async with stand.ports.uow() as uow:
        await uow.channel_health.note_dead(pager["id"], channel_key(Console()), "no such channel", at=stand.clock())
    await run_watch_channels(stand.ports)
    (undelivered,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
    page = await (await signed_in(stand, role)).get(f"/pages/alerts/{undelivered['id']}")
    assert page.status_code == 200
    assert "no such channel" in page.text
