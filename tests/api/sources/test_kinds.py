from __future__ import annotations

from service.domain.sources.source import ReportFamily, SourceKind
from tests.api.stand import SOURCE, Stand, answered, pointers

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
