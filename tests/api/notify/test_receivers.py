from __future__ import annotations

import pytest

from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.circuits import Concern
from service.domain.notify.receivers import Receiver
from service.workflows.configuration.notify import run_default_routes
from service.workflows.ports.channels import DeliveryError
from tests.api.stand import SLACK, SOURCE, Stand, answered, pointers, problem

HOOK = {"kind": "slack", "webhook_url": "https://hooks.slack.com/services/T0FAKE/B0FAKE/FAKEhook"}
MAIL = {"kind": "email", "to": ["finops@example.com"]}
CONSOLE = {"kind": "console"}


async def stored(stand: Stand, name: str) -> Receiver:
    async with stand.ports.uow() as uow:
        return (await uow.receivers.get(name)).spec


async def test_every_kind_of_channel_is_taken_and_shown_without_its_secret(stand: Stand) -> None:
    made = await stand.create("/receivers", {"name": "all", "channels": [SLACK, HOOK, MAIL, CONSOLE]})
    bot, hook, mail, console = made["channels"]
    assert bot == {
        "kind": "slack",
        "token": {"set": True, "hint": "...oken"},
        "channel": "#claude-spend",
        "mention": "",
        "api_url": "https://slack.com/api/",
        "link": "read",
    }
    assert hook == {"kind": "slack", "webhook_url": {"set": True, "hint": "...hook"}, "mention": "", "link": "answer"}
    assert (mail, console) == (MAIL | {"link": "answer"}, CONSOLE | {"link": "none"})


@pytest.mark.parametrize(
    ("channel", "pointer"),
    [
        ({"kind": "slack"}, "/channels/0/token"),
        ({"kind": "slack", "token": "xoxb-FAKE"}, "/channels/0/channel"),
        (SLACK | {"token": "abc"}, "/channels/0/token"),
        (SLACK | {"token": "xoxp-FAKE-of-a-person"}, "/channels/0/token"),
        (SLACK | {"token": "xapp-FAKE-of-the-app"}, "/channels/0/token"),
        (SLACK | {"webhook_url": HOOK["webhook_url"]}, "/channels/0/webhook_url"),
        ({"kind": "slack", "webhook_url": "hooks.slack.com/x"}, "/channels/0/webhook_url"),
        ({"kind": "slack", "webhook_url": "https://[::1"}, "/channels/0/webhook_url"),
        (SLACK | {"token": "xoxb FAKE\u0000"}, "/channels/0/token"),
        (SLACK | {"token": {"set": False, "hint": ""}}, "/channels/0/token/set"),
        (SLACK | {"api_url": "file:///etc/passwd"}, "/channels/0/api_url"),
        ({"kind": "email", "to": []}, "/channels/0/to"),
        ({"kind": "email", "to": ["nobody"]}, "/channels/0/to/0"),
        ({"kind": "email", "to": ["a@example.com\r\nBcc: b@example.com"]}, "/channels/0/to/0"),
        (MAIL | {"link": "write"}, "/channels/0/link"),
        (MAIL | {"link": None}, "/channels/0/link"),
        (SLACK | {"link": "admin"}, "/channels/0/link"),
        (CONSOLE | {"link": True}, "/channels/0/link"),
        ({"kind": "pigeon"}, "/channels/0"),
        ({"kind": "console", "colour": 1}, "/channels/0/colour"),
        ({}, "/channels/0"),
        ("slack", "/channels/0"),
    ],
)
async def test_a_channel_that_cannot_work_is_refused(stand: Stand, channel: object, pointer: str) -> None:
    answer = await stand.admin.post("/v1/receivers", json={"name": "x", "channels": [channel]})
    assert pointers(answer) == [pointer]


async def test_a_channel_stands_in_a_receiver_once(stand: Stand) -> None:
    document = {"name": "x", "channels": [CONSOLE, MAIL, CONSOLE]}
    assert pointers(await stand.admin.post("/v1/receivers", json=document)) == ["/channels/2"]
    shouted = {**MAIL, "to": [one.upper() for one in MAIL["to"]]}
    document = {"name": "x", "channels": [CONSOLE, MAIL, shouted]}
    assert pointers(await stand.admin.post("/v1/receivers", json=document)) == ["/channels/2"]


