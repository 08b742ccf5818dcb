from __future__ import annotations

import pytest
from jsonschema_rs import Draft202012Validator, meta

from service.domain.rules.registry import KINDS
from service.domain.values.scopes import ORGANISATION
from service.workflows.alerts.evaluate import run_evaluation
from tests.api.budgets.test_budgets import evaluations_taken
from tests.api.rules.watched import CHANGE, know, past, rung_by_rule, watched
from tests.api.sources.test_sources import OTHER
from tests.api.stand import ENG, SOURCE, Stand, answered, pointers, problem

READS_ALL = SOURCE | {"claude_code": True, "people": "hashed"}
ADMITTED = {kind: {"name": kind, "kind": kind} for kind in KINDS}


async def test_the_contract_s_example_is_a_rule(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    document = {
        "name": "unusual spend",
        "kind": "anomaly",
        "scope": {},
        "for_each": "workspace",
        "severity": "warning",
        "enabled": True,
        "params": {"granularity": "1d", "sensitivity": "normal", "levels": ["organisation", "workspace"]},
        "gates": {
            "min_amount": "20.00",
            "min_percent": 30,
            "min_active_days": 10,
            "pending_for": "0s",
            "keep_firing_for": "0s",
        },
        "labels": {},
    }
    made = await stand.create("/rules", document)
    assert made["source"] == "production"
    assert made["scope"] == {"workspaces": [], "models": [], "api_keys": [], "actors": [], "products": []}
    bars = {"critical_spent": "250.00", "critical_percent_of_day": 10, "critical_hours": 2}
    critical = bars | {"critical_speed": "100.00"}
    assert made["params"] == document["params"] | critical | {"direction": "up"}  # type: ignore[operator]
    assert made["gates"] == document["gates"] | {"resolve_percent": None}  # type: ignore[operator]


@pytest.mark.parametrize("kind", ADMITTED)
async def test_every_kind_can_be_made_without_parameters_and_has_its_own_defaults(stand: Stand, kind: str) -> None:
    await stand.create("/sources", READS_ALL)
    made = await stand.create("/rules", ADMITTED[kind] | {"params": {}})
    async with stand.ports.uow() as uow:
        stored = (await uow.rules.get(made["id"])).spec
    entry = KINDS[str(kind)]
    assert stored.params == entry.params()
    assert stored.gates == entry.gates


@pytest.mark.parametrize("kind", ADMITTED)
async def test_a_rule_that_was_read_may_be_sent_back_and_copied(stand: Stand, kind: str) -> None:
    await stand.create("/sources", READS_ALL)
    made = await stand.create("/rules", ADMITTED[kind])
    again = await stand.admin.patch(f"/v1/rules/{made['id']}", json=made)
    assert answered(again) == made
    copy = await stand.create("/rules", made | {"name": "a copy"})
    assert (copy["params"], copy["gates"]) == (made["params"], made["gates"])


async def test_a_parameter_that_is_not_asked_stays_so_when_it_is_sent_back(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    params = {"points": "off", "below_percent": 50}
    made = await stand.create("/rules", {"name": "cache", "kind": "cache_collapse", "params": params})
    again = answered(await stand.admin.patch(f"/v1/rules/{made['id']}", json=made))
    assert again["params"] == made["params"] == params | {"days": 14, "min_input_tokens": 1_000_000}
    usual = answered(await stand.admin.patch(f"/v1/rules/{made['id']}", json={"params": {"points": None}}))
    assert usual["params"]["points"] == 30


async def test_a_patch_changes_parameters_and_gates_and_null_puts_them_back(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/rules", CHANGE)
    place = f"/v1/rules/{made['id']}"
    patch = {"params": {"direction": "both"}, "gates": {"min_amount": "50.00", "pending_for": "90m"}}
    changed = answered(await stand.admin.patch(place, json=patch))
    assert changed["params"] == {"against": "same_weekday", "days": 28, "direction": "both"}
    assert (changed["gates"]["min_amount"], changed["gates"]["pending_for"]) == ("50.00", "90m")
    back = answered(await stand.admin.patch(place, json={"params": None, "gates": None}))
    assert (back["params"], back["gates"]) == (made["params"], made["gates"])


async def test_a_rule_keeps_its_kind_and_its_source(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/sources", OTHER)
    made = await stand.create("/rules", CHANGE | {"source": "production"})
    place = f"/v1/rules/{made['id']}"
    assert pointers(await stand.admin.patch(place, json={"kind": "first_seen"})) == ["/kind"]
    assert pointers(await stand.admin.patch(place, json={"source": "other"})) == ["/source"]


@pytest.mark.parametrize(
    ("kind", "params", "pointer"),
    [
        ("change", {"days": 0}, "/params/days"),
        ("change", {"days": -1}, "/params/days"),
        ("change", {"days": 401}, "/params/days"),
        ("change", {"days": 10**400}, "/params/days"),
        ("change", {"days": 7.5}, "/params/days"),
        ("change", {"days": True}, "/params/days"),
        ("change", {"days": "28"}, "/params/days"),
        ("change", {"days": "NaN"}, "/params/days"),
        ("change", {"days": None}, "/params/days"),
        ("change", {"day": 28}, "/params/day"),
        ("change", {"against": "yesterday"}, "/params/against"),
        ("model_shift", {"points": "NaN"}, "/params/points"),
        ("model_shift", {"points": "Infinity"}, "/params/points"),
        ("model_shift", {"points": -1}, "/params/points"),
        ("model_shift", {"points": 101}, "/params/points"),
        ("model_shift", {"points": True}, "/params/points"),
        ("cache_collapse", {"points": "off"}, "/params/points"),
        ("cache_collapse", {"points": None}, "/params/points"),
        ("priority_tier", {"amount": "NaN"}, "/params/amount"),
        ("priority_tier", {"amount": "-1.00"}, "/params/amount"),
        ("priority_tier", {"amount": 10}, "/params/amount"),
        ("claude_code", {"times": "off"}, "/params/amount"),
        ("claude_code", {"amount": "0.00"}, "/params/amount"),
        ("claude_code", {"times": 1}, "/params/times"),
        ("claude_code", {"amount": "50.00", "period": "year"}, "/params/period"),
        ("first_seen", {"dimension": "organisation"}, "/params/dimension"),
        ("first_seen", {"dimension": "org"}, "/params/dimension"),
        ("stale_source", {"after": "-5m"}, "/params/after"),
        ("stale_source", {"failures": 0}, "/params/failures"),
        ("anomaly", {"levels": []}, "/params/levels"),
        ("anomaly", {"levels": ["galaxy"]}, "/params/levels/0"),
        ("anomaly", {"sensitivity": "NaN"}, "/params/sensitivity"),
    ],
)
async def test_an_impossible_parameter_is_refused_by_its_name(
    stand: Stand, kind: str, params: dict[str, object], pointer: str
) -> None:
    await stand.create("/sources", SOURCE)
    answer = await stand.admin.post("/v1/rules", json={"name": "r", "kind": kind, "params": params})
    assert pointers(answer) == [pointer]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{{"name": "r", "kind": "model_shift", "params": {{"points": {}}}}}', "/params/points"),
        ('{{"name": "r", "kind": "change", "params": {{"days": {}}}}}', "/params/days"),
        ('{{"name": "r", "kind": "change", "gates": {{"min_percent": {}}}}}', "/gates/min_percent"),
        ('{{"name": "r", "kind": "change", "gates": {{"min_active_days": {}}}}}', "/gates/min_active_days"),
    ],
)
async def test_a_number_that_is_none_is_refused(stand: Stand, number: str, body: str, pointer: str) -> None:
    """JSON knows no NaN, but some writers and readers do."""
    await stand.create("/sources", SOURCE)
    headers = {"Content-Type": "application/json"}
    answer = await stand.admin.post("/v1/rules", content=body.format(number), headers=headers)
    assert pointers(answer) == [pointer]


@pytest.mark.parametrize(
    ("gates", "pointer"),
    [
        ({"min_amount": "-1.00"}, "/gates/min_amount"),
        ({"min_amount": "NaN"}, "/gates/min_amount"),
        ({"min_amount": 20}, "/gates/min_amount"),
        ({"min_percent": -1}, "/gates/min_percent"),
        ({"min_percent": "30"}, "/gates/min_percent"),
        ({"min_active_days": -1}, "/gates/min_active_days"),
        ({"min_active_days": 401}, "/gates/min_active_days"),
        ({"pending_for": "31d"}, "/gates/pending_for"),
        ({"keep_firing_for": "soon"}, "/gates/keep_firing_for"),
        ({"resolve_percent": 31}, "/gates/resolve_percent"),
        ({"min_dollars": "1.00"}, "/gates/min_dollars"),
    ],
)
async def test_an_impossible_gate_is_refused_by_its_name(stand: Stand, gates: dict[str, object], pointer: str) -> None:
    await stand.create("/sources", SOURCE)
    assert pointers(await stand.admin.post("/v1/rules", json=CHANGE | {"gates": gates})) == [pointer]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "estimate_drift"}, "/kind"),
        ({"kind": "first_seen", "params": {}, "for_each": "workspace"}, "/for_each"),
        ({"for_each": "organisation"}, "/for_each"),
        ({"severity": "loud"}, "/severity"),
        ({"enabled": 1}, "/enabled"),
        ({"source": "none"}, "/source"),
        ({"scope": {"workspaces": ["Enginering"]}}, "/scope/workspaces/0"),
        ({"kind": "claude_code", "params": {}, "scope": {"models": ["claude-opus-4-5"]}}, "/scope"),
        ({"kind": "stale_source", "params": {}, "scope": {"models": ["claude-opus-4-5"]}}, "/scope"),
    ],
)
async def test_an_impossible_rule_is_refused(stand: Stand, change: dict[str, object], pointer: str) -> None:
    await stand.create("/sources", SOURCE)
    assert pointers(await stand.admin.post("/v1/rules", json=CHANGE | change)) == [pointer]


