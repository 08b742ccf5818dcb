"""Buttons pressed in Slack, over real HTTP: who may, what it does, and what is not Slack's at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from service.domain.slack.requests import Deed, SlackRole
from service.workflows.alerts.evaluate import run_evaluation
from tests.api.alerts.test_alerts import rung
from tests.api.rules.watched import rung_by_rule
from tests.api.slack.desk import Desk, open_desk
from tests.api.spend.test_forecasts import steady
from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered, problem
from tests.slack_presses import ADA, BOB, command, form, signed

OPERATOR = {"user": ADA, "role": "operator", "timezone": "Europe/Berlin"}
PATH = "/slack/interactions"


@pytest.fixture
async def desk(stand: Stand) -> AsyncIterator[Desk]:
    async with open_desk(stand) as opened:
        yield opened


async def test_anybody_in_slack_may_acknowledge_and_is_named(desk: Desk) -> None:
    alert = await rung(desk.stand)
    answered(await desk.press(alert, Deed.ACKNOWLEDGE))
    seen = await desk.see(alert)
    assert (seen["state"], seen["acknowledged_by"]) == ("acknowledged", f"slack:{ADA}")
    assert seen["events"][-1]["note"] == "ada, in Slack"
    events = answered(await desk.stand.admin.get("/v1/audit-events"))["items"]
    assert (f"slack:{ADA}", "alert.acknowledge") in [(event["actor"], event["action"]) for event in events]


@pytest.mark.parametrize(
    ("deed", "until"),
    [
        (Deed.SNOOZE_1H, "2026-11-16T13:00:01Z"),
        (Deed.SNOOZE_4H, "2026-11-16T16:00:01Z"),
        (Deed.SNOOZE_TOMORROW, "2026-11-17T08:00:00Z"),
        (Deed.SNOOZE_GROWTH, None),
    ],
)
async def test_a_snooze_lasts_as_long_as_the_menu_says(desk: Desk, deed: Deed, until: str | None) -> None:
    alert = await rung(desk.stand)
    await desk.appoint({**OPERATOR, "role": "responder"})
    answered(await desk.press(alert, deed))
    async with desk.stand.ports.uow() as uow:
        stored = await uow.alerts.get(alert["id"])
    assert stored.state == "snoozed"
    assert stored.snoozed_until == (None if until is None else datetime.fromisoformat(until))
    assert str(stored.snoozed_above) == ("185.175" if until is None else "None")


@pytest.mark.parametrize("deed", [Deed.RESOLVE, Deed.EXPECTED, Deed.NOT_USEFUL])
async def test_what_needs_an_operator_is_refused_to_others_ephemerally_and_audited(desk: Desk, deed: Deed) -> None:
    alert = await rung_by_rule(desk.stand)
    answered(await desk.press(alert, deed, BOB))
    assert "needs the role operator" in await desk.told()
    assert (await desk.see(alert))["version"] == alert["version"]
    assert await desk.refused() == [f"slack:{BOB}"]


async def test_a_mapped_operator_resolves(desk: Desk) -> None:
    alert = await rung(desk.stand)
    await desk.appoint(OPERATOR)
    answered(await desk.press(alert, Deed.RESOLVE))
    seen = await desk.see(alert)
    assert (seen["state"], seen["resolved_by"]) == ("resolved", f"slack:{ADA}")
    assert desk.slack.told == []


@pytest.mark.parametrize(("deed", "kind"), [(Deed.EXPECTED, "expected"), (Deed.NOT_USEFUL, "noise")])
async def test_feedback_is_given_and_settles_the_alert(desk: Desk, deed: Deed, kind: str) -> None:
    alert = await rung_by_rule(desk.stand)
    await desk.appoint(OPERATOR)
    answered(await desk.press(alert, deed))
    seen = await desk.see(alert)
    assert seen["state"] == "resolved"
    assert {(one["kind"], one["given_by"]) for one in seen["feedback"]} == {(kind, f"slack:{ADA}")}


async def test_feedback_on_a_budgets_alert_is_refused_with_words(desk: Desk) -> None:
    alert = await rung(desk.stand)
    await desk.appoint(OPERATOR)
    answered(await desk.press(alert, Deed.EXPECTED))
    assert "change the budget" in await desk.told()
    assert (await desk.see(alert))["state"] == "firing"


async def test_the_default_role_can_be_none(stand: Stand) -> None:
    async with open_desk(stand, SlackRole.NONE) as desk:
        alert = await rung(stand)
        answered(await desk.press(alert, Deed.ACKNOWLEDGE))
        assert "needs the role responder" in await desk.told()
        assert (await desk.see(alert))["state"] == "firing"


async def test_a_stale_button_says_who_resolved_it_and_changes_nothing(desk: Desk) -> None:
    alert = await rung(desk.stand)
    await desk.appoint(OPERATOR, {"user": BOB, "role": "operator"})
    answered(await desk.press(alert, Deed.RESOLVE, BOB))
    before = await desk.see(alert)
    answered(await desk.press(alert, Deed.ACKNOWLEDGE))
    assert (await desk.told()).startswith(f"Already resolved by <@{BOB}>.")
    assert await desk.see(alert) == before
    assert await desk.refused() == [f"slack:{ADA}"]


async def test_a_button_of_an_alert_that_somebody_acted_on_over_rest_is_stale(desk: Desk) -> None:
    alert = await rung(desk.stand)
    answered(await desk.stand.operator.post(f"/v1/alerts/{alert['id']}/acknowledge"))
    answered(await desk.press(alert, Deed.SNOOZE_1H))
    assert (await desk.told()).startswith("Already acknowledged by the operator.")
    assert (await desk.see(alert))["state"] == "acknowledged"


async def test_two_people_in_the_same_second_one_wins_and_the_other_is_told_who(desk: Desk) -> None:
    alert = await rung(desk.stand)
    answers = await asyncio.gather(*(desk.press(alert, Deed.ACKNOWLEDGE, user) for user in (ADA, BOB)))
    assert [answer.status_code for answer in answers] == [200, 200]
    seen = await desk.see(alert)
    winner = seen["acknowledged_by"].removeprefix("slack:")
    assert winner in {ADA, BOB}
    assert (await desk.told()).startswith(f"Already acknowledged by <@{winner}>.")
    assert [event["command"] for event in seen["events"]] == ["open", "acknowledge"]
    assert len(desk.slack.told) == 1


async def test_figures_that_were_restated_meanwhile_make_no_button_stale(desk: Desk) -> None:
    alert = await rung(desk.stand)
    await desk.stand.spend(ENG, "190.00")
    desk.stand.clock.advance(timedelta(hours=1))
    (source,) = answered(await desk.stand.viewer.get("/v1/sources"))["items"]
    await run_evaluation(desk.stand.ports, source["id"])
    assert [event["command"] for event in (await desk.see(alert))["events"]] == ["open", "amend"]
    answered(await desk.press(alert, Deed.ACKNOWLEDGE))
    assert (await desk.see(alert))["state"] == "acknowledged"


async def test_an_alert_that_is_gone_is_said_to_be(desk: Desk) -> None:
    answered(await desk.press({"id": "alert_none", "version": 1}, Deed.ACKNOWLEDGE))
    assert "no such alert" in await desk.told()


async def test_a_name_that_would_ping_is_kept_as_text(desk: Desk) -> None:
    alert = await rung(desk.stand)
    payload = desk.payload(alert, Deed.ACKNOWLEDGE)
    payload["user"]["name"] = "<!channel>\u0000\ud800 & co"
    answered(await desk.knock(PATH, form(payload)))
    assert (await desk.see(alert))["events"][-1]["note"] == "<!channel> & co, in Slack"


# ------------------------------------------------------------------------------------------- not from Slack


async def test_unsigned_altered_old_and_replayed_requests_are_refused_and_audited(desk: Desk) -> None:
    alert = await rung(desk.stand)
    body = form(desk.payload(alert, Deed.ACKNOWLEDGE))
    headers = signed(body, desk.real())
    cases: tuple[dict[str, Any], ...] = (
        {"content": body},
        {"content": body.replace(b"acknowledge", b"resolve"), "headers": headers},
        {"content": body, "headers": signed(body, desk.real(), "FAKE other secret")},
        {"content": body, "headers": signed(body, desk.real() - timedelta(seconds=301))},
        {"content": body, "headers": signed(body, desk.real() + timedelta(seconds=301))},
    )
    for number, case in enumerate(cases, start=1):
        problem(await desk.http.post(PATH, **case), 401)
        assert await desk.refused() == ["slack"] * number
        assert (await desk.see(alert))["state"] == "firing"
    assert (await desk.http.post(PATH, content=body, headers=headers)).status_code == 200
    problem(await desk.http.post(PATH, content=body, headers=headers), 401)
    assert len(await desk.refused()) == 6


async def test_a_command_that_is_not_slacks_silences_nothing_and_is_audited(desk: Desk) -> None:
    await desk.appoint(OPERATOR)
    body = urlencode(command("silence 2h all rollout")).encode()
    headers = signed(body, desk.real())
    cases: tuple[dict[str, Any], ...] = (
        {"content": body},
        {"content": body.replace(b"2h", b"9d"), "headers": headers},
        {"content": body, "headers": signed(body, desk.real() - timedelta(seconds=301))},
    )
    for number, case in enumerate(cases, start=1):
        problem(await desk.http.post("/slack/commands", **case), 401)
        assert await desk.refused() == ["slack"] * number
    assert answered(await desk.stand.viewer.get("/v1/silences"))["items"] == []
    answered(await desk.http.post("/slack/commands", content=body, headers=headers))
    problem(await desk.http.post("/slack/commands", content=body, headers=headers), 401)
    assert len(await desk.refused()) == 4
    assert len(answered(await desk.stand.viewer.get("/v1/silences"))["items"]) == 1


async def test_a_replay_is_refused_where_both_come_at_once(desk: Desk) -> None:
    alert = await rung(desk.stand)
    body = form(desk.payload(alert, Deed.ACKNOWLEDGE))
    headers = signed(body, desk.real())
    answers = await asyncio.gather(*(desk.http.post(PATH, content=body, headers=headers) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_strangers_cannot_fill_the_audit_log(desk: Desk) -> None:
    for _ in range(40):
        problem(await desk.http.post(PATH, content=b"payload={}"), 401)
    assert len(await desk.refused()) == 30
    desk.stand.clock.advance(timedelta(minutes=2))
    problem(await desk.http.post(PATH, content=b"payload={}"), 401)
    assert len(await desk.refused()) == 31


@pytest.mark.parametrize("path", [PATH, "/slack/commands"])
async def test_without_a_signing_secret_it_says_what_to_set(stand: Stand, path: str) -> None:
    assert "TOCSIN_SLACK_SIGNING_SECRET" in problem(await stand.stranger.post(path), 404)["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"payload=", 422),
        (b"payload=%7B", 422),
        (b"\xff\xfe", 422),
        (b"a=1&" * 200, 422),
        (urlencode({"payload": "[]"}).encode(), 200),
        (urlencode({"payload": json.dumps({"type": "view_closed"})}).encode(), 200),
    ],
)
async def test_a_signed_body_that_is_no_press_changes_nothing(desk: Desk, body: bytes, status: int) -> None:
    assert (await desk.knock(PATH, body)).status_code == status


# ------------------------------------------------------------------------------------------- commands


async def test_status_lists_open_alerts_and_budgets_at_risk(desk: Desk) -> None:
    alert = await rung(desk.stand)
    text = await desk.type("status")
    assert "*Open alerts: 1*" in text
    assert f"<http://tocsin.example/pages/alerts/{alert['id']}|critical, firing>" in text
    assert "eng monthly (the organisation): $123.45 of $100.00, 123%" in text


async def test_status_names_a_budget_of_nothing_of_which_anything_is_spent(desk: Desk) -> None:
    nothing = {"amount": "0.00", "thresholds": [{"amount": "5000.00"}]}
    await desk.stand.create("/sources", SOURCE)
    await desk.stand.create("/budgets", BUDGET | nothing | {"name": "unwanted"})
    assert "unwanted" not in await desk.type("status")
    await desk.stand.spend(ENG, "85.50")
    desk.real.advance(timedelta(seconds=1))  # the same words in the same second would be a replay
    assert "unwanted (the organisation): $85.50 of $0.00" in (await desk.type("status")).splitlines()[-1]


async def test_status_names_a_budget_that_is_heading_over_its_amount(desk: Desk) -> None:
    """Ten dollars a day: $155.00 by noon of the 16th, about $300 at the month's end."""
    await desk.stand.create("/sources", SOURCE)
    await desk.stand.create("/budgets", BUDGET | {"name": "heading", "amount": "250.00"})
    await desk.stand.create("/budgets", BUDGET | {"name": "safe", "amount": "5000.00"})
    await steady(desk.stand)
    text = await desk.type("status")
    assert "*Budgets at risk: 1*" in text
    assert "heading (the organisation): $155.00 of $250.00, 62%; forecast $30" in text


