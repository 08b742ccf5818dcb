"""What days were known to be: one version for every UTC day on which that changed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.spend.best_known import DayVersion, EstimatedDay, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.scopes import EVERYTHING, FINEST, Cell, Dimension, Grain, Scope
from service.domain.values.utc import DAY, HOUR
from tests.adapters.postgres import reports
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.reports import ALPHA, BETA, SOURCE, day_of, facts_of, hour_of, make_room, stamp, used
from tests.factories import utc

KEY = Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_1")
NOBODY = replace(KEY, api_key="")
TENTH = reports.DAY
EVENING = utc("2026-11-10T18:00")
NEXT = TENTH + DAY


@pytest.fixture(autouse=True)
async def _room(engine: AsyncEngine) -> None:
    await make_room(engine)


def billed(dollars: str) -> SpendDay:
    return SpendDay(Spend(Money.of(dollars)))


async def versions(engine: AsyncEngine, first: date = TENTH, days: int = 1) -> list[DayVersion]:
    async with facts_of(engine) as facts:
        return await facts.day_versions(SOURCE, first, first + days * DAY)


async def store(engine: AsyncEngine, at: datetime, day: date = TENTH, **dollars: str) -> None:
    async with facts_of(engine) as facts:
        cells = {replace(KEY, api_key=key): billed(amount) for key, amount in dollars.items()}
        await facts.store_days(stamp(at), {day: cells})


def brief(version: DayVersion) -> tuple[int, dict[str, str]]:
    """The day of the month on which it was known, and dollars by key."""
    dollars = {cell.api_key: str(known.spend.total.usd.normalize()) for cell, known in version.cells.items()}
    return version.known_on.day, dollars


async def test_a_version_is_all_that_was_stored_of_its_day(engine: AsyncEngine) -> None:
    estimate = EstimatedDay(Money.of("3"), Money.of("5"), 7, input_tokens=30, cache_read_tokens=20, output_tokens=4)
    known = {KEY: SpendDay(Spend(Money.of("1"), Money.of("2")), estimate), NOBODY: billed("-0.5")}
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(EVENING), {TENTH: known})
        await facts.store_days(stamp(EVENING, source_id="src_2"), {TENTH: {KEY: billed("100")}})
    assert await versions(engine) == [DayVersion(TENTH, TENTH, assumed=False, settled=False, cells=known)]


async def test_a_change_on_the_same_utc_day_takes_the_place_of_what_was_kept(engine: AsyncEngine) -> None:
    for hour, dollars in enumerate(("1", "2", "3")):
        await store(engine, EVENING + hour * HOUR, one=dollars)
    assert [brief(version) for version in await versions(engine)] == [(10, {"one": "3"})]


async def test_a_change_on_a_later_day_is_another_version_with_the_unchanged_cells(engine: AsyncEngine) -> None:
    await store(engine, EVENING, one="1", two="2")
    await store(engine, EVENING + DAY, one="1", two="5")
    await store(engine, EVENING + 2 * DAY, one="1", two="5")
    await store(engine, EVENING + 9 * DAY, one="4", two="5")
    assert [brief(version) for version in await versions(engine)] == [
        (10, {"one": "1", "two": "2"}),
        (11, {"one": "1", "two": "5"}),
        (19, {"one": "4", "two": "5"}),
    ]
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM spend_day_versions")) == 4


async def test_a_cell_that_disappears_is_zero_from_then_on_and_may_come_back(engine: AsyncEngine) -> None:
    await store(engine, EVENING, one="1", two="2")
    await store(engine, EVENING + DAY, one="1")
    await store(engine, EVENING + 2 * DAY, one="1", two="3")
    assert [brief(version) for version in await versions(engine)] == [
        (10, {"one": "1", "two": "2"}),
        (11, {"one": "1"}),
        (12, {"one": "1", "two": "3"}),
    ]
    async with engine.connect() as connection:
        gone = "SELECT billed FROM spend_day_versions WHERE api_key = 'two' AND known_on = '2026-11-11'"
        assert await connection.scalar(text(gone)) == 0


async def test_versions_come_in_the_order_they_became_known(engine: AsyncEngine) -> None:
    await store(engine, EVENING, TENTH, one="1")
    await store(engine, EVENING + DAY, NEXT, one="2")
    await store(engine, EVENING + DAY, TENTH, one="3")
    await store(engine, EVENING + 2 * DAY, TENTH, one="4")
    found = [(version.known_on.day, version.day.day) for version in await versions(engine, days=2)]
    assert found == [(10, 10), (11, 10), (11, 11), (12, 10)]
    assert [version.day.day for version in await versions(engine, NEXT)] == [11]


async def test_a_day_that_becomes_settled_has_a_version_though_no_amount_moved(engine: AsyncEngine) -> None:
    for at in (EVENING, utc("2026-11-11T23:59"), utc("2026-11-12T00:00"), utc("2026-11-13T00:00")):
        await read(engine, at, [day_of(TENTH, {ALPHA: "1"})])
    found = await versions(engine)
    assert [(version.known_on.day, version.settled) for version in found] == [(10, False), (12, True)]
    assert found[0].cells == found[1].cells == {NOBODY: billed("1")}


async def test_a_day_that_is_settled_on_the_day_of_its_last_change_says_so(engine: AsyncEngine) -> None:
    await read(engine, utc("2026-11-11T23:00"), [day_of(TENTH, {ALPHA: "1"})])
    await read(engine, utc("2026-11-12T08:00"), [day_of(TENTH, {ALPHA: "2"})])
    await read(engine, utc("2026-11-12T09:00"), [day_of(TENTH, {ALPHA: "1"})])
    assert [
        (version.known_on.day, version.settled, *brief(version)[1].values()) for version in await versions(engine)
    ] == [
        (11, False, "1"),
        (12, True, "1"),
    ]


async def test_a_day_that_was_read_without_a_row_has_a_version_without_cells(engine: AsyncEngine) -> None:
    await read(engine, EVENING, [day_of(TENTH, {})])
    assert await versions(engine) == [DayVersion(TENTH, TENTH, assumed=False, settled=False, cells={})]
    assert await versions(engine, NEXT) == []


@pytest.mark.parametrize(
    ("read_at", "known_on", "assumed"),
    [
        pytest.param(utc("2026-11-14T00:00"), date(2026, 11, 14), False, id="three days after its end: late"),
        pytest.param(utc("2026-11-14T00:01"), NEXT, True, id="later: backfilled"),
    ],
)
async def test_a_day_first_seen_long_after_its_end_is_assumed_to_have_been_known_the_day_after(
    engine: AsyncEngine, read_at: datetime, known_on: date, assumed: bool
) -> None:
    await read(engine, read_at, [day_of(TENTH, {ALPHA: "1"})])
    expected = DayVersion(TENTH, known_on, assumed=assumed, settled=True, cells={NOBODY: billed("1")})
    assert await versions(engine) == [expected]


async def test_usage_backfilled_after_the_bill_belongs_to_the_same_assumed_version(engine: AsyncEngine) -> None:
    later = utc("2026-11-25T12:00")
    await read(engine, later, [day_of(TENTH, {ALPHA: "1"})])
    await read(engine, later + DAY, hours=[hour_of(EVENING, used(10, "3"))])
    (version,) = await versions(engine)
    assert (version.known_on, version.assumed) == (NEXT, True)
    assert {cell: known.spend for cell, known in version.cells.items()} == {KEY: Spend(Money.of("1"))}


async def test_a_restatement_of_a_backfilled_day_is_known_when_it_was_read(engine: AsyncEngine) -> None:
    later = utc("2026-11-25T12:00")
    await read(engine, later, [day_of(TENTH, {ALPHA: "1", BETA: "5"})])
    await read(engine, later + DAY, [day_of(TENTH, {ALPHA: "2", BETA: "5"})])
    first, second = await versions(engine)
    assert (first.known_on, first.assumed) == (NEXT, True)
    assert (second.known_on, second.assumed) == (date(2026, 11, 26), False)
    assert sum(float(known.spend.total.usd) for known in second.cells.values()) == 7.0


async def test_usage_backfilled_of_a_day_whose_bill_was_seen_live_is_known_when_it_was_read(
    engine: AsyncEngine,
) -> None:
    await read(engine, EVENING, [day_of(TENTH, {ALPHA: "1"})])
    await read(engine, utc("2026-11-25T12:00"), hours=[hour_of(EVENING, used(10, "3"))])
    assert [(version.known_on.day, version.assumed) for version in await versions(engine)] == [(10, False), (25, False)]


GRAINS: list[Grain] = [
    frozenset(),
    frozenset({Dimension.WORKSPACE, Dimension.ORGANISATION}),
    frozenset({Dimension.MODEL, Dimension.API_KEY}),
    FINEST,
]
WITHINS = [EVERYTHING, Scope(workspaces=("wrkspc_a", "wrkspc_b"), models=("opus",)), Scope(api_keys=("apikey_9",))]


@pytest.mark.parametrize("within", WITHINS)
@pytest.mark.parametrize("grain", GRAINS, ids=lambda grain: "-".join(sorted(grain)) or "nothing")
async def test_sums_of_cells_are_what_the_cells_come_to_in_every_version(
    engine: AsyncEngine, grain: Grain, within: Scope
) -> None:
    """Two days of cells that come, change, turn to credits and go, on five days, a few at a time."""
    drawn = random.Random(3)
    cells = [Cell(f"wrkspc_{w}", model, f"apikey_{n}") for n, w in enumerate("aabc") for model in ("opus", "haiku")]
    known: dict[date, dict[Cell, SpendDay]] = {TENTH: {}, NEXT: {}}
    for later in range(5):
        for of_day in known.values():
            for cell in drawn.sample(cells, 4):
                of_day[cell] = drawn_day(drawn)
            of_day.pop(drawn.choice(cells), None)
        async with facts_of(engine) as facts:
            await facts.store_days(stamp(EVENING + DAY + later * DAY), known)
    async with facts_of(engine) as facts:
        found = await facts.day_versions(SOURCE, TENTH, NEXT + DAY, grain, within)
    whole = await versions(engine, days=2)
    assert [replace(one, cells={}) for one in found] == [replace(one, cells={}) for one in whole]
    for one, of_cells in zip(found, whole, strict=True):
        assert one.cells == added_up(of_cells, grain, within)
    assert len(whole) == 10


def drawn_day(drawn: random.Random) -> SpendDay:
    dollars = [Money.of(f"{drawn.choice((0, 0, drawn.uniform(-20, 300))):.12f}") for _ in range(4)]
    tokens = [drawn.choice((0, drawn.randrange(10**15))) for _ in range(4)]
    estimate = EstimatedDay(dollars[2], dollars[3], tokens[0], tokens[1], tokens[2], tokens[3])
    return SpendDay(Spend(dollars[0], dollars[1]), estimate)


def added_up(version: DayVersion, grain: Grain, within: Scope) -> dict[Cell, SpendDay]:
    sums: dict[Cell, SpendDay] = {}
    for cell, day in version.cells.items():
        if within.holds(cell):
            mine = sums.get(cell.at(grain), SpendDay())
            spend = Spend(mine.spend.billed + day.spend.billed, mine.spend.estimated + day.spend.estimated)
            one, other = mine.estimate, day.estimate
            sums[cell.at(grain)] = SpendDay(
                spend,
                EstimatedDay(
                    one.cost + other.cost,
                    one.priority + other.priority,
                    one.unpriced_tokens + other.unpriced_tokens,
                    one.input_tokens + other.input_tokens,
                    one.cache_read_tokens + other.cache_read_tokens,
                    one.output_tokens + other.output_tokens,
                ),
            )
    return {cell: day for cell, day in sums.items() if day != SpendDay()}
