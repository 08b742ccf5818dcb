from __future__ import annotations

from datetime import date

import pytest

from service.api.http.listing import encode
from service.domain.spend.best_known import EstimatedDay
from service.domain.spend.rows import Bucket, CostRow, Dimensions
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.domain.values.utc import midnight, utc_day
from service.workflows import spend
from service.workflows.ports.spend import Stamp
from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered, pointers, problem

MARKETING = Cell("wrkspc_marketing", "claude-haiku-4-5", "apikey_site")
DAYS = {"since": "2026-11-14", "until": "2026-11-17"}


async def spent(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "1.25", day=date(2026, 11, 14))
    estimate = EstimatedDay(Money.of("9.00"), priority=Money.of("0.75"), unpriced_tokens=1234)
    await stand.spend(MARKETING, "3.50", day=date(2026, 11, 16), estimate=estimate)


async def test_a_series_has_every_day_of_its_window(stand: Stand) -> None:
    await spent(stand)
    series = answered(await stand.viewer.get("/v1/spend", params=DAYS))
    assert [(item["start"][:10], item["amount"]) for item in series["items"]] == [
        ("2026-11-14", "1.25"),
        ("2026-11-15", "0.00"),
        ("2026-11-16", "3.50"),
    ]
    assert (series["total"]["amount"], series["total"]["basis"]) == ("4.75", "billed")
    assert series["items"][0]["groups"] is None
    assert series["next"] is None


async def test_a_figure_tells_of_unpriced_tokens_and_the_priority_tier_apart(stand: Stand) -> None:
    await spent(stand)
    total = answered(await stand.viewer.get("/v1/spend", params=DAYS))["total"]
    assert (total["unpriced_tokens"], total["priority_estimate"], total["amount"]) == (1234, "0.75", "4.75")


async def test_a_series_is_grouped_on_request(stand: Stand) -> None:
    await spent(stand)
    series = answered(await stand.viewer.get("/v1/spend", params=DAYS | {"group_by": "model"}))
    assert [[group["id"] for group in item["groups"]] for item in series["items"]] == [
        ["claude-sonnet-4-5"],
        [],
        ["claude-haiku-4-5"],
    ]


async def test_a_long_series_comes_in_parts(stand: Stand) -> None:
    await spent(stand)
    first = answered(await stand.viewer.get("/v1/spend", params=DAYS | {"limit": "2"}))
    rest = answered(await stand.viewer.get("/v1/spend", params=DAYS | {"limit": "2", "cursor": first["next"]}))
    assert [item["amount"] for item in first["items"] + rest["items"]] == ["1.25", "0.00", "3.50"]
    assert rest["next"] is None


async def test_a_breakdown_lists_the_largest_first(stand: Stand) -> None:
    await spent(stand)
    for group_by, members in (
        ("workspace", ["wrkspc_marketing", "wrkspc_eng"]),
        ("model", ["claude-haiku-4-5", "claude-sonnet-4-5"]),
        ("api_key", ["apikey_site", "apikey_ci"]),
    ):
        answer = await stand.viewer.get("/v1/spend/breakdown", params=DAYS | {"group_by": group_by})
        assert [(item["id"], item["amount"]) for item in answered(answer)["items"]] == [
            (members[0], "3.50"),
            (members[1], "1.25"),
        ]


async def test_figures_are_filtered_by_member(stand: Stand) -> None:
    await spent(stand)
    answer = await stand.viewer.get("/v1/spend", params=DAYS | {"workspace": "wrkspc_eng"})
    assert answered(answer)["total"]["amount"] == "1.25"
    assert pointers(await stand.viewer.get("/v1/spend", params={"workspace": "nobody"})) == ["/workspace"]


async def test_hours_are_given_for_a_window_of_hours(stand: Stand) -> None:
    await spent(stand)
    params = {"granularity": "1h", "since": "2026-11-16T10:30:00Z", "until": "2026-11-16T12:00:00Z"}
    series = answered(await stand.viewer.get("/v1/spend", params=params))
    assert [item["start"] for item in series["items"]] == ["2026-11-16T10:00:00Z", "2026-11-16T11:00:00Z"]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"since": "2026-11-17", "until": "2026-11-16"}, "/since"),
        ({"since": "2001-01-01"}, "/since"),
        ({"since": "2026-01-01", "granularity": "1h"}, "/since"),
        ({"since": "9999-12-31"}, "/since"),
        ({"until": "2026-11-16T00:00:00"}, "/until"),
        ({"granularity": "1m"}, "/granularity"),
        ({"group_by": "colour"}, "/group_by"),
    ],
)
async def test_a_window_that_makes_no_sense_is_refused(stand: Stand, params: dict[str, str], pointer: str) -> None:
    await stand.create("/sources", SOURCE)
    assert pointers(await stand.viewer.get("/v1/spend", params=params)) == [pointer]


