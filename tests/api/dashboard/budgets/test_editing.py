"""A budget by forms: the same checks, rights and audit events as over REST, and only over what somebody has seen."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.test_sign_in import hidden
from tests.api.stand import BUDGET, SOURCE, Stand, answered

NEW = "/pages/budgets/new"
HOSTILE = "<script>alert(1)</script>"


def fields(page: str) -> dict[str, str]:
    """The fields of a page's form as a browser would send them untouched."""
    form = page[page.index('class="document"') :].partition("</form>")[0]
    found = hidden(form)
    for tag in re.findall(r"<input [^>]*>", form):
        told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if told.get("type") == "checkbox" and " checked" not in tag:
            continue
        found[unescape(told["name"])] = unescape(told.get("value", ""))
    for name, text in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>\n?([^<]*)</textarea>', form):
        found[unescape(name)] = unescape(text)
    for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        found[unescape(name)] = unescape(chosen[1]) if chosen else ""
    return found


async def stored(stand: Stand) -> dict[str, Any]:
    (budget,) = answered(await stand.viewer.get("/v1/budgets"))["items"]
    found: dict[str, Any] = budget
    return found


async def test_an_admin_creates_a_budget(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(f"{NEW}?amount=500.00")).text)
    sent = await opened.post(NEW, data=form | {"/name": HOSTILE, "/labels": "team = eng\nenv=prod"})
    assert sent.status_code == 303, sent.text
    budget = await stored(stand)
    assert sent.headers["location"] == f"/pages/budgets/{budget['id']}"
    assert (budget["name"], budget["amount"], budget["labels"]) == (HOSTILE, "500.00", {"team": "eng", "env": "prod"})
    assert [(one["basis"], one["percent"], one["severity"]) for one in budget["thresholds"]] == [
        ("actual", 80, "warning"),
        ("actual", 100, "critical"),
        ("forecast", 100, "warning"),
    ]
    page = (await opened.get(sent.headers["location"])).text
    assert "<script" not in page
    event = answered(await stand.admin.get("/v1/audit-events"))["items"][0]
    assert (event["action"], event["actor"]) == ("budget.create", "token:the admin")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"/amount": "much"}, "write US dollars as a decimal string"),
        ({"/period/timezone": "Mars/Olympus"}, "is not an IANA time zone"),
        ({"/thresholds/0/percent": "eighty"}, "write a number"),
        ({"/thresholds/1/percent": "80", "/thresholds/1/severity": "warning"}, "same basis and level"),
        ({"/scope/workspaces": "nobody"}, "has been seen"),
        ({"/name": " "}, "/name"),
    ],
)
async def test_what_rest_refuses_comes_back_with_everything_as_it_was_written(
    stand: Stand, wrong: dict[str, str], said: str
) -> None:
    await stand.create("/sources", SOURCE)
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(NEW)).text) | {"/name": "mine & yours", "/amount": "5"} | wrong
    answer = await opened.post(NEW, data=form)
    assert answer.status_code == 422
    assert said.removeprefix("/name") in answer.text
    again = fields(answer.text)
    written = {name: text.strip() for name, text in form.items() if not name.endswith("/kept")}
    assert {name: again.get(name, "").strip() for name in written} == written
    assert answered(await stand.viewer.get("/v1/budgets"))["items"] == []


async def test_a_form_that_is_opened_and_saved_changes_nothing(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    document = BUDGET | {
        "period": {"kind": "weekly", "timezone": "Europe/Berlin", "week_start": "sunday"},
        "thresholds": [{"percent": 33.5}, {"amount": "90.00", "severity": "critical"}],
        "for_each": "model",
    }
    budget = await stand.create("/budgets", document)
    opened = await signed_in(stand, Role.ADMIN)
    address = f"/pages/budgets/{budget['id']}/edit"
    sent = await opened.post(address, data=fields((await opened.get(address)).text))
    assert sent.status_code == 303, sent.text
    assert await stored(stand) == budget


async def test_of_two_who_change_one_the_second_sees_what_differs(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    budget = await stand.create("/budgets", BUDGET)
    opened = await signed_in(stand, Role.ADMIN)
    address = f"/pages/budgets/{budget['id']}/edit"
    mine = fields((await opened.get(address)).text) | {"/amount": "300.00"}
    answered(await stand.admin.patch(f"/v1/budgets/{budget['id']}", json={"amount": "200.00"}))
    answer = await opened.post(address, data=mine)
    assert answer.status_code == 409
    assert "Somebody has changed this since you opened it" in answer.text
    assert "200.00" in answer.text
    assert (await stored(stand))["amount"] == "200.00"
    decided = await opened.post(address, data=fields(answer.text))
    assert decided.status_code == 303
    assert (await stored(stand))["amount"] == "300.00"


async def test_a_form_that_waited_for_a_sign_in_is_as_it_was(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(NEW)).text) | {"/name": "half done", "/amount": "7.50"}
    stand.clock.advance(timedelta(hours=12))
    asked = await opened.post(NEW, data=form)
    token = {"token": "tcn_FAKE-admin-token-of-the-tests"}
    back = await opened.post("/sign-in", data=hidden(asked.text) | token)
    shown = await opened.post(NEW, data=hidden(back.text))
    assert shown.status_code == 200
    assert fields(shown.text).items() >= form.items()
    assert answered(await stand.viewer.get("/v1/budgets"))["items"] == []


async def test_an_operator_neither_opens_nor_sends_a_form(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    budget = await stand.create("/budgets", BUDGET)
    opened = await signed_in(stand)
    address = f"/pages/budgets/{budget['id']}"
    assert "/edit" not in (await opened.get(address)).text
    form = {"version": "1"}
    for sent in (
        opened.get(NEW),
        opened.post(f"{address}/edit", data=form),
        opened.post(f"{address}/delete", data=form),
    ):
        assert (await sent).status_code == 403
    assert await stored(stand) == budget


async def test_a_deleted_budget_is_gone_and_on_record(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    budget = await stand.create("/budgets", BUDGET)
    opened = await signed_in(stand, Role.ADMIN)
    sent = await opened.post(f"/pages/budgets/{budget['id']}/delete", data={"version": "1"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/pages/budgets")
    assert answered(await stand.viewer.get("/v1/budgets"))["items"] == []
    assert answered(await stand.admin.get("/v1/audit-events"))["items"][0]["action"] == "budget.delete"
