"""What rules read of past instants: the same as was read when they were the present."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.rules.view import KnownFigures
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import PRIORITY_TIER, Bucket, CostRow, Dimensions, UsageFact
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY, HOUR, utc_day
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres import reports
from tests.adapters.postgres.feeding import figures, figures_at, read, spend_by_day
from tests.adapters.postgres.reports import ALPHA, BETA, SOURCE, day_of, hour_of, make_room, used
from tests.factories import utc

KEY = Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_1")
TENTH, ELEVENTH = reports.DAY, reports.DAY + DAY
START = utc("2026-11-01")


@pytest.fixture(autouse=True)
async def _room(engine: AsyncEngine) -> None:
    await make_room(engine)


class Organisation:
    """An organisation whose bill and usage move, are restated and vanish; drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.bills: dict[date, dict[Dimensions, str]] = {}
        self.used: dict[datetime, list[UsageFact]] = {}

    def live(self, now: datetime) -> None:
        """Another six hours: usage, and a bill for them that may come late."""
        for back in range(1, 7):
            self.used[now - back * HOUR] = list(self._facts())
        day = (now - HOUR).date()
        for what in (ALPHA, BETA):
            if self.chance.random() < 0.6:
                self.bills.setdefault(day, {})[what] = self._dollars()
        if self.chance.random() < 0.4:
            self._restate()

    def _restate(self) -> None:
        day = self.chance.choice(sorted(self.bills) or [START.date()])
        if self.chance.random() < 0.3:
            self.bills[day] = {}
        else:
            self.bills.setdefault(day, {})[ALPHA] = self._dollars()
        hour = self.chance.choice(sorted(self.used)[-24:])
        self.used[hour] = list(self._facts())

    def _facts(self) -> Iterator[UsageFact]:
        for number, measure in enumerate((Measure.OUTPUT, Measure.CACHE_READ, Measure.UNCACHED_INPUT)):
            if self.chance.random() < 0.5:
                yield used(self.chance.randint(1, 900), self._dollars(), measure=measure, api_key=f"apikey_{number}")
        if self.chance.random() < 0.2:
            yield used(50, self._dollars(), tier=PRIORITY_TIER)
        if self.chance.random() < 0.2:
            yield used(70, None, model="claude-novel")

    def _dollars(self) -> str:
        return f"{self.chance.randint(1, 5000) / 1000:.3f}"

    def bill(self, now: datetime) -> list[Bucket[CostRow]]:
        """Of the last ten days, and now and then of none: the report failed."""
        if self.chance.random() < 0.15:
            return []
        days = [now.date() - back * DAY for back in range(10)]
        return [day_of(day, self.bills.get(day, {})) for day in days if day >= START.date()]

    def hours(self, now: datetime) -> list[Bucket[UsageFact]]:
        if self.chance.random() < 0.15:
            return []
        return [hour_of(hour, *facts) for hour, facts in self.used.items() if hour >= now - 2 * DAY]


@pytest.mark.parametrize("seed", [1, 2, pytest.param(3, marks=pytest.mark.fuzz)])
async def test_an_instant_looks_afterwards_as_it_did_when_it_was_the_present(engine: AsyncEngine, seed: int) -> None:
    organisation = Organisation(seed)
    seen: dict[datetime, KnownFigures] = {}
    for number in range(1, 45):
        now = START + number * 6 * HOUR
        organisation.live(now)
        await read(engine, now, organisation.bill(now), organisation.hours(now))
        seen[now] = await figures(engine, now, days=12, hours=60)
    assert len({repr(view.cells) for view in seen.values()}) > 35, "hardly two instants look alike"
    for at, then in seen.items():
        again = await figures_at(engine, at, days=12, hours=60)
        assert again.hours is not None
        assert then.hours is not None
        assert again.hours.known == then.hours.known, at
        assert again.hours.cells == then.hours.cells, at
        assert replace(again, hours=None) == replace(then, hours=None), at


async def test_a_restatement_counts_from_the_instant_it_was_read(engine: AsyncEngine) -> None:
    """A day's $1 becomes $3 five days later at 15:00, and $2 on the day after."""
    first, third = utc("2026-11-11T06:00"), utc("2026-11-17T09:00")
    second = utc("2026-11-16T15:00")
    for at, dollars in ((first, "1"), (second, "3"), (third, "2")):
        await read(engine, at, [day_of(TENTH, {ALPHA: dollars})])
    known = {
        at: (await spend_by_day(engine, at)).get(TENTH, 0.0)
        for at in (
            *(first - HOUR, first, second - HOUR, second),
            *(utc("2026-11-17T00:00"), third - HOUR, third, utc("2026-11-20T00:00")),
        )
    }
    assert list(known.values()) == [0.0, 1.0, 1.0, 3.0, 3.0, 3.0, 2.0, 2.0]


