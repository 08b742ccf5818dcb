"""The analytics reports as a source of cost, read from a simulated organisation over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from service.adapters.claude.connector import ClaudeConnector
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.vault import FernetVault
from service.cli.serving import serving
from service.domain.sources.pricing import Measure
from service.domain.sources.source import People, ReportFamily, Source, SourceKind
from service.domain.spend.rows import CostRow, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, ScopeKey
from service.simulator.app import create_app
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import Fault, Faults
from service.simulator.world.records import Quantities, Stream
from service.workflows.ports.sources import CostSource, ReadReport, SourceError
from tests.fakes.clock import FakeClock
from tests.fakes.fixed_world import FixedWorld, UsageEvent, token_cost

TODAY = datetime(2026, 11, 16, tzinfo=UTC)
"""The clock stands at noon, to which the data are refreshed."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEEK = Window(TODAY - 6 * DAY, TODAY + DAY)
YESTERDAY = (TODAY - DAY).date()
ALICE, BOB = (Stream("wrkspc_1", key, "claude-sonnet-5-5") for key in ("apikey_alice", "apikey_bob"))
_VAULT = FernetVault("a secret key of the tests")


@dataclass
class Organisation:
    world: FixedWorld
    faults: Faults
    behaviour: Behaviour
    clock: FakeClock
    source: CostSource


@pytest.fixture
async def organisation() -> AsyncIterator[Organisation]:
    world, faults, behaviour, clock = FixedWorld(), Faults(), Behaviour(requests_per_minute=10_000), FakeClock()
    world.add_workspace("wrkspc_1", "Research")
    async with _read(create_app(world, clock, faults, behaviour)) as source:
        yield Organisation(world, faults, behaviour, clock, source)


@pytest.fixture
async def with_people() -> AsyncIterator[Organisation]:
    world, faults, behaviour, clock = FixedWorld(), Faults(), Behaviour(requests_per_minute=10_000), FakeClock()
    async with _read(create_app(world, clock, faults, behaviour), People.NAMES) as source:
        yield Organisation(world, faults, behaviour, clock, source)


@asynccontextmanager
async def _read(app: FastAPI, people: People = People.OFF) -> AsyncIterator[CostSource]:
    async with serving(app) as url, open_transport(Guard(parse_networks("127.0.0.0/8")), proxy=None) as transport:
        key = _VAULT.seal("sk-ant-admin01-FAKE-key")
        asked = Source(SourceKind.CLAUDE_ADMIN, url, key, prefer=ReportFamily.ANALYTICS, people=people)
        async with ClaudeConnector(_VAULT, transport).connect(asked) as source:
            yield source


def rows(report: ReadReport[CostRow]) -> list[CostRow]:
    return [row for bucket in report.buckets for row in bucket.rows]


async def test_each_key_is_billed_by_name_and_the_product_is_kept(organisation: Organisation) -> None:
    organisation.world.charge_key(YESTERDAY, "700", ALICE)
    organisation.world.charge_key(YESTERDAY, "300", BOB)
    report = await organisation.source.cost(WEEK)
    assert {row.dimensions.api_key: row.amount for row in rows(report)} == {
        "apikey_alice": Money.of("7"),
        "apikey_bob": Money.of("3"),
    }
    assert {row.dimensions.extra for row in rows(report)} == {(("product", "messages_api"),)}
    assert report.origin.reports is ReportFamily.ANALYTICS
    assert report.origin.refreshed_at == TODAY + 12 * HOUR


async def test_the_default_workspace_has_the_name_that_the_admin_reports_give_it(organisation: Organisation) -> None:
    organisation.world.charge_key(YESTERDAY, "700", Stream(None, "apikey_alice", "claude-sonnet-5-5"))
    (row,) = rows(await organisation.source.cost(WEEK))
    assert row.dimensions.workspace == "default"


async def test_rows_of_one_key_and_day_with_another_tier_stay_two(organisation: Organisation) -> None:
    organisation.world.charge_key(YESTERDAY, "700", ALICE)
    organisation.world.charge_key(YESTERDAY, "1", Stream("wrkspc_1", ALICE.api_key_id, ALICE.model, "flex"))
    report = await organisation.source.cost(WEEK)
    assert {row.dimensions.service_tier: row.amount for row in rows(report)} == {
        "standard": Money.of("7"),
        "flex": Money.of("0.01"),
    }


