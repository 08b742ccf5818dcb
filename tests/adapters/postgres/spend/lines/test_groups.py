"""Spend by line: every division of a window adds up to the window's spend, and says what it was paid for."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from itertools import combinations

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.tables import cost_points, usage_hours
from service.domain.sources.pricing import Measure
from service.domain.spend.lines import LineDimension, LinePart, LineQuestion, SpendLine
from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.spend.rows import PRIORITY_TIER, TOKEN_COST, Dimensions, UsageFact, Width
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.scopes import EVERYTHING, Dimension, Scope
from service.domain.values.utc import HOUR, midnight
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.reports import SOURCE, day_of, facts_of, hour_of, make_room, used
from tests.factories import utc

OLD, SETTLED, NAMED, BILLED, USED = (date(2026, 11, day) for day in (5, 6, 7, 9, 10))
"""The rows of the first are forgotten; the next two are settled, the second of them by a bill that names keys; of the
last two, which are not, the one costs what its bill says and the other what its usage does."""
WINDOW = Window(midnight(OLD), utc("2026-11-12"))
SONNET, HAIKU = "claude-sonnet-4-5", "claude-haiku-5-5"
BY: tuple[LineDimension, ...] = (Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY, *LinePart)
WAYS = [(one,) for one in BY] + list(combinations(BY, 2))
SCOPES = (EVERYTHING, Scope(workspaces=("wrkspc_a",)), Scope(models=(SONNET,), api_keys=("apikey_1", "apikey_2")))


def tokens(measure: Measure, *, workspace: str = "wrkspc_a", api_key: str = "", tier: str = "standard") -> Dimensions:
    return Dimensions(
        workspace,
        SONNET,
        cost_type=TOKEN_COST,
        token_type=measure.value,
        service_tier=tier,
        context_window="0-200k",
        inference_geo="global",
        api_key=api_key,
    )


def other(cost_type: str, *, api_key: str = "") -> Dimensions:
    return Dimensions("wrkspc_a", cost_type=cost_type, description=cost_type, api_key=api_key)


def three_keys(day: date) -> list[UsageFact]:
    """A third each of two keys and of the Workbench, and cents that do not divide."""
    keys = ("apikey_1", "apikey_2", "")
    return [used(10, "0.000000000001", api_key=key) for key in keys] + [used(7, "0.1", measure=Measure.CACHE_READ)]


@pytest.fixture(autouse=True)
async def _stored(engine: AsyncEngine) -> None:
    await make_room(engine)
    out, reads = tokens(Measure.OUTPUT), tokens(Measure.CACHE_READ, tier="batch")
    bills = [
        day_of(OLD, {out: "3", other("web_search"): "0.5"}),
        day_of(SETTLED, {out: "10", reads: "0.000000000007", other("web_search"): "0.04"}),
        day_of(NAMED, {tokens(Measure.OUTPUT, api_key="apikey_1"): "2", tokens(Measure.OUTPUT): "1"}),
        day_of(BILLED, {out: "5", reads: "1", other("code_execution"): "0.05"}),
        day_of(USED, {out: "0.000000000001", other("session_usage"): "0.08"}),
    ]
    hours = [hour_of(midnight(day) + 3 * HOUR, *three_keys(day)) for day in (OLD, SETTLED, BILLED)]
    priority = used(500, "0.7", tier=PRIORITY_TIER)
    hours.append(hour_of(midnight(USED) + HOUR, *three_keys(USED), priority, used(99, None, model=HAIKU)))
    hours.append(hour_of(midnight(USED) + 4 * HOUR, used(1, "0.03", measure=Measure.WEB_SEARCH), used(20, "2")))
    await read(engine, utc("2026-11-10T12:00"), bills, hours)
    async with engine.begin() as connection:  # what the retention does, after which the days' sums are left
        for facts in (cost_points, usage_hours):
            await connection.execute(delete(facts).where(facts.c.bucket < midnight(SETTLED)))


def question(scope: Scope = EVERYTHING, width: Width = Width.DAY) -> SpendQuestion:
    return SpendQuestion(SOURCE, WINDOW, width, scope, Dimension.ORGANISATION)


async def lines_of(
    engine: AsyncEngine, *by: LineDimension, scope: Scope = EVERYTHING
) -> dict[tuple[str, ...], SpendLine]:
    async with facts_of(engine) as facts:
        found = await facts.largest_lines(LineQuestion(question(scope), by), 100)
    assert len({line.ids for line in found.lines}) == len(found.lines)
    return {line.ids: line for line in found.lines}


@pytest.mark.parametrize(
    "asked",
    [*(question(scope) for scope in SCOPES), question(width=Width.HOUR)],
    ids=["everything", "a workspace", "two keys", "hours"],
)
async def test_every_division_adds_up_to_the_spend_to_the_last_digit(engine: AsyncEngine, asked: SpendQuestion) -> None:
    sums: dict[tuple[LineDimension, ...], dict[tuple[str, ...], Figure]] = {}
    async with facts_of(engine) as facts:
        total = await facts.total(asked)
        for by in WAYS:
            found = await facts.largest_lines(LineQuestion(asked, by), 100)
            sums[by] = {line.ids: line.figure for line in found.lines}
            assert sum(sums[by].values(), Figure()) == found.total == total, by
    for one, two in combinations(BY, 2):
        for place, alone in enumerate((one, two)):
            margin: dict[tuple[str, ...], Figure] = defaultdict(Figure)
            for ids, figure in sums[one, two].items():
                margin[(ids[place],)] += figure
            assert margin == sums[(alone,)], (one, two)


async def test_lines_say_what_was_paid_for(engine: AsyncEngine) -> None:
    found = await lines_of(engine, LinePart.COST_TYPE)
    amounts = {id: line.figure.spend for (id,), line in found.items()}
    assert {id: str(spend.billed) for id, spend in amounts.items()} == {
        "": "3.50",
        "tokens": "19.000000000007",
        "web_search": "0.04",
        "code_execution": "0.05",
        "session_usage": "0.08",
    }
    assert str(amounts["tokens"].estimated) == "2.100000000003"
    assert next(iter(found)) == ("tokens",)


async def test_the_priority_tier_and_unpriced_tokens_have_lines_though_they_cost_nothing(engine: AsyncEngine) -> None:
    tiers = await lines_of(engine, LinePart.SERVICE_TIER)
    assert tiers[PRIORITY_TIER,].figure == Figure(priority=Money.of("0.7"))
    by_model = await lines_of(engine, Dimension.MODEL, LinePart.COST_TYPE)
    assert by_model[HAIKU, TOKEN_COST].figure.unpriced_tokens == 99


async def test_what_no_key_can_be_named_for_is_told_from_the_workbench(engine: AsyncEngine) -> None:
    callers = await lines_of(engine, LinePart.CALLER, LinePart.COST_TYPE)
    spent = {ids: line.figure.spend.total for ids, line in callers.items()}
    assert spent["", "web_search"] == Money.of("0.04")
    assert spent["workbench", TOKEN_COST] > Money.of("1")  # that of the bill that names keys, and shares
    assert ("", TOKEN_COST) not in spent


async def test_billed_tokens_are_shared_among_keys_and_say_so(engine: AsyncEngine) -> None:
    by_key = await lines_of(engine, Dimension.API_KEY, LinePart.SERVICE_TIER)
    assert by_key["apikey_1", "batch"].shared == by_key["apikey_1", "batch"].figure.spend.billed > ZERO
    named = await lines_of(engine, Dimension.API_KEY, LinePart.CALLER)
    alone = named["apikey_1", "api_key"]
    assert alone.figure.spend.billed - alone.shared == Money.of("2")
    assert all(line.shared == ZERO for line in (await lines_of(engine, LinePart.SERVICE_TIER)).values())
