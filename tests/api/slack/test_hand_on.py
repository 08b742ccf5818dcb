"""Handing an alert on in Slack: a button asks to whom, a menu answers, a command says both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.domain.slack.requests import Deed, SlackRole
from tests.api.alerts.test_alerts import rung
from tests.api.slack.desk import Desk, open_desk
from tests.api.stand import ENG, Stand, answered
from tests.slack_presses import ADA, BOB

CAROL = "carol@example.com"


@pytest.fixture
async def desk(stand: Stand) -> AsyncIterator[Desk]:
    async with open_desk(stand) as opened:
        yield opened


async def owned(desk: Desk) -> dict[str, Any]:
    """An alert about a workspace of Carol's, who is a receiver beside the console."""
    alert = await rung(desk.stand)
    member = {"member": f"workspace:{ENG.workspace}", "owner": CAROL}
    answered(await desk.stand.admin.patch("/v1/owners", json={"items": [member]}))
    return alert


def offered(desk: Desk) -> list[str]:
    return [one["text"]["text"] for one in desk.slack.told[-1]["blocks"][-1]["elements"][0]["options"]]


async def test_the_button_asks_the_person_alone_and_the_choice_hands_it_on(desk: Desk) -> None:
    alert = await owned(desk)
    answered(await desk.press(alert, Deed.HAND_ON))
    assert "They are notified at once" in await desk.told()
    assert offered(desk) == [f"{CAROL}, who owns it", "console"]
    assert (await desk.see(alert))["version"] == alert["version"], "a question changes nothing"
    answered(await desk.choose(f"{CAROL}, who owns it"))
    await desk.slack.until(lambda: len(desk.slack.told) == 2)
    assert desk.slack.told[-1] == {
        "response_type": "ephemeral",
        "text": f"Handed on to {CAROL}.",
        "replace_original": True,
    }
    seen = await desk.see(alert)
    assert (seen["handed_to"], seen["events"][-1]["actor"]) == (CAROL, f"slack:{ADA}")
    assert seen["events"][-1]["note"] == "ada, in Slack"
    events = answered(await desk.stand.admin.get("/v1/audit-events"))["items"]
    assert (f"slack:{ADA}", "alert.hand_on") in [(event["actor"], event["action"]) for event in events]


async def test_of_two_one_hands_it_on_and_the_other_is_told_to_whom(desk: Desk) -> None:
    alert = await owned(desk)
    answered(await desk.press(alert, Deed.HAND_ON))
    await desk.told()
    answered(await desk.choose(f"{CAROL}, who owns it"))
    answered(await desk.choose("console", BOB))
    await desk.slack.until(lambda: len(desk.slack.told) == 3)
    assert f"Already handed on by <@{ADA}> to {CAROL}." in desk.slack.told[-1]["text"]
    assert (await desk.see(alert))["handed_to"] == CAROL
    answered(await desk.press(alert, Deed.ACKNOWLEDGE, BOB))
    assert "Already handed on" in await desk.told(4)


async def test_who_may_not_acknowledge_is_not_asked(stand: Stand) -> None:
    async with open_desk(stand, SlackRole.VIEWER) as desk:
        alert = await rung(stand)
        answered(await desk.press(alert, Deed.HAND_ON))
        assert "needs the role responder" in await desk.told()
        assert "needs the role responder" in await desk.type(f"hand-on {alert['id']} console")
        assert (await desk.see(alert))["handed_to"] is None
        assert await desk.refused() == [f"slack:{ADA}"] * 2


async def test_where_there_is_nobody_else_it_says_so(desk: Desk) -> None:
    alert = await rung(desk.stand)
    answered(await desk.stand.operator.post(f"/v1/alerts/{alert['id']}/hand-on", json={"to": "console"}))
    answered(await desk.press(await desk.see(alert), Deed.HAND_ON))
    assert "no other receiver" in await desk.told()


async def test_a_command_hands_it_on_or_says_how_to_write_it(desk: Desk) -> None:
    alert = await owned(desk)
    assert "Nothing was changed: say which alert" in await desk.type("hand-on")
    assert "the nearest: carol@example.com" in await desk.type(f"hand-on {alert['id']} carol@example.org")
    assert await desk.type(f"hand-on {alert['id']} {CAROL}") == f"Handed on to {CAROL}."
    assert (await desk.see(alert))["handed_to"] == CAROL
    assert "already" in await desk.type(f'hand-on {alert["id"]} "{CAROL}"')
