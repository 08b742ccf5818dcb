"""The channels that post to on-call tools, chats and endpoints, as JSON: their secrets and their addresses."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.receivers import Alertmanager, ChannelConfig, Jsm, PagerDuty, Teams, Webhook
from tests.api.stand import SLACK, Stand, answered, pointers

PAGERDUTY: dict[str, Any] = {"kind": "pagerduty", "routing_key": "FAKE-routing-key-of-32-charactrs"}
WEBHOOK: dict[str, Any] = {
    "kind": "webhook",
    "url": "https://example.com/hook",
    "secret": "whsec_RkFLRS1rZXktb2YtdGhlLXRlc3RzLW9mLXdlYmhvb2tz",
}
ALERTMANAGER: dict[str, Any] = {
    "kind": "alertmanager",
    "urls": ["https://am-1.example.com", "https://am-2.example.com/prefix/"],
}
TEAMS: dict[str, Any] = {
    "kind": "teams",
    "webhook_url": "https://prod-1.logic.azure.com/workflows/FAKE?api-version=1&sig=FAKEsignature",
}
JSM: dict[str, Any] = {"kind": "jsm", "api_key": "FAKE-api-key-of-the-tests"}
EVERY: list[dict[str, Any]] = [PAGERDUTY, WEBHOOK, ALERTMANAGER, TEAMS, JSM]
PRIVATE = "http://10.0.0.5:9093"


async def stored(stand: Stand, name: str) -> tuple[ChannelConfig, ...]:
    async with stand.ports.uow() as uow:
        return (await uow.receivers.get(name)).spec.channels


def receiver(*channels: dict[str, Any]) -> dict[str, Any]:
    return {"name": "everyone", "channels": list(channels)}


async def test_every_kind_is_taken_and_shown_without_its_secret(stand: Stand) -> None:
    made = await stand.create("/receivers", receiver(*EVERY))
    assert made["channels"] == [
        {
            "kind": "pagerduty",
            "routing_key": {"set": True, "hint": "...ctrs"},
            "api_url": "https://events.pagerduty.com",
        },
        WEBHOOK | {"secret": {"set": True, "hint": "...b2tz"}, "format": "tocsin"},
        ALERTMANAGER | {"urls": ["https://am-1.example.com", "https://am-2.example.com/prefix"]},
        {"kind": "teams", "webhook_url": {"set": True, "hint": "...ture"}},
        {
            "kind": "jsm",
            "api_key": {"set": True, "hint": "...ests"},
            "api_url": "https://api.atlassian.com/jsm/ops/integration",
        },
    ]


async def test_what_is_stored_can_be_sent_with(stand: Stand) -> None:
    await stand.create("/receivers", receiver(*EVERY))
    pagerduty, webhook, alertmanager, teams, jsm = await stored(stand, "everyone")
    opened = stand.ports.vault.open
    assert isinstance(pagerduty, PagerDuty)
    assert opened(pagerduty.routing_key) == PAGERDUTY["routing_key"]
    assert isinstance(webhook, Webhook)
    assert (webhook.url, opened(webhook.secret)) == (WEBHOOK["url"], WEBHOOK["secret"])
    assert isinstance(alertmanager, Alertmanager)
    assert alertmanager.urls == ("https://am-1.example.com", "https://am-2.example.com/prefix")
    assert isinstance(teams, Teams)
    assert opened(teams.webhook_url) == TEAMS["webhook_url"]
    assert isinstance(jsm, Jsm)
    assert opened(jsm.api_key) == JSM["api_key"]


async def test_a_document_that_was_read_can_be_sent_back_and_changes_nothing(stand: Stand) -> None:
    made = await stand.create("/receivers", receiver(*EVERY))
    place = f"/v1/receivers/{made['id']}"
    before = await stored(stand, "everyone")
    for channels in (made["channels"], EVERY):
        again = answered(await stand.admin.patch(place, json={"channels": channels}))
        assert again["version"] == made["version"]
    shuffled = answered(await stand.admin.patch(place, json={"channels": made["channels"][::-1]}))
    assert shuffled["channels"] == made["channels"][::-1]
    assert await stored(stand, "everyone") == before[::-1]


@pytest.mark.parametrize(
    ("channel", "address", "secret"),
    [
        (PAGERDUTY, "api_url", "routing_key"),
        (WEBHOOK, "url", "secret"),
        (JSM, "api_url", "api_key"),
    ],
    ids=["pagerduty", "webhook", "jsm"],
)
async def test_a_changed_address_needs_its_secret_again(
    stand: Stand, channel: dict[str, Any], address: str, secret: str
) -> None:
    made = await stand.create("/receivers", receiver(channel))
    moved = made["channels"][0] | {address: "https://collector.example/api"}
    place = f"/v1/receivers/{made['id']}"
    answer = await stand.admin.patch(place, json={"channels": [moved]})
    assert pointers(answer) == [f"/channels/0/{secret}"]
    both = await stand.admin.patch(place, json={"channels": [made["channels"][0], moved]})
    assert pointers(both) == [f"/channels/1/{secret}"]
    answered(await stand.admin.patch(place, json={"channels": [moved | {secret: channel[secret]}]}))


@pytest.mark.parametrize(
    ("channel", "pointer"),
    [
        (PAGERDUTY | {"api_url": PRIVATE}, "api_url"),
        (WEBHOOK | {"url": PRIVATE}, "url"),
        (ALERTMANAGER | {"urls": ["https://am-1.example.com", PRIVATE]}, "urls/1"),
        (TEAMS | {"webhook_url": f"{PRIVATE}/FAKE-part-that-is-secret"}, "webhook_url"),
        (JSM | {"api_url": PRIVATE}, "api_url"),
    ],
    ids=["pagerduty", "webhook", "alertmanager", "teams", "jsm"],
)
async def test_a_private_address_is_refused_where_it_stands(
    stand: Stand, channel: dict[str, Any], pointer: str
) -> None:
    answer = await stand.admin.post("/v1/receivers", json=receiver(SLACK, channel))
    assert pointers(answer) == [f"/channels/1/{pointer}"]
    assert "list its network in TOCSIN_EGRESS_ALLOW" in answer.text
    assert "FAKE-part" not in answer.text


@pytest.mark.parametrize(
    ("channel", "pointer"),
    [
        ({"kind": "pagerduty"}, "routing_key"),
        (PAGERDUTY | {"routing_key": "with a space"}, "routing_key"),
        (PAGERDUTY | {"api_url": "https://events.pagerduty.com/?key=FAKE"}, "api_url"),
        ({"kind": "webhook", "url": WEBHOOK["url"]}, "secret"),
        (WEBHOOK | {"secret": "whsec_c2hvcnQ="}, "secret"),
        (WEBHOOK | {"secret": "RkFLRS1rZXktb2YtdGhlLXRlc3RzLW9mLXdlYmhvb2tz"}, "secret"),
        (WEBHOOK | {"secret": {"set": True, "hint": "...b2tz"}}, "secret"),
        (WEBHOOK | {"format": "xml"}, "format"),
        (WEBHOOK | {"url": "https://ann:FAKE@example.com/hook"}, "url"),
        (ALERTMANAGER | {"urls": []}, "urls"),
        (ALERTMANAGER | {"urls": ["https://am.example.com/", "https://am.example.com"]}, "urls/1"),
        (ALERTMANAGER | {"urls": ["am.example.com"]}, "urls/0"),
        (TEAMS | {"webhook_url": "prod-1.logic.azure.com/workflows/FAKE"}, "webhook_url"),
        (TEAMS | {"webhook_url": {"set": True, "hint": "...ture"}}, "webhook_url"),
        (JSM | {"api_key": ""}, "api_key"),
        (JSM | {"team": "x"}, "team"),
    ],
)
async def test_a_channel_that_cannot_work_is_refused(stand: Stand, channel: dict[str, Any], pointer: str) -> None:
    answer = await stand.admin.post("/v1/receivers", json=receiver(channel))
    assert pointers(answer) == [f"/channels/0/{pointer}"]
    assert "FAKE" not in answer.text


async def test_one_integration_stands_in_a_receiver_once(stand: Stand) -> None:
    elsewhere = PAGERDUTY | {"api_url": "https://events.eu.pagerduty.com"}
    answer = await stand.admin.post("/v1/receivers", json=receiver(PAGERDUTY, elsewhere))
    assert pointers(answer) == ["/channels/1"]


async def test_members_in_another_order_are_the_same_alertmanager(stand: Stand) -> None:
    turned = ALERTMANAGER | {"urls": ALERTMANAGER["urls"][::-1]}
    answer = await stand.admin.post("/v1/receivers", json=receiver(ALERTMANAGER, turned))
    assert pointers(answer) == ["/channels/1"]


async def test_a_test_names_each_kind_as_it_is_written(stand: Stand) -> None:
    await stand.create("/receivers", receiver(*EVERY))
    tested = answered(await stand.admin.post("/v1/receivers/everyone/test"))
    assert [one["kind"] for one in tested["channels"]] == ["pagerduty", "webhook", "alertmanager", "teams", "jsm"]
