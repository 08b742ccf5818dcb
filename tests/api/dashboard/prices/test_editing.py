"""A price of one's own by its form: REST's rules, and nothing lost on the way."""

from __future__ import annotations

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.budgets.test_editing import fields
from tests.api.stand import Stand, answered

PLACE = "/pages/prices"
NEW = f"{PLACE}/new?model=claude-next-9&measure=output_tokens&valid_from=2026-11-01T00%3A00%3A00Z"


async def test_a_price_is_added_changed_and_deleted(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(NEW)).text)
    sent = await opened.post(NEW, data=form | {"/usd": "12.50"})
    assert (sent.status_code, sent.headers.get("location")) == (303, PLACE), sent.text
    (price,) = answered(await stand.viewer.get("/v1/prices"))["items"]
    assert price["name"] == "claude-next-9, output"
    assert (price["usd"], price["per"], price["valid_to"]) == ("12.50", 1_000_000, None)
    address = f"{PLACE}/{price['id']}/edit"
    assert (await opened.post(address, data=fields((await opened.get(address)).text))).status_code == 303
    assert answered(await stand.viewer.get(f"/v1/prices/{price['id']}")) == price, "saved as it was, it stays"
    changed = fields((await opened.get(address)).text) | {"/valid_to": "2027-01-01 00:00"}
    assert (await opened.post(address, data=changed)).status_code == 303
    (price,) = answered(await stand.viewer.get("/v1/prices"))["items"]
    assert price["valid_to"] == "2027-01-01T00:00:00Z"
    stale = await opened.post(address, data=changed | {"/usd": "13.00"})
    assert stale.status_code == 409
    assert "stored now: 12.50" in stale.text
    assert (await opened.post(f"{PLACE}/{price['id']}/delete")).headers["location"] == PLACE
    assert answered(await stand.viewer.get("/v1/prices"))["items"] == []


async def test_a_mistake_stands_at_its_field_and_nothing_is_stored(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(NEW)).text) | {"/usd": "12.50"}
    for wrong, said in (
        ({"/usd": "much"}, "write US dollars as a decimal string"),
        ({"/per": "0"}, "1"),
        ({"/valid_to": "2026-10-01 00:00"}, "must be later than valid_from"),
        ({"/valid_from": "tomorrow"}, "RFC 3339"),
    ):
        answer = await opened.post(NEW, data=form | wrong)
        assert answer.status_code == 422
        assert said in answer.text
        assert fields(answer.text).items() >= wrong.items()
    assert answered(await stand.viewer.get("/v1/prices"))["items"] == []


async def test_an_odd_address_begins_an_empty_form(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(f"{PLACE}/new?model=x&measure=nothing")).text)
    assert (form["/name"], form["/model"]) == ("", "x")
