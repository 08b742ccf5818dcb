"""One POST: what each answer means for the queue, and what is never told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
import pytest

from service.adapters.channels.posting import Peer, asked_wait, clipped, encoded, fitted, json_words, post
from service.adapters.egress.addresses import IPAddress
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Message
from service.workflows.ports.channels import DeliveryError
from tests.adapters.channels.posting_stand import hostile, way_out
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import Answer

PEER = Peer("the peer", explain=json_words)
SECRET = "FAKEsecretPath"


@pytest.fixture
async def receiver() -> AsyncIterator[FakeReceiver]:
    async with FakeReceiver() as server:
        yield server


async def failure(url: str, guard: Guard | None = None, peer: Peer = PEER) -> DeliveryError:
    async with way_out(guard) if guard else way_out() as transport:
        with pytest.raises(DeliveryError) as caught:
            await post(transport, peer, url, b"{}")
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_every_2xx_is_a_success(receiver: FakeReceiver, status: int) -> None:
    receiver.plan(Answer(status))
    async with way_out() as transport:
        await post(transport, PEER, receiver.url, b'{"a":1}', {"x-key": "FAKE"})
    (request,) = receiver.requests
    assert (request.json, request.headers["x-key"]) == ({"a": 1}, "FAKE")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Tocsin/")


@pytest.mark.parametrize(
    ("status", "concerns"),
    [
        (400, Concern.MESSAGE),
        (401, Concern.CREDENTIAL),
        (403, Concern.CREDENTIAL),
        (404, Concern.CHANNEL),
        (410, Concern.CHANNEL),
        (413, Concern.MESSAGE),
        (422, Concern.MESSAGE),
    ],
)
async def test_a_refusal_says_what_it_concerns(receiver: FakeReceiver, status: int, concerns: Concern) -> None:
    receiver.plan(Answer(status))
    error = await failure(receiver.url)
    assert (error.concerns, error.reason) == (concerns, f"the peer: HTTP {status}")


@pytest.mark.parametrize("status", [301, 307, 308, 408, 425, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again_later(receiver: FakeReceiver, status: int) -> None:
    receiver.plan(Answer(status))
    assert (await failure(receiver.url)).concerns is Concern.MOMENT
    assert len(receiver.requests) == 1


async def test_a_peer_s_own_answers_that_may_pass_are_its_own(receiver: FakeReceiver) -> None:
    receiver.plan(Answer(404), Answer(400))
    patient = Peer("the peer", retryable=frozenset({404}))
    assert (await failure(receiver.url, peer=patient)).concerns is Concern.MOMENT
    assert (await failure(receiver.url, peer=patient)).concerns is not Concern.MOMENT


async def test_a_redirect_is_not_followed(receiver: FakeReceiver) -> None:
    receiver.plan(Answer(308, headers={"Location": f"{receiver.url}/elsewhere"}))
    assert (await failure(receiver.url)).reason == "the peer: HTTP 308 (redirects are not followed)"
    assert [request.path for request in receiver.requests] == ["/"]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"Retry-After": "Wed, 14 Oct 2026 09:32:00 GMT", "Date": "Wed, 14 Oct 2026 09:31:30 GMT"}, timedelta(0, 30)),
        ({"Retry-After": "Wed, 14 Oct 2026 09:30:00 GMT", "Date": "Wed, 14 Oct 2026 09:31:30 GMT"}, timedelta(0)),
        ({"Retry-After": "Wed, 14 Oct 2026 09:32:00 GMT"}, None),
        ({"Retry-After": "Wed, 14 Oct 2026 09:32:00", "Date": "Wed, 14 Oct 2026 09:31:30 GMT"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "999999999999"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_server_s_own_clock(
    headers: dict[str, str], wait: timedelta | None
) -> None:
    assert asked_wait(httpx.Headers(headers)) == wait


@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_that_is_asked_for_reaches_the_queue(receiver: FakeReceiver, status: int) -> None:
    receiver.plan(Answer(status, headers={"Retry-After": "40"}))
    assert (await failure(receiver.url)).retry_after == timedelta(seconds=40)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "Event object is invalid", "errors": ["no summary"]}', "Event object is invalid; no summary"),
        (b'"start time must be before end time"', "start time must be before end time"),
        (b'{"message": "Key [12345678-1234-1234-1234-123456789012] is unknown"}', "Key […] is unknown"),
        (b'{"message": 5, "errors": {"a": 1}}', ""),
        (b"<html>nothing here</html>", ""),
        (b"\xff", ""),
        (b"[" * 9_000, ""),
    ],
)
async def test_a_vendor_s_words_are_repeated_without_what_may_be_a_key(body: bytes, words: str) -> None:
    assert json_words(body) == words


async def test_of_a_long_answer_only_the_beginning_is_read(receiver: FakeReceiver) -> None:
    receiver.plan(Answer(400, text="x" * 5_000_000))
    assert (await failure(receiver.url)).reason == "the peer: HTTP 400"


async def test_a_stranger_s_answer_is_not_repeated(receiver: FakeReceiver) -> None:
    receiver.plan(Answer(400, json={"message": "the internal database says hello"}))
    assert (await failure(receiver.url, peer=Peer("the peer"))).reason == "the peer: HTTP 400"


async def test_a_private_address_is_refused_for_good() -> None:
    error = await failure(f"http://127.0.0.1:9/{SECRET}", Guard())
    assert error.concerns is not Concern.MOMENT
    assert "127.0.0.1 is a loopback address" in error.reason
    assert SECRET not in error.reason


async def test_a_name_that_leads_inside_by_the_time_of_sending_is_refused_for_good(receiver: FakeReceiver) -> None:
    """Whoever owns a name can have it lead elsewhere after it was stored, and after a message has got through."""
    leads_to = ["127.0.0.2"]

    async def resolve(host: str, port: int) -> list[IPAddress]:
        return [ip_address(address) for address in leads_to]

    url = f"http://webhook.test:{urlsplit(receiver.url).port}/{SECRET}"
    guard = Guard(parse_networks("127.0.0.1/32"))
    async with open_transport(guard, None, resolve) as transport:
        with pytest.raises(DeliveryError, match=r"127\.0\.0\.2, a loopback address") as caught:
            await post(transport, PEER, url, b"{}")
        assert caught.value.concerns is not Concern.MOMENT
        assert receiver.requests == []
        leads_to[:] = ["127.0.0.1"]
        receiver.plan(Answer(200, headers={"Connection": "close"}))
        await post(transport, PEER, url, b"{}")
        leads_to[:] = ["127.0.0.2"]
        with pytest.raises(DeliveryError, match="the peer may not be called"):
            await post(transport, PEER, url, b"{}")
    assert len(receiver.requests) == 1


async def test_a_port_where_nobody_listens_is_tried_again() -> None:
    error = await failure(f"http://127.0.0.1:1/{SECRET}")
    assert (error.concerns, error.reason) == (Concern.MOMENT, "the peer cannot be reached: ConnectError")


@pytest.mark.parametrize("url", [f"not a url/{SECRET}", f"ftp://127.0.0.1/{SECRET}"])
async def test_what_is_no_web_address_fails_for_good(url: str) -> None:
    assert (await failure(url)).concerns is not Concern.MOMENT


@pytest.mark.parametrize("url", [f"not a url/{SECRET}", f"http://[/{SECRET}", f"http:///{SECRET}"])
async def test_a_malformed_address_is_not_repeated(url: str) -> None:
    error = await failure(url)
    assert SECRET not in error.reason


async def test_a_connection_that_breaks_before_the_answer_is_tried_again() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        error = await failure(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (error.concerns, error.reason) == (Concern.MOMENT, "the peer cannot be reached: RemoteProtocolError")


async def test_the_url_is_in_no_log(receiver: FakeReceiver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with way_out() as transport:
            await post(transport, PEER, f"{receiver.url}/{SECRET}?sig={SECRET}", b"{}")
    assert receiver.requests[0].path == f"/{SECRET}?sig={SECRET}"
    assert SECRET not in caplog.text


async def test_a_proxy_of_the_environment_is_ignored(receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with way_out() as transport:
        await post(transport, PEER, receiver.url, b"{}")
    assert len(receiver.requests) == 1


def test_a_text_is_clipped_to_its_limit_exactly() -> None:
    assert (clipped("abcd", 4), clipped("abcde", 4)) == ("abcd", "abc…")


def test_json_is_utf_8_and_a_lone_surrogate_a_question_mark() -> None:
    assert encoded({"a": "é\ud800"}) == '{"a":"é?"}'.encode()


def test_facts_go_from_the_last_until_the_body_fits() -> None:
    def build(shortened: Message) -> bytes:
        return b"x" * (10 + 10 * len(shortened.facts))

    message = hostile()
    assert len(fitted(build, message, 410)) == 410
    assert len(fitted(build, message, 409)) == 400
    assert len(fitted(build, message, 5)) == 10
