"""The channels that post to on-call tools, chats and endpoints, as JSON: their secrets and their addresses."""

from __future__ import annotations

from typing import Any

import pytest

from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.discord import Discord
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook
from tests.api.stand import SLACK, Stand, answered, pointers

PAGERDUTY: dict[str, Any] = {"kind": "pagerduty", "routing_key": "FAKE-routing-key-of-32-charactrs"}
WEBHOOK: dict[str, Any] = {
    "kind": "webhook",
    "url": "https://example.com/hook",
    "secret": "whsec_RkFLRS1rZXktb2YtdGhlLXRlc3RzLW9mLXdlYmhvb2tz",
}
NEW_SECRET = "whsec_RkFLRS1uZXcta2V5LW9mLXRoZS10ZXN0cy1rZXkta2V5"
ALERTMANAGER: dict[str, Any] = {
    "kind": "alertmanager",
    "urls": ["https://am-1.example.com", "https://am-2.example.com/prefix/"],
}
TEAMS: dict[str, Any] = {
    "kind": "teams",
    "webhook_url": "https://prod-1.logic.azure.com/workflows/FAKE?api-version=1&sig=FAKEsignature",
}
JSM: dict[str, Any] = {"kind": "jsm", "api_key": "FAKE-api-key-of-the-tests"}
DISCORD: dict[str, Any] = {
    "kind": "discord",
    "webhook_url": "https://discord.com/api/webhooks/1234/FAKE-token-of_tests",
}
EVERY: list[dict[str, Any]] = [PAGERDUTY, WEBHOOK, ALERTMANAGER, TEAMS, JSM, DISCORD]
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
            "link": "answer",
        },
        WEBHOOK
        | {
            "secret": {"set": True, "hint": "...b2tz"},
            "previous_secret": None,
            "format": "tocsin",
            "link": "read",
        },
        ALERTMANAGER
        | {
            "urls": ["https://am-1.example.com", "https://am-2.example.com/prefix"],
            "authorization": None,
            "link": "read",
        },
        {"kind": "teams", "webhook_url": {"set": True, "hint": "...ture"}, "link": "answer"},
        {
            "kind": "jsm",
            "api_key": {"set": True, "hint": "...ests"},
            "api_url": "https://api.atlassian.com/jsm/ops/integration",
            "link": "answer",
        },
        {"kind": "discord", "webhook_url": {"set": True, "hint": "...ests"}, "link": "answer"},
    ]


async def test_a_credential_that_no_vendor_makes_is_stored_and_doubted_until_it_is_another(stand: Stand) -> None:
    short = PAGERDUTY | {"routing_key": "FAKE-key-of-the-API"}
    made = await stand.create("/receivers", receiver(TEAMS, short))
    place, (doubt,) = f"/v1/receivers/{made['id']}", made["doubts"]
    assert doubt.startswith("channels/1: PagerDuty's integration keys have 32 letters and digits, this one has 19:")
    kept = answered(await stand.admin.patch(place, json={"channels": made["channels"]}))
    assert kept["doubts"] == [doubt]
    (pagerduty,) = [one for one in made["channels"] if one["kind"] == "pagerduty"]
    right = pagerduty | {"routing_key": "0123456789abcdef0123456789abcdef"}
    changed = answered(await stand.admin.patch(place, json={"channels": [TEAMS, right]}))
    assert changed["doubts"] == []


async def test_what_is_stored_can_be_sent_with(stand: Stand) -> None:
    await stand.create("/receivers", receiver(*EVERY))
    pagerduty, webhook, alertmanager, teams, jsm, discord = await stored(stand, "everyone")
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
    assert isinstance(discord, Discord)
    assert opened(discord.webhook_url) == DISCORD["webhook_url"]


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


async def test_a_webhook_s_secret_is_renewed_without_knowing_the_old_one(stand: Stand) -> None:
    """The stub of the stored secret moves to `previous_secret`, and goes when the endpoint knows the new one."""
    made = await stand.create("/receivers", receiver(WEBHOOK))
    place, shown = f"/v1/receivers/{made['id']}", made["channels"][0]
    renewed = shown | {"secret": NEW_SECRET, "previous_secret": shown["secret"]}
    both = answered(await stand.admin.patch(place, json={"channels": [renewed]}))["channels"][0]
    assert (both["secret"], both["previous_secret"]) == ({"set": True, "hint": "...a2V5"}, shown["secret"])
    (webhook,) = await stored(stand, "everyone")
    assert isinstance(webhook, Webhook)
    assert webhook.previous_secret is not None
    opened = stand.ports.vault.open
    assert (opened(webhook.secret), opened(webhook.previous_secret)) == (NEW_SECRET, WEBHOOK["secret"])
    again = answered(await stand.admin.patch(place, json={"channels": [both]}))
    assert await stored(stand, "everyone") == (webhook,)
    done = answered(
        await stand.admin.patch(place, json={"channels": [again["channels"][0] | {"previous_secret": None}]})
    )
    assert done["channels"][0]["previous_secret"] is None