async def test_a_day_that_was_read_empty_is_known_from_then_on_and_others_are_not(engine: AsyncEngine) -> None:
    read_at = utc("2026-11-11T06:00")
    await read(engine, read_at, [day_of(TENTH, {}), day_of(ELEVENTH, {})])
    before = await figures_at(engine, read_at - HOUR, days=3)
    after = await figures_at(engine, read_at, days=3)
    assert before.unknown_days == set(before.days)
    assert after.unknown_days == {TENTH - DAY}
    assert not after.cells


async def test_a_day_is_settled_from_the_reading_on_that_settled_it(engine: AsyncEngine) -> None:
    for at in (utc("2026-11-11T06:00"), utc("2026-11-12T06:00")):
        await read(engine, at, [day_of(TENTH, {ALPHA: "1"})])
    settled = [
        (await figures_at(engine, at)).settled_until
        for at in (utc("2026-11-12T05:00"), utc("2026-11-12T06:00"), utc("2026-11-20T00:00"))
    ]
    assert settled == [None, utc_day(TENTH).end, utc_day(TENTH).end]


async def test_an_hour_that_was_running_counts_from_its_end_on(engine: AsyncEngine) -> None:
    """Usage keeps no trace of how an hour grew: its day is lower in hindsight, never higher."""
    nine = utc("2026-11-10T09:00")
    await read(engine, nine + 0.5 * HOUR, hours=[hour_of(nine, used(10, "1"))])
    then = await figures(engine, nine + 0.5 * HOUR)
    assert then.cells[KEY][TENTH].spend == 1.0
    await read(engine, nine + HOUR, hours=[hour_of(nine, used(30, "3"))])
    assert await spend_by_day(engine, nine + 0.5 * HOUR) == {}
    assert await spend_by_day(engine, nine + HOUR) == {TENTH: 3.0}


async def test_a_backfilled_day_is_assumed_to_be_known_a_day_after_its_end(engine: AsyncEngine) -> None:
    backfilled_at, live = utc("2026-11-20T12:00"), date(2026, 11, 18)
    hours = [hour_of(utc("2026-11-10T05:00"), used(10, "2"), used(10, "4", api_key="apikey_2"))]
    await read(engine, utc("2026-11-19T06:00"), [day_of(live, {ALPHA: "2"})])
    await read(engine, backfilled_at, [day_of(TENTH, {ALPHA: "6"})], hours)
    eve = await figures_at(engine, utc("2026-11-11T23:59"))
    next_day = await figures_at(engine, utc("2026-11-12T00:00"))
    later = await figures_at(engine, utc("2026-11-19T12:00"))
    assert TENTH in eve.unknown_days
    assert TENTH not in next_day.unknown_days
    assert {cell.api_key: known[TENTH].spend for cell, known in next_day.cells.items()} == {
        "apikey_1": 2.0,
        "apikey_2": 4.0,
    }
    assert (next_day.assumed_share, later.assumed_share) == (1.0, 0.75)
    assert (await figures(engine, backfilled_at)).assumed_share == 0.0


async def test_a_past_instant_knows_no_hour_to_be_complete_before_it_was_read_so(
    engine: AsyncEngine, uow: UowFactory
) -> None:
    nine = utc("2026-11-10T09:00")
    for at in (nine + HOUR, nine + 2 * HOUR):
        await read(engine, at, hours=[hour_of(nine, used(10, "1")), hour_of(nine + HOUR, used(10, "2"))])
    views = [(await figures_at(engine, nine + n * HOUR, hours=3)).hours for n in (0, 1, 2)]
    assert [view and view.mature_until for view in views] == [None, nine, nine + HOUR]
    assert [view and view.known for view in views] == [[False] * 3, [False, False, True], [False, True, True]]
    assert [view and view.cells.get(KEY) for view in views] == [None, [0.0, 0.0, 1.0], [0.0, 1.0, 2.0]]


async def test_other_sources_are_left_out(engine: AsyncEngine) -> None:
    await read(engine, utc("2026-11-11T06:00"), [day_of(TENTH, {ALPHA: "1"})])
    async with reports.facts_of(engine) as facts:
        other = await facts.figures_at("src_2", utc("2026-11-20T00:00"), days=14, hours=24)
    assert SOURCE == "src_1"
    assert not other.cells
    assert other.settled_until is None
    assert other.unknown_days == set(other.days)
