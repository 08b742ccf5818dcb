"""Spend added up in the database, against the same sums of the rows that it adds up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.spend.best_known import Spend
from service.domain.spend.questions import BucketFigures, Figure, LargestGroups, SpendQuestion
from service.domain.spend.rows import PRIORITY_TIER, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import CELL_DIMENSIONS, Cell, Dimension, Scope, ScopeKey
from service.domain.values.utc import DAY, HOUR, midnight
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.reports import ALPHA, BETA, SOURCE, day_of, facts_of, hour_of, make_room, used
from tests.factories import utc

NINTH, TENTH = utc("2026-11-09"), utc("2026-11-10")
PLENTY = 1000
WINDOW = Window(utc("2026-11-08"), utc("2026-11-12"))
SCOPES = (
    Scope(),
    Scope(workspaces=("wrkspc_a",)),
    Scope(models=("claude-haiku-5-5", "claude-novel"), workspaces=("wrkspc_a", "wrkspc_b")),
    Scope(api_keys=("apikey_2",)),
    Scope(api_keys=("apikey_nobody",)),
)


@pytest.fixture(autouse=True)
async def _stored(engine: AsyncEngine) -> None:
    """Two billed days; hours on both, some of the Priority Tier, some of a model without a price."""
    await make_room(engine)
    bills = [day_of(NINTH.date(), {ALPHA: "4", BETA: "2.5"}), day_of(TENTH.date(), {ALPHA: "0.000000000001"})]
    hours = [
        hour_of(NINTH + 3 * HOUR, used(10, "1"), used(20, "2", api_key="apikey_2")),
        hour_of(TENTH + 5 * HOUR, used(30, "3", api_key="apikey_2"), used(7, None, model="claude-novel")),
        hour_of(TENTH + 6 * HOUR, used(5, "0.5", tier=PRIORITY_TIER), used(1, "0.25", workspace="wrkspc_b")),
    ]
    await read(engine, utc("2026-11-10T12:00"), bills, hours)


async def rows(engine: AsyncEngine, width: Width) -> list[tuple[datetime, Cell, Figure]]:
    async with facts_of(engine) as facts:
        if width is Width.DAY:
            return [
                (midnight(day), cell, Figure(known.spend, known.estimate.unpriced_tokens, known.estimate.priority))
                for day, cell, known in await facts.days(SOURCE, WINDOW)
            ]
        return [
            (start, cell, Figure(Spend(estimated=known.cost), known.unpriced_tokens, known.priority))
            for start, cell, known in await facts.hours(SOURCE, WINDOW)
        ]


def questions() -> Iterator[SpendQuestion]:
    for width in (Width.DAY, Width.HOUR):
        for scope in SCOPES:
            for dimension in (Dimension.ORGANISATION, *CELL_DIMENSIONS):
                yield SpendQuestion(SOURCE, WINDOW, width, scope, dimension)


@pytest.mark.parametrize("question", list(questions()), ids=lambda one: f"{one.width}-{one.group_by}-{one.scope}")
async def test_sums_are_those_of_the_rows(engine: AsyncEngine, question: SpendQuestion) -> None:
    expected: dict[datetime, dict[ScopeKey, Figure]] = defaultdict(lambda: defaultdict(Figure))
    whole: dict[ScopeKey, Figure] = defaultdict(Figure)
    for start, cell, figure in await rows(engine, question.width):
        if question.scope.holds(cell):
            key = ScopeKey(question.group_by, cell.along(question.group_by))
            expected[start][key] += figure
            whole[key] += figure
    async with facts_of(engine) as facts:
        assert await facts.figures_by_bucket(question, PLENTY) == BucketFigures(expected, WINDOW.end)
        largest = await facts.largest(question, PLENTY)
        assert (dict(largest.groups), largest.total) == (whole, sum(whole.values(), Figure()))
        assert await facts.total(question) == sum(whole.values(), Figure())


async def test_buckets_come_in_order_and_only_those_of_the_window(engine: AsyncEngine) -> None:
    one_day = SpendQuestion(SOURCE, Window(TENTH, TENTH + DAY), Width.DAY, Scope(), Dimension.ORGANISATION)
    all_days = SpendQuestion(SOURCE, WINDOW, Width.DAY, Scope(), Dimension.ORGANISATION)
    async with facts_of(engine) as facts:
        assert list((await facts.figures_by_bucket(all_days, PLENTY)).figures) == [NINTH, TENTH]
        assert list((await facts.figures_by_bucket(one_day, PLENTY)).figures) == [TENTH]


async def test_buckets_come_whole_as_many_as_hold_the_most_figures(engine: AsyncEngine) -> None:
    """Two groups on the ninth, three on the tenth."""
    question = SpendQuestion(SOURCE, WINDOW, Width.DAY, Scope(), Dimension.API_KEY)
    rest = replace(question, window=Window(TENTH, WINDOW.end))
    async with facts_of(engine) as facts:
        whole = await facts.figures_by_bucket(question, PLENTY)
        sizes = [len(groups) for groups in whole.figures.values()]
        for most in range(1, sum(sizes)):
            found = await facts.figures_by_bucket(question, most)
            assert (list(found.figures), found.until) == ([NINTH], TENTH), most
        cut = await facts.figures_by_bucket(rest, 1)
    assert found.figures[NINTH] == whole.figures[NINTH]
    assert (cut.figures, cut.until) == ({TENTH: whole.figures[TENTH]}, TENTH + DAY)


async def test_the_largest_come_first_and_in_parts(engine: AsyncEngine) -> None:
    question = SpendQuestion(SOURCE, WINDOW, Width.HOUR, Scope(), Dimension.WORKSPACE)
    async with facts_of(engine) as facts:
        whole = await facts.largest(question, PLENTY)
        parts = [await facts.largest(question, 1, skipped) for skipped in range(len(whole.groups) + 1)]
    amounts = [figure.spend.total for _, figure in whole.groups]
    assert len(amounts) > 1
    assert amounts == sorted(amounts, reverse=True)
    assert [one for part in parts for one in part.groups] == whole.groups
    assert {part.total for part in parts} == {whole.total}, "also of a part behind the last group"


async def test_another_source_s_spend_is_not_added(engine: AsyncEngine) -> None:
    question = SpendQuestion("src_other", WINDOW, Width.DAY, Scope(), Dimension.WORKSPACE)
    async with facts_of(engine) as facts:
        assert await facts.largest(question, PLENTY) == LargestGroups((), Figure())


async def test_the_largest_amounts_are_added_up_exactly(engine: AsyncEngine) -> None:
    await read(engine, utc("2026-11-13"), [day_of(TENTH.date(), {ALPHA: "999999999.999999999999", BETA: "1"})])
    question = SpendQuestion(SOURCE, Window(TENTH, TENTH + DAY), Width.DAY, Scope(), Dimension.ORGANISATION)
    async with facts_of(engine) as facts:
        total = await facts.total(question)
    assert total.spend.total == Money.of("1000000000.999999999999")


@pytest.mark.parametrize("width", [Width.DAY, Width.HOUR])
async def test_the_rows_behind_a_question_are_estimated_without_reading_them(engine: AsyncEngine, width: Width) -> None:
    table = "spend_days" if width is Width.DAY else "usage_hours"
    fill = {
        Width.DAY: "INSERT INTO spend_days SELECT 'src_big', '2026-11-09', 'w' || n, 'm', '', 1, 0, 1, 0, 0"
        " FROM generate_series(1, 3000) n",
        Width.HOUR: "INSERT INTO usage_hours SELECT 'src_big', '2026-11-09 01:00+00', n, 1, 1"
        " FROM generate_series(1, 3000) n",
    }
    async with engine.begin() as connection:
        await connection.execute(text(fill[width]))
        await connection.execute(text(f"ANALYZE {table}"))
    asked = SpendQuestion("src_big", WINDOW, width, Scope(), Dimension.WORKSPACE)
    async with facts_of(engine) as facts:
        assert 1500 < await facts.rows_behind(asked) < 6000
        assert await facts.rows_behind(replace(asked, source_id="src_none")) < 100
