from __future__ import annotations

from dataclasses import replace

from service.adapters.vault import FernetVault
from service.api.app import create_app
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.channels.teams import Teams
from service.domain.notify.receivers import Receiver, channel_key
from tests.api.stand import SLACK, SOURCE, Stand, answered, client

TEAMS = {"kind": "teams", "webhook_url": "https://prod.westeurope.logic.azure.com/FAKE"}
ROTATING = FernetVault("a new FAKE key,a secret key of the tests")


async def stored(stand: Stand) -> tuple[SlackBot, Teams]:
    async with stand.ports.uow() as uow:
        receiver: Receiver = (await uow.receivers.get("eng")).spec
    slack, teams = receiver.channels
    assert isinstance(slack, SlackBot)
    assert isinstance(teams, Teams)
    return slack, teams


async def test_secrets_sent_again_during_a_rotation_are_sealed_with_the_new_key_and_stay_the_same(stand: Stand) -> None:
    document = {"name": "eng", "channels": [SLACK, TEAMS]}
    await stand.create("/receivers", document)
    before = await stored(stand)
    app = create_app(replace(stand.ports, vault=ROTATING), ready=stand.app.state.ready)
    async with client(app) as admin:
        admin.headers = stand.admin.headers
        answered(await admin.patch("/v1/receivers/eng", json=document))
    slack, teams = after = await stored(stand)
    assert ROTATING.is_current(slack.token)
    assert ROTATING.is_current(teams.webhook_url)
    assert [channel_key(one) for one in after] == [channel_key(one) for one in before]


async def test_the_same_key_sent_again_is_no_change_whatever_its_digest(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    async with stand.ports.uow() as uow:
        source = await uow.sources.get(made["id"])
        bare = replace(source.spec.admin_key, digest="0123456789abcdef")  # as an earlier release stored it
        await uow.sources.replace(replace(source, version=2, spec=replace(source.spec, admin_key=bare)))
    again = await stand.admin.patch(f"/v1/sources/{made['id']}", json={"admin_key": SOURCE["admin_key"]})
    assert answered(again)["version"] == 2