async def test_hours_after_the_data_are_unknown_and_hours_before_it_without_usage_are_empty(
    organisation: Organisation,
) -> None:
    organisation.world.add_usage(UsageEvent(TODAY + 9 * HOUR, ALICE, Quantities(output=70)))
    organisation.clock.advance(3 * HOUR)
    report = await organisation.source.usage(Window(TODAY + 8 * HOUR, TODAY + 15 * HOUR), Width.HOUR)
    assert [bucket.window.start.hour for bucket in report.buckets] == [8, 9, 10, 11]
    ((row,),) = [bucket.rows for bucket in report.buckets if bucket.rows]
    assert row.quantities[Measure.OUTPUT] == 70


async def test_words_that_are_new_are_kept(organisation: Organisation) -> None:
    organisation.world.charge_key(YESTERDAY, "700", ALICE)
    organisation.faults.inject("analytics_cost", Fault.UNKNOWN_ENUM)
    organisation.faults.inject("analytics_cost", Fault.UNKNOWN_FIELD)
    (row,) = rows(await organisation.source.cost(WEEK))
    assert row.dimensions.service_tier == "novel_standard"
    assert row.dimensions.extra == (("product", "novel_messages_api"),)


async def _many(organisation: Organisation) -> None:
    """More than the rows of a page."""
    for number in range(1_001):
        organisation.world.charge_key(YESTERDAY, "1", Stream("wrkspc_1", f"apikey_{number}", ALICE.model))


async def test_a_page_token_that_expires_brings_the_whole_report_once_more(organisation: Organisation) -> None:
    await _many(organisation)
    organisation.faults.inject("analytics_cost", Fault.EXPIRED_PAGE)
    report = await organisation.source.cost(WEEK)
    assert Money.total(row.amount for row in rows(report)) == Money.of("10.01")


async def test_a_page_that_is_left_out_is_not_taken_for_the_whole(organisation: Organisation) -> None:
    organisation.world.charge_key(YESTERDAY, "700", ALICE)
    organisation.faults.inject("analytics_cost", Fault.EMPTY_DATA)
    with pytest.raises(SourceError, match=r"2026-11-15 add up to \$0, and the total of that day is \$7") as raised:
        await organisation.source.cost(WEEK)
    assert raised.value.retryable


async def test_a_bill_of_linked_organisations_may_be_partial_and_says_so(organisation: Organisation) -> None:
    organisation.world.charge_key(YESTERDAY, "700", ALICE)
    organisation.world.charge_key(YESTERDAY, "300", Stream("wrkspc_child", "apikey_c", ALICE.model))
    assert (await organisation.source.cost(WEEK)).origin.remark == ""
    organisation.behaviour.children["wrkspc_child"] = "org_child"
    report = await organisation.source.cost(WEEK)
    assert "2 linked organisations" in report.origin.remark
    assert "partial" in report.origin.remark


async def test_an_organisation_that_is_refused_is_read_from_the_admin_reports_and_says_so(
    organisation: Organisation,
) -> None:
    organisation.world.charge_key(YESTERDAY, "700", ALICE)
    organisation.behaviour.hipaa_ready = True
    report = await organisation.source.cost(WEEK)
    assert len(report.buckets) == 7
    assert report.origin.reports is ReportFamily.ADMIN
    assert report.origin.refreshed_at is None
    assert "HIPAA-ready" in report.origin.remark
    assert "in place of the analytics reports" in report.origin.remark


async def test_a_time_of_which_there_are_no_data_is_read_from_the_admin_reports(organisation: Organisation) -> None:
    long_ago = datetime(2025, 11, 1, tzinfo=UTC)
    report = await organisation.source.cost(Window(long_ago, long_ago + 3 * DAY))
    assert [len(report.buckets), report.origin.reports] == [3, ReportFamily.ADMIN]


async def test_days_on_both_sides_of_the_first_one_with_data_are_all_read(organisation: Organisation) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    organisation.world.set_cost((first - 5 * DAY).date(), token_cost("300", "wrkspc_1"))
    organisation.world.charge_key((first + 4 * DAY).date(), "700", ALICE)
    for days in (-5, 4):
        organisation.world.add_usage(UsageEvent(first + days * DAY, ALICE, Quantities(output=70)))
    window = Window(first - 10 * DAY, first + 10 * DAY)
    report = await organisation.source.cost(window)
    assert [bucket.window.start for bucket in report.buckets] == [first + days * DAY for days in range(-10, 10)]
    assert [(row.amount, row.dimensions.api_key) for row in rows(report)] == [
        (Money.of("3"), ""),
        (Money.of("7"), "apikey_alice"),
    ]
    assert report.origin.reports is ReportFamily.ANALYTICS
    assert "has data from 2026-01-01 on" in report.origin.remark
    usage = await organisation.source.usage(window, Width.HOUR)
    assert len(usage.buckets) == 20 * 24
    assert sum(row.quantities[Measure.OUTPUT] for bucket in usage.buckets for row in bucket.rows) == 140


