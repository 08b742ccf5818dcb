"""Alertmanager: every member is told, and telling again changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.adapters.channels.alertmanager.channel import AlertmanagerChannel
from service.domain.messages.message import sample
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action
from service.domain.values.severity import Severity
from tests.adapters.channels.posting_stand import VAULT, failure_of, hostile, way_out
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import Answer
from tests.sample_alerts import ALERT, OPENED, delivery, message

LABELS = {"alertname": "ClaudeSpend", "alert_id": ALERT.id, "severity": "critical"}


@pytest.fixture
async def members() -> AsyncIterator[tuple[FakeReceiver, FakeReceiver]]:
    async with FakeReceiver() as first, FakeReceiver() as second:
        yield first, second


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    async with way_out() as opened:
        yield opened


@pytest.fixture
def channel(members: tuple[FakeReceiver, FakeReceiver], transport: httpx.AsyncBaseTransport) -> AlertmanagerChannel:
    return AlertmanagerChannel(Alertmanager(tuple(member.url for member in members)), VAULT, transport)


Members = tuple[FakeReceiver, FakeReceiver]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def only(document: Any) -> Any:
    (alert,) = document
    return alert


async def test_every_member_is_sent_the_alert(members: Members, channel: AlertmanagerChannel) -> None:
    receipt = await channel.send(delivery())
    for member in members:
        (request,) = member.requests
        assert request.path == "/api/v2/alerts"
        alert = only(request.json)
        assert alert["labels"] == LABELS
        assert alert["annotations"]["summary"] == message().headline
        assert alert["generatorURL"] == message().link
        assert instant(alert["startsAt"]) == OPENED
        assert instant(alert["endsAt"]) == OPENED + timedelta(minutes=4)
    assert receipt.detail == "open taken by 2 members"


async def test_telling_again_is_the_same_alert(members: Members, channel: AlertmanagerChannel) -> None:
    opened = await channel.send(delivery())
    again = await channel.send(replace(delivery(post=opened.post), at=OPENED + timedelta(minutes=1)))
    first, second = (only(document) for document in members[0].documents)
    assert (second["labels"], second["startsAt"]) == (first["labels"], first["startsAt"])
    assert instant(second["endsAt"]) - instant(first["endsAt"]) == timedelta(minutes=1)
    assert again.post == opened.post


async def test_an_amendment_changes_no_label(members: Members, channel: AlertmanagerChannel) -> None:
    opened = await channel.send(delivery())
    await channel.send(delivery(Action.AMEND, post=opened.post))
    first, second = (only(document) for document in members[0].documents)
    assert second["labels"] == first["labels"]
    assert second["annotations"]["change"] != first["annotations"]["change"]


async def test_a_resolved_alert_ends_now(members: Members, channel: AlertmanagerChannel) -> None:
    opened = await channel.send(delivery())
    end = OPENED + timedelta(hours=3)
    await channel.send(replace(delivery(Action.RESOLVE, post=opened.post), at=end))
    alert = only(members[0].documents[1])
    assert (alert["labels"], instant(alert["startsAt"]), instant(alert["endsAt"])) == (LABELS, OPENED, end)


async def test_a_raise_ends_the_alert_of_the_lower_severity_and_begins_another(
    members: Members, channel: AlertmanagerChannel
) -> None:
    opened = await channel.send(delivery(said=replace(message(), severity=Severity.WARNING)))
    at = OPENED + timedelta(hours=1)
    raised = await channel.send(replace(delivery(Action.RAISE, post=opened.post), at=at))
    lower, higher = members[0].documents[1]
    assert (lower["labels"], instant(lower["endsAt"])) == (LABELS | {"severity": "warning"}, at)
    assert (higher["labels"], instant(higher["startsAt"])) == (LABELS, at)
    assert instant(higher["endsAt"]) > at
    resolution = delivery(Action.RESOLVE, post=raised.post)
    await channel.send(replace(resolution, at=at + timedelta(hours=1)))
    assert only(members[0].documents[2])["labels"] == LABELS


async def test_simulated_spend_can_be_routed_elsewhere(members: Members, channel: AlertmanagerChannel) -> None:
    await channel.send(delivery(said=replace(message(), simulated=True)))
    assert only(members[0].documents[0])["labels"] == LABELS | {"simulated": "true"}


async def test_a_test_ends_by_itself_soon(members: Members, channel: AlertmanagerChannel) -> None:
    await channel.send(delivery(said=sample("https://tocsin.example.com", OPENED)))
    assert instant(only(members[0].documents[0])["endsAt"]) == OPENED + timedelta(minutes=5)


async def test_no_amount_and_no_time_is_a_label(members: Members, channel: AlertmanagerChannel) -> None:
    await channel.send(delivery(said=hostile()))
    assert only(members[0].documents[0])["labels"] == LABELS
    assert len(members[0].requests[0].body) < 60_000


async def test_one_member_is_enough_and_the_one_that_failed_is_named(
    members: Members, channel: AlertmanagerChannel
) -> None:
    members[1].plan(Answer(400, text='"start time must be before end time"'))
    receipt = await channel.send(delivery())
    host = members[1].url.removeprefix("http://")
    why = f"Alertmanager {host}: HTTP 400 (start time must be before end time)"
    assert receipt.detail == f"open taken by 1 of 2 members, the others later: {why}"
    again = await channel.send(delivery(post=receipt.post))
    assert members[1].documents[1] == members[0].documents[0]
    assert again.detail == "open taken by 2 members"


async def test_all_members_down_are_tried_again_and_named(members: Members, channel: AlertmanagerChannel) -> None:
    members[0].plan(Answer(400))
    members[1].plan(Answer(503, headers={"Retry-After": "20"}))
    error = await failure_of(channel)
    first, second = (member.url.removeprefix("http://") for member in members)
    assert error.reason == f"all 2 members failed: Alertmanager {first}: HTTP 400; Alertmanager {second}: HTTP 503"
    assert (error.concerns, error.retry_after) == (Concern.MOMENT, timedelta(seconds=20))


async def test_a_refusal_by_all_members_is_permanent(members: Members, channel: AlertmanagerChannel) -> None:
    for member in members:
        member.plan(Answer(400))
    assert (await failure_of(channel)).concerns is not Concern.MOMENT


async def test_an_unreachable_member_does_not_keep_the_alert_from_the_others(
    members: Members, transport: httpx.AsyncBaseTransport
) -> None:
    channel = AlertmanagerChannel(Alertmanager(("http://127.0.0.1:1", members[0].url)), VAULT, transport)
    receipt = await channel.send(delivery())
    assert receipt.detail.endswith("Alertmanager 127.0.0.1:1 cannot be reached: ConnectError")
    assert len(members[0].requests) == 1


async def test_a_prefix_of_the_address_is_kept(members: Members, transport: httpx.AsyncBaseTransport) -> None:
    await AlertmanagerChannel(Alertmanager((f"{members[0].url}/prometheus",)), VAULT, transport).send(delivery())
    assert members[0].requests[0].path == "/prometheus/api/v2/alerts"


# ------------------------------------------------------------------------------------------- a login


LOGIN = "Bearer FAKE-of-the-tests"


async def test_members_behind_a_login_are_shown_it(members: Members, transport: httpx.AsyncBaseTransport) -> None:
    config = Alertmanager(tuple(member.url for member in members), VAULT.seal(LOGIN))
    await AlertmanagerChannel(config, VAULT, transport).send(delivery())
    assert [member.requests[0].headers["authorization"] for member in members] == [LOGIN, LOGIN]


async def test_without_a_login_nothing_is_shown(members: Members, channel: AlertmanagerChannel) -> None:
    await channel.send(delivery())
    assert "authorization" not in members[0].requests[0].headers


async def test_a_login_that_a_proxy_repeats_is_in_no_error(
    members: Members, transport: httpx.AsyncBaseTransport
) -> None:
    members[0].plan(Answer(401, {"message": f"refused: {LOGIN}"}))
    channel = AlertmanagerChannel(Alertmanager((members[0].url,), VAULT.seal(LOGIN)), VAULT, transport)
    error = await failure_of(channel)
    assert error.concerns is not Concern.MOMENT
    assert "FAKE" not in error.reason
