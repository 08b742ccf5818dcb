"""The whole configuration: read, compared, applied as one, and never in half."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from httpx import Response

from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered, pointers, problem

RECEIVER = {"name": "oncall", "channels": [{"kind": "slack", "token": "xoxb-FAKE-token", "channel": "#claude-spend"}]}
WHOLE: dict[str, Any] = {
    "sources": [SOURCE],
    "receivers": [RECEIVER],
    "escalation_policies": [{"name": "night", "steps": [{"after": "0s", "receiver": "oncall"}]}],
    "routes": {"items": [{"receiver": "oncall", "escalation_policy": "night"}]},
    "slack_users": {"items": [{"user": "U012AB3CD", "role": "operator"}]},
    "budgets": [BUDGET],
    "rules": [{"name": "jumps", "kind": "change", "for_each": "workspace"}],
    "digests": [{"name": "monday", "receiver": "oncall", "cron": "0 9 * * mon"}],
}


async def put(stand: Stand, document: dict[str, Any], query: str = "") -> Response:
    return await stand.admin.put(f"/v1/config{query}", json=document)


async def changes(stand: Stand, document: dict[str, Any], query: str = "") -> list[tuple[str, str, str]]:
    plan = answered(await put(stand, document, query))
    return [(one["action"], one["kind"], one["name"]) for one in plan["changes"]]


async def exported(stand: Stand) -> dict[str, Any]:
    document: dict[str, Any] = answered(await stand.viewer.get("/v1/config"))
    return document


async def test_an_empty_installation_is_made_from_one_document(stand: Stand) -> None:
    assert await changes(stand, WHOLE) == [
        ("create", "sources", "production"),
        ("create", "receivers", "oncall"),
        ("create", "escalation_policies", "night"),
        ("create", "budgets", "eng monthly"),
        ("create", "rules", "jumps"),
        ("create", "digests", "monday"),
        ("change", "routes", ""),
        ("change", "slack_users", ""),
    ]
    assert answered(await stand.viewer.get("/v1/budgets/eng%20monthly"))["amount"] == "100.00"
    assert answered(await stand.viewer.get("/v1/routes"))["items"][0]["receiver"] == "oncall"
    assert await changes(stand, WHOLE) == [], "the same once more changes nothing, secrets included"


async def test_what_is_exported_may_be_applied_and_changes_nothing(stand: Stand) -> None:
    await put(stand, WHOLE)
    document = await exported(stand)
    month = {"kind": "monthly", "timezone": "UTC", "anchor_day": 1}
    assert document["budgets"] == [{"name": "eng monthly", "amount": "100.00", "source": "production", "period": month}]
    assert document["sources"][0]["admin_key"] == {"set": True, "hint": "...tion"}
    assert "xoxb" not in str(document)
    assert await changes(stand, document, "?unlisted=delete") == []


async def test_a_rehearsal_says_what_would_change_and_changes_nothing(stand: Stand) -> None:
    await put(stand, WHOLE)
    before, events = await exported(stand), answered(await stand.admin.get("/v1/audit-events"))["items"]
    changed = {"budgets": [BUDGET | {"amount": "200.00", "labels": {"team": "eng"}}]}
    plan = answered(await put(stand, changed, "?dry_run=true"))
    assert plan == {
        "applied": False,
        "changes": [
            {
                "kind": "budgets",
                "name": "eng monthly",
                "action": "change",
                "fields": [
                    {"pointer": "/amount", "before": "100.00", "after": "200.00"},
                    {"pointer": "/labels", "before": None, "after": {"team": "eng"}},
                ],
            }
        ],
    }
    assert await exported(stand) == before
    assert answered(await stand.admin.get("/v1/audit-events"))["items"] == events


async def test_a_changed_secret_is_seen_and_not_told(stand: Stand) -> None:
    await put(stand, WHOLE)
    moved = RECEIVER | {"channels": [{"kind": "slack", "token": "xoxb-FAKE-other", "channel": "#claude-spend"}]}
    plan = await put(stand, {"receivers": [moved]}, "?dry_run=true")
    assert [one["action"] for one in answered(plan)["changes"]] == ["change"]
    assert "xoxb" not in plan.text


async def test_a_mistake_anywhere_applies_nothing_and_is_named(stand: Stand) -> None:
    answer = await put(stand, WHOLE | {"budgets": [BUDGET, {"name": "other", "amount": "-1"}]})
    assert pointers(answer) == ["/budgets/1/amount"]
    answer = await put(stand, WHOLE | {"routes": {"items": [{"receiver": "nobody"}]}})
    assert pointers(answer) == ["/routes/items/0/receiver"]
    answer = await put(stand, WHOLE | {"rules": [{"name": "jumps", "kind": "change", "source": "elsewhere"}]})
    assert pointers(answer) == ["/rules/0/source"]
    answer = await put(stand, WHOLE | {"budgets": [BUDGET, BUDGET]})
    assert pointers(answer) == ["/budgets/1/name"]
    answer = await put(stand, {"budget": []})
    assert pointers(answer) == ["/budget"]
    assert answered(await stand.viewer.get("/v1/sources"))["items"] == []


async def test_what_is_not_in_the_document_is_kept_and_named_or_deleted_on_request(stand: Stand) -> None:
    await put(stand, WHOLE)
    assert await changes(stand, {"budgets": []}) == [("keep", "budgets", "eng monthly")]
    assert await changes(stand, {"rules": []}, "?unlisted=delete&dry_run=true") == [("delete", "rules", "jumps")]
    assert await changes(stand, {"budgets": []}, "?unlisted=delete") == [("delete", "budgets", "eng monthly")]
    after = await exported(stand)
    assert after["budgets"] == []
    assert [rule["name"] for rule in after["rules"]] == ["jumps"], "a kind that is not in the document is not touched"


async def test_what_refers_to_another_goes_before_it(stand: Stand) -> None:
    await put(stand, WHOLE)
    spare = {"name": "spare", "channels": [{"kind": "console"}]}
    rest = {
        "receivers": [spare],
        "escalation_policies": [],
        "digests": [],
        "routes": {"items": [{"receiver": "spare"}]},
    }
    assert await changes(stand, rest, "?unlisted=delete") == [
        ("create", "receivers", "spare"),
        ("change", "routes", ""),
        ("delete", "digests", "monday"),
        ("delete", "escalation_policies", "night"),
        ("delete", "receivers", "oncall"),
    ]


async def test_what_is_still_in_use_is_not_deleted(stand: Stand) -> None:
    await put(stand, WHOLE)
    before = await exported(stand)
    answer = await put(stand, {"receivers": [], "budgets": []}, "?unlisted=delete")
    assert "receivers 'oncall'" in problem(answer, 409)["detail"]
    assert await exported(stand) == before


async def test_a_source_stops_reading_what_nothing_in_the_same_document_needs_any_more(stand: Stand) -> None:
    reading = SOURCE | {"kind": "claude_analytics", "people": "hashed", "claude_code": True}
    coding = {"name": "coding", "kind": "claude_code"}
    by_person = BUDGET | {"scope": {}, "for_each": "actor"}
    both = {"sources": [reading], "rules": [coding], "budgets": [by_person]}
    silent: dict[str, Any] = {"sources": [SOURCE | {"kind": "claude_analytics"}], "rules": [], "budgets": [BUDGET]}
    answered(await put(stand, both))
    for kind in ("budgets", "rules"):
        half = both | {"sources": silent["sources"], kind: silent[kind]}
        refused = await put(stand, half, "?unlisted=delete")
        assert problem(refused, 409)["detail"].startswith("sources 'production': ")
    assert await changes(stand, both) == [], "nothing was applied"
    assert await changes(stand, silent, "?unlisted=delete") == [
        ("change", "sources", "production"),
        ("change", "budgets", "eng monthly"),
        ("delete", "rules", "coding"),
    ]


async def test_spend_and_alerts_stay_with_a_budget_that_is_applied_again(stand: Stand) -> None:
    await put(stand, WHOLE)
    await stand.spend(ENG, "123.45")
    id = answered(await stand.viewer.get("/v1/budgets/eng%20monthly"))["id"]
    await put(stand, {"budgets": [BUDGET | {"amount": "200.00"}]})
    after = answered(await stand.viewer.get("/v1/budgets/eng%20monthly"))
    assert (after["id"], after["version"]) == (id, 2)


async def test_only_an_admin_applies(stand: Stand) -> None:
    assert (await stand.operator.put("/v1/config?dry_run=true", json={})).status_code == 403
    assert (await stand.stranger.get("/v1/config")).status_code == 401


async def test_a_rota_goes_on_from_where_it_began(stand: Stand) -> None:
    rota = {"name": "week", "people": [{"name": "ann", "receiver": "oncall"}, {"name": "ben", "receiver": "oncall"}]}
    document = {"receivers": [RECEIVER], "rotas": [rota]}
    await put(stand, document)
    started = answered(await stand.viewer.get("/v1/rotas/week"))["starts_on"]
    stand.clock.advance(timedelta(days=7))
    assert await changes(stand, document) == [], "whose turn it is does not begin again when the file is applied again"
    assert answered(await stand.viewer.get("/v1/rotas/week"))["starts_on"] == started


async def test_owners_are_part_of_it_and_their_receivers_need_not_be(stand: Stand) -> None:
    await put(stand, WHOLE)
    item = {"member": "workspace:default", "owner": "ann@example.com", "tags": {"team": "eng"}}
    plan = answered(await put(stand, {"owners": {"items": [item]}}))
    assert [(one["kind"], one["fields"][0]["pointer"]) for one in plan["changes"]] == [
        ("owners", "/production workspace:default")
    ]
    document = await exported(stand)
    assert document["owners"]["items"] == [{"source": "production", **item}]
    assert await changes(stand, document) == []
    assert await changes(stand, WHOLE, "?unlisted=delete") == [], "the receiver made for the owner is not pruned"
    assert await changes(stand, WHOLE | {"owners": {"items": []}}, "?unlisted=delete") == [
        ("change", "owners", ""),
        ("delete", "receivers", "ann@example.com"),
    ]
    answer = await put(stand, {"owners": {"items": [item, item | {"member": "workspace:nowhere"}]}})
    assert pointers(answer) == ["/owners/items/1/member"]
