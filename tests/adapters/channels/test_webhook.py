"""A webhook: signed as Standard Webhooks, told of every move, in our shape or Alertmanager's."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from service.adapters.channels.webhook import WebhookChannel
from service.domain.alerts.alert import AlertState
from service.domain.messages.message import sample
from service.domain.notify.channels.webhook import Webhook, WebhookFormat
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action, Delivery, MessageType
from service.domain.values.severity import Severity
from tests.adapters.channels.posting_stand import VAULT, failure_of, hostile, way_out
from tests.fakes.receiver import FakeReceiver, Taken
from tests.fakes.slack import Answer
from tests.sample_alerts import ALERT, OPENED, delivery, message

KEY = b"FAKE-key-of-the-tests-of-webhooks"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeReceiver]:
    async with FakeReceiver() as server:
        yield server


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    async with way_out() as opened:
        yield opened


@pytest.fixture
def channel(endpoint: FakeReceiver, transport: httpx.AsyncBaseTransport) -> WebhookChannel:
    return webhook(endpoint, transport, "tocsin")


@pytest.fixture
def alertmanager_like(endpoint: FakeReceiver, transport: httpx.AsyncBaseTransport) -> WebhookChannel:
    return webhook(endpoint, transport, "alertmanager")


def webhook(endpoint: FakeReceiver, transport: httpx.AsyncBaseTransport, format: WebhookFormat) -> WebhookChannel:
    return WebhookChannel(Webhook(f"{endpoint.url}/hook", VAULT.seal(SECRET), format=format), VAULT, transport)


def is_signed(request: Taken) -> bool:
    """As a receiver checks it, from the raw body."""
    return request.headers["webhook-signature"] == f"v1,{signature(request, KEY)}"


def signature(request: Taken, key: bytes) -> str:
    content = b".".join([request.headers[f"webhook-{part}"].encode() for part in ("id", "timestamp")] + [request.body])
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


# ------------------------------------------------------------------------------------------- the signature


async def test_a_receiver_can_check_the_signature(endpoint: FakeReceiver, channel: WebhookChannel) -> None:
    await channel.send(delivery())
    (request,) = endpoint.requests
    assert request.headers["webhook-id"] == delivery().id
    assert request.headers["webhook-timestamp"] == str(int(OPENED.timestamp()))
    assert is_signed(request)
    assert not is_signed(replace(request, body=request.body + b" "))


async def test_while_a_secret_is_renewed_either_is_enough(
    endpoint: FakeReceiver, transport: httpx.AsyncBaseTransport
) -> None:
    new, old = b"FAKE-new-key-of-the-tests-of-webhooks", KEY
    sealed_new, sealed_old = (VAULT.seal(f"whsec_{base64.b64encode(key).decode()}") for key in (new, old))
    await WebhookChannel(Webhook(endpoint.url, sealed_new, sealed_old), VAULT, transport).send(delivery())
    (request,) = endpoint.requests
    signatures = request.headers["webhook-signature"].split(" ")
    assert signatures == [f"v1,{signature(request, key)}" for key in (new, old)]


async def test_a_repeated_attempt_has_the_same_id_and_its_own_time(
    endpoint: FakeReceiver, channel: WebhookChannel
) -> None:
    for minutes in (0, 5):
        await channel.send(replace(delivery(), at=OPENED + timedelta(minutes=minutes)))
    first, second = endpoint.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 300
    assert is_signed(second)


async def test_a_secret_that_cannot_sign_is_a_failed_delivery(
    endpoint: FakeReceiver, transport: httpx.AsyncBaseTransport
) -> None:
    error = await failure_of(WebhookChannel(Webhook(endpoint.url, VAULT.seal("whsec_short")), VAULT, transport))
    assert error.concerns is not Concern.MOMENT
    assert "short" not in error.reason
    assert endpoint.requests == []


# ------------------------------------------------------------------------------------------- our own body


async def test_our_own_body_says_all_that_the_message_says(endpoint: FakeReceiver, channel: WebhookChannel) -> None:
    receipt = await channel.send(delivery())
    said = message()
    assert endpoint.requests[0].path == "/hook"
    assert endpoint.documents == [
        {
            "type": "alert.open",
            "timestamp": "2026-10-14T09:31:05Z",
            "data": {
                "alert_id": ALERT.id,
                "state": "firing",
                "severity": "critical",
                "simulated": False,
                "headline": said.headline,
                "notice": said.one_line,
                "summary": said.summary,
                "change": said.change,
                "small_print": list(said.small_print),
                "facts": [{"label": label, "value": value} for label, value in said.facts],
                "next_step": said.next_step,
                "link": said.link,
            },
        }
    ]
    assert receipt.post is None


@pytest.mark.parametrize("action", Action)
async def test_every_move_has_its_type(endpoint: FakeReceiver, channel: WebhookChannel, action: Action) -> None:
    await channel.send(delivery(action))
    assert endpoint.documents[0]["type"] == f"alert.{action.value}"


async def test_a_test_is_no_alert(endpoint: FakeReceiver, channel: WebhookChannel) -> None:
    await channel.send(delivery(said=sample("https://tocsin.example.com", OPENED)))
    assert endpoint.documents[0]["type"] == "alert.test"


async def test_a_test_leaves_nothing_open_where_alertmanager_is_understood(
    endpoint: FakeReceiver, alertmanager_like: WebhookChannel
) -> None:
    await alertmanager_like.send(delivery(said=sample("https://tocsin.example.com", OPENED)))
    assert [one["status"] for one in endpoint.documents] == ["firing", "resolved"]
    first, last = (one["alerts"][0] for one in endpoint.documents)
    assert (first["fingerprint"], first["startsAt"]) == (last["fingerprint"], last["startsAt"])
    assert len({request.headers["webhook-id"] for request in endpoint.requests}) == 2
    assert all(map(is_signed, endpoint.requests))


async def test_a_digest_is_in_no_state(endpoint: FakeReceiver, channel: WebhookChannel) -> None:
    await channel.send(delivery(said=replace(message(), alert_id="dgr_1", type=MessageType.DIGEST)))
    (document,) = endpoint.documents
    assert (document["type"], document["data"]["state"]) == ("digest", None)


@pytest.mark.parametrize(("format", "most"), [("tocsin", 20_000), ("alertmanager", 64_000)])
async def test_no_body_outgrows_its_limit(
    endpoint: FakeReceiver, transport: httpx.AsyncBaseTransport, format: WebhookFormat, most: int
) -> None:
    await webhook(endpoint, transport, format).send(delivery(said=hostile()))
    (request,) = endpoint.requests
    assert len(request.body) <= most
    assert is_signed(request)


# ------------------------------------------------------------------------------------------- Alertmanager's body


async def test_alertmanager_s_body_has_the_fields_of_its_webhook(
    endpoint: FakeReceiver, alertmanager_like: WebhookChannel
) -> None:
    await alertmanager_like.send(delivery())
    (group,) = endpoint.documents
    labels = {"alertname": "ClaudeSpend", "alert_id": ALERT.id, "severity": "critical"}
    assert group | {"alerts": [], "commonAnnotations": {}} == {
        "version": "4",
        "groupKey": f'{{}}:{{alert_id="{ALERT.id}",alertname="ClaudeSpend"}}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "tocsin",
        "groupLabels": {"alertname": "ClaudeSpend", "alert_id": ALERT.id},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": message().link,
        "alerts": [],
    }
    (alert,) = group["alerts"]
    assert alert["annotations"] == group["commonAnnotations"]
    assert alert["annotations"]["summary"] == message().headline
    assert (alert["status"], alert["labels"], alert["generatorURL"]) == ("firing", labels, message().link)
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-10-14T09:31:05.000Z", "0001-01-01T00:00:00Z")
    assert len(alert["fingerprint"]) == 16


async def test_there_a_resolved_alert_began_when_it_was_opened_and_ends_now(
    endpoint: FakeReceiver, alertmanager_like: WebhookChannel
) -> None:
    opened = await alertmanager_like.send(delivery())
    later = OPENED + timedelta(hours=3)
    await alertmanager_like.send(replace(delivery(Action.RESOLVE, post=opened.post), at=later))
    first, last = (group["alerts"][0] for group in endpoint.documents)
    assert endpoint.documents[1]["status"] == last["status"] == "resolved"
    assert (last["startsAt"], last["endsAt"]) == (first["startsAt"], "2026-10-14T12:31:05.000Z")
    assert last["fingerprint"] == first["fingerprint"]


async def test_there_a_raise_ends_the_alert_of_the_lower_severity(
    endpoint: FakeReceiver, alertmanager_like: WebhookChannel
) -> None:
    opened = await alertmanager_like.send(delivery(said=replace(message(), severity=Severity.WARNING)))
    await alertmanager_like.send(delivery(Action.RAISE, post=opened.post))
    raised = endpoint.documents[1]
    assert [(one["labels"]["severity"], one["status"]) for one in raised["alerts"]] == [
        ("warning", "resolved"),
        ("critical", "firing"),
    ]
    assert raised["status"] == "firing"
    assert "severity" not in raised["commonLabels"]


# ------------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize("status", [400, 405, 410, 413, 415, 422])
async def test_a_body_that_is_refused_and_an_endpoint_that_is_gone_are_given_up(
    endpoint: FakeReceiver, channel: WebhookChannel, status: int
) -> None:
    endpoint.plan(Answer(status))
    assert (await failure_of(channel)).concerns is not Concern.MOMENT


@pytest.mark.parametrize("status", [302, 408, 409, 425, 429, 500, 502, 504])
async def test_what_passes_is_tried_again(endpoint: FakeReceiver, channel: WebhookChannel, status: int) -> None:
    endpoint.plan(Answer(status, headers={"Retry-After": "9", "Location": endpoint.url}))
    error = await failure_of(channel)
    assert (error.concerns, error.retry_after) == (Concern.MOMENT, timedelta(seconds=9))
    assert len(endpoint.requests) == 1


async def test_times_are_utc_whatever_the_clock_s_zone(endpoint: FakeReceiver, channel: WebhookChannel) -> None:
    elsewhere: Delivery = replace(delivery(), at=datetime(2026, 10, 14, 9, 31, 5, tzinfo=UTC).astimezone())
    await channel.send(elsewhere)
    assert endpoint.documents[0]["timestamp"] == "2026-10-14T09:31:05Z"
    assert elsewhere.message.state is AlertState.FIRING
