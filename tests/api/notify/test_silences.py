"""Silences, which operators write."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.workflows.operation.upkeep import run_retention
from tests.api.alerts.test_alerts import rung
from tests.api.stand import Stand, answered, pointers, problem

SILENCE: dict[str, Any] = {
    "name": "load test",
    "matchers": [{"label": "workspace", "op": "=", "value": "staging"}],
    "starts_at": "2026-11-16T13:00:00Z",
    "ends_at": "2026-11-16T15:00:00Z",
    "comment": "announced",
}


async def create(stand: Stand, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = answered(await stand.operator.post("/v1/silences", json=SILENCE | changes), 201)
    return made


async def state(stand: Stand) -> str:
    return str(answered(await stand.viewer.get("/v1/silences/load test"))["state"])


async def test_an_operator_writes_a_silence_and_is_named_as_its_author(stand: Stand) -> None:
    made = await create(stand)
    expected = SILENCE | {
        "author": "token:the operator",
        "author_name": "the operator",
        "state": "pending",
        "expired_at": None,
    }
    assert {name: made[name] for name in expected} == expected
    problem(await stand.viewer.post("/v1/silences", json=SILENCE), 403)
    problem(await stand.viewer.post("/v1/silences/load test/expire"), 403)
    problem(await stand.viewer.delete("/v1/silences/load test"), 403)


async def test_the_author_of_a_change_is_not_the_author_of_the_silence(stand: Stand) -> None:
    made = await create(stand)
    changed = answered(await stand.admin.patch(f"/v1/silences/{made['id']}", json=made | {"comment": "longer"}))
    assert (changed["comment"], changed["author"]) == ("longer", "token:the operator")


async def test_a_silence_becomes_active_and_expires(stand: Stand) -> None:
    await create(stand)
    seen = [await state(stand)]
    for hours in (1, 2):
        stand.clock.advance(timedelta(hours=hours))
        seen.append(await state(stand))
    assert seen == ["pending", "active", "expired"]
    problem(await stand.operator.patch("/v1/silences/load test", json={"ends_at": "2026-11-17"}), 422)
    problem(await stand.operator.patch("/v1/silences/load test", json={"ends_at": "2026-11-17T00:00:00Z"}), 409)


async def test_without_a_start_a_silence_begins_now(stand: Stand) -> None:
    made = await create(stand, starts_at=None)
    assert (made["starts_at"], made["state"]) == ("2026-11-16T12:00:00Z", "active")


@pytest.mark.parametrize("start", ["2026-11-16T11:00:00Z", "2026-11-16T13:00:00Z"])
async def test_a_silence_is_ended_once(stand: Stand, start: str) -> None:
    await create(stand, starts_at=start)
    ended = answered(await stand.operator.post("/v1/silences/load test/expire"))
    assert (ended["state"], ended["expired_at"]) == ("expired", "2026-11-16T12:00:00Z")
    problem(await stand.operator.post("/v1/silences/load test/expire"), 409)
    problem(await stand.operator.post("/v1/silences/none/expire"), 404)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"matchers": []}, "/matchers"),
        ({"matchers": [{"label": "team", "op": "=~", "value": ".*"}]}, "/matchers"),
        ({"matchers": [{"label": "team", "op": "=~", "value": "("}]}, "/matchers/0/value"),
        ({"matchers": [{"label": "team", "op": "=~", "value": "x" * 201}]}, "/matchers/0/value"),
        ({"ends_at": "2026-11-16T13:00:00Z"}, "/ends_at"),
        ({"ends_at": None}, "/ends_at"),
        ({"until": "2026-11-16T13:00:00Z"}, "/until"),
    ],
)
async def test_a_silence_of_everything_or_of_no_time_is_refused(
    stand: Stand, changes: dict[str, Any], pointer: str
) -> None:
    assert pointers(await stand.operator.post("/v1/silences", json=SILENCE | changes)) == [pointer]


async def test_every_write_of_a_silence_is_on_record(stand: Stand) -> None:
    await create(stand)
    answered(await stand.operator.post("/v1/silences/load test/expire"))
    answered(await stand.operator.delete("/v1/silences/load test"), 204)
    events = answered(await stand.admin.get("/v1/audit-events"))["items"]
    actions = {event["action"] for event in events if event["actor"] == "token:the operator"}
    assert actions == {"silence.create", "silence.change", "silence.delete"}


async def test_a_silence_lasts_90_days_at_most(stand: Stand) -> None:
    longer = SILENCE | {"starts_at": "2026-11-16T12:00:00Z", "ends_at": "2027-02-14T12:00:01Z"}
    assert pointers(await stand.operator.post("/v1/silences", json=longer)) == ["/ends_at"]
    made = await stand.create("/silences", longer | {"ends_at": "2027-02-14T12:00:00Z"})
    assert made["too_long"] is False
    later = {"ends_at": "2100-01-01T00:00:00Z"}
    assert pointers(await stand.operator.patch(f"/v1/silences/{made['id']}", json=later)) == ["/ends_at"]


async def test_a_stored_silence_that_is_longer_stays_valid_is_shown_and_may_be_shortened(stand: Stand) -> None:
    made = await stand.create("/silences", SILENCE)
    async with stand.ports.uow() as uow:
        stored = await uow.silences.get(made["id"])
        ends_at = stored.spec.ends_at + timedelta(days=27_000)
        await uow.silences.replace(replace(stored, version=2, spec=replace(stored.spec, ends_at=ends_at)))
    place = f"/v1/silences/{made['id']}"
    assert answered(await stand.viewer.get(place))["too_long"] is True
    changed = answered(await stand.operator.patch(place, json={"comment": "still"}))
    assert (changed["comment"], changed["too_long"]) == ("still", True)
    shorter = answered(await stand.operator.patch(place, json={"ends_at": "2026-11-17T00:00:00Z"}))
    assert shorter["too_long"] is False


async def test_a_silence_that_is_over_is_not_read_at_an_evaluation(stand: Stand) -> None:
    for name, ends_at in (("over", "2026-11-16T13:00:00Z"), ("live", "2026-11-16T18:00:00Z")):
        await stand.create(
            "/silences", SILENCE | {"name": name, "starts_at": "2026-11-16T12:00:00Z", "ends_at": ends_at}
        )
    ended = await stand.create("/silences", SILENCE | {"name": "ended", "starts_at": "2026-11-16T12:00:00Z"})
    answered(await stand.operator.post(f"/v1/silences/{ended['id']}/expire"))
    async with stand.ports.uow() as uow:
        now = await uow.snapshot("", stand.clock())
        later = await uow.snapshot("", stand.clock() + timedelta(hours=2))
    assert {one.name for one in now.silences.values()} == {"over", "live"}
    assert {one.name for one in later.silences.values()} == {"live"}


async def test_a_silence_that_has_been_over_for_90_days_is_deleted_and_stays_in_the_audit_log(stand: Stand) -> None:
    made = await stand.create("/silences", SILENCE)
    stand.clock.advance(timedelta(days=89))
    await run_retention(stand.ports, timedelta(days=800))
    answered(await stand.viewer.get(f"/v1/silences/{made['id']}"))
    stand.clock.advance(timedelta(days=2))
    await run_retention(stand.ports, timedelta(days=800))
    problem(await stand.viewer.get(f"/v1/silences/{made['id']}"), 404)
    deleted = answered(await stand.admin.get("/v1/audit-events?limit=1"))["items"][0]
    assert (deleted["actor"], deleted["action"], deleted["subject"]) == ("system", "silence.delete", made["id"])


async def test_a_notification_that_is_held_back_names_the_silences(stand: Stand) -> None:
    everything = {"matchers": [{"label": "severity", "op": "=", "value": "critical"}], "starts_at": None}
    made = [await create(stand, name=name, **everything) for name in ("load test", "moving house")]
    await rung(stand)
    (held,) = answered(await stand.viewer.get("/v1/notifications"))["items"]
    assert (held["state"], held["reason"]) == ("suppressed", "silenced")
    first, second = (f"{one['name']!r} ({one['id']}), until 2026-11-16 15:00 UTC" for one in made)
    assert held["held_by"] == f"{first}; {second}"


async def test_a_notification_that_is_sent_names_no_silence(stand: Stand) -> None:
    await rung(stand)
    (sent,) = answered(await stand.viewer.get("/v1/notifications"))["items"]
    assert (sent["state"], sent["held_by"]) == ("queued", "")
