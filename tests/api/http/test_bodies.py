from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from httpx import AsyncClient
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Message, Receive, Scope, Send

from service.api.app import create_app
from service.api.http.bodies import LARGEST, LARGEST_TOGETHER, WholeBodies
from service.cli.connections import ConnectionBounds
from service.cli.serving import serving
from tests.api.stand import Stand

DEADLINE = timedelta(seconds=1)
STALLED = 12
"""As many requests as hold every connection of the pool, and two more."""


@pytest.fixture
async def url(stand: Stand) -> AsyncIterator[str]:
    app = create_app(stand.ports, ready=stand.app.state.ready, body_deadline=DEADLINE)
    async with serving(app, bounds=ConnectionBounds()) as url:
        yield url


@contextmanager
def checkouts(engine: AsyncEngine) -> Iterator[list[object]]:
    """Every connection that is taken from the pool meanwhile."""
    taken: list[object] = []

    def note(connection: object, *_: object) -> None:
        taken.append(connection)

    event.listen(engine.sync_engine, "checkout", note)
    try:
        yield taken
    finally:
        event.remove(engine.sync_engine, "checkout", note)


@asynccontextmanager
async def request_without_its_end(
    url: str, method: str, path: str, headers: dict[str, str]
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A head that announces a body, and its first byte."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        head = {"Host": "tocsin", "Content-Type": "application/json", "Content-Length": "100"} | headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n{{".encode())
        await writer.drain()
        yield reader, writer
    finally:
        writer.close()


async def status_of(url: str, method: str, path: str, headers: dict[str, str]) -> int:
    async with request_without_its_end(url, method, path, headers) as (reader, _):
        answer = await reader.read()  # to its end: the connection is closed
        return int(answer.split()[1])


def heads(described: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, operations in described["paths"].items():
        for method in operations:
            yield method.upper(), path.replace("{", "").replace("}", "")


async def test_no_route_takes_a_connection_of_the_database_before_the_body_is_there(
    stand: Stand, described: dict[str, Any], url: str
) -> None:
    headers = {"Authorization": stand.admin.headers["Authorization"], "Idempotency-Key": "once"}
    routes = list(heads(described))
    assert len(routes) > 80
    with checkouts(stand.engine) as taken:
        statuses = await asyncio.gather(*(status_of(url, method, path, headers) for method, path in routes))
    assert set(statuses) == {408}
    assert taken == []


async def test_requests_whose_bodies_never_come_leave_the_api_to_others(stand: Stand, url: str) -> None:
    headers = {"Authorization": stand.operator.headers["Authorization"], "Idempotency-Key": "once"}
    path = "/v1/alerts/alert_none/acknowledge"
    stalled = [asyncio.create_task(status_of(url, "POST", path, headers)) for _ in range(STALLED)]
    async with AsyncClient(base_url=url, headers=stand.viewer.headers) as other:
        while not all(task.done() for task in stalled):
            assert (await other.get("/v1/alerts")).status_code == 200
    assert [task.result() for task in stalled] == [408] * STALLED


async def test_a_body_that_drips_has_no_longer_than_one_that_never_comes(stand: Stand, url: str) -> None:
    headers = {"Authorization": stand.admin.headers["Authorization"]}
    async with request_without_its_end(url, "POST", "/v1/budgets", headers) as (reader, writer):
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b" ")
            await asyncio.wait([answer], timeout=DEADLINE.total_seconds() / 20)
        assert answer.result().startswith(b"HTTP/1.1 408 ")


async def test_a_caller_who_leaves_before_the_end_of_the_body_is_no_defect(
    stand: Stand, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Authorization": stand.admin.headers["Authorization"]}
    async with request_without_its_end(url, "POST", "/v1/budgets", headers):
        pass
    async with AsyncClient(base_url=url, headers=stand.viewer.headers) as other:
        assert (await other.get("/v1/budgets")).json()["items"] == []
    assert caplog.records == []


async def test_bodies_are_held_up_to_a_bound_for_all_of_them() -> None:
    arrived, release = asyncio.Semaphore(0), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        arrived.release()
        await release.wait()

    bodies = WholeBodies(app)

    async def send_largest() -> list[Message]:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b" " * LARGEST, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await bodies({"type": "http", "method": "POST", "headers": []}, receive, send)
        return sent

    fitting = [asyncio.create_task(send_largest()) for _ in range(LARGEST_TOGETHER // LARGEST)]
    for _ in fitting:
        await arrived.acquire()
    refused = await send_largest()
    assert refused[0]["status"] == 503
    assert (b"retry-after", b"5") in refused[0]["headers"]
    release.set()
    await asyncio.gather(*fitting)
    assert await send_largest() == []  # taken again, and carried out


@pytest.mark.parametrize(
    ("path", "token", "size", "status"),
    [
        ("/v1/config", True, 2, 200),
        ("/v1/config", True, 9, 413),
        ("/v1/config", False, 2, 413),
        ("/v1/budgets", True, 2, 413),
    ],
    ids=["a whole configuration", "no end of it", "of a stranger", "one budget"],
)
async def test_whole_documents_may_be_larger_with_a_token(path: str, token: bool, size: int, status: int) -> None:
    """`size` is in MiB."""
    sent: list[Message] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request", "body": b" " * (size * LARGEST), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer tcn_FAKE")] if token else []
    await WholeBodies(answer)({"type": "http", "path": path, "method": "PUT", "headers": headers}, receive, send)
    assert sent[0]["status"] == status
    if status == 413:
        assert f"larger than {8 if size == 9 else 1} MiB".encode() in sent[1]["body"]