@pytest.mark.parametrize("fault", [Fault.FORBIDDEN, Fault.UNAUTHORIZED])
async def test_a_key_for_analytics_alone_reads_the_days_from_the_first_one_with_data(
    organisation: Organisation, fault: Fault
) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    organisation.world.charge_key((first + 4 * DAY).date(), "700", ALICE)
    for report in ("cost_report", "usage_report"):
        organisation.faults.inject(report, fault, times=None)
    window = Window(first - 10 * DAY, first + 10 * DAY)
    cost = await organisation.source.cost(window)
    assert [bucket.window.start for bucket in cost.buckets] == [first + days * DAY for days in range(10)]
    assert [row.amount for row in rows(cost)] == [Money.of("7")]
    assert "Earlier days are left out. The Claude analytics API has data from 2026-01-01 on" in cost.origin.remark
    assert len((await organisation.source.usage(window, Width.HOUR)).buckets) == 10 * 24


async def test_days_before_the_first_one_with_data_that_fail_for_a_moment_fail_the_whole(
    organisation: Organisation,
) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    organisation.faults.inject("cost_report", Fault.HTML_BODY, times=None)
    with pytest.raises(SourceError):
        await organisation.source.cost(Window(first - 10 * DAY, first + 10 * DAY))


@pytest.mark.parametrize(
    ("fault", "words"),
    [(Fault.FORBIDDEN, "read:analytics"), (Fault.UNAUTHORIZED, "wrong, expired or revoked")],
)
async def test_a_key_that_may_not_read_them_is_told_what_it_lacks(
    organisation: Organisation, fault: Fault, words: str
) -> None:
    organisation.faults.inject("analytics_cost", fault, times=None)
    with pytest.raises(SourceError, match=words) as raised:
        await organisation.source.cost(WEEK)
    assert not raised.value.retryable


async def test_an_organisation_outside_the_beta_is_told_which_it_is(organisation: Organisation) -> None:
    organisation.behaviour.has_analytics = False
    with pytest.raises(SourceError, match="the beta analytics-usage-cost-2026-08-24 is not enabled") as raised:
        await organisation.source.cost(WEEK)
    assert not raised.value.retryable


async def test_more_than_a_month_comes_whole(organisation: Organisation) -> None:
    first = TODAY - 35 * DAY
    for day in (first, TODAY - DAY):
        organisation.world.charge_key(day.date(), "100", ALICE)
    report = await organisation.source.cost(Window(first, TODAY + DAY))
    assert len(report.buckets) == 36
    assert [row.amount for row in rows(report)] == [Money.of("1")] * 2


@pytest.mark.parametrize("fault", [Fault.FOREIGN_CURRENCY, Fault.MORE_WITHOUT_NEXT])
async def test_a_report_that_is_not_as_documented_is_refused_whole(organisation: Organisation, fault: Fault) -> None:
    organisation.world.charge_key(YESTERDAY, "700", ALICE)
    organisation.faults.inject("analytics_cost", fault, times=None)
    with pytest.raises(SourceError):
        await organisation.source.cost(WEEK)


ADA = Stream("wrkspc_1", "apikey_alice", "claude-sonnet-5-5", person="user_01Ada", product="claude_code")


async def test_a_person_is_asked_for_only_where_the_source_says_so(organisation: Organisation) -> None:
    organisation.world.charge_key(YESTERDAY, "700", ADA)
    report = await organisation.source.cost(WEEK)
    assert [row.dimensions.extra for row in rows(report)] == [(("product", "claude_code"),)]
    assert {key.dimension for key in report.named} == {Dimension.PRODUCT}


async def test_a_persons_rows_carry_a_number_and_the_name_stands_beside_them(with_people: Organisation) -> None:
    with_people.world.charge_key(YESTERDAY, "700", ADA)
    with_people.world.charge_key(YESTERDAY, "300", ALICE)
    report = await with_people.source.cost(WEEK)
    number = f"person_{_VAULT.pseudonym('ada@simulated.example')}"
    assert {row.dimensions.extra: row.amount for row in rows(report)} == {
        (("actor", number), ("product", "claude_code")): Money.of("7"),
        (("product", "messages_api"),): Money.of("3"),
    }
    assert report.named[ScopeKey(Dimension.ACTOR, number)] == "ada@simulated.example"
    assert "simulated.example" not in repr(report.buckets)
