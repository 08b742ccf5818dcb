from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, cast

import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.cron import CrontabReader
from service.adapters.egress.guard import Guard
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.prices import list_price_book
from service.adapters.signer import HmacSigner
from service.adapters.vault import FernetVault
from service.api.app import create_app
from service.domain.access import Role
from service.workflows.ports.platform import Egress
from service.workflows.ports.unit_of_work import Ports, UowFactory
from tests.api.stand import Stand, client, secret_of
from tests.fakes.clock import FakeClock
from tests.fakes.ports import FakeChannels, FakeCharts, FakeSource


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    """Not the unconfigured log's renderer, which takes seconds to paint an exception with all its variables."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def described() -> dict[str, Any]:
    """The OpenAPI document. It takes a second to make."""
    return create_app(cast("Ports", None), ready=cast("Any", None)).openapi()


@pytest.fixture
async def stand(uow: UowFactory, engine: AsyncEngine, clock: FakeClock) -> AsyncIterator[Stand]:
    source, channels, guard = FakeSource(), FakeChannels(), Guard()
    ports = Ports(
        uow=uow,
        storage=PostgresStorage(engine),
        sources=source,
        channels=channels,
        egress=Egress(sources=guard, receivers=guard),
        vault=FernetVault("a secret key of the tests"),
        price_book=lambda overrides: list_price_book(tuple(overrides)),
        clock=clock,
        public_url="http://tocsin.example",
        cron=CrontabReader(),
        charts=FakeCharts(),
        signer=HmacSigner("a secret key of the tests"),
    )

    async def ready() -> str | None:
        return None

    app = create_app(ports, ready=ready, metrics_kept=timedelta())
    async with AsyncExitStack() as stack:
        clients = [client(app, await secret_of(ports, role)) for role in Role]
        viewer, operator, admin, stranger = [await stack.enter_async_context(one) for one in (*clients, client(app))]
        yield Stand(app, engine, ports, clock, source, channels, viewer, operator, admin, stranger)
