"""Who in Slack may do what: one person at a time, while others change the rest of the list."""

from __future__ import annotations

from datetime import timedelta

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.budgets.test_editing import fields
from tests.api.dashboard.test_sign_in import hidden
from tests.api.stand import Stand, answered

PLACE = "/pages/slack-users"
ANN = {"user": "U012ANN", "role": "operator", "timezone": "Europe/Berlin"}
BEN = {"user": "U012BEN", "role": "viewer", "timezone": "UTC"}


async def listed(stand: Stand) -> list[dict[str, str]]:
    items: list[dict[str, str]] = answered(await stand.viewer.get("/v1/slack-users"))["items"]
    return items


async def put(stand: Stand, *people: dict[str, str]) -> None:
    answered(await stand.admin.put("/v1/slack-users", json={"items": people}))


async def test_a_person_is_added_changed_and_removed(stand: Stand) -> None:
    await put(stand, BEN)
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(f"{PLACE}/new")).text)
    sent = await opened.post(f"{PLACE}/new", data=form | {"/user": "U012ANN", "/timezone": "Europe/Berlin"})
    assert (sent.status_code, sent.headers.get("location")) == (303, PLACE), sent.text
    assert await listed(stand) == [BEN, ANN]
    form = fields((await opened.get(f"{PLACE}/U012ANN/edit")).text)
    sent = await opened.post(f"{PLACE}/U012ANN/edit", data=form | {"/role": "none", "/user": "U012BEN"})
    assert sent.status_code == 303, sent.text
    assert await listed(stand) == [BEN, ANN | {"role": "none"}], "whoever it is stays"
    assert (await opened.post(f"{PLACE}/U012BEN/delete")).status_code == 303
    assert await listed(stand) == [ANN | {"role": "none"}]
    page = (await opened.get(PLACE)).text
    assert "U012ANN" in page
    assert "U012BEN" not in page


async def test_a_mistake_stands_at_its_field_and_nothing_is_stored(stand: Stand) -> None:
    await put(stand, BEN)
    opened = await signed_in(stand, Role.ADMIN)
    for wrong, said in (
        ({"/user": "@ben"}, "/user"),
        ({"/user": "U012BEN"}, "U012BEN stands in the list already"),
        ({"/user": "U012ANN", "/timezone": "Mars/Olympus"}, "write an IANA time zone"),
        ({"/user": "U012ANN", "/role": "boss"}, "responder"),
    ):
        form = fields((await opened.get(f"{PLACE}/new")).text) | wrong
        answer = await opened.post(f"{PLACE}/new", data=form)
        assert answer.status_code == 422
        assert said in answer.text
        assert fields(answer.text).items() >= wrong.items()
    assert await listed(stand) == [BEN]


async def test_others_may_change_the_rest_of_the_list_but_not_the_same_person(stand: Stand) -> None:
    await put(stand, ANN, BEN)
    opened = await signed_in(stand, Role.ADMIN)
    mine = fields((await opened.get(f"{PLACE}/U012ANN/edit")).text) | {"/role": "admin"}
    await put(stand, ANN)
    assert (await opened.post(f"{PLACE}/U012ANN/edit", data=mine)).status_code == 303
    assert await listed(stand) == [ANN | {"role": "admin"}]
    mine = fields((await opened.get(f"{PLACE}/U012ANN/edit")).text) | {"/role": "viewer"}
    await put(stand, ANN | {"role": "none"})
    answer = await opened.post(f"{PLACE}/U012ANN/edit", data=mine)
    assert answer.status_code == 409
    assert "stored now: none" in answer.text
    assert await listed(stand) == [ANN | {"role": "none"}]
    assert (await opened.post(f"{PLACE}/U012ANN/edit", data=fields(answer.text))).status_code == 303
    assert await listed(stand) == [ANN | {"role": "viewer"}]
    await put(stand)
    assert (await opened.post(f"{PLACE}/U012ANN/edit", data=mine)).status_code == 404, "somebody has removed her"


async def test_a_form_that_waited_for_a_sign_in_is_as_it_was(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(f"{PLACE}/new")).text) | {"/user": "U012ANN"}
    stand.clock.advance(timedelta(hours=12))
    asked = await opened.post(f"{PLACE}/new", data=form)
    token = {"token": "tcn_FAKE-admin-token-of-the-tests"}
    back = await opened.post("/sign-in", data=hidden(asked.text) | token)
    shown = await opened.post(f"{PLACE}/new", data=hidden(back.text))
    assert fields(shown.text).items() >= form.items()
    assert await listed(stand) == []


async def test_whoever_is_no_admin_reads_the_list_alone(stand: Stand) -> None:
    await put(stand, ANN)
    opened = await signed_in(stand)
    page = (await opened.get(PLACE)).text
    assert "U012ANN" in page
    assert "/edit" not in page
    for address in ("new", "U012ANN/edit", "U012ANN/delete"):
        assert (await opened.post(f"{PLACE}/{address}", data=ANN)).status_code == 403
    assert await listed(stand) == [ANN]
