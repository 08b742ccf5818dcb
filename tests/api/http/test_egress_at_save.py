"""An address that can be seen to be private is refused when it is written, at its place in the document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from httpx import AsyncClient

from service.adapters.egress.guard import Guard, parse_networks, trusting
from service.api.app import create_app
from service.domain.access import Role
from service.workflows.ports.platform import Egress
from tests.api.stand import SLACK, SOURCE, Stand, answered, client, pointers, problem

HOOK = {"kind": "slack", "webhook_url": "https://hooks.slack.com/services/T0FAKE/B0FAKE/FAKEhook"}
MAIL = {"kind": "email", "to": ["finops@example.com"]}
SIMULATOR = "http://127.0.0.1:8401"
PRIVATE = [
    "http://127.0.0.1:9093",
    "http://localhost/api",
    "http://10.0.0.5/api",
    "http://169.254.169.254/latest",
    "http://[::1]:8080",
    "http://[::ffff:10.0.0.5]/api",
    "http://2130706433/",
    "https://100.64.0.1/",
]

With = Callable[[Egress], AsyncClient]


@pytest.fixture
async def admin_with(stand: Stand) -> AsyncIterator[With]:
    """An administrator of the same installation with another setting of the guard."""
    opened: list[AsyncClient] = []

    def with_(egress: Egress) -> AsyncClient:
        app = create_app(replace(stand.ports, egress=egress), ready=_ready)
        opened.append(client(app, f"tcn_FAKE-{Role.ADMIN}-token-of-the-tests"))
        return opened[-1]

    yield with_
    for one in opened:
        await one.aclose()


async def _ready() -> str | None:
    return None


def receiver(*channels: object) -> dict[str, object]:
    return {"name": "everyone", "channels": list(channels)}


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_base_url_is_refused_and_the_way_out_is_named(stand: Stand, address: str) -> None:
    answer = await stand.admin.post("/v1/sources", json=SOURCE | {"base_url": address})
    assert pointers(answer) == ["/base_url"]
    assert "list its network in TOCSIN_EGRESS_ALLOW" in answer.text
    assert answered(await stand.admin.get("/v1/sources"))["items"] == []


async def test_a_source_cannot_be_moved_to_a_private_address(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    moved = {"base_url": "http://10.0.0.5", "admin_key": "sk-ant-admin01-FAKE-production"}
    assert pointers(await stand.admin.patch(f"/v1/sources/{made['id']}", json=moved)) == ["/base_url"]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_address_of_slack_is_refused_where_it_stands(stand: Stand, address: str) -> None:
    bot, hook = SLACK | {"api_url": address}, HOOK | {"webhook_url": address}
    for document, pointer in (
        (receiver(MAIL, bot), "/channels/1/api_url"),
        (receiver(SLACK, MAIL, hook), "/channels/2/webhook_url"),
    ):
        answer = await stand.admin.post("/v1/receivers", json=document)
        assert pointers(answer) == [pointer]
        assert "list its network in TOCSIN_EGRESS_ALLOW" in answer.text


async def test_a_receiver_cannot_be_moved_to_a_private_address(stand: Stand) -> None:
    made = await stand.create("/receivers", receiver(SLACK))
    moved = {"channels": [SLACK | {"api_url": "http://10.0.0.5/api/"}]}
    answer = await stand.admin.patch(f"/v1/receivers/{made['id']}", json=moved)
    assert pointers(answer) == ["/channels/0/api_url"]


async def test_the_path_of_a_refused_webhook_is_not_repeated(stand: Stand) -> None:
    hook = HOOK | {"webhook_url": "http://10.0.0.5/services/FAKE-part-that-is-secret"}
    assert "FAKE-part" not in (await stand.admin.post("/v1/receivers", json=receiver(hook))).text


@pytest.mark.parametrize("url", ["https://ann:FAKE@hooks.slack.com/services/T0", "https://ann@hooks.slack.com/x"])
async def test_an_address_holds_no_user(stand: Stand, url: str) -> None:
    answer = await stand.admin.post("/v1/receivers", json=receiver(HOOK | {"webhook_url": url}))
    assert pointers(answer) == ["/channels/0/webhook_url"]
    assert "FAKE" not in answer.text
    for path, document in (
        ("sources", SOURCE | {"base_url": url}),
        ("receivers", receiver(SLACK | {"api_url": url})),
    ):
        problem(await stand.admin.post(f"/v1/{path}", json=document), 422)


async def test_a_name_is_taken_and_judged_when_it_is_called(stand: Stand) -> None:
    await stand.create("/receivers", receiver(SLACK | {"api_url": "http://slack-proxy.internal/api/"}))
    await stand.create("/sources", SOURCE | {"base_url": "https://gateway.internal"})


async def test_a_listed_network_is_taken(admin_with: With) -> None:
    guard = Guard(parse_networks("10.0.0.0/24"))
    admin = admin_with(Egress(guard, guard))
    document = receiver(SLACK | {"api_url": "http://10.0.0.5/api/"}, {**HOOK, "webhook_url": "http://10.0.0.5/hook"})
    answered(await admin.post("/v1/receivers", json=document), 201)
    answered(await admin.post("/v1/sources", json=SOURCE | {"base_url": "http://10.0.0.5"}), 201)
    assert pointers(await admin.post("/v1/sources", json=SOURCE | {"base_url": "http://10.0.1.5"})) == ["/base_url"]


async def test_what_the_environment_trusts_is_trusted_for_sources_alone(admin_with: With) -> None:
    admin = admin_with(Egress(sources=trusting(Guard(), [SIMULATOR]), receivers=Guard()))
    simulated = SOURCE | {"kind": "simulator", "base_url": SIMULATOR}
    answered(await admin.post("/v1/sources", json=simulated), 201)
    refused = simulated | {"name": "another", "base_url": "http://127.0.0.1:5432"}
    assert pointers(await admin.post("/v1/sources", json=refused)) == ["/base_url"]
    answer = await admin.post("/v1/receivers", json=receiver(SLACK | {"api_url": f"{SIMULATOR}/"}))
    assert pointers(answer) == ["/channels/0/api_url"]


async def test_what_was_taken_once_does_not_stand_in_the_way_of_other_changes(stand: Stand, admin_with: With) -> None:
    """The network was listed, and no longer is: the address fails when it is called, not when a name changes."""
    guard = Guard(parse_networks("10.0.0.0/24"))
    before = admin_with(Egress(guard, guard))
    document = receiver(SLACK | {"api_url": "http://10.0.0.5/api/"}, {**HOOK, "webhook_url": "http://10.0.0.5/hook"})
    team = answered(await before.post("/v1/receivers", json=document), 201)
    source = answered(await before.post("/v1/sources", json=SOURCE | {"base_url": "http://10.0.0.5"}), 201)

    renamed = answered(await stand.admin.patch(f"/v1/receivers/{team['id']}", json={"name": "all of us"}))
    assert [channel["kind"] for channel in renamed["channels"]] == ["slack", "slack"]
    answered(await stand.admin.patch(f"/v1/receivers/{team['id']}", json={"channels": document["channels"]}))
    answered(await stand.admin.patch(f"/v1/sources/{source['id']}", json={"poll_interval": "10m"}))
