"""PagerDuty: one incident an alert, however often it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from service.adapters.channels.pagerduty import PagerDutyChannel
from service.domain.messages.message import sample
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action, Message
from service.domain.values.severity import Severity
from tests.adapters.channels.posting_stand import VAULT, failure_of, hostile, way_out
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import Answer
from tests.sample_alerts import ALERT, OPENED, delivery, message

ROUTING_KEY = "FAKE0000routing0000key0000000032"


@pytest.fixture
async def pagerduty() -> AsyncIterator[FakeReceiver]:
    async with FakeReceiver() as server:
        yield server


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    async with way_out() as opened:
        yield opened


@pytest.fixture
def channel(pagerduty: FakeReceiver, transport: httpx.AsyncBaseTransport) -> PagerDutyChannel:
    return PagerDutyChannel(PagerDuty(VAULT.seal(ROUTING_KEY), pagerduty.url), VAULT, transport)


async def test_an_opened_alert_triggers_an_incident(pagerduty: FakeReceiver, channel: PagerDutyChannel) -> None:
    receipt = await channel.send(delivery())
    (request,) = pagerduty.requests
    assert request.path == "/v2/enqueue"
    event = request.json
    link = f"https://tocsin.example.com/pages/alerts/{ALERT.id}"
    assert (event["routing_key"], event["event_action"], event["dedup_key"]) == (ROUTING_KEY, "trigger", ALERT.id)
    assert (event["client"], event["client_url"]) == ("Tocsin", link)
    assert event["links"] == [
        {"href": link, "text": "Open in Tocsin"},
        {"href": message().page, "text": "API keys in the Console"},
    ]
    assert event["payload"]["summary"] == message().headline
    assert event["payload"]["source"]
    assert event["payload"]["custom_details"]["Spent"] == dict(message().facts)["Spent"]
    assert receipt.detail == f"trigger of {ALERT.id}"


@pytest.mark.parametrize(
    ("action", "event"),
    [
        (Action.RAISE, "trigger"),
        (Action.ACKNOWLEDGE, "acknowledge"),
        (Action.SNOOZE, "acknowledge"),
        (Action.RESOLVE, "resolve"),
    ],
)
async def test_what_follows_has_the_same_dedup_key(
    pagerduty: FakeReceiver, channel: PagerDutyChannel, action: Action, event: str
) -> None:
    await channel.send(delivery())
    await channel.send(delivery(action))
    assert [sent["event_action"] for sent in pagerduty.documents] == ["trigger", event]
    assert {sent["dedup_key"] for sent in pagerduty.documents} == {ALERT.id}


@pytest.mark.parametrize("answer", [Action.ACKNOWLEDGE, Action.SNOOZE])
async def test_a_raise_after_an_answer_of_ours_is_a_new_incident_and_the_next_one_is_not(
    pagerduty: FakeReceiver, channel: PagerDutyChannel, answer: Action
) -> None:
    """PagerDuty notifies nobody of what is added to an acknowledged incident."""
    post = None
    for action in (Action.OPEN, answer, Action.RAISE, Action.RAISE, Action.RESOLVE):
        post = (await channel.send(delivery(action, post=post))).post
    said = [sent["event_action"] for sent in pagerduty.documents]
    assert said == ["trigger", "acknowledge", "resolve", "trigger", "trigger", "resolve"]
    assert {sent["dedup_key"] for sent in pagerduty.documents} == {ALERT.id}


async def test_a_raise_that_fails_between_resolving_and_triggering_does_both_again(
    transport: httpx.AsyncBaseTransport,
) -> None:
    async with FakePagerDuty() as pagerduty:
        channel = PagerDutyChannel(PagerDuty(VAULT.seal(ROUTING_KEY), pagerduty.url), VAULT, transport)
        await channel.send(delivery())
        acknowledged = await channel.send(delivery(Action.ACKNOWLEDGE))
        pagerduty.refuse_next("trigger")
        raised = delivery(Action.RAISE, post=acknowledged.post)
        assert (await failure_of(channel, raised)).concerns is Concern.MOMENT
        assert pagerduty.open == {}
        await channel.send(raised)
        assert (pagerduty.pages, pagerduty.open) == ([ALERT.id] * 2, {ALERT.id: "triggered"})
        assert pagerduty.most_open == 1


async def test_that_somebody_else_has_it_acknowledges_and_is_said_where_it_pages_nobody(
    pagerduty: FakeReceiver, channel: PagerDutyChannel
) -> None:
    receipt = await channel.send(delivery(Action.AMEND, post="triggered"))
    said, change = pagerduty.requests
    assert (said.path, said.json["event_action"]) == ("/v2/enqueue", "acknowledge")
    assert (change.path, change.json["routing_key"]) == ("/v2/change/enqueue", ROUTING_KEY)
    assert change.json["payload"]["summary"] == delivery(Action.AMEND).message.one_line
    assert receipt.post == "acknowledged"


async def test_an_address_without_change_events_does_not_let_the_channel_rest(
    pagerduty: FakeReceiver, channel: PagerDutyChannel
) -> None:
    pagerduty.plan(Answer(202, {"status": "success"}))
    pagerduty.plan(Answer(404))
    assert (await failure_of(channel, delivery(Action.AMEND))).concerns is Concern.MESSAGE


async def test_acknowledging_and_resolving_say_nothing_but_which(
    pagerduty: FakeReceiver, channel: PagerDutyChannel
) -> None:
    await channel.send(delivery(Action.RESOLVE))
    assert pagerduty.documents == [{"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": ALERT.id}]


async def test_a_repeated_attempt_is_the_same_event(pagerduty: FakeReceiver, channel: PagerDutyChannel) -> None:
    await channel.send(delivery())
    await channel.send(replace(delivery(), at=OPENED + timedelta(minutes=5)))
    first, second = pagerduty.requests
    assert first.body == second.body


@pytest.mark.parametrize("severity", Severity)
async def test_severities_keep_their_names(
    pagerduty: FakeReceiver, channel: PagerDutyChannel, severity: Severity
) -> None:
    await channel.send(delivery(said=replace(message(), severity=severity)))
    assert pagerduty.documents[0]["payload"]["severity"] == severity.value


async def test_a_test_leaves_no_open_incident(pagerduty: FakeReceiver, channel: PagerDutyChannel) -> None:
    await channel.send(delivery(said=sample("https://tocsin.example.com", OPENED)))
    assert [sent["event_action"] for sent in pagerduty.documents] == ["trigger", "resolve"]


@pytest.mark.parametrize(("length", "shown"), [(1024, "x" * 1024), (1025, "x" * 1023 + "…")])
async def test_the_summary_has_at_most_1024_characters(
    pagerduty: FakeReceiver, channel: PagerDutyChannel, length: int, shown: str
) -> None:
    await channel.send(delivery(said=replace(message(), headline="x" * length)))
    assert pagerduty.documents[0]["payload"]["summary"] == shown


async def test_details_that_outgrow_512_000_bytes_go_from_the_last(
    pagerduty: FakeReceiver, channel: PagerDutyChannel
) -> None:
    facts = tuple((str(number), "x" * 5000) for number in range(200))
    await channel.send(delivery(said=replace(message(), facts=facts)))
    (request,) = pagerduty.requests
    assert 506_000 < len(request.body) <= 512_000
    details = request.json["payload"]["custom_details"]
    assert "0" in details
    assert "199" not in details


@pytest.mark.parametrize("said", [hostile(), replace(message(), facts=(("a" * 600_000, "b" * 600_000),))])
async def test_no_text_is_too_hostile_to_be_sent(
    pagerduty: FakeReceiver, channel: PagerDutyChannel, said: Message
) -> None:
    await channel.send(delivery(said=said))
    assert len(pagerduty.requests[0].body) <= 512_000
    assert len(pagerduty.documents[0]["payload"]["summary"]) <= 1024


async def test_a_refused_event_is_permanent_and_says_why(pagerduty: FakeReceiver, channel: PagerDutyChannel) -> None:
    wrong = {"status": "invalid event", "message": "Event object is invalid", "errors": ["'routing_key' is wrong"]}
    pagerduty.plan(Answer(400, wrong))
    error = await failure_of(channel)
    assert error.concerns is not Concern.MOMENT
    assert error.reason == "PagerDuty: HTTP 400 (Event object is invalid; 'routing_key' is wrong)"


async def test_too_many_events_wait_as_long_as_asked(pagerduty: FakeReceiver, channel: PagerDutyChannel) -> None:
    pagerduty.plan(Answer(429, headers={"Retry-After": "30"}))
    error = await failure_of(channel)
    assert (error.concerns, error.retry_after) == (Concern.MOMENT, timedelta(seconds=30))


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_broken_pagerduty_is_tried_again(
    pagerduty: FakeReceiver, channel: PagerDutyChannel, status: int
) -> None:
    pagerduty.plan(Answer(status))
    assert (await failure_of(channel)).concerns is Concern.MOMENT


async def test_the_routing_key_is_in_no_error(pagerduty: FakeReceiver, channel: PagerDutyChannel) -> None:
    pagerduty.plan(Answer(400, {"message": f"no such key {ROUTING_KEY}"}))
    assert ROUTING_KEY not in (await failure_of(channel)).reason
