from __future__ import annotations

from datetime import date

from service.domain.spend.claude_code import ClaudeCodeDay, ClaudeCodeRecord, ModelUse, ToolUse
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey
from tests.api.stand import SOURCE, Stand, answered, pointers

ADA = "person_aaaaaaaaaaaaaaaa"
DAYS = {"since": "2026-11-14", "until": "2026-11-17"}
OPUS = ModelUse("claude-opus-5-5", 10, 20, 30, 40, Money.of("6.00"))
HAIKU = ModelUse("claude-haiku-4-5", 1, 2, 3, 4, Money.of("0.50"))


async def used(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE | {"claude_code": True, "people": "names"})
    tools = (ToolUse("edit_tool", 8, 2),)
    of_ada = ClaudeCodeRecord(ADA, "api", "vscode", 3, 100, 40, 2, 2, tools, (OPUS, HAIKU))
    of_a_key = ClaudeCodeRecord("", "api", "tmux", 1, 0, 0, 0, 0, (), (HAIKU,))
    async with stand.ports.uow() as uow:
        day = ClaudeCodeDay(date(2026, 11, 14), (of_ada, of_a_key))
        await uow.claude_code.replace(made["id"], day, stand.clock())
        named = {ScopeKey(Dimension.ACTOR, ADA): "ada@people.example"}
        await uow.directory.note_named(made["id"], named, stand.clock())


async def test_people_are_listed_with_what_they_did_and_what_it_is_estimated_to_cost(stand: Stand) -> None:
    await used(stand)
    answer = answered(await stand.viewer.get("/v1/claude-code", params=DAYS))
    assert [(item["name"], item["estimated_cost"], item["sessions"]) for item in answer["items"]] == [
        ("ada@people.example", "6.50", 3),
        ("nobody known", "0.50", 1),
    ]
    total = answer["total"]
    assert (total["active_people"], total["estimated_cost"], total["pull_requests"]) == (1, "7.00", 2)
    assert (total["cost_per_pull_request"], total["cost_per_person"]) == ("3.50", "7.00")
    spend = answered(await stand.viewer.get("/v1/spend", params=DAYS))
    assert spend["total"]["amount"] == "0.00", "the estimate is no spend"


async def test_it_is_grouped_filtered_and_comes_in_parts(stand: Stand) -> None:
    await used(stand)
    by_model = answered(await stand.viewer.get("/v1/claude-code", params=DAYS | {"group_by": "model", "limit": "1"}))
    assert [(item["id"], item["sessions"]) for item in by_model["items"]] == [("claude-opus-5-5", 0)]
    rest = DAYS | {"group_by": "model", "limit": "1", "cursor": by_model["next"]}
    assert [item["id"] for item in answered(await stand.viewer.get("/v1/claude-code", params=rest))["items"]] == [
        "claude-haiku-4-5"
    ]
    of_ada = DAYS | {"group_by": "terminal", "actor": "ada@people.example"}
    assert [item["id"] for item in answered(await stand.viewer.get("/v1/claude-code", params=of_ada))["items"]] == [
        "vscode"
    ]
    assert pointers(await stand.viewer.get("/v1/claude-code", params=DAYS | {"actor": "bob"})) == ["/actor"]
