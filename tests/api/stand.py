"""The API on a real database, with a source and channels that do what a test tells them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.access import Role
from service.domain.money import Money
from service.domain.notifications import Delivery, Receipt
from service.domain.periods import Window
from service.domain.receivers import ChannelConfig
from service.domain.scopes import Cell
from service.domain.sources import Source
from service.domain.spend import Bucket, CostRow, EstimatedDay, Spend, SpendDay, UsageRow, Width
from service.workflows.administer import SYSTEM, Author
from service.workflows.ports import Channel, CostSource, DeliveryError, Directory, Organization, Ports, SourceError
from service.workflows.tokens import create_token
from tests.clock import FakeClock

SOURCE = {"name": "production", "admin_key": "sk-ant-admin01-FAKE-production"}
BUDGET = {"name": "eng monthly", "amount": "100.00"}
SLACK = {"kind": "slack", "token": "xoxb-FAKE-token", "channel": "#claude-spend"}
TODAY = date(2026, 11, 16)
ENG = Cell("wrkspc_eng", "claude-sonnet-4-5", "apikey_ci")


@dataclass
class FakeSource:
    """Answers for every source; `refusal` is raised instead where it is set."""

    refusal: SourceError | None = None
    asked: list[Source] = field(default_factory=list)

    @asynccontextmanager
    async def connect(self, source: Source) -> AsyncIterator[CostSource]:
        self.asked.append(source)
        yield self

    async def organization(self) -> Organization:
        return Organization("org_FAKE", "Example Inc")

    async def cost(self, window: Window) -> tuple[Bucket[CostRow], ...]:
        if self.refusal is not None:
            raise self.refusal
        return ()

    async def usage(self, window: Window, width: Width) -> tuple[Bucket[UsageRow], ...]:
        return ()

    async def directory(self) -> Directory:
        return Directory((), ())


@dataclass
class FakeChannels:
    """Every channel at once: takes what is sent, or refuses it where a refusal is set."""

    refusals: dict[str, DeliveryError] = field(default_factory=dict)
    sent: list[tuple[ChannelConfig, Delivery]] = field(default_factory=list)

    def open(self, config: ChannelConfig) -> Channel:
        return _FakeChannel(self, config)


@dataclass
class _FakeChannel:
    channels: FakeChannels
    config: ChannelConfig

    async def send(self, delivery: Delivery) -> Receipt:
        if self.config.kind in self.channels.refusals:
            raise self.channels.refusals[self.config.kind]
        self.channels.sent.append((self.config, delivery))
        return Receipt("post-1", "taken")


@dataclass
class Stand:
    """What a test of the API holds: three clients, and the world behind them."""

    app: FastAPI
    engine: AsyncEngine
    ports: Ports
    clock: FakeClock
    source: FakeSource
    channels: FakeChannels
    viewer: AsyncClient
    operator: AsyncClient
    admin: AsyncClient
    stranger: AsyncClient

    async def create(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        created: dict[str, Any] = answered(await self.admin.post(f"/v1{path}", json=document), 201)
        return created

    async def spend(self, cell: Cell, billed: str, day: date = TODAY, estimate: EstimatedDay | None = None) -> None:
        """What the only source's rollup says of one cell and day, and of no other cell."""
        async with self.ports.uow() as uow:
            (source,) = await uow.sources.all()
            known = SpendDay(Spend(billed=Money.of(billed)), estimate or EstimatedDay())
            await uow.facts.store_days(source.id, {day: {cell: known}})
            await uow.directory.note_cells(source.id, [cell], self.clock())


def answered(response: Response, status: int = 200) -> Any:
    """The answer's JSON, of an answer that has the expected status."""
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def problem(response: Response, status: int) -> dict[str, Any]:
    """The problem document of an answer that has the expected status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["title"]
    return document


def pointers(response: Response) -> list[str]:
    return [error["pointer"] for error in problem(response, 422)["errors"]]


async def secret_of(ports: Ports, role: Role) -> str:
    """A new token's text."""
    secret = f"tcn_FAKE-{role}-token-of-the-tests"
    async with ports.uow() as uow:
        await create_token(uow, f"the {role}", role, secret, Author(SYSTEM, ports.clock()))
    return secret


def client(app: FastAPI, secret: str | None = None) -> AsyncClient:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    transport = ASGITransport(app, raise_app_exceptions=False)
    return AsyncClient(transport=transport, base_url="http://tocsin.example", headers=headers)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