async def test_a_moved_webhook_needs_both_secrets_again(stand: Stand) -> None:
    made = await stand.create("/receivers", receiver(WEBHOOK | {"previous_secret": NEW_SECRET}))
    moved = made["channels"][0] | {"url": "https://collector.example/hook", "secret": WEBHOOK["secret"]}
    answer = await stand.admin.patch(f"/v1/receivers/{made['id']}", json={"channels": [moved]})
    assert pointers(answer) == ["/channels/0/previous_secret"]


async def test_a_login_is_sealed_kept_and_goes_to_no_new_member(stand: Stand) -> None:
    login = "Basic RkFLRTpGQUtF"
    made = await stand.create("/receivers", receiver(ALERTMANAGER | {"authorization": login}))
    place, shown = f"/v1/receivers/{made['id']}", made["channels"][0]
    assert shown["authorization"] == {"set": True, "hint": "...QUtF"}
    before = await stored(stand, "everyone")
    (alertmanager,) = before
    assert isinstance(alertmanager, Alertmanager)
    assert alertmanager.authorization is not None
    assert stand.ports.vault.open(alertmanager.authorization) == login
    answered(await stand.admin.patch(place, json={"channels": [shown]}))
    assert await stored(stand, "everyone") == before
    answered(await stand.admin.patch(place, json={"channels": [shown | {"urls": shown["urls"][:1]}]}))
    more = shown | {"urls": ["https://am-1.example.com", "https://collector.example"]}
    answer = await stand.admin.patch(place, json={"channels": [more]})
    assert pointers(answer) == ["/channels/0/authorization"]
    answered(await stand.admin.patch(place, json={"channels": [more | {"authorization": login}]}))
    gone = answered(await stand.admin.patch(place, json={"channels": [more | {"authorization": None}]}))
    assert gone["channels"][0]["authorization"] is None


@pytest.mark.parametrize(
    ("channel", "pointer"),
    [
        (PAGERDUTY | {"api_url": PRIVATE}, "api_url"),
        (WEBHOOK | {"url": PRIVATE}, "url"),
        (ALERTMANAGER | {"urls": ["https://am-1.example.com", PRIVATE]}, "urls/1"),
        (TEAMS | {"webhook_url": f"{PRIVATE}/FAKE-part-that-is-secret"}, "webhook_url"),
        (JSM | {"api_url": PRIVATE}, "api_url"),
        (DISCORD | {"webhook_url": f"{PRIVATE}/api/webhooks/1/FAKE-part-that-is-secret"}, "webhook_url"),
    ],
    ids=["pagerduty", "webhook", "alertmanager", "teams", "jsm", "discord"],
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
        (WEBHOOK | {"previous_secret": "whsec_c2hvcnQ="}, "previous_secret"),
        (ALERTMANAGER | {"authorization": "FAKE-without-a-scheme"}, "authorization"),
        (ALERTMANAGER | {"authorization": "Bearer FAKE\r\nX-Other: FAKE"}, "authorization"),
        (ALERTMANAGER | {"authorization": {"set": True, "hint": "...QUtF"}}, "authorization"),
        (ALERTMANAGER | {"urls": []}, "urls"),
        (ALERTMANAGER | {"urls": ["https://am.example.com/", "https://am.example.com"]}, "urls/1"),
        (ALERTMANAGER | {"urls": ["am.example.com"]}, "urls/0"),
        (TEAMS | {"webhook_url": "prod-1.logic.azure.com/workflows/FAKE"}, "webhook_url"),
        (TEAMS | {"webhook_url": {"set": True, "hint": "...ture"}}, "webhook_url"),
        (JSM | {"api_key": ""}, "api_key"),
        (DISCORD | {"webhook_url": "https://discord.com/channels/1/FAKE"}, "webhook_url"),
        (DISCORD | {"webhook_url": f"{DISCORD['webhook_url']}/slack"}, "webhook_url"),
        (DISCORD | {"webhook_url": {"set": True, "hint": "...ests"}}, "webhook_url"),
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
    assert [one["kind"] for one in tested["channels"]] == [
        *("pagerduty", "webhook", "alertmanager", "teams", "jsm", "discord"),
    ]
