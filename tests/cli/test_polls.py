"""A source or a day that cannot be is a wrong option, whichever process finds out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from service.bootstrap.errors import OptionError
from service.bootstrap.product import Product, open_product
from service.cli.failures import explain
from service.cli.polls import poll_now, read_past, show_table
from service.domain.sources.source import Source, SourceKind
from service.settings import Settings
from service.workflows.configuration.engine import Author, Draft, create
from service.workflows.configuration.spend import Sources

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
async def product(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    monkeypatch.setenv("TOCSIN_SECRET_KEY", "a FAKE secret key of the tests")
    async with open_product(Settings(), database_url) as product:
        yield product


async def add_source(product: Product, name: str) -> None:
    key = product.ports.vault.seal(f"sk-ant-admin01-FAKE-{name}")
    source = Source(SourceKind.CLAUDE_ADMIN, "https://api.example.com", key)
    async with product.ports.uow() as uow:
        await create(uow, Sources(), Draft(name, {}, source), Author("the tests", product.ports.clock()))


@pytest.mark.parametrize("since", [TODAY, TODAY + timedelta(days=400), TODAY - timedelta(days=6 * 366)])
async def test_a_day_that_no_backfill_begins_with_is_a_wrong_option(product: Product, since: datetime) -> None:
    await add_source(product, "production")
    with pytest.raises(OptionError, match=r"^--since: must be an earlier day") as refused:
        await read_past(product, None, since, show_table, Console(file=StringIO()))
    assert explain(refused.value) == (str(refused.value), 2)


async def test_a_source_that_is_not_there_or_not_named_is_a_wrong_argument(product: Product) -> None:
    out = Console(file=StringIO())
    await add_source(product, "production")
    await add_source(product, "research")
    with pytest.raises(OptionError, match=r"^SOURCE: .*'staging'"):
        await poll_now(product, "staging", show_table, out)
    with pytest.raises(OptionError, match=r"^SOURCE: name one of production, research$"):
        await poll_now(product, None, show_table, out)
    with pytest.raises(OptionError, match=r"^SOURCE: .*'staging'"):
        await read_past(product, "staging", TODAY - timedelta(days=3), show_table, out)