# ------------------------------------------------------------------------------- against what is known


@pytest.mark.parametrize(
    ("scope", "pointer"),
    [
        ({"workspaces": ["wrkspc_eng", "wrkspc_nowhere"]}, "/scope/workspaces/1"),
        ({"models": ["claude-of-tomorrow"]}, "/scope/models/0"),
        ({"api_keys": ["apikey_lost"]}, "/scope/api_keys/0"),
        ({"workspaces": ["wrkspc_eng"], "models": ["claude-haiku-4-5"]}, "/scope"),
    ],
)
async def test_a_scope_that_matches_nothing_is_refused(stand: Stand, scope: dict[str, list[str]], pointer: str) -> None:
    await watched(stand)
    assert pointers(await stand.admin.post("/v1/rules", json=CHANGE | {"scope": scope})) == [pointer]


async def test_any_scope_is_taken_while_nothing_is_known(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/rules", CHANGE | {"scope": {"workspaces": ["wrkspc_soon"]}})


async def test_a_scope_that_matches_is_taken(stand: Stand) -> None:
    await watched(stand)
    scope = {"workspaces": ["wrkspc_eng"], "models": ["claude-sonnet-4-5"], "api_keys": ["apikey_ci"]}
    made = await stand.create("/rules", CHANGE | {"scope": scope})
    assert made["scope"] == {**scope, "actors": [], "products": []}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("change", "days"), ("dormant_woke", "idle_days"), ("first_seen", "within_days"), ("cache_collapse", "days")],
)
async def test_a_window_longer_than_the_history_is_refused(stand: Stand, kind: str, name: str) -> None:
    source = await watched(stand, days=20)
    answer = await stand.admin.post("/v1/rules", json={"name": "r", "kind": kind, "params": {name: 21}})
    (error,) = problem(answer, 422)["errors"]
    assert error["pointer"] == f"/params/{name}"
    assert error["detail"] == (
        f"history begins on 2026-10-27, 20 days ago; ask for a backfill: POST /v1/sources/{source['id']}/backfill"
    )
    await stand.create("/rules", {"name": "r", "kind": kind, "params": {name: 20}})


