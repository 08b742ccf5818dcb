"""Who may do what: tokens, their roles, and the audit log of what they did."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from service.domain.access import Role
from service.workflows.access.tokens import run_authenticate, run_first_token
from tests.api.stand import BUDGET, SOURCE, Stand, answered, client, problem


async def test_without_a_token_nothing_under_v1_is_answered(stand: Stand) -> None:
    answer = await stand.stranger.get("/v1/budgets")
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("authorization", ["Bearer tcn_FAKE-unknown", "Bearer ", "Basic dTpw", "tcn_x", "Bearer \xe9"])
async def test_an_unknown_or_malformed_authorization_is_refused(stand: Stand, authorization: str) -> None:
    headers = {b"Authorization": authorization.encode("latin-1")}
    problem(await stand.stranger.get("/v1/budgets", headers=headers), 401)


QUESTIONS = {"/v1/rules/preview"}
"""These are asked by POST, and write nothing."""


async def test_every_operation_under_v1_refuses_a_stranger(stand: Stand, described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for method in operations:
            if path.startswith("/v1"):
                answer = await stand.stranger.request(method, re.sub(r"\{.*?\}", "x", path), json={})
                assert answer.status_code == 401, (method, path)


async def test_every_write_needs_more_than_a_viewer(stand: Stand, described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        asked = path in QUESTIONS or path.startswith("/slack")  # Slack's own requests are signed, and bear no token
        for method in set(operations) - {"get"} if not asked else ():
            answer = await stand.viewer.request(method, re.sub(r"\{.*?\}", "x", path), json={})
            assert answer.status_code == 403, (method, path)


async def test_an_operator_attends_to_alerts_and_configures_nothing(stand: Stand) -> None:
    problem(await stand.operator.post("/v1/budgets", json=BUDGET), 403)
    problem(await stand.operator.post("/v1/alerts/alert_none/acknowledge"), 404)


async def test_a_viewer_reads(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    assert len(answered(await stand.viewer.get("/v1/sources"))["items"]) == 1


async def test_a_new_token_is_shown_once_and_works(stand: Stand) -> None:
    made = await stand.create("/tokens", {"name": "deploy", "role": "viewer"})
    assert re.fullmatch(r"tcn_[A-Za-z0-9_-]{43}", made["token"])
    listed = (await stand.admin.get("/v1/tokens")).text
    assert made["id"] in listed
    assert made["token"] not in listed
    async with client(stand.app, made["token"]) as newcomer:
        answered(await newcomer.get("/v1/budgets"))


async def test_a_repeated_creation_of_a_token_does_not_show_it_again(stand: Stand) -> None:
    body, headers = {"name": "deploy", "role": "viewer"}, {"Idempotency-Key": "k1"}
    first = answered(await stand.admin.post("/v1/tokens", json=body, headers=headers), 201)
    second = answered(await stand.admin.post("/v1/tokens", json=body, headers=headers), 201)
    assert first["token"] is not None
    assert second == {**first, "token": None}


async def test_two_live_tokens_cannot_share_a_name(stand: Stand) -> None:
    body = {"name": "deploy", "role": "viewer"}
    made = await stand.create("/tokens", body)
    problem(await stand.admin.post("/v1/tokens", json=body), 409)
    answered(await stand.admin.delete(f"/v1/tokens/{made['id']}"), 204)
    await stand.create("/tokens", body)


async def test_a_revoked_token_is_refused_at_once(stand: Stand) -> None:
    made = await stand.create("/tokens", {"name": "deploy", "role": "admin"})
    answered(await stand.admin.delete(f"/v1/tokens/{made['id']}"), 204)
    async with client(stand.app, made["token"]) as late:
        problem(await late.get("/v1/budgets"), 401)


async def test_a_token_cannot_revoke_itself(stand: Stand) -> None:
    tokens = answered(await stand.admin.get("/v1/tokens"))["items"]
    (own,) = [token for token in tokens if token["role"] == "admin"]
    problem(await stand.admin.delete(f"/v1/tokens/{own['id']}"), 409)


async def test_revoking_an_unknown_token_is_not_found(stand: Stand) -> None:
    problem(await stand.admin.delete("/v1/tokens/tok_none"), 404)


async def test_the_first_token_is_made_only_while_there_is_none(stand: Stand) -> None:
    assert await run_first_token(stand.ports, None) is None


async def test_the_environments_token_becomes_an_admin_token_once(stand: Stand) -> None:
    for _ in range(2):
        stand.clock.advance(timedelta(seconds=1))
        await run_first_token(stand.ports, "a FAKE admin token from the environment")
    token = await run_authenticate(stand.ports, "a FAKE admin token from the environment")
    assert token is not None
    assert token.role is Role.ADMIN


async def test_every_write_leaves_an_audit_event_that_names_its_token(stand: Stand) -> None:
    stand.clock.advance(timedelta(seconds=1))
    source = await stand.create("/sources", SOURCE)
    stand.clock.advance(timedelta(seconds=1))
    budget = await stand.create("/budgets", BUDGET)
    for method, path, body, status in (
        ("PATCH", f"/v1/budgets/{budget['id']}", {"amount": "6000.00"}, 200),
        ("DELETE", f"/v1/budgets/{budget['id']}", None, 204),
        ("POST", f"/v1/sources/{source['id']}/poll", None, 202),
    ):
        stand.clock.advance(timedelta(seconds=1))
        answered(await stand.admin.request(method, path, json=body), status)
    events = answered(await stand.admin.get("/v1/audit-events", params={"limit": 5}))["items"]
    written = [event["action"] for event in reversed(events)]
    assert written == ["source.create", "budget.create", "budget.change", "budget.delete", "source.poll"]
    change = events[2]
    assert (change["actor"], change["subject"]) == ("token:the admin", budget["id"])
    assert "changed amount" in change["detail"]


async def test_the_audit_log_holds_no_secret(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    new = {"admin_key": "sk-ant-admin01-FAKE-changed"}
    answered(await stand.admin.patch(f"/v1/sources/{source['id']}", json=new))
    assert "sk-ant" not in (await stand.admin.get("/v1/audit-events")).text
