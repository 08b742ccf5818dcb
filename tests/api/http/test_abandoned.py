from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.app import create_app
from service.api.http.abandoned import Abandoned
from service.cli.serving import serving
from tests.adapters.postgres.queue.queue_runs import until
from tests.api.stand import Stand

SLOW = "SELECT 'a heavy question' FROM pg_sleep(30)"
RUNNING = (
    "SELECT count(*) > 0 FROM pg_stat_activity"
    " WHERE query LIKE '%a heavy question%' AND state = 'active' AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def url(stand: Stand) -> AsyncIterator[str]:
    """A server with one more route, which asks the database something that takes half a minute."""
    router = APIRouter()

    @router.get("/heavy")
    async def heavy() -> None:
        async with stand.engine.connect() as connection:
            await connection.execute(text(SLOW))

    async with serving(create_app(stand.ports, ready=stand.app.state.ready, api=router)) as url:
        yield url


@asynccontextmanager
async def asked(url: str, path: str) -> AsyncIterator[None]:
    """A request is out for as long as the block lasts; then its caller hangs up."""
    address = urlsplit(url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: tocsin\r\n\r\n".encode())
        await writer.drain()
        yield
    finally:
        writer.close()


async def test_a_question_ends_in_the_database_when_its_caller_hangs_up(url: str, engine: AsyncEngine) -> None:
    async def runs() -> bool:
        async with engine.connect() as connection:
            return bool((await connection.execute(text(RUNNING))).scalar())

    async def is_over() -> bool:
        return not await runs()

    async with asked(url, "/heavy"):
        await until(runs)
    await until(is_over)


def leaving() -> Receive:
    """What a server gives for a caller who sent a request and is gone."""
    messages: list[Message] = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


async def finished(app: ASGIApp, method: str) -> None:
    async def send(message: Message) -> None:
        pass

    await Abandoned(app)({"type": "http", "method": method}, leaving(), send)


@pytest.mark.parametrize(("method", "is_finished"), [("GET", False), ("HEAD", False), ("POST", True), ("DELETE", True)])
async def test_only_a_question_ends_with_its_caller(method: str, is_finished: bool) -> None:
    done = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        done.append(scope["method"])

    await finished(app, method)
    assert done == ([method] if is_finished else [])


async def test_what_an_answer_raises_is_raised() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        await finished(app, "GET")