async def test_top_names_the_largest_of_each_dimension(desk: Desk) -> None:
    await rung(desk.stand)
    today, month = await desk.type("top"), await desk.type("top month")
    assert "*production: $123.45 today*" in today
    assert "Workspaces: wrkspc_eng $123.45" in today
    assert "Models: claude-sonnet-4-5 $123.45" in today
    assert "API keys: apikey_ci $123.45" in today
    assert "$123.45 this month" in month


async def test_anything_else_is_answered_with_the_words_that_there_are(desk: Desk) -> None:
    assert "/tocsin status" in await desk.type("")
    assert "/tocsin top" in await desk.type("<!channel> dance")


async def test_names_in_answers_to_commands_are_text(desk: Desk) -> None:
    await rung(desk.stand)
    (budget,) = answered(await desk.stand.viewer.get("/v1/budgets"))["items"]
    answered(await desk.stand.admin.patch(f"/v1/budgets/{budget['id']}", json={"name": "<!channel>"}))
    text = await desk.type("status")
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; (the organisation)" in text


async def test_whoever_has_no_role_learns_nothing(stand: Stand) -> None:
    async with open_desk(stand, SlackRole.NONE) as desk:
        await rung(stand)
        assert "$" not in await desk.type("status")
        assert await desk.refused() == [f"slack:{ADA}"]