async def test_stubs_keep_their_secrets_when_channels_change_places(stand: Stand) -> None:
    second = {"kind": "slack", "token": "xoxb-FAKE-second", "channel": "#other"}
    made = await stand.create("/receivers", {"name": "all", "channels": [SLACK, second, HOOK]})
    place = f"/v1/receivers/{made['id']}"
    answered(await stand.admin.patch(place, json={"channels": [*reversed(made["channels"]), CONSOLE]}))
    channels = (await stored(stand, "all")).channels
    tokens = [stand.ports.vault.open(one.token) for one in channels if isinstance(one, SlackBot)]
    assert tokens == ["xoxb-FAKE-second", "xoxb-FAKE-token"]


async def test_a_changed_api_address_needs_its_token_again(stand: Stand) -> None:
    made = await stand.create("/receivers", {"name": "eng", "channels": [SLACK]})
    moved = made["channels"][0] | {"api_url": "https://collector.example/api/"}
    place = f"/v1/receivers/{made['id']}"
    assert pointers(await stand.admin.patch(place, json={"channels": [moved]})) == ["/channels/0/token"]
    both = [made["channels"][0], moved | {"channel": "#copy"}]
    assert pointers(await stand.admin.patch(place, json={"channels": both})) == ["/channels/1/token"]
    answered(await stand.admin.patch(place, json={"channels": [moved | {"token": SLACK["token"]}]}))


async def test_a_stub_of_no_stored_secret_is_refused(stand: Stand) -> None:
    made = await stand.create("/receivers", {"name": "eng", "channels": [SLACK]})
    stub = {"kind": "slack", "webhook_url": made["channels"][0]["token"]}
    answer = await stand.admin.patch(f"/v1/receivers/{made['id']}", json={"channels": [stub]})
    assert pointers(answer) == ["/channels/0/webhook_url"]


async def test_a_test_sends_a_sample_through_every_channel_and_tells_each_answer(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "all", "channels": [SLACK, MAIL, CONSOLE]})
    stand.channels.refusals["slack_bot"] = DeliveryError("channel_not_found", Concern.CHANNEL)
    tested = answered(await stand.admin.post("/v1/receivers/all/test"))
    assert not tested["ok"]
    assert [(one["kind"], one["ok"], one["detail"]) for one in tested["channels"]] == [
        ("slack", False, "channel_not_found"),
        ("email", True, "taken"),
        ("console", True, "taken"),
    ]
    assert [config.kind for config, _ in stand.channels.sent] == ["email", "console"]


async def test_a_receiver_in_use_by_the_default_route_cannot_be_deleted(stand: Stand) -> None:
    made = await stand.create("/receivers", {"name": "eng", "channels": [CONSOLE]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"matchers": [], "receiver": made["id"]}]}))
    answer = await stand.admin.delete("/v1/receivers/eng")
    assert "the default route" in problem(answer, 409)["detail"]


async def test_a_receiver_in_use_names_everything_that_uses_it(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "eng", "channels": [CONSOLE]})
    await stand.create("/digests", {"name": "weekly spend", "receiver": "eng", "cron": "0 9 * * 1"})
    await stand.create("/rotas", {"name": "engineers", "people": [{"name": "ann", "receiver": "eng"}]})
    await stand.create("/escalation-policies", {"name": "on call", "steps": [{"after": "0s", "receiver": "eng"}]})
    critical = {"label": "severity", "op": "=", "value": "critical"}
    routes = [{"matchers": [critical], "receiver": "eng"}, {"receiver": "eng"}]
    answered(await stand.admin.put("/v1/routes", json={"items": routes}))
    told = problem(await stand.admin.delete("/v1/receivers/eng"), 409)["detail"]
    users = ("route 1", "the default route", "escalation policy 'on call'", "digest 'weekly spend'", "rota 'engineers'")
    assert [user for user in users if user not in told] == []
    assert answered(await stand.viewer.get("/v1/receivers/eng"))["name"] == "eng"


async def test_the_first_start_leads_alerts_to_the_console_and_later_ones_change_nothing(stand: Stand) -> None:
    await run_default_routes(stand.ports)
    await run_default_routes(stand.ports)
    routes = await stand.viewer.get("/v1/routes")
    assert [(route["matchers"], route["receiver"]) for route in answered(routes)["items"]] == [([], "console")]
    assert routes.headers["etag"] == '"1"'
