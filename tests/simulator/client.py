"""A bare client of the simulated API, for looking at it exactly as it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from service.cli.serving import serving
from service.simulator.app import create_app
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import Faults
from service.simulator.world.records import World

NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
HEADERS = {"x-api-key": "sk-ant-admin01-FAKE", "anthropic-version": "2023-06-01"}
COST = "/v1/organizations/cost_report"
USAGE = "/v1/organizations/usage_report/messages"
BY_ALL = [("group_by[]", "workspace_id"), ("group_by[]", "description")]

Pairs = Iterable[tuple[str, str]]


class HandClock:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, span: timedelta) -> None:
        self.now += span


class Simulation:
    """One simulated API and a client that talks to it in memory."""

    def __init__(self, world: World, behaviour: Behaviour | None = None) -> None:
        self.clock = HandClock()
        self.faults = Faults()
        self.behaviour = behaviour or Behaviour(requests_per_minute=10_000)
        self.app: FastAPI = create_app(world, self.clock, self.faults, self.behaviour)

    async def get(self, path: str, pairs: Pairs = (), headers: dict[str, str] | None = None) -> httpx.Response:
        async with self.client() as client:
            return await client.get(path, params=list(pairs), headers=HEADERS if headers is None else headers)

    async def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> httpx.Response:
        async with self.client() as client:
            return await client.post(path, json=body, headers=HEADERS if headers is None else headers)

    async def rows(self, path: str, pairs: Pairs) -> list[dict[str, Any]]:
        """The rows of the first page's first bucket."""
        response = await self.get(path, pairs)
        assert response.status_code == 200, response.text
        results: list[dict[str, Any]] = response.json()["data"][0]["results"]
        return results

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://simulator")

    @asynccontextmanager
    async def over_http(self, patience: float = 10) -> AsyncIterator[httpx.AsyncClient]:
        async with (
            serving(self.app) as base_url,
            httpx.AsyncClient(base_url=base_url, headers=HEADERS, timeout=patience) as client,
        ):
            yield client


def span(start: datetime, end: datetime, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """Query parameters of a half-open range."""
    return [("starting_at", iso(start)), ("ending_at", iso(end)), *more]


def day(number: int) -> datetime:
    """Midnight of a day in November 2026."""
    return datetime(2026, 11, number, tzinfo=UTC)


def iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
