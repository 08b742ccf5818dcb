from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from service.domain.notify.notification import NotificationState
from service.workflows.alerts.evaluate import run_evaluation
from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered, pointers, problem


async def rung(stand: Stand) -> dict[str, Any]:
    """One budget alert, as the list shows it."""
    source = await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "console"}]}))
    await stand.create("/budgets", BUDGET)
    await stand.spend(ENG, "123.45")
    await run_evaluation(stand.ports, source["id"])
    (alert,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
    assert isinstance(alert, dict)
    return alert


async def test_an_alert_says_in_a_sentence_what_was_spent(stand: Stand) -> None:
    alert = await rung(stand)
    assert (alert["state"], alert["severity"], alert["budget"]) == ("firing", "critical", "eng monthly")
    assert "exceeded: $123 of $100" in alert["summary"]


async def test_one_alert_shows_evidence_contributions_events_and_notifications(stand: Stand) -> None:
    alert = await rung(stand)
    detail = answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}"))
    assert detail["evidence"]["spent"] == "123.45"
    assert detail["evidence"]["percent"] == 123.45
    assert [(part["scope"], part["share"]) for part in detail["contributions"]] == [
        ("workspace:wrkspc_eng", 100.0),
        ("model:claude-sonnet-4-5", 100.0),
        ("api_key:apikey_ci", 100.0),
    ]
    assert [(event["command"], event["reason"]) for event in detail["events"]] == [("open", "first")]
    assert [one["receiver"] for one in detail["notifications"]] == ["console"]


async def test_what_is_spent_by_now_is_shown_and_what_was_told_stays_in_the_events(stand: Stand) -> None:
    alert = await rung(stand)
    await stand.spend(ENG, "125.00")
    (source,) = answered(await stand.viewer.get("/v1/sources"))["items"]
    await run_evaluation(stand.ports, source["id"])
    (listed,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
    assert "$125 of $100" in listed["summary"]
    detail = answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}"))
    assert (detail["version"], detail["evidence"]["spent"], detail["contributions"][0]["amount"]) == (
        1,
        "125.00",
        "125.00",
    )
    assert [event["spent"] for event in detail["events"]] == ["123.45"]


async def test_alerts_are_filtered(stand: Stand) -> None:
    alert = await rung(stand)
    for params, found in (
        ({"state": "firing"}, 1),
        ({"state": "resolved"}, 0),
        ({"severity": "critical"}, 1),
        ({"severity": "info"}, 0),
        ({"budget": "eng monthly"}, 1),
        ({"budget": "another"}, 0),
        ({"source": "production"}, 1),
        ({"source": "another"}, 0),
        ({"since": "2026-11-16T12:00:00Z"}, 1),
        ({"since": "2026-11-17"}, 0),
    ):
        items = answered(await stand.viewer.get("/v1/alerts", params=params))["items"]
        assert [item["id"] for item in items] == [alert["id"]] * found, params
    assert pointers(await stand.viewer.get("/v1/alerts", params={"state": "loud"})) == ["/state"]


async def test_an_operator_acknowledges_and_resolves_with_a_note(stand: Stand) -> None:
    alert = await rung(stand)
    place = f"/v1/alerts/{alert['id']}"
    acknowledged = answered(await stand.operator.post(f"{place}/acknowledge", json={"note": "looking"}))
    assert (acknowledged["state"], acknowledged["acknowledged_by"]) == ("acknowledged", "token:the operator")
    assert acknowledged["events"][-1]["note"] == "looking"
    resolved = answered(await stand.operator.post(f"{place}/resolve"))
    assert (resolved["state"], resolved["resolved_by"]) == ("resolved", "token:the operator")


async def test_what_a_state_does_not_allow_is_a_conflict(stand: Stand) -> None:
    alert = await rung(stand)
    place = f"/v1/alerts/{alert['id']}"
    answered(await stand.operator.post(f"{place}/resolve"))
    problem(await stand.operator.post(f"{place}/resolve"), 409)
    problem(await stand.operator.post(f"{place}/acknowledge"), 409)


async def test_a_repeated_acknowledgement_with_its_key_gets_the_first_answer(stand: Stand) -> None:
    alert = await rung(stand)
    headers = {"Idempotency-Key": "ack-1"}
    place = f"/v1/alerts/{alert['id']}/acknowledge"
    answers = [await stand.operator.post(place, headers=headers) for _ in range(2)]
    assert answered(answers[0]) == answered(answers[1])


async def test_notifications_are_listed_by_alert_and_state(stand: Stand) -> None:
    alert = await rung(stand)
    for params, found in (
        ({"alert": alert["id"]}, 1),
        ({"alert": "alert_none"}, 0),
        ({"state": "queued"}, 1),
        ({"state": "dead"}, 0),
    ):
        assert len(answered(await stand.viewer.get("/v1/notifications", params=params))["items"]) == found, params


async def test_a_dead_notification_is_sent_again_on_request_and_no_other_is(stand: Stand) -> None:
    await rung(stand)
    (queued,) = answered(await stand.viewer.get("/v1/notifications"))["items"]
    place = f"/v1/notifications/{queued['id']}/retry"
    problem(await stand.operator.post(place), 409)
    async with stand.ports.uow() as uow:
        stored = await uow.notifications.get(queued["id"])
        await uow.notifications.save(replace(stored, state=NotificationState.DEAD), post=None)
    stand.clock.advance(timedelta(minutes=5))
    retried = answered(await stand.operator.post(place), 202)
    assert (retried["state"], retried["due_at"]) == ("queued", "2026-11-16T12:05:00Z")
