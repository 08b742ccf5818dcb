"""Teams: a card that it will take, in which no name is more than text."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.adapters.channels.teams import TeamsChannel
from service.adapters.vault import FernetVault
from service.domain.messages.message import badge
from service.domain.notify.channels.teams import Teams
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action
from service.domain.values.severity import Severity
from tests.adapters.channels.posting_stand import MARKUP, VAULT, failure_of, hostile, way_out
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import Answer
from tests.sample_alerts import delivery, message

PATH = "/workflows/FAKEworkflow/triggers/manual/paths/invoke?api-version=1&sig=FAKEsignature"
TEAMS_LIMIT = 28_672


@pytest.fixture
async def workflow() -> AsyncIterator[FakeReceiver]:
    async with FakeReceiver() as server:
        yield server


@pytest.fixture
async def channel(workflow: FakeReceiver) -> AsyncIterator[TeamsChannel]:
    async with way_out() as transport:
        yield TeamsChannel(Teams(VAULT.seal(workflow.url + PATH)), VAULT, transport)


def card_of(workflow: FakeReceiver) -> Any:
    (document,) = workflow.documents
    assert document["type"] == "message"
    (attachment,) = document["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
    return attachment["content"]


def elements(node: Any) -> Iterator[dict[str, Any]]:
    """Everything in a card that has a type."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from elements(child)
    if isinstance(node, dict) and "type" in node:
        yield node


def texts(card: Any) -> list[str]:
    return [one["text"] for one in elements(card) if one["type"] == "TextRun"]


async def test_a_message_is_a_card_with_a_way_to_the_alert(workflow: FakeReceiver, channel: TeamsChannel) -> None:
    receipt = await channel.send(delivery())
    assert workflow.requests[0].path == PATH
    card, said = card_of(workflow), message()
    assert (card["type"], card["version"], card["msteams"]) == ("AdaptiveCard", "1.4", {"width": "Full"})
    shown = texts(card)
    assert shown[:4] == [badge(said), said.headline, said.summary, said.next_step]
    assert shown[shown.index("Spent: ") + 1] == dict(said.facts)["Spent"]
    assert shown[-1] == "critical, firing"
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Open in Tocsin", "url": said.link},
        {"type": "Action.OpenUrl", "title": "API keys in the Console", "url": said.page},
    ]
    assert receipt.post is None


@pytest.mark.parametrize(
    ("severity", "colour"),
    [
        (Severity.INFO, "Accent"),
        (Severity.WARNING, "Warning"),
        (Severity.ERROR, "Attention"),
        (Severity.CRITICAL, "Attention"),
    ],
)
async def test_the_colour_says_how_bad_it_is(
    workflow: FakeReceiver, channel: TeamsChannel, severity: Severity, colour: str
) -> None:
    await channel.send(delivery(said=replace(message(), severity=severity)))
    assert card_of(workflow)["body"][0]["inlines"][0]["color"] == colour


async def test_a_resolved_alert_is_green(workflow: FakeReceiver, channel: TeamsChannel) -> None:
    await channel.send(delivery(Action.RESOLVE))
    run = card_of(workflow)["body"][0]["inlines"][0]
    assert (run["text"], run["color"]) == ("RESOLVED", "Good")


async def test_markup_in_a_name_is_only_text(workflow: FakeReceiver, channel: TeamsChannel) -> None:
    said = replace(message(), headline=MARKUP, change=MARKUP, next_step=MARKUP, facts=((MARKUP, MARKUP),))
    await channel.send(delivery(said=said))
    card = card_of(workflow)
    # Markdown is read in TextBlocks and FactSets, mentions need `msteams.entities`, and HTML is read nowhere.
    assert {one["type"] for one in elements(card)} == {"AdaptiveCard", "RichTextBlock", "TextRun", "Action.OpenUrl"}
    assert "entities" not in card["msteams"]
    assert [text for text in texts(card) if "{{" in text] == []
    assert texts(card)[1] == MARKUP.replace("{{", "{ {")


async def test_a_hostile_message_is_cut_until_teams_takes_it(workflow: FakeReceiver, channel: TeamsChannel) -> None:
    await channel.send(delivery(said=hostile()))
    card = card_of(workflow)
    as_teams_counts = json.dumps(json.dumps(card))
    assert len(as_teams_counts) <= TEAMS_LIMIT
    assert len(workflow.requests[0].body) <= TEAMS_LIMIT
    assert len(texts(card)[1]) == 300
    assert texts(card)[-1] == "critical, firing"


async def test_facts_go_from_the_last_and_not_before_they_must(workflow: FakeReceiver, channel: TeamsChannel) -> None:
    facts = tuple((f"fact {number}", "ß" * 490) for number in range(12))
    await channel.send(delivery(said=replace(message(), facts=facts)))
    card = card_of(workflow)
    kept = sum(1 for text in texts(card) if text.startswith("fact "))
    assert 0 < kept < 12
    assert f"fact {kept - 1}: " in texts(card)
    assert len(json.dumps(json.dumps(card))) > TEAMS_LIMIT - 6_000


@pytest.mark.parametrize("status", [200, 202])
async def test_both_answers_of_workflows_are_successes(
    workflow: FakeReceiver, channel: TeamsChannel, status: int
) -> None:
    workflow.plan(Answer(status))
    await channel.send(delivery())


@pytest.mark.parametrize(
    ("status", "concerns"),
    [
        (400, Concern.MESSAGE),
        (401, Concern.CREDENTIAL),
        (404, Concern.CHANNEL),
        (410, Concern.CHANNEL),
        (413, Concern.MESSAGE),
    ],
)
async def test_a_refusal_says_what_it_concerns(
    workflow: FakeReceiver, channel: TeamsChannel, status: int, concerns: Concern
) -> None:
    workflow.plan(Answer(status))
    error = await failure_of(channel)
    assert (error.concerns, error.reason) == (concerns, f"Teams: HTTP {status}")


async def test_a_busy_workflow_says_when_to_come_back(workflow: FakeReceiver, channel: TeamsChannel) -> None:
    workflow.plan(Answer(429, headers={"Retry-After": "12"}))
    error = await failure_of(channel)
    assert (error.concerns, error.retry_after) == (Concern.MOMENT, timedelta(seconds=12))


async def test_the_address_is_in_no_error() -> None:
    async with way_out() as transport:
        channel = TeamsChannel(Teams(VAULT.seal(f"http://127.0.0.1:1{PATH}")), VAULT, transport)
        error = await failure_of(channel)
    assert error.concerns is Concern.MOMENT
    assert "FAKE" not in error.reason


async def test_a_secret_sealed_with_another_key_waits_for_that_key(workflow: FakeReceiver) -> None:
    sealed = FernetVault("another FAKE key").seal(workflow.url)
    async with way_out() as transport:
        error = await failure_of(TeamsChannel(Teams(sealed), VAULT, transport))
    assert error.concerns is Concern.CREDENTIAL
