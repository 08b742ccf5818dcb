from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.api.rules.watched import CHANGE, watched
from tests.api.stand import SOURCE, Stand, answered, pointers, problem

EVERY_WORKSPACE: dict[str, Any] = {"kind": "change", "for_each": "workspace"}


async def preview(stand: Stand, document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answered(await stand.viewer.post("/v1/rules/preview", json=document))
    return found


async def rows(stand: Stand) -> dict[str, int]:
    """How many rows every table holds."""
    async with stand.engine.connect() as connection:
        names = await connection.scalars(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        )
        return {name: await connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names.all()}


async def test_a_rule_is_tried_before_it_is_made(stand: Stand) -> None:
    await watched(stand)
    found = await preview(stand, EVERY_WORKSPACE)
    assert found["at"] == "2026-11-16T12:00:00Z"
    (incident,) = found["rings"]
    assert (incident["scope"], incident["severity"]) == ("workspace:wrkspc_eng", "warning")
    assert (incident["actual"], incident["expected"], incident["excess"]) == ("100.00", "10.00", "90.00")
    quiet, loud = sorted(found["verdicts"], key=lambda verdict: bool(verdict["rings"]))
    assert (quiet["scope"], quiet["candidate"]) == ("workspace:wrkspc_marketing", False)
    assert (loud["scope"], loud["excess_percent"], loud["unit"]) == ("workspace:wrkspc_eng", 900, "US dollars a day")
    assert {"gate": "min_amount", "passed": True, "found": "$90.00", "needed": "at least $20.00"} in loud["gates"]


async def test_the_gate_that_would_stop_it_is_named(stand: Stand) -> None:
    await watched(stand)
    found = await preview(stand, EVERY_WORKSPACE | {"gates": {"min_active_days": 21}})
    assert found["rings"] == []
    (stopped,) = [verdict for verdict in found["verdicts"] if verdict["candidate"]]
    assert [gate["gate"] for gate in stopped["gates"] if not gate["passed"]] == ["min_active_days"]


async def test_a_stored_rule_is_previewed_by_name_or_id(stand: Stand) -> None:
    await watched(stand)
    made = await stand.create("/rules", CHANGE | {"for_each": "workspace"})
    by_name, by_id = [await preview(stand, {"rule": reference}) for reference in ("dear days", made["id"])]
    assert by_name == by_id
    assert len(by_name["rings"]) == 1
    assert by_name == await preview(stand, made)


async def test_of_a_source_without_data_nothing_is_said(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    for kind in ("change", "anomaly", "first_seen", "cache_collapse"):
        found = await preview(stand, {"kind": kind})
        assert (found["rings"], found["verdicts"]) == ([], [])


async def test_what_is_not_known_is_null(stand: Stand) -> None:
    await watched(stand, days=3)
    found = await preview(stand, {"kind": "change"})
    (verdict,) = found["verdicts"]
    assert (verdict["expected"], verdict["excess"], verdict["excess_percent"]) == (None, None, None)
    new = await preview(stand, {"kind": "first_seen"})
    assert {verdict["excess_percent"] for verdict in new["verdicts"]} == {None}


async def test_a_preview_writes_nothing_and_tells_nobody(stand: Stand) -> None:
    await watched(stand)
    await stand.create("/rules", CHANGE | {"for_each": "workspace"})
    before = await rows(stand)
    assert before["alerts"] == 0
    for document in (EVERY_WORKSPACE, {"rule": "dear days"}, {"kind": "anomaly"}):
        await preview(stand, document)
    assert await rows(stand) == before


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/kind"),
        ({"rule": "none"}, "/rule"),
        ({"rule": "none", "kind": "change"}, "/kind"),
        ({"kind": "change", "params": {"days": "NaN"}}, "/params/days"),
        ({"kind": "change", "params": {"days": 300}}, "/params/days"),
        ({"kind": "change", "params": {"days": -1}}, "/params/days"),
        ({"kind": "change", "gates": {"min_percent": -1}}, "/gates/min_percent"),
        ({"kind": "change", "scope": {"workspaces": ["wrkspc_nowhere"]}}, "/scope/workspaces/0"),
        ({"kind": "first_seen", "for_each": "workspace"}, "/for_each"),
    ],
)
async def test_what_could_not_be_made_cannot_be_previewed(stand: Stand, document: dict[str, Any], pointer: str) -> None:
    await watched(stand)
    assert pointers(await stand.viewer.post("/v1/rules/preview", json=document)) == [pointer]


async def test_a_stranger_previews_nothing(stand: Stand) -> None:
    problem(await stand.stranger.post("/v1/rules/preview", json={"kind": "change"}), 401)
