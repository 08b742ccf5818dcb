"""Receivers by their pages: made of channels, changed without losing a secret, tested."""

from __future__ import annotations

import pytest

from service.api.dashboard.notify.channels import KINDS
from service.domain.access import Role
from service.workflows.ports.channels import DeliveryError
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.budgets.test_editing import fields
from tests.api.stand import SLACK, Stand, answered


async def test_a_receiver_of_two_channels_is_made_and_keeps_its_secrets(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    made = {
        "/name": "eng-oncall",
        "/channels/0/kind": "slack",
        "/channels/0/token": "xoxb-FAKE-token",
        "/channels/0/channel": "#claude-spend",
    }
    assert (await opened.post("/pages/receivers/new", data=made)).status_code == 303
    (receiver,) = answered(await stand.admin.get("/v1/receivers"))["items"]
    place = f"/pages/receivers/{receiver['id']}/edit"
    page = (await opened.get(f"{place}?add=email")).text
    assert 'name="/channels/1/to"' in page
    assert "xoxb-FAKE" not in page
    more = {
        **fields(page),
        "/channels/1/to": "a@example.com\nb@example.com",
    }
    assert (await opened.post(place, data=more)).status_code == 303
    (receiver,) = answered(await stand.admin.get("/v1/receivers"))["items"]
    slack, mail = receiver["channels"]
    assert (slack["token"]["hint"], mail["to"]) == ("...oken", ["a@example.com", "b@example.com"])


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
async def test_every_kind_of_channel_has_a_form_that_says_what_is_missing(stand: Stand, kind: str) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    assert (await opened.get(f"/pages/receivers/new?add={kind}")).status_code == 200
    sent = {"/name": "new", "/channels/0/kind": kind}
    answer = await opened.post("/pages/receivers/new", data=sent)
    assert answer.status_code == (303 if kind == "console" else 422)
    if kind != "console":
        assert 'class="critical"' in answer.text
        assert "Nothing was changed. What is wrong stands at its field." in answer.text


async def test_a_test_shows_what_each_channel_answers(stand: Stand) -> None:
    mail = {"kind": "email", "to": ["a@example.com"]}
    receiver = await stand.create("/receivers", {"name": "<b>", "channels": [SLACK, mail]})
    stand.channels.refusals["slack_bot"] = DeliveryError("<i>channel_not_found</i>")
    opened = await signed_in(stand, Role.ADMIN)
    page = (await opened.post(f"/pages/receivers/{receiver['id']}/test")).text
    assert "Slack refused it.</b> &lt;i&gt;channel_not_found" in page
    assert "Mail took it.</b> taken" in page
    assert "<b>" not in page.replace("<b>Slack", "").replace("<b>Mail", "")
    assert (await (await signed_in(stand)).post(f"/pages/receivers/{receiver['id']}/test")).status_code == 403


async def test_a_receiver_in_use_is_not_deleted(stand: Stand) -> None:
    receiver = await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "console"}]}))
    answer = await (await signed_in(stand, Role.ADMIN)).post(f"/pages/receivers/{receiver['id']}/delete")
    assert (answer.status_code, "in use by the default route" in answer.text) == (409, True)
