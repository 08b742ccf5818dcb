"""`/v1/spend/breakdown` by line of the bill, and along two dimensions."""

from __future__ import annotations

from datetime import date

import pytest

from service.domain.spend.best_known import best_known
from service.domain.spend.rows import Bucket, CostRow, Dimensions, UsageFact, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.utc import HOUR, utc_day
from service.workflows import spend
from service.workflows.ports.spend import Stamp
from tests.api.stand import ENG, SOURCE, Stand, answered, pointers

DAY = date(2026, 11, 14)
DAYS = {"since": "2026-11-14", "until": "2026-11-17"}
OUTPUT = Dimensions(ENG.workspace, ENG.model, cost_type="tokens", token_type="output_tokens", service_tier="standard")
SEARCH = Dimensions(ENG.workspace, cost_type="web_search")


async def spent(stand: Stand) -> None:
    """A settled bill of $3 in tokens and of a web search; one key used all of the tokens."""
    source = await stand.create("/sources", SOURCE)
    stamp, day = Stamp(source["id"], "poll_1", stand.clock()), utc_day(DAY)
    await stand.ports.storage.make_room(day)
    bill = [Bucket(day, (CostRow(OUTPUT, Money.of("3.00")), CostRow(SEARCH, Money.of("0.01"))))]
    about = Dimensions(ENG.workspace, ENG.model, token_type="output_tokens", api_key=ENG.api_key)
    start = day.start + 3 * HOUR
    usage = [Bucket(Window(start, start + HOUR), (UsageFact(about, 1000, Money.of("2.00")),))]
    async with stand.ports.uow() as uow:
        changes = await uow.facts.replace_cost(stamp, bill)
        await uow.facts.replace_usage(stamp, Width.HOUR, usage)
        inputs = await uow.facts.day_inputs(source["id"], changes.days)
        days = {at: best_known(seen.bill, seen.usage, settled=True) for at, seen in inputs.items()}
        await uow.facts.store_days(stamp, days)
        await uow.directory.note_cells(source["id"], [ENG], stand.clock())


async def lines(stand: Stand, **params: str) -> list[tuple[str, str, str | None, str]]:
    answer = answered(await stand.viewer.get("/v1/spend/breakdown", params=DAYS | params))
    then = [line["then"] and line["then"]["id"] for line in answer["items"]]
    return [
        (line["id"], line["name"], second, line["amount"]) for line, second in zip(answer["items"], then, strict=True)
    ]


async def test_lines_say_what_was_paid_for_and_add_up(stand: Stand) -> None:
    await spent(stand)
    assert await lines(stand, group_by="cost_type") == [
        ("tokens", "tokens", None, "3.00"),
        ("web_search", "web search", None, "0.01"),
    ]
    assert await lines(stand, group_by="token_type") == [
        ("output_tokens", "output", None, "3.00"),
        ("none", "no tokens", None, "0.01"),
    ]


async def test_two_dimensions_give_a_line_for_each_pair(stand: Stand) -> None:
    await spent(stand)
    assert await lines(stand, group_by="api_key", then_by="cost_type") == [
        ("apikey_ci", "apikey_ci", "tokens", "3.00"),
        ("", "no API key", "web_search", "0.01"),
    ]
    params = DAYS | {"group_by": "api_key", "then_by": "cost_type", "limit": "1"}
    first = answered(await stand.viewer.get("/v1/spend/breakdown", params=params))
    assert (first["api_keys"], first["items"][0]["shared"], first["total"]["amount"]) == ("shared", "3.00", "3.01")
    rest = answered(await stand.viewer.get("/v1/spend/breakdown", params=params | {"cursor": first["next"]}))
    assert ([line["id"] for line in rest["items"]], rest["next"], rest["total"]) == ([""], None, first["total"])


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"group_by": "description"}, "/group_by"),
        ({"group_by": "model", "then_by": "model"}, "/then_by"),
        ({"group_by": "model", "then_by": "day"}, "/then_by"),
    ],
)
async def test_a_division_that_makes_no_sense_is_refused(stand: Stand, params: dict[str, str], pointer: str) -> None:
    await stand.create("/sources", SOURCE)
    assert pointers(await stand.viewer.get("/v1/spend/breakdown", params=params)) == [pointer]


async def test_a_cursor_of_one_division_is_none_of_another(stand: Stand) -> None:
    await spent(stand)
    params = DAYS | {"group_by": "api_key", "then_by": "cost_type", "limit": "1"}
    cursor = answered(await stand.viewer.get("/v1/spend/breakdown", params=params))["next"]
    other = params | {"then_by": "token_type", "cursor": cursor}
    assert pointers(await stand.viewer.get("/v1/spend/breakdown", params=other)) == ["/cursor"]


async def test_lines_with_too_many_hours_behind_them_are_refused(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    await spent(stand)
    monkeypatch.setattr(spend, "MOST_ROWS", 0)
    assert pointers(await stand.viewer.get("/v1/spend/breakdown", params=DAYS | {"group_by": "cost_type"})) == [
        "/since"
    ]