async def test_a_window_of_any_length_is_taken_while_nothing_is_known(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/rules", CHANGE | {"params": {"days": 400}})


async def test_a_kind_s_own_window_is_taken_on_a_short_history_and_its_document_may_be_copied(stand: Stand) -> None:
    await watched(stand, days=3)
    made = await stand.create("/rules", {"name": "r", "kind": "model_shift"})
    assert made["params"]["days"] == 28
    await stand.create("/rules", made | {"name": "a copy"})


async def test_what_a_patch_leaves_alone_is_not_held_against_it(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    params, scope = {"against": "trailing_mean", "days": 300}, {"workspaces": ["wrkspc_soon"]}
    made = await stand.create("/rules", CHANGE | {"params": params, "scope": scope})
    await know(stand, source["id"], past(20, {ENG: "10.00"}, {ENG: "10.00"}))
    place = f"/v1/rules/{made['id']}"
    answered(await stand.admin.patch(place, json={"severity": "critical"}))
    answered(await stand.admin.patch(place, json=made | {"enabled": False}))
    assert pointers(await stand.admin.patch(place, json={"params": {"days": 301}})) == ["/params/days"]
    moved = await stand.admin.patch(place, json={"scope": {"workspaces": ["wrkspc_nowhere"]}})
    assert pointers(moved) == ["/scope/workspaces/0"]


# ------------------------------------------------------------------------------- kinds


async def test_the_kinds_give_valid_schemas_that_take_their_own_defaults(stand: Stand) -> None:
    listed = answered(await stand.viewer.get("/v1/rule-kinds"))
    assert listed["next"] is None
    assert {item["kind"] for item in listed["items"]} == set(KINDS)
    for item in listed["items"]:
        schema = item["params"]
        assert meta.is_valid(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
        defaults = {name: about["default"] for name, about in schema["properties"].items()}
        validator = Draft202012Validator(schema)
        assert validator.is_valid(defaults), item["kind"]
        assert validator.is_valid({})
        assert not validator.is_valid({"no such": 1})


async def test_a_kind_s_defaults_are_what_a_rule_shows(stand: Stand) -> None:
    await stand.create("/sources", READS_ALL)
    for item in answered(await stand.viewer.get("/v1/rule-kinds"))["items"]:
        made = await stand.create("/rules", {"name": item["kind"], "kind": item["kind"]})
        assert made["params"] == {name: about["default"] for name, about in item["params"]["properties"].items()}
        assert made["gates"] == item["gates"]


async def test_a_kind_may_be_repeated_over_what_it_says_and_nothing_else(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    for item in answered(await stand.viewer.get("/v1/rule-kinds"))["items"]:
        for each in ("workspace", "model", "api_key"):
            document = {"name": f"{item['kind']} {each}", "kind": item["kind"], "for_each": each}
            answer = await stand.admin.post("/v1/rules", json=document)
            assert answer.status_code == (201 if each in item["for_each"] else 422), document


# ------------------------------------------------------------------------------- life


async def test_only_an_admin_writes_rules(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/rules", CHANGE)
    for person in (stand.viewer, stand.operator):
        problem(await person.post("/v1/rules", json=CHANGE), 403)
        problem(await person.patch(f"/v1/rules/{made['id']}", json={}), 403)
        problem(await person.delete(f"/v1/rules/{made['id']}"), 403)
        answered(await person.get(f"/v1/rules/{made['id']}"))


async def test_every_write_of_a_rule_has_it_evaluated(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    for write in ("create", "change", "delete"):
        if write == "create":
            await stand.create("/rules", CHANGE)
        elif write == "change":
            answered(await stand.admin.patch("/v1/rules/dear days", json={"gates": {"min_amount": "1.00"}}))
        else:
            answered(await stand.admin.delete("/v1/rules/dear days"), 204)
        assert await evaluations_taken(stand) == 1


async def test_a_source_that_rules_watch_cannot_be_deleted(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/rules", CHANGE)
    told = problem(await stand.admin.delete(f"/v1/sources/{source['id']}"), 409)
    assert "rule 'dear days'" in told["detail"]
    answered(await stand.admin.delete("/v1/rules/dear days"), 204)
    answered(await stand.admin.delete(f"/v1/sources/{source['id']}"), 204)


async def test_a_deleted_rule_s_alert_ends(stand: Stand) -> None:
    alert = await rung_by_rule(stand)
    answered(await stand.admin.delete("/v1/rules/dear days"), 204)
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
    await run_evaluation(stand.ports, source.id)
    ended = answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}"))
    assert (ended["state"], ended["events"][-1]["reason"]) == ("resolved", "rule_gone")
    assert ended["rule"] == "dear days"


async def test_an_alert_shows_what_the_rule_leans_on(stand: Stand) -> None:
    alert = await rung_by_rule(stand)
    assert (alert["kind"], alert["rule"], alert["budget"]) == ("rule", "dear days", None)
    assert "$100 on Mon 16 Nov, normally $10.00" in alert["summary"]
    detail = answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}"))
    evidence = detail["evidence"]
    assert (evidence["actual"], evidence["expected"], evidence["excess"]) == ("100.00", "10.00", "90.00")
    assert (evidence["rule"], evidence["kind"], evidence["days"]) == ("dear days", "change", ["2026-11-16"])
    assert {"label": "spent", "value": "$100.00"} in evidence["inputs"]
    assert detail["feedback"] == []


async def test_alerts_are_filtered_by_rule(stand: Stand) -> None:
    alert = await rung_by_rule(stand)
    rule = answered(await stand.viewer.get("/v1/rules/dear days"))
    for reference, found in (("dear days", 1), (rule["id"], 1), ("another", 0)):
        items = answered(await stand.viewer.get("/v1/alerts", params={"rule": reference}))["items"]
        assert [item["id"] for item in items] == [alert["id"]] * found, reference


async def test_metrics_count_what_could_not_be_judged_and_name_it_only_to_a_viewer(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/rules", CHANGE)
    async with stand.ports.uow() as uow:
        for _ in range(2):
            await uow.rule_failures.note(made["id"], ORGANISATION, "ValueError: out of range", stand.clock())
    secret, known = (await stand.stranger.get("/metrics")).text, (await stand.viewer.get("/metrics")).text
    assert "tocsin_rule_failures_total 2.0" in secret
    assert "dear days" not in secret
    assert 'tocsin_rule_scope_failures_total{rule="dear days",scope="org"} 2.0' in known
