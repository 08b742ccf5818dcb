"""A rule by forms, whose controls follow from its kind."""

from __future__ import annotations

from typing import Any

import pytest

from service.api.dashboard.documents.controls import Document
from service.api.dashboard.rules.editing import at_setting
from service.domain.access import Role
from service.domain.rules.registry import KINDS
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.budgets.test_editing import fields
from tests.api.stand import SOURCE, Stand, answered

NEW = "/pages/rules/new"


async def only_rule(stand: Stand) -> dict[str, Any]:
    (rule,) = answered(await stand.viewer.get("/v1/rules"))["items"]
    found: dict[str, Any] = rule
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_the_form_of_each_kind_makes_the_rule_that_rest_makes(stand: Stand, kind: str) -> None:
    await stand.create("/sources", SOURCE | {"claude_code": True, "people": "hashed"})
    opened = await signed_in(stand, Role.ADMIN)
    address = f"{NEW}?kind={kind}"
    form = fields((await opened.get(address)).text) | {"/name": "by a form"}
    sent = await opened.post(address, data=form)
    assert sent.status_code == 303, sent.text
    made = await only_rule(stand)
    usual = await stand.create("/rules", {"name": "by REST", "kind": kind})
    told = ("kind", "params", "gates", "scope", "for_each", "severity", "enabled", "labels")
    assert {name: made[name] for name in told} == {name: usual[name] for name in told}
    edit = f"/pages/rules/{made['id']}/edit"
    again = await opened.post(edit, data=fields((await opened.get(edit)).text))
    assert again.status_code == 303, again.text
    assert answered(await stand.viewer.get(f"/v1/rules/{made['id']}")) == made


async def test_dollars_in_the_place_of_off_are_kept_to_the_cent(stand: Stand) -> None:
    await stand.create("/sources", SOURCE | {"claude_code": True, "people": "hashed"})
    opened = await signed_in(stand, Role.ADMIN)
    address = f"{NEW}?kind=claude_code"
    form = fields((await opened.get(address)).text) | {"/name": "people", "/params/amount": "50.10"}
    assert (await opened.post(address, data=form)).status_code == 303
    assert (await only_rule(stand))["params"] == {"amount": "50.10", "period": "month", "times": 3}


async def test_what_a_kind_refuses_comes_back(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(NEW)).text) | {"/name": "odd", "/params/levels": "organisation\nplanet"}
    answer = await opened.post(NEW, data=form)
    assert answer.status_code == 422
    assert "organisation\nplanet" in answer.text
    assert "write one of organisation, workspace, model, api_key" in answer.text


async def test_a_proposed_setting_is_in_the_form_and_not_yet_stored(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    rule = await stand.create("/rules", {"name": "unusual", "kind": "anomaly"})
    opened = await signed_in(stand, Role.ADMIN)
    page = (await opened.get(f"/pages/rules/{rule['id']}/edit?setting=sensitivity+low")).text
    assert fields(page)["/params/sensitivity"] == "low"
    assert (await only_rule(stand))["params"]["sensitivity"] == "normal"


@pytest.mark.parametrize(
    ("setting", "place", "name", "value"),
    [
        ("min percent 45", "gates", "min_percent", 45),
        ("min_percent 22.5", "gates", "min_percent", 22.5),
        ("min amount $1,000.50", "gates", "min_amount", "1000.50"),
        ("sensitivity low", "params", "sensitivity", "low"),
        ("min_percent much", "gates", "min_percent", 30),
        ("nothing", "gates", "min_percent", 30),
    ],
)
def test_a_setting_of_a_replay_is_read(setting: str, place: str, name: str, value: object) -> None:
    document: Document = {"params": {"sensitivity": "normal"}, "gates": {"min_percent": 30, "min_amount": "20.00"}}
    inside = at_setting(document, {"setting": setting})[place]
    assert isinstance(inside, dict)
    assert inside[name] == value