async def test_without_a_source_there_is_no_spend_to_ask_for(stand: Stand) -> None:
    problem(await stand.viewer.get("/v1/spend"), 422)


async def test_what_was_seen_is_listed_with_its_source(stand: Stand) -> None:
    await spent(stand)
    for path, ids in (
        ("workspaces", ["wrkspc_eng", "wrkspc_marketing"]),
        ("models", ["claude-haiku-4-5", "claude-sonnet-4-5"]),
        ("api-keys", ["apikey_ci", "apikey_site"]),
    ):
        items = answered(await stand.viewer.get(f"/v1/{path}"))["items"]
        assert sorted(item["id"] for item in items) == ids
        assert {item["source"] for item in items} == {"production"}
        first = answered(await stand.viewer.get(f"/v1/{path}", params={"limit": 1}))
        rest = answered(await stand.viewer.get(f"/v1/{path}", params={"cursor": first["next"]}))
        assert first["items"] + rest["items"] == items


async def test_spend_of_what_has_never_been_seen_is_refused_with_the_nearest(stand: Stand) -> None:
    """$0.00 would be no answer."""
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET | {"name": "daily"})
    await stand.spend(ENG, "10.00")
    for query, near in {
        "model=sonnet": "claude-sonnet-4-5",
        "model=claude-sonnet-4-6": "claude-sonnet-4-5",
        "workspace=wrkspc_engg": "wrkspc_eng",
        "api_key=apikey_c": "apikey_ci",
    }.items():
        name = query.partition("=")[0]
        for path in ("/v1/spend", "/v1/spend/breakdown"):
            answer = await stand.viewer.get(f"{path}?{query}")
            assert pointers(answer) == [f"/{name}"], query
            assert near in answer.json()["detail"], query
        for path in ("/v1/forecasts?", "/v1/explanations?budget=daily&"):
            answer = await stand.viewer.get(f"{path}scope={query.replace('=', ':')}")
            assert pointers(answer) == ["/scope"], (path, query)
            assert near in answer.json()["detail"], (path, query)


async def test_a_budget_a_rule_and_a_plan_need_a_whole_id_of_a_model_that_is_yet_to_come(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "10.00")
    documents: dict[str, dict[str, object]] = {
        "/budgets": {"amount": "5.00"},
        "/rules": {"kind": "anomaly"},
        "/planned-activities": {"starts_at": "2026-11-16", "ends_at": "2026-11-17", "extra_amount": "1.00"},
    }
    for path, document in documents.items():
        short = {"name": "a", "scope": {"models": ["sonnet"]}} | document
        answer = await stand.admin.post(f"/v1{path}", json=short)
        assert pointers(answer) == ["/scope/models/0"], path
        assert "claude-sonnet-4-5" in answer.json()["detail"]
        if path != "/rules":  # a rule is about what has been seen
            await stand.create(path, short | {"scope": {"models": ["claude-opus-9"]}})


