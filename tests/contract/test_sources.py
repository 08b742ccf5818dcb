"""What every CostSource does: our fake, and the real one reading a simulated organisation over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from service.adapters.claude.connector import ClaudeConnector
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.vault import FernetVault
from service.cli.serving import serving
from service.domain.sources.pricing import Measure
from service.domain.sources.source import ReportFamily, ReportName, Source, SourceKind
from service.domain.spend.rows import TOKEN_COST, CostRow, Dimensions, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.simulator.app import create_app
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import Fault, Faults
from service.simulator.world.records import Quantities, Stream
from service.workflows.ports.sources import ApiKeyName, CostSource, SourceConnector, SourceError, WorkspaceName
from tests.fakes.clock import FakeClock
from tests.fakes.fixed_world import FixedWorld, UsageEvent, token_cost
from tests.fakes.ports import DEFAULT, FakeSource

MODEL = "claude-sonnet-5-5"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TODAY = datetime(2026, 11, 16, tzinfo=UTC)
WEEK = Window(TODAY - 6 * DAY, TODAY + DAY)


@dataclass
class World:
    """An organisation that both can show: each test sets it up in these words."""

    connector: SourceConnector
    source: Source
    bill: Callable[[date, str, str | None], None]
    use: Callable[[Width, datetime, str | None, str, int], None]
    name: Callable[[str, str], None]
    add_key: Callable[[str, str, str | None], None]
    refuse: Callable[[ReportName], None]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[CostSource]:
        async with self.connector.connect(self.source) as source:
            yield source


@asynccontextmanager
async def faked() -> AsyncIterator[World]:
    fake = FakeSource()

    def bill(day: date, cents: str, workspace: str | None) -> None:
        about = Dimensions(
            workspace or "default",
            MODEL,
            "Claude Sonnet 5.5 Usage - Uncached Input",
            TOKEN_COST,
            Measure.UNCACHED_INPUT.value,
            "standard",
            "0-200k",
            "global",
        )
        fake.bill(day, CostRow(about, Money(Decimal(cents) / 100)))

    def use(width: Width, start: datetime, workspace: str | None, api_key: str, output: int) -> None:
        about = Dimensions(
            workspace or "default",
            MODEL,
            service_tier="standard",
            context_window="0-200k",
            inference_geo="global",
            api_key=api_key,
        )
        fake.use(width, start, (about, {Measure.OUTPUT: output}))

    def refuse(report: ReportName) -> None:
        fake.refusals[report] = SourceError("refused", retryable=False)

    yield World(
        fake,
        _source("http://claude.example"),
        bill,
        use,
        lambda id, name: fake.workspaces.append(WorkspaceName(id, name)),
        lambda id, name, workspace: fake.api_keys.append(ApiKeyName(id, name, workspace or "default", "active")),
        refuse,
    )


ADMIN_ENDPOINTS = {
    ReportName.COST: "cost_report",
    ReportName.USAGE_HOURS: "usage_report",
    ReportName.USAGE_MINUTES: "usage_report",
    ReportName.DIRECTORY: "workspaces",
}
ANALYTICS_ENDPOINTS = {
    ReportName.COST: "analytics_cost",
    ReportName.USAGE_HOURS: "analytics_usage",
    ReportName.USAGE_MINUTES: "analytics_usage",
    ReportName.DIRECTORY: "api_keys",
}


def simulated() -> AbstractAsyncContextManager[World]:
    return _simulated(ADMIN_ENDPOINTS, None)


def simulated_analytics() -> AbstractAsyncContextManager[World]:
    return _simulated(ANALYTICS_ENDPOINTS, ReportFamily.ANALYTICS)


@asynccontextmanager
async def _simulated(endpoints: Mapping[ReportName, str], prefer: ReportFamily | None) -> AsyncIterator[World]:
    world, faults = FixedWorld(), Faults()

    def use(width: Width, start: datetime, workspace: str | None, api_key: str, output: int) -> None:
        world.add_usage(UsageEvent(start, Stream(workspace, api_key, MODEL), Quantities(output=output)))

    def refuse(report: ReportName) -> None:
        faults.inject(endpoints[report], Fault.UNAUTHORIZED, times=None)

    app = create_app(world, FakeClock(), faults, Behaviour(requests_per_minute=10_000))
    async with serving(app) as url, open_transport(Guard(parse_networks("127.0.0.0/8")), proxy=None) as transport:
        yield World(
            ClaudeConnector(_VAULT, transport),
            replace(_source(url), prefer=prefer),
            lambda day, cents, workspace: world.set_cost(day, token_cost(cents, workspace, MODEL)),
            use,
            world.add_workspace,
            world.add_key,
            refuse,
        )


_VAULT = FernetVault("a secret key of the tests")


def _source(url: str) -> Source:
    return Source(SourceKind.CLAUDE_ADMIN, url, _VAULT.seal("sk-ant-admin01-FAKE-key"))


@pytest.fixture(params=[faked, simulated, simulated_analytics], ids=["fake", "admin", "analytics"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with request.param() as world:
        yield world


async def test_every_day_of_the_window_comes_oldest_first_the_empty_ones_too(world: World) -> None:
    world.bill(TODAY.date(), "1234.5678", None)
    async with world.connected() as source:
        buckets = (await source.cost(WEEK)).buckets
    starts = [WEEK.start + number * DAY for number in range(7)]
    assert [bucket.window for bucket in buckets] == [Window(start, start + DAY) for start in starts]
    assert [len(bucket.rows) for bucket in buckets] == [0] * 6 + [1]


async def test_a_line_of_the_bill_is_in_dollars_and_the_null_workspace_is_the_default_one(world: World) -> None:
    world.bill(TODAY.date(), "1234.5678", None)
    async with world.connected() as source:
        (row,) = (await source.cost(WEEK)).buckets[-1].rows
    assert row.amount == Money.of("12.345678")
    seen = row.dimensions
    assert (seen.workspace, seen.model, seen.cost_type) == ("default", MODEL, TOKEN_COST)
    assert (seen.token_type, seen.service_tier) == (Measure.UNCACHED_INPUT.value, "standard")
    assert seen.api_key == ""


async def test_more_than_a_page_comes_whole(world: World) -> None:
    first, last = TODAY - 35 * DAY, TODAY
    for day in (first, last):
        world.bill(day.date(), "100", "wrkspc_a")
    async with world.connected() as source:
        buckets = (await source.cost(Window(first, last + DAY))).buckets
    assert len(buckets) == 36
    assert [bucket.rows[0].amount for bucket in (buckets[0], buckets[-1])] == [Money.of("1.00")] * 2


@pytest.mark.parametrize(("width", "step"), [(Width.HOUR, HOUR), (Width.MINUTE, MINUTE)])
async def test_usage_comes_by_bucket_with_every_measure_and_its_key(
    world: World, width: Width, step: timedelta
) -> None:
    start = TODAY + 9 * HOUR
    world.use(width, start, "wrkspc_a", "apikey_1", 700)
    async with world.connected() as source:
        buckets = (await source.usage(Window(start - step, start + 2 * step), width)).buckets
    assert [bucket.window.start for bucket in buckets] == [start - step, start, start + step]
    assert [len(bucket.rows) for bucket in buckets] == [0, 1, 0]
    (row,) = buckets[1].rows
    assert dict(row.quantities) == dict.fromkeys(Measure, 0) | {Measure.OUTPUT: 700}
    assert (row.dimensions.workspace, row.dimensions.api_key) == ("wrkspc_a", "apikey_1")
    assert (row.dimensions.model, row.dimensions.token_type) == (MODEL, "")


async def test_the_directory_names_the_default_workspace_first(world: World) -> None:
    world.name("wrkspc_a", "Research")
    world.add_key("apikey_1", "ci-runner", None)
    world.add_key("apikey_2", "notebooks", "wrkspc_a")
    async with world.connected() as source:
        directory = await source.directory()
        assert directory is not None
    assert directory.workspaces[0] == DEFAULT
    assert [(one.id, one.name) for one in directory.workspaces[1:]] == [("wrkspc_a", "Research")]
    assert [(key.id, key.name, key.workspace, key.status) for key in directory.api_keys] == [
        ("apikey_1", "ci-runner", "default", "active"),
        ("apikey_2", "notebooks", "wrkspc_a", "active"),
    ]


async def test_the_organisation_has_an_id_and_a_name(world: World) -> None:
    async with world.connected() as source:
        organization = await source.organization()
    assert organization.id
    assert organization.name


READS: dict[ReportName, Callable[[CostSource], Awaitable[object]]] = {
    ReportName.COST: lambda source: source.cost(WEEK),
    ReportName.USAGE_HOURS: lambda source: source.usage(Window(TODAY, TODAY + HOUR), Width.HOUR),
    ReportName.USAGE_MINUTES: lambda source: source.usage(Window(TODAY, TODAY + MINUTE), Width.MINUTE),
    ReportName.DIRECTORY: lambda source: source.directory(),
}


@pytest.mark.parametrize("report", list(ReportName))
async def test_a_refused_report_raises_and_leaves_the_others_alone(world: World, report: ReportName) -> None:
    world.refuse(report)
    usage = {ReportName.USAGE_HOURS, ReportName.USAGE_MINUTES}  # one endpoint
    others = [read for name, read in READS.items() if name is not report and not {name, report} <= usage]
    async with world.connected() as source:
        with pytest.raises(SourceError) as raised:
            await READS[report](source)
        for read in others:
            await read(source)
    assert not raised.value.retryable
    assert str(raised.value)


async def test_a_source_may_be_connected_to_again(world: World) -> None:
    for _ in range(2):
        async with world.connected() as source:
            assert len((await source.cost(WEEK)).buckets) == 7
