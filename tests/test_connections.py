"""The API's connections against real sockets: silent callers, half a head, an answer that nobody reads."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Request
from httpx import AsyncClient
from starlette.responses import Response
from structlog.testing import capture_logs

from service.api.http.origin import address_of
from service.cli.connections import RESERVED, ConnectionBounds, descriptors_for
from service.cli.serving import serving

HEAD = b"GET /small HTTP/1.1\r\nHost: tocsin\r\n\r\n"
NO_HTTP = b"\x16\x03\x01 no HTTP\r\n\r\n"
LARGE = b"x" * 8_000_000
"""More than the buffers of both kernels' sides take."""
MOST = 20
STRANGERS = 200
SHORT, LONG = timedelta(milliseconds=300), timedelta(minutes=5)
PATIENT, HASTY = ConnectionBounds(MOST, LONG, LONG), ConnectionBounds(MOST, SHORT, SHORT)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.state.release = asyncio.Event()

    @app.get("/small")
    async def small() -> Response:
        return Response(b"here")

    @app.get("/large")
    async def large() -> Response:
        return Response(LARGE)

    @app.get("/held")
    async def held() -> Response:
        await app.state.release.wait()
        return Response(b"released")

    return app


@asynccontextmanager
async def strangers(url: str, number: int, said: bytes = b"") -> AsyncIterator[Sequence[Streams]]:
    address = urlsplit(url)
    async with AsyncExitStack() as stack:
        streams = []
        for _ in range(number):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            stack.callback(writer.close)
            writer.write(said)
            await writer.drain()
            streams.append((reader, writer))
        yield streams


async def small_answer(url: str) -> bytes:
    async with AsyncClient(base_url=url, trust_env=False) as http:
        return (await http.get("/small")).content


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What was sent until the connection ended, however it did."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: toc", HEAD], ids=["nothing", "half a head", "a request"]
)
async def test_a_caller_gets_in_however_many_silent_ones_are_there(app: FastAPI, said: bytes) -> None:
    async with serving(app, bounds=PATIENT) as url, strangers(url, STRANGERS, said) as there:
        assert await small_answer(url) == b"here"
        for reader, _ in there[: STRANGERS - MOST]:
            await ended(reader)  # put out: the newcomers took their places
        assert not there[-1][0].at_eof()


async def test_no_more_connections_are_held_than_the_bound(app: FastAPI) -> None:
    held = b"GET /held HTTP/1.1\r\nHost: tocsin\r\n\r\n"
    async with serving(app, bounds=PATIENT) as url, strangers(url, MOST, held) as busy:
        async with strangers(url, 5) as late:
            answers = [await ended(reader) for reader, _ in late]
        assert all(answer.startswith(b"HTTP/1.1 503 ") for answer in answers)
        assert all(b"Too many connections at once" in answer for answer in answers)
        app.state.release.set()
        for reader, _ in busy:
            assert (await reader.readuntil(b"released")).startswith(b"HTTP/1.1 200 ")
        assert await small_answer(url) == b"here"


async def test_a_rush_is_a_line_when_it_begins_and_one_when_it_is_over(app: FastAPI) -> None:
    with capture_logs() as lines:
        async with serving(app, bounds=PATIENT) as url:
            async with strangers(url, STRANGERS):
                assert await small_answer(url) == b"here"
            while len(lines) < 2:
                assert await small_answer(url) == b"here"
    assert [line["event"] for line in lines] == ["connections_exhausted", "connections_left_again"]
    assert lines[1]["displaced"] == STRANGERS + 1 - MOST


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: toc"], ids=["nothing", "half a head"])
async def test_a_head_has_a_deadline(app: FastAPI, said: bytes) -> None:
    async with serving(app, bounds=HASTY) as url, strangers(url, 3, said) as there:
        assert [await ended(reader) for reader, _ in there] == [b""] * 3


async def test_a_head_that_drips_has_no_longer(app: FastAPI) -> None:
    async with serving(app, bounds=HASTY) as url, strangers(url, 1, b"GET /small HTTP/1.1\r\n") as ((reader, writer),):
        end = asyncio.create_task(ended(reader))
        while not end.done():
            writer.write(b"X: y\r\n")
            await asyncio.wait([end], timeout=0.05)
        assert end.result() == b""


async def test_the_next_head_on_a_kept_connection_has_a_deadline_too(app: FastAPI) -> None:
    async with serving(app, bounds=HASTY) as url, strangers(url, 1, HEAD + HEAD[:20]) as ((reader, _),):
        assert (await ended(reader)).endswith(b"here")


async def test_what_is_no_request_is_a_line_of_our_own_log(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        serving(app, bounds=PATIENT) as url,
        strangers(url, 1, b"\x16\x03\x01 no HTTP\r\n\r\n") as ((reader, _),),
    ):
        assert (await ended(reader)).startswith(b"HTTP/1.1 400 ")
    assert [record.name for record in caplog.records] == ["uvicorn.error"]


async def go_on_sending(writer: asyncio.StreamWriter, url: str) -> None:
    """Raises ConnectionError when the other side has closed."""
    while True:
        writer.write(b"X")
        await writer.drain()
        await small_answer(url)


async def test_an_answer_that_nobody_reads_is_given_up(app: FastAPI) -> None:
    request = b"GET /large HTTP/1.1\r\nHost: tocsin\r\n\r\n"
    async with serving(app, bounds=HASTY) as url, strangers(url, 1, request) as ((reader, writer),):
        with pytest.raises(ConnectionError):
            await go_on_sending(writer, url)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(len(LARGE))


def test_descriptors_for_everything_else_are_left() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = descriptors_for(60_000)
    assert granted <= max(hard - RESERVED, 16)
    raised, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert raised >= soft


@pytest.mark.parametrize(
    ("trusted", "seen"), [("", "127.0.0.1"), ("10.0.0.0/8", "127.0.0.1"), ("127.0.0.1/32", "192.0.2.7")]
)
async def test_where_a_request_came_from_is_believed_of_a_trusted_proxy_alone(trusted: str, seen: str) -> None:
    app = FastAPI()

    @app.get("/origin")
    async def origin(request: Request) -> str:
        return address_of(request)

    async with serving(app, trusted_proxies=trusted) as url, AsyncClient(base_url=url, trust_env=False) as http:
        answer = await http.get("/origin", headers={"X-Forwarded-For": "192.0.2.7"})
    assert answer.json() == seen
