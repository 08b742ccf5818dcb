"""The owner and the tags of one member, while others change the rest."""

from __future__ import annotations

from datetime import timedelta

from httpx import AsyncClient

from service.api.dashboard.owners.listing import member_address
from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.budgets.test_editing import fields
from tests.api.dashboard.test_sign_in import hidden
from tests.api.sources.test_owners import patch
from tests.api.stand import Stand, answered

ENG, CI = "workspace:wrkspc_eng", "api_key:apikey_ci"


async def owners(stand: Stand) -> dict[str, tuple[str | None, dict[str, str]]]:
    items = answered(await stand.viewer.get("/v1/owners"))["items"]
    return {one["member"]: (one["owner"], one["tags"]) for one in items}


async def address_of(stand: Stand, member: str) -> str:
    (source,) = answered(await stand.viewer.get("/v1/sources"))["items"]
    return member_address(source["id"], member)


async def opened_form(opened: AsyncClient, address: str) -> dict[str, str]:
    return fields((await opened.get(address)).text)


async def test_an_owner_is_set_and_taken_off_and_others_stay(spent: Stand) -> None:
    await patch(spent, {"member": ENG, "owner": "eng", "tags": {"team": "core"}})
    opened, address = await signed_in(spent, Role.ADMIN), await address_of(spent, CI)
    page = (await opened.get(address)).text
    assert "now eng, team=core" in page, "what it has from its workspace"
    sent = await opened.post(address, data=fields(page) | {"/owner": "ann@example.com", "/tags": "env=prod\nteam=ci"})
    assert sent.status_code == 303, sent.text
    assert await owners(spent) == {
        ENG: ("eng", {"team": "core"}),
        CI: ("ann@example.com", {"env": "prod", "team": "ci"}),
    }
    form, known = await opened_form(opened, address), (await spent.viewer.get("/v1/owners")).headers["etag"]
    assert (await opened.post(address, data=form)).status_code == 303
    assert (await spent.viewer.get("/v1/owners")).headers["etag"] == known, "saved as it was, it stays"
    assert (await opened.post(address, data=form | {"/owner": "", "/tags": ""})).status_code == 303
    assert await owners(spent) == {ENG: ("eng", {"team": "core"})}


async def test_a_mistake_stands_at_its_field_and_makes_no_receiver(spent: Stand) -> None:
    opened, address = await signed_in(spent, Role.ADMIN), await address_of(spent, ENG)
    form = await opened_form(opened, address)
    for wrong, field, said in (
        ({"/owner": "nobody"}, "owner", "there is no receiver &#39;nobody&#39;"),
        ({"/owner": "U012AB3CD"}, "owner", "no receiver has a Slack bot"),
        ({"/owner": "ann@example.com", "/tags": "severity=high"}, "tags", "severity is a label that every alert"),
        ({"/owner": "ann@example.com", "/tags": "team"}, "tags", "at least 1 character"),
    ):
        answer = await opened.post(address, data=form | wrong)
        assert answer.status_code == 422
        assert f'id="at-{field}-about"><b class="critical">{said}' in answer.text
    assert await owners(spent) == {}
    assert [one["name"] for one in answered(await spent.viewer.get("/v1/receivers"))["items"]] == ["eng"]


async def test_of_two_who_change_one_the_second_sees_what_differs(spent: Stand) -> None:
    opened, address = await signed_in(spent, Role.ADMIN), await address_of(spent, ENG)
    mine = await opened_form(opened, address) | {"/tags": "team=mine"}
    await patch(spent, {"member": CI, "owner": "eng"})
    assert (await opened.post(address, data=mine)).status_code == 303, "another member is none of its concern"
    mine = await opened_form(opened, address) | {"/owner": "eng"}
    await patch(spent, {"member": ENG, "tags": {"team": "theirs"}})
    answer = await opened.post(address, data=mine)
    assert answer.status_code == 409
    assert "stored now: team=theirs" in answer.text
    assert (await owners(spent))[ENG] == (None, {"team": "theirs"})
    assert (await opened.post(address, data=fields(answer.text))).status_code == 303
    assert (await owners(spent))[ENG] == ("eng", {"team": "mine"})


async def test_a_form_that_waited_for_a_sign_in_is_as_it_was(spent: Stand) -> None:
    opened, address = await signed_in(spent, Role.ADMIN), await address_of(spent, ENG)
    form = await opened_form(opened, address) | {"/owner": "eng"}
    spent.clock.advance(timedelta(hours=12))
    asked = await opened.post(address, data=form)
    token = {"token": "tcn_FAKE-admin-token-of-the-tests"}
    back = await opened.post("/sign-in", data=hidden(asked.text) | token)
    shown = await opened.post(address, data=hidden(back.text))
    assert fields(shown.text).items() >= form.items()
    assert await owners(spent) == {}


async def test_whoever_is_no_admin_and_what_nobody_has_seen_are_refused(spent: Stand) -> None:
    opened, address = await signed_in(spent), await address_of(spent, ENG)
    assert (await opened.get(address)).status_code == 403
    assert (await opened.post(address, data={"/owner": "eng"})).status_code == 403
    admin = await signed_in(spent, Role.ADMIN)
    assert (await admin.get(await address_of(spent, "workspace:nowhere"))).status_code == 404
    assert (await admin.get(await address_of(spent, "model:claude-sonnet-4-5"))).status_code == 422
    assert await owners(spent) == {}
