from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from service.workflows.backtest import run_backtest
from tests.api.rules.watched import CHANGE, watched
from tests.api.stand import BUDGET, SOURCE, Stand, answered, pointers, problem

INLINE = {"kind": "change", "params": {"against": "same_weekday"}, "for_each": "workspace"}


async def start(stand: Stand, document: dict[str, Any]) -> dict[str, Any]:
    started: dict[str, Any] = answered(await stand.operator.post("/v1/backtests", json=document), 202)
    return started


async def finished(stand: Stand, document: dict[str, Any]) -> dict[str, Any]:
    started = await start(stand, document)
    await run_backtest(stand.ports, started["id"])
    found: dict[str, Any] = answered(await stand.viewer.get(f"/v1/backtests/{started['id']}"))
    return found


async def test_a_backtest_is_queued_and_read_under_its_location(stand: Stand) -> None:
    await watched(stand)
    response = await stand.operator.post("/v1/backtests", json={"rule": INLINE})
    started = answered(response, 202)
    assert response.headers["location"] == f"/v1/backtests/{started['id']}"
    assert (started["state"], started["progress"], started["request"]) == ("queued", 0.0, {"rule": INLINE})
    assert started["subject"] == {"kind": "change", "id": None, "name": "backtest", "version": None}
    read = answered(await stand.viewer.get(response.headers["location"]))
    assert {name: read[name] for name in started} == started
    assert read["firings"] is None


async def test_a_stored_rule_is_replayed_by_its_name(stand: Stand) -> None:
    await watched(stand)
    rule = await stand.create("/rules", CHANGE)
    found = await finished(stand, {"rule": CHANGE["name"], "since": "2026-11-10"})
    assert (found["state"], found["progress"], found["error"]) == ("done", 1.0, None)
    assert found["subject"] == {"kind": "change", "id": rule["id"], "name": "dear days", "version": 1}
    assert (found["since"], found["until"], found["steps"]) == ("2026-11-10", "2026-11-15", 6)
    assert found["tally"] == {"alerts": 0, "firings": 0, "late": 0, "alerts_per_month": 0.0, "dollars": "0.00"}
    assert found["assumed_share"] > 0.5  # all but the last three days were read long after them
    assert [row["setting"] for row in found["sweep"] if row["configured"]] == ["min_percent 30"]
    assert found["assumptions"]


async def test_a_budgets_firings_say_what_was_spent_and_which_level_it_reached(stand: Stand) -> None:
    await watched(stand)
    found = await finished(stand, {"budget": BUDGET | {"amount": "100.00", "period": {"kind": "monthly"}}})
    first = found["firings"][0]
    assert (first["scope"], first["threshold"], first["expected"]) == ("org", "actual:80%", "80.00")
    assert (first["actual"], first["excess"], first["impact"]) == ("90.00", "10.00", None)
    assert found["tally"]["dollars"] is None
    assert {row["setting"] for row in found["sweep"] if row["configured"]} == {"80%", "100%"}


async def test_an_operator_cancels_one_that_is_not_over(stand: Stand) -> None:
    await watched(stand)
    started = await start(stand, {"rule": INLINE})
    place = f"/v1/backtests/{started['id']}/cancel"
    assert (await stand.viewer.post(place)).status_code == 403
    ended = answered(await stand.operator.post(place))
    assert (ended["state"], ended["error"]) == ("failed", "cancelled by the operator")
    problem(await stand.operator.post(place), 409)
    problem(await stand.operator.post("/v1/backtests/bt_gone/cancel"), 404)


async def test_backtests_are_listed_newest_first(stand: Stand) -> None:
    await watched(stand)
    older = await start(stand, {"rule": INLINE})
    stand.clock.advance(timedelta(seconds=1))
    newer = await start(stand, {"rule": INLINE})
    listed = answered(await stand.viewer.get("/v1/backtests"))
    assert [one["id"] for one in listed["items"]] == [newer["id"], older["id"]]
    assert "firings" not in listed["items"][0]


async def test_a_repeated_request_starts_one_backtest(stand: Stand) -> None:
    await watched(stand)
    headers = {"Idempotency-Key": "once"}
    answers = [await stand.operator.post("/v1/backtests", json={"rule": INLINE}, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(answered(await stand.viewer.get("/v1/backtests"))["items"]) == 1


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({}, "/rule"),
        ({"rule": INLINE, "budget": BUDGET}, "/rule"),
        ({"rule": "nobody"}, "/rule"),
        ({"budget": "nobody"}, "/budget"),
        ({"rule": {"kind": "change", "params": {"days": -1}}}, "/rule/params/days"),
        ({"rule": {"kind": "change", "params": {"days": 0}}}, "/rule/params/days"),
        ({"rule": {"kind": "change", "colour": 1}}, "/rule/colour"),
        ({"rule": {"kind": "stale_source"}}, "/rule"),
        ({"rule": INLINE | {"source": "nobody"}}, "/rule/source"),
        ({"budget": {"amount": "5.00", "period": {"timezone": "Mars"}}}, "/budget/period/timezone"),
        ({"budget": {"amount": 5}}, "/budget/amount"),
        ({"rule": INLINE, "since": "2026-10-01"}, "/since"),
        ({"rule": INLINE, "since": "2026-11-12", "until": "2026-11-11"}, "/since"),
        ({"rule": INLINE, "since": "tomorrow"}, "/since"),
    ],
)
async def test_what_cannot_be_replayed_is_refused_where_it_stands(
    stand: Stand, document: dict[str, Any], wrong: str
) -> None:
    await watched(stand)
    assert pointers(await stand.operator.post("/v1/backtests", json=document)) == [wrong]
    assert answered(await stand.viewer.get("/v1/backtests"))["items"] == []


async def test_a_stored_rule_of_another_source_is_refused(stand: Stand) -> None:
    await watched(stand)
    await stand.create("/rules", CHANGE)
    await stand.create("/sources", SOURCE | {"name": "research", "admin_key": "sk-ant-admin01-FAKE-research"})
    answer = await stand.operator.post("/v1/backtests", json={"rule": CHANGE["name"], "source": "research"})
    assert pointers(answer) == ["/source"]


async def test_without_history_nothing_can_be_replayed(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    assert pointers(await stand.operator.post("/v1/backtests", json={"rule": INLINE})) == ["/source"]


async def test_a_viewer_starts_none_and_an_unknown_one_is_not_found(stand: Stand) -> None:
    await watched(stand)
    problem(await stand.viewer.post("/v1/backtests", json={"rule": INLINE}), 403)
    problem(await stand.viewer.get("/v1/backtests/bt_none"), 404)
