"""The buttons under an alert: which there are, what they carry, and that a post keeps them current."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import TCPConnector

from service.adapters.channels.slack import blocks as slack_blocks
from service.adapters.channels.slack.bot import SlackBotChannel
from service.adapters.channels.slack.controls import controls
from service.adapters.channels.slack.webhook import SlackWebhookChannel
from service.adapters.vault import FernetVault
from service.domain.alerts.alert import Alert, Command, Reason
from service.domain.messages.message import sample
from service.domain.notify.channels.slack import SlackBot, SlackWebhook
from service.domain.notify.notification import Action, Message
from service.domain.slack.requests import SNOOZES, Deed, read_press
from tests.fakes.slack import TOKEN, FakeSlack, shown_texts
from tests.sample_alerts import ALERT, EVIDENCE, OPENED, RULE_ALERT, STALE_ALERT, delivery, event, message

VAULT = FernetVault("FAKE key of the tests")
ADA = "slack:U0ADAFAKE"


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as server:
        yield server


def elements(said: Message) -> list[Any]:
    return [element for block in controls(said) for element in block["elements"]]  # type: ignore[attr-defined]


def names(said: Message) -> list[str]:
    return [element["action_id"] for element in elements(said)]


def told(alert: Alert, command: Command = Command.OPEN) -> Message:
    return message(event(command, alert=alert))


FIRING = ["tocsin_acknowledge", "tocsin_snooze", "tocsin_hand_on", "tocsin_resolve"]


@pytest.mark.parametrize(
    ("alert", "command", "shown"),
    [
        (ALERT, Command.OPEN, FIRING),
        (STALE_ALERT, Command.OPEN, FIRING),
        (ALERT, Command.ACKNOWLEDGE, FIRING[1:]),
        (RULE_ALERT, Command.OPEN, [*FIRING, "tocsin_expected", "tocsin_not_useful"]),
        (RULE_ALERT, Command.ACKNOWLEDGE, [*FIRING[1:], "tocsin_expected", "tocsin_not_useful"]),
        (RULE_ALERT, Command.RESOLVE, []),
        (ALERT, Command.RESOLVE, []),
    ],
)
def test_the_buttons_are_those_that_the_alert_allows(alert: Alert, command: Command, shown: list[str]) -> None:
    assert names(told(alert, command)) == shown


def test_a_test_of_a_receiver_has_no_buttons() -> None:
    assert controls(sample("https://tocsin.example.com", OPENED)) == []


def test_a_blind_source_cannot_be_snoozed_until_it_grows() -> None:
    (menu,) = [element for element in elements(told(STALE_ALERT)) if element["type"] == "static_select"]
    assert len(menu["options"]) == len(SNOOZES) - 1


def test_every_button_carries_the_alert_and_its_version_and_is_read_back() -> None:
    said = replace(told(RULE_ALERT), version=7)
    pressed = []
    for element in elements(said):
        for option in element.get("options", [element]):
            payload = {"type": "block_actions", "user": {"id": "U0ADAFAKE"}, "actions": [{**element, **option}]}
            press = read_press(payload)
            assert press is not None
            assert (press.alert_id, press.version) == (RULE_ALERT.id, 7)
            pressed.append(press.deed)
    assert sorted(pressed) == sorted(Deed)


def test_the_buttons_are_within_slacks_limits() -> None:
    (block,) = controls(told(RULE_ALERT))
    found = elements(told(RULE_ALERT))
    assert len(found) == 6
    assert len({element["action_id"] for element in found}) == 6
    for element in found:
        assert len(element.get("text", element.get("placeholder"))["text"]) <= 75
        assert all(len(option["value"]) <= 75 for option in element.get("options", []))
    assert block["block_id"] == "tocsin_alert"


async def test_a_post_has_buttons_that_edits_replace_and_the_resolve_takes_away(slack: FakeSlack) -> None:
    config = SlackBot(VAULT.seal(TOKEN), "#claude-spend", api_url=slack.api_url)
    channel = SlackBotChannel(config, VAULT, TCPConnector, controls=controls)
    receipt = await channel.send(delivery(Action.OPEN))
    (post,) = slack.posted
    assert post.blocks[-1]["elements"][0]["action_id"] == "tocsin_acknowledge"
    assert "POST" not in post.shown  # nobody is woken to write a request
    await channel.send(delivery(Action.ACKNOWLEDGE, post=receipt.post))
    assert post.blocks[-1]["elements"][0]["action_id"] == "tocsin_snooze"
    await channel.send(delivery(Action.RESOLVE, post=receipt.post))
    assert "actions" not in [block["type"] for block in post.blocks]


async def test_where_nobody_would_hear_of_a_press_there_is_no_button(slack: FakeSlack) -> None:
    config = SlackBot(VAULT.seal(TOKEN), "#claude-spend", api_url=slack.api_url)
    await SlackBotChannel(config, VAULT, TCPConnector).send(delivery(Action.OPEN))
    await SlackWebhookChannel(SlackWebhook(VAULT.seal(slack.webhook_url)), VAULT, TCPConnector).send(delivery())
    assert len(slack.posted) == 2
    assert all(block["type"] != "actions" for post in slack.posted for block in post.blocks)
    assert all("then acknowledge" in post.shown for post in slack.posted)


# ------------------------------------------------------------------------------------------- who acted


@pytest.mark.parametrize("command", [Command.ACKNOWLEDGE, Command.RESOLVE])
def test_the_post_mentions_who_acted_in_slack(command: Command) -> None:
    said = message(event(command, Reason.PERSON, actor=ADA, note="ada, in Slack"), Action(command))
    shown = "\n".join(_texts(said))
    assert shown.count("<@U0ADAFAKE>") == 2  # in what happened, and in how it stands
    assert "slack:U" not in shown
    assert "ada" not in shown  # Slack shows the mention's own name
    assert "<@U0ADAFAKE>" in slack_blocks.text(said)
    assert "<@U0ADAFAKE>" in slack_blocks.reply(said)


def test_an_amended_post_still_says_who_acknowledged_it() -> None:
    acknowledged = event(Command.ACKNOWLEDGE, Reason.PERSON, actor=ADA).alert
    amended = replace(event(Command.AMEND, Reason.RESTATED), alert=acknowledged)
    assert "critical, acknowledged by <@U0ADAFAKE>" in "\n".join(_texts(message(amended, Action.AMEND)))


@pytest.mark.parametrize("name", [ADA, "slack:U0BOBFAKE", "<@U0BOBFAKE>"])
def test_a_name_or_note_that_looks_like_a_person_mentions_nobody(name: str) -> None:
    evidence = replace(EVIDENCE, budget_name=name, scope_name=name)
    said = message(event(Command.OPEN, evidence=evidence))
    assert "<@" not in "\n".join([*_texts(said), slack_blocks.text(said), slack_blocks.reply(said)])
    noted = message(event(Command.RESOLVE, Reason.PERSON, actor=ADA, note=f"with {name}"), Action.RESOLVE)
    assert "<@U0BOBFAKE>" not in "\n".join([*_texts(noted), slack_blocks.text(noted)])


def test_the_state_is_shown_however_many_facts_there_are() -> None:
    said = message(event(Command.ACKNOWLEDGE, Reason.PERSON, actor=ADA))
    crowded = replace(said, facts=tuple((f"fact {n}", "x") for n in range(30)) + said.facts)
    assert _texts(crowded)[-1].startswith("critical, acknowledged by <@U0ADAFAKE> · ")


def _texts(said: Message) -> list[str]:
    built: list[Any] = slack_blocks.blocks(said)
    return shown_texts(built)
