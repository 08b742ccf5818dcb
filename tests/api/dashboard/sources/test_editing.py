"""Adding, changing and deleting a source by its form: REST's rules, and nothing lost on the way."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.budgets.test_editing import fields
from tests.api.stand import BUDGET, SOURCE, Stand, answered

FORM = {
    "/name": "production",
    "/admin_key": "sk-ant-admin01-FAKE-production",
    "/kind": "claude_admin",
    "/base_url": "https://api.anthropic.com",
    "/poll_interval": "10m",
    "/labels": "team=eng",
    "/enabled": "true",
}


def version_in(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return found[1]


async def test_a_source_is_added_changed_and_deleted(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post("/pages/sources/new", data=FORM)
    (source,) = answered(await stand.admin.get("/v1/sources"))["items"]
    place = f"/pages/sources/{source['id']}"
    assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert (source["poll_interval"], source["labels"]) == ("10m", {"team": "eng"})
    page = (await opened.get(f"{place}/edit")).text
    assert "FAKE-production" not in page, "a secret is never shown"
    changed = FORM | {"/admin_key": "", "/poll_interval": "15m", "version": version_in(page)}
    assert (await opened.post(f"{place}/edit", data=changed)).status_code == 303
    (source,) = answered(await stand.admin.get("/v1/sources"))["items"]
    assert (source["poll_interval"], source["admin_key"]["hint"]) == ("15m", "...tion")
    assert (await opened.post(f"{place}/delete")).headers["location"] == "/pages/sources"
    assert answered(await stand.admin.get("/v1/sources"))["items"] == []


async def test_a_form_whose_session_is_over_comes_back_as_it_was_filled_in(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    stand.clock.advance(timedelta(hours=12))
    late = await opened.post("/pages/sources/new", data=FORM | {"/name": "a & b"})
    assert late.status_code == 403
    (kept,) = re.findall(r'name="kept" value="([^"]+)"', late.text)
    token = {"token": "tcn_FAKE-admin-token-of-the-tests", "next": "/pages/sources/new", "kept": unescape(kept)}
    pressed = (await opened.post("/sign-in", data=token)).text
    fields = {unescape(name): unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', pressed)}
    page = (await opened.post("/pages/sources/new", data=fields)).text
    assert 'value="a &amp; b"' in page
    assert 'value="10m"' in page
    assert answered(await stand.admin.get("/v1/sources"))["items"] == [], "nothing is done before it is sent"


async def test_the_second_of_two_writers_sees_the_difference_and_may_send_again(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    opened = await signed_in(stand, Role.ADMIN)
    place = f"/pages/sources/{source['id']}/edit"
    version = version_in((await opened.get(place)).text)
    answered(await stand.admin.patch(f"/v1/sources/{source['id']}", json={"poll_interval": "20m"}))
    mine = FORM | {"/admin_key": "", "/poll_interval": "30m"}
    answer = await opened.post(place, data=mine | {"version": version})
    assert answer.status_code == 409
    assert "stored now: 20m" in answer.text
    assert 'value="30m"' in answer.text
    again = await opened.post(place, data=mine | {"version": version_in(answer.text)})
    assert again.status_code == 303


async def test_what_is_wrong_stands_at_its_field_and_nothing_is_written(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post("/pages/sources/new", data=FORM | {"/poll_interval": "1s", "/name": "<i>"})
    assert answer.status_code == 422
    assert "must be between 1m and 1d" in answer.text
    assert 'value="&lt;i&gt;"' in answer.text
    assert answered(await stand.admin.get("/v1/sources"))["items"] == []


async def test_people_claude_code_and_the_commitment_are_set_and_taken_back(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    more = {
        "/kind": "claude_analytics",
        "/people": "hashed",
        "/claude_code": "true",
        "/priority_commitment/tokens": "20000000",
    }
    assert (await opened.post("/pages/sources/new", data=FORM | more)).status_code == 303
    (source,) = answered(await stand.admin.get("/v1/sources"))["items"]
    assert (source["people"], source["claude_code"]) == ("hashed", True)
    assert source["priority_commitment"] == {"tokens": 20000000, "usd": None}
    place = f"/pages/sources/{source['id']}/edit"
    untouched = fields((await opened.get(place)).text)
    assert (await opened.post(place, data=untouched)).status_code == 303
    assert answered(await stand.admin.get("/v1/sources"))["items"] == [source], "nobody touched anything"
    both = await opened.post(place, data=untouched | {"/priority_commitment/usd": "9"})
    assert (both.status_code, "either tokens or" in both.text) == (422, True), both.text
    page = (await opened.get(place.removesuffix("/edit"))).text
    assert "<dt>Priority Tier, a month</dt><dd>20.0M tokens</dd>" in page
    assert "<dt>People</dt><dd>kept without their names" in page
    none = {"/priority_commitment/tokens": "", "/people": "off"}
    assert (await opened.post(place, data=untouched | none)).status_code == 303
    (source,) = answered(await stand.admin.get("/v1/sources"))["items"]
    assert (source["people"], source["priority_commitment"]) == ("off", None)


async def test_a_source_with_budgets_says_what_needs_it(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post(f"/pages/sources/{source['id']}/delete")
    assert answer.status_code == 409
    assert "in use by budget &#39;eng monthly&#39;" in answer.text


async def test_another_sites_form_adds_nothing(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post("/pages/sources/new", data=FORM, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert answered(await stand.admin.get("/v1/sources"))["items"] == []
