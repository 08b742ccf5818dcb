from __future__ import annotations

from dataclasses import replace
from datetime import date

from service.domain.spend.claude_code import (
    ClaudeCodeDay,
    ClaudeCodeRecord,
    CodeActivity,
    ModelUse,
    ToolUse,
    by_actor,
    by_day,
    by_model,
    grouped,
    of_actors,
)
from service.domain.values.money import Money

OPUS = ModelUse("claude-opus-5-5", 10, 20, 30, 40, Money.of("6.00"))
HAIKU = ModelUse("claude-haiku-4-5", 1, 2, 3, 4, Money.of("0.50"))
TOOLS = (ToolUse("edit_tool", 8, 2), ToolUse("write_tool", 1, 0))
ADA = ClaudeCodeRecord("person_a", "api", "vscode", 3, 100, 40, 2, 1, TOOLS, (OPUS, HAIKU))
BOB = replace(ADA, actor="person_b", pull_requests=0, models=(HAIKU,))
NOBODY = replace(ADA, actor="", terminal="tmux", pull_requests=1, models=())
DAYS = [ClaudeCodeDay(date(2026, 11, 14), (ADA, BOB)), ClaudeCodeDay(date(2026, 11, 15), (ADA, NOBODY))]


def test_a_persons_days_add_up_and_a_person_is_counted_once() -> None:
    found = grouped(DAYS, by_actor)
    assert (found["person_a"].sessions, found["person_a"].cost, found["person_a"].accepted) == (6, Money.of("13"), 18)
    total = sum(grouped(DAYS, by_day).values(), CodeActivity())
    assert (len(total.people), total.sessions, total.cost) == (2, 12, Money.of("13.50"))
    assert (total.cost_per_pull_request, total.cost_per_person) == (Money.of("4.50"), Money.of("6.75"))


def test_models_have_tokens_and_cost_and_no_sessions() -> None:
    found = grouped(DAYS, by_model)
    assert {model: (one.cost, one.output_tokens, one.sessions) for model, one in found.items()} == {
        "claude-opus-5-5": (Money.of("12"), 40, 0),
        "claude-haiku-4-5": (Money.of("1.50"), 6, 0),
    }


def test_without_a_pull_request_or_anybody_there_is_no_cost_of_one() -> None:
    alone = grouped([of_actors(DAYS[0], ["person_b"])], by_actor)["person_b"]
    assert (alone.cost_per_pull_request, alone.cost_per_person) == (None, Money.of("0.50"))
    assert CodeActivity().cost_per_person is None
