"""`/v1/explanations`: what it is asked, and what the answer holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.workflows.alerts.evaluate import run_evaluation
from tests.api.rules.watched import CHANGE, rung_by_rule, watched
from tests.api.stand import BUDGET, SOURCE, Stand, answered, pointers, problem

RULE = CHANGE | {"for_each": "workspace"}
MINUTE = timedelta(minutes=1)


async def ask(stand: Stand, query: str) -> dict[str, Any]:
    return dict(answered(await stand.viewer.get(f"/v1/explanations?{query}")))


async def test_why_a_rule_rang_with_every_gate_and_the_numbers_it_compared(stand: Stand) -> None:
    alert = await rung_by_rule(stand)
    told = await ask(stand, "rule=dear%20days&scope=workspace:wrkspc_eng")
    assert (told["rule"]["name"], told["rule"]["kind"], told["rule"]["version"]) == ("dear days", "change", 1)
    assert (told["budget"], told["assumed_share"], told["next"]) == (None, 0.0, None)
    (item,) = told["items"]
    assert (item["scope"], item["rings"], item["outcome"]) == ("workspace:wrkspc_eng", True, "rang")
    assert (item["actual"], item["expected"], item["excess"]) == ("100.00", "10.00", "90.00")
    assert item["conclusion"] == f"It fired: {item['cause']}"
    assert [gate["gate"] for gate in item["gates"]][:4] == ["enabled", "known", "objects", "min_amount"]
    assert item["gates"][3] == {
        "gate": "min_amount",
        "passed": True,
        "found": "$90.00",
        "needed": "at least $20.00",
    }
    assert (item["alert"]["id"], item["alert"]["opened_at"]) == (alert["id"], alert["opened_at"])
    assert (item["alert"]["reason"], item["alert"]["state"]) == ("first", "firing")
    assert {"label": "spent", "value": "$100.00"} in item["inputs"]
    (stored,) = told["stored"]
    assert (stored["outcome"], stored["actual"], stored["rule_version"]) == ("rang", "100.00", 1)


async def test_all_scopes_are_answered_those_that_ring_first(stand: Stand) -> None:
    await rung_by_rule(stand)
    told = await ask(stand, "rule=dear%20days")
    assert [(item["scope"], item["outcome"]) for item in told["items"]] == [
        ("workspace:wrkspc_eng", "rang"),
        ("workspace:wrkspc_marketing", "objects"),
    ]


async def test_why_a_rule_did_not_ring(stand: Stand) -> None:
    source = await watched(stand)
    await stand.create("/rules", RULE | {"gates": {"min_amount": "95.00"}})
    await run_evaluation(stand.ports, source["id"])
    item = (await ask(stand, "rule=dear%20days"))["items"][0]
    assert (item["rings"], item["outcome"], item["alert"]) == (False, "min_amount", None)
    assert item["conclusion"] == "It does not fire: the excess of $90.00 is below the gate of $95.00."


async def test_a_scope_is_named_by_its_id_or_its_name_and_nobody_s_name_is_refused(stand: Stand) -> None:
    await rung_by_rule(stand)
    assert len((await ask(stand, "rule=dear%20days&scope=workspace:wrkspc_marketing"))["items"]) == 1
    (item,) = (await ask(stand, "rule=dear%20days&scope=org"))["items"]
    assert (item["scope"], item["outcome"]) == ("org", "known")
    for scope in ("workspace:nobody", "api_key:nobody", "workspace:wrkspc_later"):
        answer = await stand.viewer.get(f"/v1/explanations?rule=dear%20days&scope={scope}")
        assert pointers(answer) == ["/scope"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "/rule"),
        ("rule=dear%20days&budget=eng%20monthly", "/rule"),
        ("rule=dear%20days&at=2026-11-16T12:00:01Z", "/at"),
        ("rule=dear%20days&at=2026-11-15", "/at"),
        ("budget=eng%20monthly&at=2026-11-15", "/at"),
        ("rule=dear%20days&at=yesterday", "/at"),
        ("rule=dear%20days&scope=team:eng", "/scope"),
        ("rule=dear%20days&when=now", "/when"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_a_pointer(stand: Stand, query: str, pointer: str) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/rules", RULE)
    await stand.create("/budgets", BUDGET)
    assert pointers(await stand.viewer.get(f"/v1/explanations?{query}")) == [pointer]


@pytest.mark.parametrize("query", ["rule=nobody", "budget=nobody"])
async def test_what_never_existed_is_not_found(stand: Stand, query: str) -> None:
    problem(await stand.viewer.get(f"/v1/explanations?{query}"), 404)


async def test_a_stranger_is_not_answered(stand: Stand) -> None:
    problem(await stand.stranger.get("/v1/explanations?rule=dear%20days"), 401)


async def test_a_deleted_rule_is_answered_with_the_one_gate_it_fails(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/rules", RULE)
    stand.clock.advance(MINUTE)
    answered(await stand.admin.delete(f"/v1/rules/{made['id']}"), 204)
    stand.clock.advance(MINUTE)
    told = await ask(stand, "rule=dear%20days")
    assert told["rule"] == {"id": made["id"], "name": "dear days", "kind": None, "version": None}
    (item,) = told["items"]
    assert [gate["gate"] for gate in item["gates"]] == ["exists"]
    then = await ask(stand, f"rule={made['id']}&at=2026-11-16T12:00:30Z")
    assert then["rule"]["version"] == 1
    assert then["items"][0]["outcome"] != "exists"


async def test_a_budget_s_threshold_is_answered_with_its_level_and_period(stand: Stand) -> None:
    source = await watched(stand)
    async with stand.ports.uow() as uow:
        state = await uow.polling_states.get(source["id"])
        await uow.polling_states.save(replace(state, cost_read_at=stand.clock()))
    await stand.create("/budgets", BUDGET | {"thresholds": [{"percent": 80}, {"amount": "900.00"}]})
    await run_evaluation(stand.ports, source["id"])
    stand.clock.advance(MINUTE)
    told = await ask(stand, "budget=eng%20monthly")
    assert (told["rule"], told["budget"]["name"], told["stored"]) == (None, "eng monthly", [])
    low, high = told["items"]
    assert (low["threshold"], low["outcome"], low["expected"]) == ("actual:80%", "already_rung", "80.00")
    assert (high["threshold"], high["outcome"], high["expected"]) == ("actual:900.00", "reached", "900.00")
    assert low["period"]["label"] == "November 2026"
    assert low["actual"] == high["actual"] == "330.00"
    assert low["alert"]["state"] == "firing"
