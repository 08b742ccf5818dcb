"""Refused attempts: counted, logged with where they came from, and on record where the caller is known."""

from __future__ import annotations

import pytest

from service.domain.access import Role
from tests.api.stand import Stand, answered, client, problem

SECRET = "tcn_FAKE-token-that-nobody-may-see-in-a-log"


async def refused(stand: Stand) -> dict[str, float]:
    lines = (await stand.viewer.get("/metrics")).text.splitlines()
    found = [line.split() for line in lines if line.startswith("tocsin_http_refused_total")]
    return {name.split('"')[1]: float(value) for name, value in found}


async def test_refused_requests_are_counted_by_status(stand: Stand) -> None:
    assert await refused(stand) == {"401": 0, "403": 0}
    problem(await stand.stranger.get("/v1/budgets"), 401)
    async with client(stand.app, secret=SECRET) as forger:
        problem(await forger.get("/v1/budgets"), 401)
    problem(await stand.viewer.get("/v1/tokens"), 403)
    answered(await stand.viewer.get("/v1/budgets"))
    async with client(stand.app) as scraper:
        text = (await scraper.get("/metrics")).text
    assert 'tocsin_http_refused_total{status="401"} 2.0' in text
    assert 'tocsin_http_refused_total{status="403"} 1.0' in text


async def test_the_log_says_where_a_refused_request_came_from_and_never_its_token(
    stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    async with client(stand.app, secret=SECRET) as forger:
        problem(await forger.delete("/v1/budgets/bdg_1"), 401)
    said = capsys.readouterr().out
    assert "request_refused" in said
    assert "/v1/budgets/{id}" in said
    assert "127.0.0.1" in said
    assert SECRET not in said


async def test_a_known_caller_s_refused_attempt_is_on_record_30_a_minute_at_most(stand: Stand) -> None:
    for _ in range(35):
        problem(await stand.operator.delete("/v1/budgets/eng"), 403)
    events = answered(await stand.admin.get("/v1/audit-events?limit=100"))["items"]
    attempts = [one for one in events if one["action"] == "request.refused"]
    assert len(attempts) == 30
    assert (attempts[0]["actor"], attempts[0]["address"]) == ("token:the operator", "127.0.0.1")
    assert attempts[0]["subject"] == "DELETE /v1/budgets/{id}"
    assert Role.ADMIN in attempts[0]["detail"]
    problem(await stand.stranger.delete("/v1/budgets/eng"), 401)
    assert len(answered(await stand.admin.get("/v1/audit-events?limit=100"))["items"]) == len(events)


async def test_what_a_revoked_token_attempts_is_on_record_by_its_name(stand: Stand) -> None:
    made = await stand.create("/tokens", {"name": "deploy", "role": "admin"})
    answered(await stand.admin.delete(f"/v1/tokens/{made['id']}"), 204)
    async with client(stand.app, made["token"]) as late:
        problem(await late.delete("/v1/budgets/eng"), 401)
    newest = answered(await stand.admin.get("/v1/audit-events?limit=1"))["items"][0]
    assert (newest["action"], newest["actor"], newest["actor_id"]) == ("request.refused", "token:deploy", made["id"])
    assert (newest["subject"], newest["address"]) == ("DELETE /v1/budgets/{id}", "127.0.0.1")
    assert "was revoked at" in newest["detail"]
    assert made["token"] not in str(newest)
