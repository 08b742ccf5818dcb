"""The source against the simulated Admin API, over real HTTP, with every fault it can play."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from service.cli.serving import serving
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.simulator.protocol.behaviour import Behaviour, Today
from service.simulator.protocol.faults import Fault
from service.simulator.world.records import Quantities, Stream
from service.workflows.ports.sources import CostSource, SourceError
from tests.adapters.claude.scripted_admin_api import QUICK, WORKSPACE_KEY, connected
from tests.fakes.fixed_world import FixedWorld, UsageEvent, token_cost
from tests.simulator.client import NOW, Simulation

TODAY = NOW.replace(hour=0, minute=0)
TOMORROW = TODAY + timedelta(days=1)
THREE_DAYS = Window(TODAY - timedelta(days=2), TOMORROW)
QUARTER = Window(TOMORROW - timedelta(days=90), TOMORROW)
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> FixedWorld:
    world = FixedWorld()
    world.add_workspace("wrkspc_1", "Search", {"team": "search"})
    world.add_key("apikey_a", "Search backend", "wrkspc_1")
    world.add_key("apikey_d", "Notebook")
    for age in range(90):
        day = (TODAY - timedelta(days=age)).date()
        world.set_cost(day, token_cost("776.257875", "wrkspc_1"), token_cost("3"))
    stream = Stream("wrkspc_1", "apikey_a", "claude-sonnet-5-5")
    world.add_usage(
        *(UsageEvent(TODAY - number * HOUR, stream, Quantities(uncached_input=100)) for number in range(200))
    )
    return world


@pytest.fixture
def simulation(world: FixedWorld) -> Simulation:
    return Simulation(world)


@asynccontextmanager
async def source_of(simulation: Simulation, key: str = "sk-ant-admin01-FAKE") -> AsyncIterator[CostSource]:
    async with serving(simulation.app) as url, connected(url, key=key, limits=QUICK) as source:
        yield source


async def total(source: CostSource, window: Window) -> Money:
    return Money.total(row.amount for one in (await source.cost(window)).buckets for row in one.rows)


async def test_three_days_are_read_with_their_workspaces(simulation: Simulation) -> None:
    async with source_of(simulation) as source:
        buckets = (await source.cost(THREE_DAYS)).buckets
    assert [one.window.start for one in buckets] == [TODAY - timedelta(days=age) for age in (2, 1, 0)]
    for one in buckets:
        amounts = {row.dimensions.workspace: row.amount for row in one.rows}
        assert amounts == {"wrkspc_1": Money.of("7.76257875"), "default": Money.of("0.03")}


async def test_a_quarter_is_read_whole_over_its_pages(simulation: Simulation) -> None:
    async with source_of(simulation) as source:
        assert len((await source.cost(QUARTER)).buckets) == 90
        assert await total(source, QUARTER) == Money(Decimal("7.79257875") * 90)


async def test_hours_are_read_whole_over_their_pages(simulation: Simulation) -> None:
    window = Window(TODAY - 199 * HOUR, TODAY + HOUR)
    async with source_of(simulation) as source:
        buckets = (await source.usage(window, Width.HOUR)).buckets
    assert len(buckets) == 200
    assert [row.quantities[Measure.UNCACHED_INPUT] for one in buckets for row in one.rows] == [100] * 200
    assert {row.dimensions.api_key for one in buckets for row in one.rows} == {"apikey_a"}


async def test_two_days_of_minutes_are_read_whole_over_their_pages(simulation: Simulation) -> None:
    async with source_of(simulation) as source:
        buckets = (await source.usage(Window(TODAY - timedelta(days=1), TOMORROW), Width.MINUTE)).buckets
    read_rows = [row for one in buckets for row in one.rows]
    assert len(read_rows) == 25
    assert {one.window.end - one.window.start for one in buckets} == {timedelta(minutes=1)}


async def test_the_directory_names_the_default_workspace_and_places_every_key(simulation: Simulation) -> None:
    async with source_of(simulation) as source:
        directory = await source.directory()
        assert directory is not None
        organization = await source.organization()
    assert [one.id for one in directory.workspaces] == ["default", "wrkspc_1"]
    assert directory.workspaces[1].tags == {"team": "search"}
    assert {key.id: key.workspace for key in directory.api_keys} == {
        "apikey_a": "wrkspc_1",
        "apikey_d": "default",
    }
    assert organization.id


@pytest.mark.parametrize("today", [Today.PARTIAL, Today.EMPTY, Today.REFUSED])
async def test_today_is_asked_for_in_a_way_that_every_api_accepts(world: FixedWorld, today: Today) -> None:
    simulation = Simulation(world, Behaviour(today=today, requests_per_minute=10_000))
    async with source_of(simulation) as source:
        buckets = (await source.cost(THREE_DAYS)).buckets
    assert [one.window.start for one in buckets][:2] == [TODAY - timedelta(days=2), TODAY - timedelta(days=1)]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_workspace_key_is_refused_in_words(world: FixedWorld, status: int) -> None:
    simulation = Simulation(world, Behaviour(workspace_key_status=status))
    async with source_of(simulation, WORKSPACE_KEY) as source:
        with pytest.raises(SourceError, match="keys of workspaces"):
            await source.cost(THREE_DAYS)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.RATE_LIMITED_SILENT, Fault.SERVER_ERROR, Fault.TIMEOUT, Fault.OVERLOADED,
        Fault.TRUNCATED_JSON, Fault.CONNECTION_RESET,
    ],
)  # fmt: skip
async def test_a_fault_that_passes_costs_nothing(simulation: Simulation, fault: Fault) -> None:
    simulation.faults.inject("cost_report", fault, times=2)
    async with source_of(simulation) as source:
        assert await total(source, QUARTER) == Money(Decimal("7.79257875") * 90)
    assert simulation.faults.waiting() == []


async def test_a_rate_limit_is_waited_out_for_as_long_as_it_asks(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.RATE_LIMITED, seconds=1)
    async with source_of(simulation) as source:
        assert len((await source.cost(THREE_DAYS)).buckets) == 3


@pytest.mark.parametrize(
    "fault",
    [
        Fault.MORE_WITHOUT_NEXT, Fault.REPEATED_PAGE, Fault.DUPLICATE_PAGE, Fault.FOREIGN_CURRENCY,
        Fault.UNAUTHORIZED, Fault.FORBIDDEN, Fault.HTML_BODY,
    ],
)  # fmt: skip
async def test_a_fault_that_would_falsify_the_total_fails_the_report(simulation: Simulation, fault: Fault) -> None:
    simulation.faults.inject("cost_report", fault)
    async with source_of(simulation) as source:
        with pytest.raises(SourceError):
            await source.cost(QUARTER)


@pytest.mark.parametrize(
    "fault",
    [Fault.UNKNOWN_FIELD, Fault.UNKNOWN_ENUM, Fault.NUMERIC_AMOUNT],
)
async def test_drift_of_the_schema_changes_no_total(simulation: Simulation, fault: Fault) -> None:
    simulation.faults.inject("cost_report", fault, times=None)
    async with source_of(simulation) as source:
        assert await total(source, QUARTER) == Money(Decimal("7.79257875") * 90)


@pytest.mark.parametrize("fault", [Fault.EXPONENT_AMOUNT, Fault.NEGATIVE_AMOUNT])
async def test_odd_amounts_are_amounts(simulation: Simulation, fault: Fault) -> None:
    simulation.faults.inject("cost_report", fault)
    async with source_of(simulation) as source:
        assert await total(source, THREE_DAYS) < Money(Decimal("7.79257875") * 3)


async def test_no_data_is_no_knowledge(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.EMPTY_DATA)
    async with source_of(simulation) as source:
        assert (await source.cost(THREE_DAYS)).buckets == ()


async def test_no_page_is_asked_for_with_other_parameters_than_the_first(
    world: FixedWorld,
) -> None:
    """The simulator answers 410 to a token whose parameters changed."""
    simulation = Simulation(world, Behaviour(foreign_page_status=410, requests_per_minute=3))
    async with source_of(simulation) as source:
        assert len((await source.cost(QUARTER)).buckets) == 90


async def test_a_revised_day_is_read_as_it_stands_now(simulation: Simulation, world: FixedWorld) -> None:
    yesterday = Window(TODAY - timedelta(days=1), TODAY)
    async with source_of(simulation) as source:
        before = await total(source, yesterday)
        world.set_cost(yesterday.start.date(), token_cost("1", "wrkspc_1"))
        assert (before, await total(source, yesterday)) == (Money.of("7.79257875"), Money.of("0.01"))
