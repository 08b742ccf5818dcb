"""Jira Service Management: an alert is known by its alias, and a raise pages again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from service.adapters.channels.jsm import JsmChannel
from service.domain.alerts import Severity
from service.domain.messages import sample
from service.domain.notifications import Action
from service.domain.receivers import Jsm
from tests.adapters.posting_stand import VAULT, failure_of, hostile, way_out
from tests.fake_receiver import FakeReceiver
from tests.fake_slack import Answer
from tests.sample_alerts import ALERT, OPENED, delivery, message

API_KEY = "FAKE-0000-integration-key"
BASE = "/jsm/ops/integration"
ALIAS = f"{ALERT.id}-critical"


@pytest.fixture
async def jsm() -> AsyncIterator[FakeReceiver]:
    async with FakeReceiver() as server:
        yield server


@pytest.fixture
async def channel(jsm: FakeReceiver) -> AsyncIterator[JsmChannel]:
    async with way_out() as transport:
        yield JsmChannel(Jsm(VAULT.seal(API_KEY), jsm.url + BASE), VAULT, transport)


def called(jsm: FakeReceiver) -> list[str]:
    return [request.path.removeprefix(f"{BASE}/v2/alerts") for request in jsm.requests]


async def test_an_opened_alert_is_created(jsm: FakeReceiver, channel: JsmChannel) -> None:
    receipt = await channel.send(delivery())
    (request,) = jsm.requests
    said = message()
    assert request.path == f"{BASE}/v2/alerts"
    assert request.headers["authorization"] == f"GenieKey {API_KEY}"
    created = request.json
    assert f"Spent: {dict(said.facts)['Spent']}" in created.pop("description")
    assert created == {
        "message": said.headline,
        "alias": ALIAS,
        "details": {"link": said.link, "alert_id": ALERT.id},
        "tags": ["tocsin"],
        "priority": "P1",
        "source": "Tocsin",
    }
    assert receipt.post == ALIAS


@pytest.mark.parametrize(
    ("severity", "priority"),
    [(Severity.INFO, "P5"), (Severity.WARNING, "P3"), (Severity.ERROR, "P2"), (Severity.CRITICAL, "P1")],
)
async def test_severities_are_priorities(
    jsm: FakeReceiver, channel: JsmChannel, severity: Severity, priority: str
) -> None:
    await channel.send(delivery(said=replace(message(), severity=severity)))
    assert jsm.documents[0]["priority"] == priority


@pytest.mark.parametrize(("action", "verb"), [(Action.ACKNOWLEDGE, "acknowledge"), (Action.RESOLVE, "close")])
async def test_what_follows_names_the_alias(jsm: FakeReceiver, channel: JsmChannel, action: Action, verb: str) -> None:
    opened = await channel.send(delivery())
    followed = await channel.send(delivery(action, post=opened.post))
    assert called(jsm)[1:] == [f"/{ALIAS}/{verb}?identifierType=alias"]
    assert jsm.documents[1]["note"]
    assert followed.post == opened.post


async def test_a_raise_is_an_alert_of_its_own_and_closes_the_lower_one(jsm: FakeReceiver, channel: JsmChannel) -> None:
    opened = await channel.send(delivery(said=replace(message(), severity=Severity.WARNING)))
    raised = await channel.send(delivery(Action.RAISE, post=opened.post))
    assert called(jsm)[1:] == ["", f"/{ALERT.id}-warning/close?identifierType=alias"]
    assert (jsm.documents[1]["alias"], jsm.documents[1]["priority"]) == (ALIAS, "P1")
    await channel.send(delivery(Action.RESOLVE, post=raised.post))
    assert called(jsm)[3:] == [f"/{ALIAS}/close?identifierType=alias"]


async def test_a_raise_within_its_severity_is_a_note(jsm: FakeReceiver, channel: JsmChannel) -> None:
    opened = await channel.send(delivery())
    await channel.send(delivery(Action.RAISE, post=opened.post))
    assert called(jsm)[1:] == ["", f"/{ALIAS}/notes?identifierType=alias"]


async def test_a_raise_that_fails_half_way_is_repeated_whole(jsm: FakeReceiver, channel: JsmChannel) -> None:
    jsm.plan(Answer(202), Answer(503))
    raise_ = delivery(Action.RAISE, post=f"{ALERT.id}-warning")
    error = await failure_of(channel, raise_)
    assert not error.permanent
    await channel.send(raise_)
    first, _, again, _ = jsm.requests
    assert first.body == again.body


async def test_a_test_leaves_no_open_alert(jsm: FakeReceiver, channel: JsmChannel) -> None:
    await channel.send(delivery(said=sample("https://tocsin.example.com", OPENED)))
    assert [path.partition("?")[0].rpartition("/")[2] for path in called(jsm)] == ["", "close"]


@pytest.mark.parametrize(("length", "shown"), [(130, "x" * 130), (131, "x" * 129 + "…")])
async def test_the_message_has_at_most_130_characters(
    jsm: FakeReceiver, channel: JsmChannel, length: int, shown: str
) -> None:
    await channel.send(delivery(said=replace(message(), headline="x" * length)))
    assert jsm.documents[0]["message"] == shown


async def test_no_field_outgrows_its_limit(jsm: FakeReceiver, channel: JsmChannel) -> None:
    await channel.send(delivery(said=hostile()))
    await channel.send(delivery(Action.RESOLVE, said=hostile()))
    created, closed = jsm.documents
    assert len(created["message"]) == 130
    assert len(created["description"]) == 15_000
    assert len(created["alias"]) <= 250
    assert len(closed["note"]) <= 25_000


async def test_a_refusal_is_permanent_and_says_why(jsm: FakeReceiver, channel: JsmChannel) -> None:
    jsm.plan(Answer(422, {"message": "Request body is not processable.", "took": 0.1}))
    error = await failure_of(channel)
    assert error.permanent
    assert error.reason == "Jira Service Management: HTTP 422 (Request body is not processable.)"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_pass_is_tried_again(jsm: FakeReceiver, channel: JsmChannel, status: int) -> None:
    jsm.plan(Answer(status, headers={"Retry-After": "3"}))
    error = await failure_of(channel)
    assert (error.permanent, error.retry_after) == (False, timedelta(seconds=3))


async def test_the_key_is_in_no_error(jsm: FakeReceiver, channel: JsmChannel) -> None:
    jsm.plan(Answer(401, {"message": f"Key {API_KEY} is not valid"}))
    error = await failure_of(channel)
    assert error.reason == "Jira Service Management: HTTP 401 (Key … is not valid)"
