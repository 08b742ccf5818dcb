"""Every route that changes something leaves an event that says what it was and is, by whom and from where."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from service.domain.notify.notification import NotificationState
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.slack.workspaces import run_is_our_workspace
from tests.api.alerts.test_feedback import opened
from tests.api.rules.watched import CHANGE, know
from tests.api.stand import BUDGET, ENG, SLACK, SOURCE, Stand, answered

CHANGING = {"post", "put", "patch", "delete"}
ANSWERS_ONLY = {
    "post /v1/rules/preview",  # reads
    "put /v1/config",  # what it does is done by the same functions as the single operations: tests/api/configuration
    "post /slack/interactions",  # what they do is done by the same workflows: tests/api/slack
    "post /slack/commands",
}
WEEKLY = {"name": "weekly", "cron": "0 9 * * 1", "source": "production", "receiver": "mail"}
SILENCE = {
    "name": "test",
    "matchers": [{"label": "workspace", "op": "=", "value": "eng"}],
    "ends_at": "2026-11-20T00:00:00Z",
}
PLANNED = {
    "name": "load test",
    "source": "production",
    "starts_at": "2026-11-17T00:00:00Z",
    "ends_at": "2026-11-18T00:00:00Z",
    "extra_amount": "500.00",
}
PRICE = {
    "name": "negotiated",
    "model": "claude-sonnet-4-5",
    "measure": "output_tokens",
    "usd": "12.00",
    "per": 1_000_000,
    "valid_from": "2026-11-01T00:00:00Z",
}
ROTA = {
    "name": "eng",
    "people": [{"name": "ann", "receiver": "spare"}],
    "handover": {"weekday": "monday", "hour": 9},
    "timezone": "Europe/Berlin",
    "starts_on": "2026-11-23",
}
OWNED = {"member": f"workspace:{ENG.workspace}", "owner": "spare"}
STEPS: tuple[tuple[str, str, str, dict[str, Any] | str | None], ...] = (
    ("post", "/v1/sources", "", {"name": "other", "admin_key": "sk-ant-admin01-FAKE-other"}),
    ("patch", "/v1/sources/{id}", "other", {"poll_interval": "10m"}),
    ("post", "/v1/sources/{id}/poll", "production", None),
    ("post", "/v1/sources/{id}/backfill", "production", {"since": "2026-11-01"}),
    ("post", "/v1/sources/{id}/check", "production", None),
    ("delete", "/v1/sources/{id}", "other", None),
    ("post", "/v1/prices", "", PRICE),
    ("patch", "/v1/prices/{id}", "negotiated", {"valid_to": "2027-01-01T00:00:00Z"}),
    ("delete", "/v1/prices/{id}", "negotiated", None),
    ("post", "/v1/receivers", "", {"name": "mail", "channels": [{"kind": "email", "to": ["a@example.com"]}]}),
    ("patch", "/v1/receivers/{id}", "mail", {"labels": {"team": "eng"}}),
    ("post", "/v1/receivers/{id}/test", "mail", None),
    ("put", "/v1/routes", "", {"items": [{"receiver": "mail"}]}),
    ("patch", "/v1/owners", "", {"items": [OWNED]}),
    ("put", "/v1/owners", "", {"items": [OWNED | {"tags": {"team": "eng"}}]}),
    ("put", "/v1/owners/csv", "", f"member,owner\nworkspace:{ENG.workspace},\n"),
    ("post", "/v1/drills", "", {"severity": "info"}),
    ("post", "/v1/budgets", "", BUDGET),
    ("patch", "/v1/budgets/{id}", "eng monthly", {"amount": "90.00"}),
    ("post", "/v1/notifications/{id}/retry", "dead", None),
    ("post", "/v1/alerts/{id}/snooze", "of the budget", {"for": "1h"}),
    ("post", "/v1/alerts/{id}/acknowledge", "of the budget", {}),
    ("post", "/v1/alerts/{id}/hand-on", "of the budget", {"to": "spare"}),
    ("post", "/v1/alerts/{id}/resolve", "of the budget", {}),
    ("delete", "/v1/budgets/{id}", "eng monthly", None),
    ("post", "/v1/rules", "", CHANGE | {"name": "second"}),
    ("patch", "/v1/rules/{id}", "second", {"gates": {"min_amount": "50.00"}}),
    ("delete", "/v1/rules/{id}", "second", None),
    ("post", "/v1/planned-activities", "", PLANNED),
    ("patch", "/v1/planned-activities/{id}", "load test", {"extra_amount": "600.00"}),
    ("delete", "/v1/planned-activities/{id}", "load test", None),
    ("post", "/v1/alerts/{id}/feedback", "alert_1", {"kind": "noise"}),
    ("delete", "/v1/feedback/{id}", "given", None),
    ("post", "/v1/backtests", "", {"rule": CHANGE["name"], "since": "2026-11-10"}),
    ("post", "/v1/backtests/{id}/cancel", "queued", None),
    ("post", "/v1/escalation-policies", "", {"name": "on call", "steps": [{"after": "0m", "receiver": "mail"}]}),
    ("patch", "/v1/escalation-policies/{id}", "on call", {"repeat": 2}),
    ("delete", "/v1/escalation-policies/{id}", "on call", None),
    ("post", "/v1/rotas", "", ROTA),
    ("patch", "/v1/rotas/{id}", "eng", {"labels": {"team": "eng"}}),
    ("post", "/v1/rotas/{id}/calendar-link", "eng", None),
    ("delete", "/v1/rotas/{id}/calendar-link", "eng", None),
    ("delete", "/v1/rotas/{id}", "eng", None),
    ("post", "/v1/silences", "", SILENCE),
    ("patch", "/v1/silences/{id}", "test", {"ends_at": "2026-11-21T00:00:00Z"}),
    ("post", "/v1/silences/{id}/expire", "test", None),
    ("delete", "/v1/silences/{id}", "test", None),
    ("post", "/v1/digests", "", WEEKLY),
    ("patch", "/v1/digests/{id}", "weekly", {"cron": "0 9 * * 1-5"}),
    ("post", "/v1/digests/{id}/send", "weekly", None),
    ("delete", "/v1/digests/{id}", "weekly", None),
    ("put", "/v1/slack-users", "", {"items": [{"user": "U0FAKE", "role": "viewer"}]}),
    ("delete", "/v1/slack-workspace", "slack", None),
    ("post", "/v1/tokens", "", {"name": "ci", "role": "viewer"}),
    ("delete", "/v1/tokens/{id}", "ci", None),
    ("put", "/v1/routes", "", {"items": [{"receiver": "spare"}]}),
    ("delete", "/v1/receivers/{id}", "mail", None),
)
"""A call of every route that changes something: method, path, what it is about, body."""


async def newest(stand: Stand) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = answered(await stand.admin.get("/v1/audit-events?limit=200"))["items"]
    return items


async def prepare(stand: Stand, what: str) -> str:
    """Returns the id or name for a step, once there is such a thing."""
    if what in {"dead", "of the budget"}:
        alerts = answered(await stand.viewer.get("/v1/alerts"))["items"]
        if not [one for one in alerts if one["kind"] == "budget"]:
            await stand.spend(ENG, "123.45")
            source = answered(await stand.viewer.get("/v1/sources/production"))
            await run_evaluation(stand.ports, source["id"])
            alerts = answered(await stand.viewer.get("/v1/alerts"))["items"]
        budget_alert = next(str(one["id"]) for one in alerts if one["kind"] == "budget")
        return await _dead(stand, budget_alert) if what == "dead" else budget_alert
    if what == "slack":
        assert await run_is_our_workspace(stand.ports, {"team_id": "T0FAKE"})
    if what == "queued":
        return str(answered(await stand.viewer.get("/v1/backtests"))["items"][0]["id"])
    if what == "given":
        return str(answered(await stand.viewer.get("/v1/alerts/alert_1"))["feedback"][0]["id"])
    if what == "ci":
        return next(
            str(one["id"]) for one in answered(await stand.admin.get("/v1/tokens"))["items"] if one["name"] == "ci"
        )
    return what


async def _dead(stand: Stand, alert_id: str) -> str:
    (queued,) = answered(await stand.viewer.get("/v1/notifications", params={"alert": alert_id}))["items"]
    async with stand.ports.uow() as uow:
        stored = await uow.notifications.get(queued["id"])
        await uow.notifications.save(replace(stored, state=NotificationState.DEAD), post=None)
    return str(queued["id"])


async def test_every_route_that_changes_something_leaves_an_event_with_before_and_after(
    stand: Stand, described: dict[str, Any]
) -> None:
    alert = await opened(stand)
    async with stand.ports.uow() as uow:
        source = (await uow.alerts.get(alert["id"])).source_id
    await know(stand, source, {date(2026, 11, day): {ENG: "1.00"} for day in range(1, 16)})
    await stand.create("/receivers", {"name": "spare", "channels": [{"kind": "console"}]})
    for method, path, about, body in STEPS:
        place = path.format(id=await prepare(stand, about))
        before = len(await newest(stand))
        sent = {"content": body} if isinstance(body, str) else {"json": body}
        answer = await stand.admin.request(method.upper(), place, **sent)
        assert answer.status_code < 300, (method, path, answer.text)
        events = (await newest(stand))[: len(await newest(stand)) - before]
        changes = [one for one in events if one["before"] is not None or one["after"] is not None]
        assert changes, (method, path, events)
        assert {(one["actor"], one["address"]) for one in changes} == {("token:the admin", "127.0.0.1")}, path
        assert all(one["actor_id"].startswith("tok_") for one in changes)
    walked = {f"{method} {path}" for method, path, _, _ in STEPS}
    routes = {f"{m} {path}" for path, methods in described["paths"].items() for m in methods if m in CHANGING}
    assert routes - walked == ANSWERS_ONLY


async def of(stand: Stand, action: str) -> dict[str, Any]:
    return next(one for one in await newest(stand) if one["action"] == action)


async def test_a_silence_of_everything_that_was_deleted_is_still_seen_whole(stand: Stand) -> None:
    everything = [{"label": "severity", "op": "=~", "value": "info|warning|error|critical"}]
    made = await stand.create("/silences", SILENCE | {"name": "x", "matchers": everything})
    answered(await stand.operator.delete(f"/v1/silences/{made['id']}"), 204)
    gone = await of(stand, "silence.delete")
    assert (gone["actor"], gone["after"]) == ("token:the operator", None)
    assert gone["before"]["ends_at"] == "2026-11-20T00:00:00+00:00"
    assert gone["before"]["matchers"] == ["severity=~'info|warning|error|critical'"]


async def test_a_change_shows_the_fields_that_differ_and_no_other(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    answered(await stand.admin.patch("/v1/budgets/eng%20monthly", json={"amount": "90.00", "name": "eng"}))
    change = await of(stand, "budget.change")
    assert change["before"] == {"name": "eng monthly", "amount": "100.00"}
    assert change["after"] == {"name": "eng", "amount": "90.00"}


async def test_events_of_one_instant_keep_their_order(stand: Stand) -> None:
    """A frozen clock: all of them bear one time."""
    for number in range(20):
        await stand.create("/receivers", {"name": f"r{number}", "channels": [{"kind": "console"}]})
    names = [one["after"]["name"] for one in await newest(stand) if one["action"] == "receiver.create"]
    assert names == [f"r{number}" for number in reversed(range(20))]


async def test_neither_before_nor_after_holds_a_secret(stand: Stand) -> None:
    """A source's key, channels' secrets, a token's text, and what makes a calendar's link."""
    await stand.create("/sources", SOURCE)
    secret = {"kind": "pagerduty", "routing_key": "FAKE-routing-key-of-32-characters"}
    await stand.create("/receivers", {"name": "spare", "channels": [SLACK, secret]})
    answered(await stand.admin.patch("/v1/sources/production", json={"admin_key": "sk-ant-admin01-FAKE-changed"}))
    token = answered(await stand.admin.post("/v1/tokens", json={"name": "ci", "role": "viewer"}), 201)["token"]
    await stand.create("/rotas", ROTA)
    link = answered(await stand.admin.post("/v1/rotas/eng/calendar-link"), 201)["url"]
    nonce = link.rsplit("/", 1)[1].split(".")[0].rsplit("-", 1)[1]
    answered(await stand.admin.delete("/v1/rotas/eng/calendar-link"), 204)
    log = (await stand.admin.get("/v1/audit-events?limit=200")).text
    for text in ("sk-ant-admin01", "xoxb-FAKE", "FAKE-routing-key-of", token, nonce, "ciphertext"):
        assert text not in log
    changed = await of(stand, "source.change")
    assert changed["before"]["admin_key"] != changed["after"]["admin_key"]