async def test_a_part_of_a_grouped_series_has_a_bound(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.api.spend.spend.MOST_FIGURES", 1)
    await spent(stand)
    items, cursor = [], None
    for _ in range(3):
        query = DAYS | {"group_by": "model"} | ({"cursor": cursor} if cursor else {})
        part = answered(await stand.viewer.get("/v1/spend", params=query))
        items += [(item["start"][:10], [group["id"] for group in item["groups"]]) for item in part["items"]]
        assert part["total"]["amount"] == "4.75"
        cursor = part["next"]
        if cursor is None:
            break
    assert cursor is None
    assert items == [
        ("2026-11-14", ["claude-sonnet-4-5"]),
        ("2026-11-15", []),
        ("2026-11-16", ["claude-haiku-4-5"]),
    ]


@pytest.mark.parametrize("path", ["/v1/spend", "/v1/spend/breakdown"])
@pytest.mark.parametrize("place", ["zzz", "-1", "9" * 30, "²"])
async def test_a_cursor_of_another_list_is_refused(stand: Stand, path: str, place: str) -> None:
    await spent(stand)
    for listing in ("spend", "spend by workspace"):
        params = DAYS | {"cursor": encode(listing, place)}
        assert pointers(await stand.viewer.get(path, params=params)) == ["/cursor"], listing


async def test_a_question_over_too_many_rows_is_refused_with_the_limit(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spent(stand)
    monkeypatch.setattr(spend, "MOST_ROWS", 0)  # the planner expects one row at least
    for path in ("/v1/spend", "/v1/spend/breakdown"):
        refused = problem(await stand.viewer.get(path, params=DAYS), 422)
        (error,) = refused["errors"]
        assert error["pointer"] == "/since"
        assert "and 0 at most: ask for fewer days" in error["detail"]


async def test_a_day_of_nothing_says_whether_it_is_missing_empty_or_zero(stand: Stand) -> None:
    """14 November was billed, 15 November's report was empty, nobody has read the 13th, and the 16th runs."""
    await stand.create("/sources", SOURCE)
    await stand.ports.storage.make_room(Window(midnight(date(2026, 11, 13)), midnight(date(2026, 11, 17))))
    row = CostRow(Dimensions(ENG.workspace, ENG.model, cost_type="tokens"), Money.of("1.25"))
    read = [Bucket(utc_day(date(2026, 11, day)), (row,) if day == 14 else ()) for day in (14, 15, 16)]
    stand.clock.move_to(midnight(date(2026, 11, 17)))
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        await uow.facts.replace_cost(Stamp(source.id, "poll_1", stand.clock()), read)
    await stand.spend(ENG, "1.25", day=date(2026, 11, 14))
    await stand.spend(MARKETING, "0.00", day=date(2026, 11, 15))
    asked = {"since": "2026-11-13", "until": "2026-11-17"}
    series = answered(await stand.viewer.get("/v1/spend", params=asked))
    assert [item["state"] for item in series["items"]] == ["missing", "complete", "empty", "open"]
    assert series["lacking"] == {"missing": 1, "suspect": 0, "late": 0, "open": 1}
    of_another = answered(await stand.viewer.get("/v1/spend", params=asked | {"workspace": "wrkspc_marketing"}))
    assert [item["state"] for item in of_another["items"]] == ["missing", "zero", "empty", "open"]
    breakdown = answered(await stand.viewer.get("/v1/spend/breakdown", params=asked))
    assert breakdown["lacking"] == series["lacking"]


ADA = "person_aaaaaaaaaaaaaaaa"


async def billed_by_person(stand: Stand) -> str:
    """$1.25 of the fourteenth are billed: a dollar as Ada's Claude Code."""
    made = await stand.create("/sources", SOURCE | {"kind": "claude_analytics", "people": "names"})
    await stand.ports.storage.make_room(Window(midnight(date(2026, 11, 14)), midnight(date(2026, 11, 17))))
    of_ada = Dimensions(*_HOME, extra=(("actor", ADA), ("product", "claude_code")))
    rows = (
        CostRow(of_ada, Money.of("1.00")),
        CostRow(Dimensions(*_HOME, extra=(("product", "other"),)), Money.of("0.25")),
    )
    named = {
        ScopeKey(Dimension.ACTOR, ADA): "ada@people.example",
        ScopeKey(Dimension.PRODUCT, "claude_code"): "claude_code",
    }
    async with stand.ports.uow() as uow:
        stamp = Stamp(made["id"], "poll_1", stand.clock())
        await uow.facts.replace_cost(stamp, [Bucket(utc_day(date(2026, 11, 14)), rows)])
        await uow.directory.note_named(made["id"], named, stand.clock())
    await stand.spend(Cell(ENG.workspace, ENG.model, ""), "1.25", day=date(2026, 11, 14))
    return str(made["id"])


_HOME = (ENG.workspace, ENG.model, "", "tokens")


async def test_spend_is_told_by_person_and_product(stand: Stand) -> None:
    await billed_by_person(stand)
    by_person = answered(await stand.viewer.get("/v1/spend/breakdown", params=DAYS | {"group_by": "actor"}))
    assert [(item["id"], item["name"], item["amount"]) for item in by_person["items"]] == [
        (ADA, "ada@people.example", "1.00"),
        ("", "nobody known", "0.25"),
    ]
    series = answered(
        await stand.viewer.get("/v1/spend", params=DAYS | {"actor": "Ada@people.example", "group_by": "product"})
    )
    assert (series["total"]["amount"], series["items"][0]["groups"][0]["id"]) == ("1.00", "claude_code")
    hourly = await stand.viewer.get("/v1/spend", params={"granularity": "1h", "group_by": "actor"})
    assert pointers(hourly) == ["/granularity"]


async def test_switched_off_nobody_is_in_any_answer_and_the_dollars_stay(stand: Stand) -> None:
    id = await billed_by_person(stand)
    hashed = answered(await stand.admin.patch(f"/v1/sources/{id}", json={"people": "hashed"}))
    assert hashed["people"] == "hashed"
    by_person = answered(await stand.viewer.get("/v1/spend/breakdown", params=DAYS | {"group_by": "actor"}))
    assert [item["name"] for item in by_person["items"]] == ["person aaaaaaaa", "nobody known"]
    answered(await stand.admin.patch(f"/v1/sources/{id}", json={"people": "off"}))
    by_person = answered(await stand.viewer.get("/v1/spend/breakdown", params=DAYS | {"group_by": "actor"}))
    assert [(item["id"], item["amount"]) for item in by_person["items"]] == [("", "1.25")]
    assert answered(await stand.viewer.get("/v1/actors"))["items"] == []
    assert [one["id"] for one in answered(await stand.viewer.get("/v1/products"))["items"]] == ["claude_code"]
