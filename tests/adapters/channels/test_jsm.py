"""Jira Service Management: an alert is known by its alias, and a raise pages again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from service.adapters.channels.jsm.channel import JsmChannel
from service.domain.messages.message import sample
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action
from service.domain.values.severity import Severity
from tests.adapters.channels.posting_stand import VAULT, failure_of, hostile, way_out
from tests.fakes.jsm import FakeJsm
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import Answer
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


@pytest.mark.parametrize(
    ("action", "verb"),
    [
        (Action.ACKNOWLEDGE, "acknowledge"),
        (Action.SNOOZE, "acknowledge"),
        (Action.AMEND, "acknowledge"),
        (Action.RESOLVE, "close"),
    ],
)
async def test_what_follows_names_the_alias(jsm: FakeReceiver, channel: JsmChannel, action: Action, verb: str) -> None:
    opened = await channel.send(delivery())
    followed = await channel.send(delivery(action, post=opened.post))
    assert called(jsm)[1:] == [f"/{ALIAS}/{verb}?identifierType=alias"]
    assert jsm.documents[1]["note"]
    again = await channel.send(delivery(Action.RESOLVE, post=followed.post))
    assert called(jsm)[-1] == f"/{ALIAS}/close?identifierType=alias"
    assert again.post == followed.post


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


@pytest.mark.parametrize("answer", [Action.ACKNOWLEDGE, Action.SNOOZE])
async def test_a_raise_after_an_answer_of_ours_is_an_alert_of_its_own_and_the_next_one_is_a_note(
    jsm: FakeReceiver, channel: JsmChannel, answer: Action
) -> None:
    """Notes at an acknowledged alert notify nobody. The new alert is there before the old one is closed."""
    post = None
    for number, action in enumerate((Action.OPEN, answer, Action.RAISE, Action.RAISE, Action.RESOLVE), 1):
        said = delivery(action, post=post)
        post = (await channel.send(replace(said, message=replace(said.message, version=number)))).post
    created = [document["alias"] for document in jsm.documents if "alias" in document]
    assert created == [ALIAS, f"{ALIAS}-3", f"{ALIAS}-3"]
    closed = [path for path in called(jsm) if "/close" in path]
    assert closed == [f"/{alias}/close?identifierType=alias" for alias in (ALIAS, f"{ALIAS}-3")]
    assert called(jsm)[-2] == f"/{ALIAS}-3/notes?identifierType=alias"


async def test_a_graver_raise_after_an_answer_begins_its_own_alert(jsm: FakeReceiver, channel: JsmChannel) -> None:
    await channel.send(delivery(Action.RAISE, post=f"{ALERT.id}-warning-7 acknowledged"))
    assert jsm.documents[0]["alias"] == ALIAS
    assert called(jsm)[1:] == [f"/{ALERT.id}-warning-7/close?identifierType=alias"]


async def test_a_raise_that_fails_half_way_is_repeated_whole(jsm: FakeReceiver, channel: JsmChannel) -> None:
    jsm.plan(Answer(202, {"result": "Request will be processed"}), Answer(503))
    raise_ = delivery(Action.RAISE, post=f"{ALERT.id}-warning")
    error = await failure_of(channel, raise_)
    assert error.concerns is Concern.MOMENT
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
    assert error.concerns is not Concern.MOMENT
    assert error.reason == "Jira Service Management: HTTP 422 (Request body is not processable.)"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_pass_is_tried_again(jsm: FakeReceiver, channel: JsmChannel, status: int) -> None:
    jsm.plan(Answer(status, headers={"Retry-After": "3"}))
    error = await failure_of(channel)
    assert (error.concerns, error.retry_after) == (Concern.MOMENT, timedelta(seconds=3))


async def test_the_key_is_in_no_error(jsm: FakeReceiver, channel: JsmChannel) -> None:
    jsm.plan(Answer(401, {"message": f"Key {API_KEY} is not valid"}))
    error = await failure_of(channel)
    assert error.reason == "Jira Service Management: HTTP 401 (Key … is not valid)"


# ------------------------------------------------------------------------------------------- what became of it

AT_ONCE = (0.0, 0.0, 0.0)


@pytest.fixture
async def acting() -> AsyncIterator[FakeJsm]:
    async with FakeJsm() as server:
        yield server


@pytest.fixture
async def asking(acting: FakeJsm) -> AsyncIterator[JsmChannel]:
    """A channel that asks three times, without a pause."""
    async with way_out() as transport:
        yield JsmChannel(Jsm(VAULT.seal(API_KEY), acting.url), VAULT, transport, AT_ONCE)


@pytest.mark.parametrize("fate", [{"data": {"isSuccess": True}}, {"isSuccess": True}], ids=["opsgenie", "bare"])
async def test_an_alert_that_was_created_is_confirmed(
    acting: FakeJsm, asking: JsmChannel, fate: Mapping[str, object]
) -> None:
    acting.fates.extend([None, fate])
    assert (await asking.send(delivery())).detail == f"open of {ALIAS}"
    assert acting.asked == [("/v2/alerts/requests/request-1", f"GenieKey {API_KEY}")] * 2


async def test_an_alert_that_was_not_created_is_tried_again_and_says_why(acting: FakeJsm, asking: JsmChannel) -> None:
    """What it would replace is not closed meanwhile."""
    acting.fates.append({"data": {"isSuccess": False, "status": f"Ignored by the filter of {API_KEY}"}})
    error = await failure_of(asking, delivery(Action.RAISE, post=f"{ALERT.id}-warning"))
    assert error.concerns is Concern.MOMENT
    said = "Jira Service Management took the alert and did not create it: Ignored by the filter of …"
    assert error.reason == said
    assert acting.posted == ["/v2/alerts"]


@pytest.mark.parametrize("fate", [None, {}, {"data": None}, {"isSuccess": "yes"}], ids=str)
async def test_what_nobody_knows_yet_is_sent_and_says_so(
    acting: FakeJsm, asking: JsmChannel, fate: Mapping[str, object] | None
) -> None:
    acting.fates.extend([fate] * 3)
    assert (await asking.send(delivery())).detail == f"open of {ALIAS}, taken, not confirmed"
    assert len(acting.asked) == 3


async def test_only_new_alerts_are_asked_about(acting: FakeJsm, asking: JsmChannel) -> None:
    """Somebody may have closed one over there: an answer to it has nothing to do then."""
    for action in (Action.ACKNOWLEDGE, Action.RESOLVE):
        await asking.send(delivery(action, post=ALIAS))
    assert acting.asked == []
