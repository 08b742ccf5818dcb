"""The sign of life over HTTP, through the egress guard, against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.heartbeat import HttpHeartbeat
from service.bootstrap.errors import StartError
from service.bootstrap.outside import require_sound
from service.settings import Settings
from service.workflows.ports.channels import HeartbeatError

LOOPBACK = Guard(parse_networks("127.0.0.0/8"))


@dataclass
class Watcher:
    """A server that notes what it is asked, and answers as a test has set."""

    status: int = 200
    url: str = ""
    asked: list[str] = field(default_factory=list)

    async def hear(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path_qs}")
        return web.Response(status=self.status)


@pytest.fixture
async def watcher() -> AsyncIterator[Watcher]:
    watcher = Watcher()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", watcher.hear)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    watcher.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ping/FAKE-check"
    yield watcher
    await runner.cleanup()


@asynccontextmanager
async def heartbeat(url: str, guard: Guard = LOOPBACK) -> AsyncIterator[HttpHeartbeat]:
    async with open_transport(guard, None) as transport:
        yield HttpHeartbeat(url, transport)


async def test_the_address_is_fetched_each_time(watcher: Watcher) -> None:
    async with heartbeat(watcher.url) as sign:
        for _ in range(3):
            await sign.beat()
    assert watcher.asked == ["GET /ping/FAKE-check"] * 3


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_an_answer_that_is_no_success_is_an_error_without_the_address(watcher: Watcher, status: int) -> None:
    watcher.status = status
    async with heartbeat(watcher.url) as sign:
        with pytest.raises(HeartbeatError, match=str(status)) as raised:
            await sign.beat()
    assert "FAKE-check" not in str(raised.value)


async def test_a_watcher_that_is_away_is_an_error_without_the_address() -> None:
    async with heartbeat("http://127.0.0.1:9/ping/FAKE-check") as sign:
        with pytest.raises(HeartbeatError) as raised:
            await sign.beat()
    assert "FAKE-check" not in str(raised.value)


async def test_an_address_that_the_guard_refuses_is_not_fetched(watcher: Watcher) -> None:
    async with heartbeat(watcher.url, Guard()) as sign:
        with pytest.raises(HeartbeatError, match="TOCSIN_EGRESS_ALLOW"):
            await sign.beat()
    assert watcher.asked == []


@pytest.mark.parametrize("address", ["ftp://watcher.example/FAKE-check", "http://10.0.0.5/FAKE-check"])
def test_an_address_that_could_never_be_fetched_ends_the_start_without_being_shown(
    tmp_path: Path, address: str
) -> None:
    settings = Settings(data_dir=tmp_path, heartbeat_url=SecretStr(address))
    with pytest.raises(StartError, match="TOCSIN_HEARTBEAT_URL") as raised:
        require_sound(settings)
    assert "FAKE-check" not in str(raised.value)
