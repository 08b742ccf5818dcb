from __future__ import annotations

import pytest

from service.domain.sources.source import ReportFamily, SourceKind
from tests.api.stand import SOURCE, Stand, answered, pointers, problem

ANALYTICS = SOURCE | {"kind": "claude_analytics"}


async def test_a_source_of_the_analytics_reports_reads_them_unless_told_otherwise(stand: Stand) -> None:
    made = await stand.create("/sources", ANALYTICS)
    assert (made["kind"], made["prefer"]) == ("claude_analytics", "analytics")
    status = made["status"]
    assert (status["reports_read"], status["refreshed_at"], status["api_keys"], status["remark"]) == (
        None,
        None,
        "shared",
        None,
    )


async def test_the_release_before_can_read_what_is_stored(stand: Stand) -> None:
    made = await stand.create("/sources", ANALYTICS)
    async with stand.ports.uow() as uow:
        stored = (await uow.sources.get(made["id"])).spec
    assert (stored.kind, stored.prefer) == (SourceKind.CLAUDE_ADMIN, ReportFamily.ANALYTICS)


async def test_a_source_changes_from_one_kind_of_claude_to_the_other_and_back(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    assert (made["kind"], made["prefer"]) == ("claude_admin", None)
    address = f"/v1/sources/{made['id']}"
    for change, kind, prefer in (
        ({"kind": "claude_analytics"}, "claude_analytics", "analytics"),
        ({"prefer": "admin"}, "claude_analytics", "admin"),
        ({"kind": "claude_admin", "prefer": None}, "claude_admin", None),
    ):
        changed = answered(await stand.admin.patch(address, json=change))
        assert (changed["kind"], changed["prefer"]) == (kind, prefer)


async def test_the_simulator_plays_both(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE | {"kind": "simulator", "prefer": "analytics"})
    assert (made["kind"], made["prefer"]) == ("simulator", "analytics")
    changed = await stand.admin.patch(f"/v1/sources/{made['id']}", json={"kind": "claude_analytics"})
    assert pointers(changed) == ["/kind"]


async def test_the_admin_kind_has_no_analytics_reports(stand: Stand) -> None:
    response = await stand.admin.post("/v1/sources", json=SOURCE | {"prefer": "analytics"})
    assert pointers(response) == ["/prefer"]


async def test_people_are_not_known_unless_somebody_switches_it_on(stand: Stand) -> None:
    made = await stand.create("/sources", ANALYTICS)
    assert made["people"] == "off"
    address = f"/v1/sources/{made['id']}"
    assert answered(await stand.admin.patch(address, json={"people": "hashed"}))["people"] == "hashed"
    back = await stand.admin.patch(address, json={"kind": "claude_admin", "prefer": None})
    assert pointers(back) == ["/people"]


async def test_only_the_analytics_reports_know_people(stand: Stand) -> None:
    response = await stand.admin.post("/v1/sources", json=SOURCE | {"people": "names"})
    assert pointers(response) == ["/people"]


BY_PERSON = {"name": "each person", "amount": "100.00", "for_each": "actor"}
LOUD_PEOPLE = {"name": "people", "kind": "anomaly", "params": {"levels": ["actor"]}}


async def test_what_is_by_person_is_refused_where_nobody_is_known(stand: Stand) -> None:
    """It would say $0.00 of everybody, and stay quiet for ever."""
    made = await stand.create("/sources", ANALYTICS)
    address = f"/v1/sources/{made['id']}"
    for path, document, pointer in (
        ("/v1/budgets", BY_PERSON, "/for_each"),
        ("/v1/budgets", {"name": "ada", "amount": "1.00", "scope": {"actors": ["person_1"]}}, "/scope/actors"),
        ("/v1/rules", LOUD_PEOPLE, "/params/levels"),
    ):
        refused = await stand.admin.post(path, json=document)
        assert pointers(refused)[0].startswith(pointer), refused.text
    answered(await stand.admin.patch(address, json={"people": "hashed"}))
    await stand.create("/budgets", BY_PERSON)


async def test_people_are_not_switched_off_under_a_budget_or_a_rule_by_person(stand: Stand) -> None:
    """Its alert would be restated to $0.00, as if the bill had changed."""
    made = await stand.create("/sources", ANALYTICS | {"people": "names"})
    address = f"/v1/sources/{made['id']}"
    await stand.create("/budgets", BY_PERSON)
    await stand.create("/rules", LOUD_PEOPLE)
    refused = problem(await stand.admin.patch(address, json={"people": "off"}), 409)
    assert "budget 'each person', rule 'people'" in refused["detail"]
    for kind in ("budgets/each%20person", "rules/people"):
        answered(await stand.admin.delete(f"/v1/{kind}"), 204)
    assert answered(await stand.admin.patch(address, json={"people": "off"}))["people"] == "off"


CLAUDE_CODE = {"name": "Claude Code", "kind": "claude_code", "params": {"amount": "400.00"}}


@pytest.mark.parametrize(
    "lacking", [{}, {"claude_code": True}, {"kind": "claude_analytics", "people": "hashed"}], ids=str
)
async def test_a_rule_about_claude_code_is_refused_where_it_is_not_read(
    stand: Stand, lacking: dict[str, object]
) -> None:
    made = await stand.create("/sources", SOURCE | lacking)
    refused = await stand.admin.post("/v1/rules", json=CLAUDE_CODE)
    assert pointers(refused) == ["/kind"]
    assert "set its claude_code to true, and its people to hashed or names" in refused.text
    answered(await stand.admin.patch(f"/v1/sources/{made['id']}", json={"claude_code": True, "people": "hashed"}))
    await stand.create("/rules", CLAUDE_CODE)


@pytest.mark.parametrize("change", [{"claude_code": False}, {"people": "off"}], ids=str)
async def test_claude_code_is_read_on_as_long_as_a_rule_judges_it(stand: Stand, change: dict[str, object]) -> None:
    made = await stand.create("/sources", ANALYTICS | {"claude_code": True, "people": "hashed"})
    address = f"/v1/sources/{made['id']}"
    await stand.create("/rules", CLAUDE_CODE)
    refused = problem(await stand.admin.patch(address, json=change), 409)
    assert "judged by rule 'Claude Code'" in refused["detail"]
    answered(await stand.admin.patch(address, json={"people": "names"}))
    answered(await stand.admin.delete("/v1/rules/Claude%20Code"), 204)
    assert answered(await stand.admin.patch(address, json=change))["people"] in ("names", "off")
