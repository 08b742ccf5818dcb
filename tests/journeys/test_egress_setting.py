"""The whole product, built from the environment: what it may connect to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.bootstrap.errors import StartError
from service.bootstrap.product import Product, open_product
from service.domain.sources.source import Source, SourceKind
from service.settings import Settings
from service.workflows.ports.sources import SourceError
from tests.adapters.claude.scripted_admin_api import Answer, ScriptedAdminApi, scripted_admin_api

KEY = "sk-ant-admin01-FAKE-not-a-key"


@pytest.fixture
async def api() -> AsyncIterator[ScriptedAdminApi]:
    async with scripted_admin_api() as server:
        yield server


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_BASE_URL", "TOCSIN_EGRESS_ALLOW", "TOCSIN_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOCSIN_SECRET_KEY", "a FAKE secret key of the tests")


async def read(product: Product, kind: SourceKind, base_url: str) -> str:
    source = Source(kind, base_url, product.ports.vault.seal(KEY))
    async with product.ports.sources.connect(source) as reader:
        return (await reader.organization()).id


async def test_only_the_environments_own_address_may_be_inside(
    database_url: str, api: ScriptedAdminApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = Answer(body=b'{"id": "org_FAKE", "name": "Example Inc", "type": "organization"}')
    async with open_product(Settings(), database_url) as product:
        with pytest.raises(SourceError, match="TOCSIN_EGRESS_ALLOW"):
            await read(product, SourceKind.CLAUDE_ADMIN, api.url)
        with pytest.raises(SourceError, match="TOCSIN_EGRESS_ALLOW"):
            await read(product, SourceKind.SIMULATOR, api.url)
        assert api.asked == []

    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{api.url}/gateway/")
    async with open_product(Settings(), database_url) as product:
        api.will(organization)
        assert await read(product, SourceKind.CLAUDE_ADMIN, api.url) == "org_FAKE"
        assert product.ports.egress.sources.objection(api.url) is None
        assert product.ports.egress.receivers.objection(api.url) is not None


async def test_the_simulator_is_trusted_where_it_is_served(database_url: str, api: ScriptedAdminApi) -> None:
    api.will(Answer(body=b'{"id": "org_FAKE", "name": "Example Inc", "type": "organization"}'))
    async with open_product(Settings(), database_url, simulator_url=api.url) as product:
        assert await read(product, SourceKind.SIMULATOR, api.url) == "org_FAKE"


async def test_a_process_beside_it_finds_the_simulator_at_its_usual_port(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_PORT", "8500")
    async with open_product(Settings(), database_url) as product:
        assert product.ports.egress.sources.objection("http://127.0.0.1:8501") is None
        assert product.ports.egress.sources.objection("http://127.0.0.1:8500") is not None
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", KEY)
    async with open_product(Settings(), database_url) as product:
        assert product.ports.egress.sources.objection("http://127.0.0.1:8501") is not None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TOCSIN_EGRESS_ALLOW", "10.0.0.0/8, 192.168.0.0/33", "'192.168.0.0/33'"),
        ("TOCSIN_EGRESS_ALLOW", "10.0.0.5/8", "host bits"),
        ("TOCSIN_PROXY", "socks5://127.0.0.1:1080", "http or https"),
        ("ANTHROPIC_BASE_URL", "api.anthropic.com", "http or https"),
    ],
)
async def test_a_setting_that_makes_no_sense_stops_the_start(
    database_url: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartError, match=f"{name}: .*{words}"):
        async with open_product(Settings(), database_url):
            pass
