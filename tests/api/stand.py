"""The API on a real database, with a source and channels that do what a test tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.access import Role
from service.domain.spend.best_known import EstimatedDay, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.workflows.access.tokens import create_token
from service.workflows.configuration.engine import SYSTEM, Author
from service.workflows.ports.spend import Stamp
from service.workflows.ports.unit_of_work import Ports
from tests.fakes.clock import FakeClock
from tests.fakes.ports import FakeChannels, FakeSource

SOURCE = {"name": "production", "admin_key": "sk-ant-admin01-FAKE-production"}
BUDGET = {"name": "eng monthly", "amount": "100.00"}
SLACK = {"kind": "slack", "token": "xoxb-FAKE-token", "channel": "#claude-spend"}
TODAY = date(2026, 11, 16)
ENG = Cell("wrkspc_eng", "claude-sonnet-4-5", "apikey_ci")


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
            await uow.facts.store_days(Stamp(source.id, "poll_1", self.clock()), {day: {cell: known}})
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
