from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.workflows.digests.deliver import run_digest
from tests.api.stand import ENG, SOURCE, Stand, answered, pointers, problem

CONSOLE = {"name": "finance", "channels": [{"kind": "console"}]}
DIGEST: dict[str, Any] = {
    "name": "weekly spend",
    "receiver": "finance",
    "cron": "0 9 * * 1",
    "timezone": "Europe/Berlin",
    "labels": {"team": "finance"},
}


async def digest(stand: Stand, **changes: object) -> dict[str, Any]:
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", CONSOLE)
    return await stand.create("/digests", DIGEST | changes)


async def test_a_digest_is_shown_as_it_was_written_and_may_be_sent_back(stand: Stand) -> None:
    made = await digest(stand)
    assert {name: made[name] for name in DIGEST} == DIGEST
    assert (made["source"], made["enabled"], made["last_run"]) == ("production", True, None)
    assert made["scope"] == {"workspaces": [], "models": [], "api_keys": [], "actors": [], "products": []}
    again = answered(await stand.admin.patch(f"/v1/digests/{made['id']}", json=made))
    assert again["version"] == 1
    changed = answered(await stand.admin.patch("/v1/digests/weekly spend", json={"cron": "0  9 * * 1-5"}))
    assert (changed["cron"], changed["version"]) == ("0 9 * * 1-5", 2)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"cron": "every monday at 9"}, "/cron"),
        ({"cron": "* * * * *"}, "/cron"),
        ({"cron": "0 9 * * 8"}, "/cron"),
        ({"cron": 9}, "/cron"),
        ({"timezone": "Berlin"}, "/timezone"),
        ({"receiver": "nobody"}, "/receiver"),
        ({"receiver": "owner"}, "/fallback"),
        ({"receiver": "owner", "fallback": "nobody"}, "/fallback"),
        ({"fallback": "finance"}, "/fallback"),
        ({"receiver": "owner", "fallback": "finance", "content": "usage"}, "/content"),
        ({"source": "nothing"}, "/source"),
        ({"scope": {"workspaces": ["Enginering"]}}, "/scope/workspaces/0"),
        ({"when": "now"}, "/when"),
        ({"period": "last_month"}, "/period"),
        ({"week_start": "someday"}, "/week_start"),
    ],
)
async def test_an_impossible_digest_is_refused(stand: Stand, change: dict[str, object], pointer: str) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", CONSOLE)
    assert pointers(await stand.admin.post("/v1/digests", json=DIGEST | change)) == [pointer]


async def test_a_digest_without_a_period_shows_what_its_schedule_means(stand: Stand) -> None:
    made = await digest(stand, cron="0 9 1 * *")
    assert (made["period"], made["covers"]) == (None, "previous_month")
    changed = answered(await stand.admin.patch("/v1/digests/weekly spend", json={"cron": "0 9 * * 1"}))
    assert (changed["period"], changed["covers"]) == (None, "previous_week")
    named = answered(await stand.admin.patch("/v1/digests/weekly spend", json={"period": "since_previous"}))
    assert (named["period"], named["covers"]) == ("since_previous", "since_previous")


async def test_one_is_sent_now_and_the_digest_tells_what_became_of_it(stand: Stand) -> None:
    made = await digest(stand)
    await stand.spend(ENG, "123.45")
    run = answered(await stand.operator.post(f"/v1/digests/{made['id']}/send"), 202)
    assert (run["state"], run["asked_by"]) == ("queued", "token:the operator")
    assert (run["since"], run["until"]) == ("2026-11-08T23:00:00Z", "2026-11-15T23:00:00Z")
    await run_digest(stand.ports, run["id"])
    told = answered(await stand.viewer.get("/v1/digests/weekly spend"))["last_run"]
    assert (told["id"], told["state"], told["next_attempt_at"]) == (run["id"], "sent", None)
    assert [(one["state"], one["attempts"], one["detail"]) for one in told["channels"]] == [("sent", 1, "taken")]
    (_, delivery), *_ = stand.channels.sent
    assert delivery.message.headline.startswith("9-15 Nov: $")
    events = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert "digest.send" in {event["action"] for event in events}


@pytest.mark.parametrize("change", ['{"timezone"\\: "Mars/Olympus_Mons"}', '{"cron"\\: "0 9 30 2 *"}'])
async def test_one_whose_times_cannot_be_told_says_what_to_do(stand: Stand, change: str) -> None:
    made = await digest(stand, period="since_previous")
    async with stand.engine.begin() as connection:
        await connection.execute(text(f"UPDATE resources SET spec = spec || '{change}' WHERE kind = 'digest'"))
    refused = problem(await stand.operator.post(f"/v1/digests/{made['id']}/send"), 409)
    assert "'weekly spend' cannot be told; change its cron or timezone, then send it: " in refused["detail"]
    assert answered(await stand.viewer.get("/v1/digests/weekly spend"))["last_run"] is None


async def test_one_to_owners_is_shown_as_it_was_written_and_its_run_says_who_was_sent_what(stand: Stand) -> None:
    made = await digest(stand, receiver="owner", fallback="finance")
    assert (made["receiver"], made["fallback"]) == ("owner", "finance")
    again = answered(await stand.admin.patch(f"/v1/digests/{made['id']}", json=made))
    assert again["version"] == 1
    await stand.spend(ENG, "123.45", day=date(2026, 11, 12))
    member = {"member": f"workspace:{ENG.workspace}", "owner": "ann@example.com"}
    answered(await stand.admin.patch("/v1/owners", json={"items": [member]}))
    run = answered(await stand.operator.post(f"/v1/digests/{made['id']}/send"), 202)
    await run_digest(stand.ports, run["id"])
    told = answered(await stand.viewer.get("/v1/digests/weekly spend"))["last_run"]
    assert [(one["receiver"], one["state"]) for one in told["channels"]] == [
        ("finance", "sent"),
        ("ann@example.com", "sent"),
    ]
    problem(await stand.admin.delete("/v1/receivers/finance"), 409)


async def test_a_repeated_request_sends_once(stand: Stand) -> None:
    made = await digest(stand)
    place, key = f"/v1/digests/{made['id']}/send", {"Idempotency-Key": "once"}
    first = answered(await stand.operator.post(place, headers=key), 202)
    stand.clock.advance(timedelta(seconds=1))
    assert answered(await stand.operator.post(place, headers=key), 202) == first


async def test_roles(stand: Stand) -> None:
    made = await digest(stand)
    problem(await stand.operator.post("/v1/digests", json=DIGEST), 403)
    problem(await stand.viewer.post(f"/v1/digests/{made['id']}/send"), 403)
    problem(await stand.operator.post("/v1/digests/nothing/send"), 404)