async def silences(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answered(await desk.stand.viewer.get("/v1/silences"))["items"]
    return found


async def test_an_operator_silences_what_labels_match(desk: Desk) -> None:
    await desk.appoint(OPERATOR)
    text = await desk.type("silence 2h workspace=eng severity=warning planned load test")
    assert text.startswith("workspace=eng, severity=warning: silent until 2026-11-16 14:00 UTC.")
    (made,) = await silences(desk)
    assert made["matchers"] == [
        {"label": "workspace", "op": "=", "value": "eng"},
        {"label": "severity", "op": "=", "value": "warning"},
    ]
    assert (made["comment"], made["author"], made["state"]) == ("planned load test", f"slack:{ADA}", "active")


async def test_people_have_their_names_wherever_what_they_did_is_shown(desk: Desk) -> None:
    await desk.appoint(OPERATOR)
    await desk.type("silence 2h workspace=eng planned load test")
    alert = await rung(desk.stand)
    await desk.press(alert, Deed.ACKNOWLEDGE)
    assert (await silences(desk))[0]["author_name"] == "ada (Slack)"
    assert (await desk.see(alert))["events"][-1]["actor_name"] == "ada (Slack)"
    audited = answered(await desk.stand.admin.get("/v1/audit-events?limit=500"))["items"]
    assert {one["actor_name"] for one in audited if one["actor"] == f"slack:{ADA}"} == {"ada (Slack)"}


async def test_a_silence_of_what_nothing_has_so_far_says_so(desk: Desk) -> None:
    await desk.appoint(OPERATOR)
    await rung(desk.stand)
    text = await desk.type('silence 2h budget="eng montly" moving house')
    assert "no alert has budget='eng montly' so far; the nearest: eng monthly" in text
    assert "so far" not in await desk.type('silence 2h budget="eng monthly" moving house')
    assert "info, warning, error or critical" in await desk.type("silence 2h severity=high moving house")


async def test_a_slash_command_of_any_length_is_answered(desk: Desk) -> None:
    await desk.appoint(OPERATOR)
    assert "3000 characters at most" in await desk.type("silence 2h " + "a" * 30_000)
    assert await silences(desk) == []


async def test_the_word_all_silences_every_alert(desk: Desk) -> None:
    await desk.appoint(OPERATOR)
    assert (await desk.type("silence 15m all moving house")).startswith("Every alert: silent until")
    await rung(desk.stand)
    states = [one["state"] for one in answered(await desk.stand.viewer.get("/v1/notifications"))["items"]]
    assert states == ["suppressed"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("silence", "say for how long"),
        ("silence soon all x", "not a duration"),
        ("silence 0h all x", "0h is no time at all"),
        ("silence 2h all", "say why"),
        ("silence 2h moving house", "say which alerts"),
        ("silence 2h severity= x", "cannot be read"),
        ("silence 2h workspace = production load", "cannot be read"),
        ("silence 2h severity!=critical x", "this would silence nearly everything"),
        ("silence 2h severity=~.+ x", "this matches every alert"),
        ("silence 2h severity=~( x", "no regular expression"),
    ],
)
async def test_a_silence_that_cannot_be_understood_is_not_made_and_says_why(desk: Desk, text: str, words: str) -> None:
    await desk.appoint(OPERATOR)
    told = await desk.type(text)
    assert told.startswith("Nothing was silenced: ")
    assert words in told
    assert "/tocsin silence 2h all" in told
    assert await silences(desk) == []


async def test_silencing_needs_an_operator(desk: Desk) -> None:
    assert "needs the role operator" in await desk.type("silence 2h quiet please")
    assert await silences(desk) == []
    assert await desk.refused() == [f"slack:{ADA}"]
