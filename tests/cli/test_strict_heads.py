"""A request that a proxy and this server could take for two different ones is refused, and its connection closed."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Request

from service.cli.serving import serving

LENGTH, CHUNKED = b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: tocsin\r\n\r\n"


def request(headers: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"POST /echo HTTP/" + version + b"\r\nHost: tocsin\r\n" + headers + b"\r\n" + body


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.get("/smuggled")
    async def smuggled() -> str:
        return "smuggled"

    return app


async def answer(app: FastAPI, *parts: bytes) -> bytes:
    """What comes until the server closes the connection."""
    async with serving(app) as url:
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        for part in parts:
            writer.write(part)
            await writer.drain()
        said = await reader.read()
        writer.close()
    return said


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(request(LENGTH + CHUNKED, b"0\r\n\r\n"), id="length and transfer coding"),
        pytest.param(request(CHUNKED + LENGTH, b"0\r\n\r\n"), id="transfer coding and length"),
        pytest.param(request(CHUNKED, b"0\r\n\r\n", version=b"1.0"), id="transfer coding of HTTP/1.0"),
        pytest.param(request(LENGTH + b"Content-Length: 4\r\n", b"abc"), id="two lengths"),
        pytest.param(request(b"Content-Length: 3, 4\r\n", b"abc"), id="two lengths in one header"),
        pytest.param(request(b"Content-Length: +3\r\n", b"abc"), id="a length with a sign"),
        pytest.param(request(b"X: a\r\n b\r\n" + LENGTH, b"abc"), id="a folded header"),
        pytest.param(request(LENGTH, b"abc").replace(b"\r\n", b"\n"), id="lines that LF ends"),
        pytest.param(request(b"X: a\nContent-Length: 3\r\n", b"abc"), id="one line that LF ends"),
        pytest.param(request(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), id="another coding"),
        pytest.param(request(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"), id="a space before the colon"),
    ],
)
@pytest.mark.parametrize("halves", [1, 2])
async def test_a_request_with_two_readings_is_refused_and_what_follows_it_is_not_read(
    app: FastAPI, said: bytes, halves: int
) -> None:
    middle = len(said) // halves
    answered = await answer(app, said[:middle], said[middle:] + SMUGGLED)
    assert answered.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answered.lower()
    assert answered.count(b"HTTP/1.1 ") == 1
    assert b"smuggled" not in answered


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(request(LENGTH, b"a\nb"), id="LF in a body"),
        pytest.param(request(LENGTH * 2, b"abc"), id="one length twice"),
        pytest.param(request(CHUNKED, b"3\r\na\nb\r\n0\r\n\r\n"), id="in chunks"),
    ],
)
async def test_a_plain_request_is_answered_and_so_is_the_one_behind_it(app: FastAPI, said: bytes) -> None:
    last = SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    answered = await answer(app, said + last)
    assert answered.count(b"HTTP/1.1 200 ") == 2
    assert answered.endswith(b'"smuggled"')
