from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import Contribution
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey
from service.domain.values.severity import Severity
from service.workflows.alerts.evaluate import run_evaluation
from tests.api.alerts.test_alerts import rung
from tests.api.budgets.test_budgets import evaluations_taken
from tests.api.rules.watched import CHANGE, know, past, rung_by_rule
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered, pointers, problem
from tests.sample_alerts import RULE

PARTS = (("workspace", "wrkspc_eng", "850.00"), ("workspace", "wrkspc_b", "92.99"), ("api_key", "apikey_ci", "93.00"))


async def opened(stand: Stand, source_name: str = "production") -> dict[str, Any]:
    """An alert of the whole organisation: $930.00 too much since the day before yesterday, judged yesterday."""
    source = await stand.create("/sources", {**SOURCE, "name": source_name})
    rule = await stand.create("/rules", CHANGE)
    contributions = tuple(Contribution(ScopeKey(Dimension(what), id), id, Money.of(usd)) for what, id, usd in PARTS)
    evidence = replace(
        RULE,
        rule_id=rule["id"],
        days=(date(2026, 11, 15),),
        since=datetime(2026, 11, 14, 23, tzinfo=UTC),
        contributions=contributions,
    )
    alert = Alert(
        id="alert_1",
        version=1,
        fingerprint=f"rule:{rule['id']}:org",
        kind="rule",
        source_id=source["id"],
        scope=ORGANISATION,
        severity=Severity.WARNING,
        state=AlertState.FIRING,
        opened_at=stand.clock(),
        changed_at=stand.clock(),
        evidence=evidence,
    )
    async with stand.ports.uow() as uow:
        await uow.alerts.save(AlertEvent(alert, stand.clock(), Command.OPEN, "tocsin", Reason.FIRST))
    shown: dict[str, Any] = answered(await stand.viewer.get("/v1/alerts/alert_1"))
    return shown


async def give(stand: Stand, alert_id: str, **answer: str) -> list[dict[str, Any]]:
    given: list[dict[str, Any]] = answered(
        await stand.operator.post(f"/v1/alerts/{alert_id}/feedback", json=answer), 201
    )["items"]
    return given


async def test_shares_are_of_the_excess(stand: Stand) -> None:
    """Rounded towards zero, as in messages."""
    alert = await opened(stand)
    assert [part["share"] for part in alert["contributions"]] == [91.39, 9.99, 10.0]


@pytest.mark.parametrize("kind", ["expected", "fixed"])
async def test_an_answer_is_kept_for_the_alert_s_scope_and_its_large_parts(stand: Stand, kind: str) -> None:
    """Else a part rings alone on the next day, for the same dollars."""
    await opened(stand)
    given = await give(stand, "alert_1", kind=kind, note="new product")
    assert [one["scope"] for one in given] == ["org", "workspace:wrkspc_eng", "api_key:apikey_ci"]
    for one in given:
        assert (one["kind"], one["first_day"], one["last_day"]) == (kind, "2026-11-14", "2026-11-15")
        assert (one["rule"], one["source"], one["note"]) == ("dear days", "production", "new product")
        assert one["given_by_name"] == "the operator"
        assert (one["given_by"], one["given_at"]) == ("token:the operator", "2026-11-16T12:00:00Z")
        assert one["withdrawn_at"] is None


async def test_noise_is_said_of_the_alert_s_scope_alone(stand: Stand) -> None:
    await opened(stand)
    assert [one["scope"] for one in await give(stand, "alert_1", kind="noise")] == ["org"]


async def test_an_answer_settles_an_open_alert_and_is_shown_with_it(stand: Stand) -> None:
    await opened(stand)
    given = await give(stand, "alert_1", kind="expected", note="new product")
    alert = answered(await stand.viewer.get("/v1/alerts/alert_1"))
    assert (alert["state"], alert["resolved_by"]) == ("resolved", "token:the operator")
    last = alert["events"][-1]
    assert (last["command"], last["reason"], last["note"]) == ("resolve", "person", "expected: new product")
    assert sorted(one["id"] for one in alert["feedback"]) == sorted(one["id"] for one in given)


async def test_an_alert_that_is_over_takes_an_answer_too(stand: Stand) -> None:
    await opened(stand)
    answered(await stand.operator.post("/v1/alerts/alert_1/resolve"))
    await give(stand, "alert_1", kind="fixed")
    assert len(answered(await stand.viewer.get("/v1/alerts/alert_1"))["events"]) == 2


async def test_an_answer_has_the_rules_judged_anew(stand: Stand) -> None:
    alert = await opened(stand)
    await evaluations_taken(stand)
    (one,) = await give(stand, alert["id"], kind="noise")
    assert await evaluations_taken(stand) == 1
    answered(await stand.operator.delete(f"/v1/feedback/{one['id']}"), 204)
    assert await evaluations_taken(stand) == 1


async def test_the_days_may_be_named(stand: Stand) -> None:
    await opened(stand)
    given = await give(stand, "alert_1", kind="fixed", first_day="2026-11-10", last_day="2026-11-12")
    assert {(one["first_day"], one["last_day"]) for one in given} == {("2026-11-10", "2026-11-12")}


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ({}, "/kind"),
        ({"kind": "whatever"}, "/kind"),
        ({"kind": "fixed", "first_day": "2026-11-12", "last_day": "2026-11-11"}, "/last_day"),
        ({"kind": "fixed", "first_day": "2026-11-17"}, "/first_day"),
        ({"kind": "fixed", "last_day": "2026-11-17"}, "/last_day"),
        ({"kind": "fixed", "first_day": "2024-11-17"}, "/first_day"),
        ({"kind": "fixed", "first_day": "yesterday"}, "/first_day"),
        ({"kind": "fixed", "first_day": "2026-02-30"}, "/first_day"),
        ({"kind": "fixed", "first_day": 20261110}, "/first_day"),
        ({"kind": "fixed", "why": ""}, "/why"),
    ],
)
async def test_an_impossible_answer_is_refused_and_nothing_is_kept(
    stand: Stand, answer: dict[str, object], pointer: str
) -> None:
    await opened(stand)
    assert pointers(await stand.operator.post("/v1/alerts/alert_1/feedback", json=answer)) == [pointer]
    alert = answered(await stand.viewer.get("/v1/alerts/alert_1"))
    assert (alert["state"], alert["feedback"]) == ("firing", [])


async def test_the_same_answer_again_is_a_conflict_until_it_is_withdrawn(stand: Stand) -> None:
    await opened(stand)
    (one,) = await give(stand, "alert_1", kind="noise")
    told = problem(await stand.operator.post("/v1/alerts/alert_1/feedback", json={"kind": "noise"}), 409)
    assert one["id"] in told["detail"]
    answered(await stand.operator.delete(f"/v1/feedback/{one['id']}"), 204)
    stand.clock.advance(timedelta(seconds=1))
    await give(stand, "alert_1", kind="noise")


async def test_a_repeated_answer_with_its_key_is_kept_once(stand: Stand) -> None:
    await opened(stand)
    headers = {"Idempotency-Key": "feedback-1"}
    answers = [
        answered(await stand.operator.post("/v1/alerts/alert_1/feedback", json={"kind": "noise"}, headers=headers), 201)
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len(answered(await stand.viewer.get("/v1/feedback"))["items"]) == 1


async def test_a_withdrawn_answer_stays_visible_and_is_withdrawn_once(stand: Stand) -> None:
    await opened(stand)
    (one,) = await give(stand, "alert_1", kind="noise")
    stand.clock.advance(timedelta(hours=1))
    place = f"/v1/feedback/{one['id']}"
    answered(await stand.operator.delete(place), 204)
    told = answered(await stand.viewer.get(place))
    assert (told["withdrawn_at"], told["withdrawn_by"]) == ("2026-11-16T13:00:00Z", "token:the operator")
    assert told | {"withdrawn_at": None, "withdrawn_by": None} == one
    problem(await stand.operator.delete(place), 409)
    problem(await stand.operator.delete("/v1/feedback/fb_none"), 404)


async def test_answers_are_listed_newest_first_and_by_source(stand: Stand) -> None:
    await opened(stand)
    await give(stand, "alert_1", kind="noise")
    stand.clock.advance(timedelta(minutes=1))
    await give(stand, "alert_1", kind="fixed")
    kinds = [one["kind"] for one in answered(await stand.viewer.get("/v1/feedback"))["items"]]
    assert kinds == ["fixed", "fixed", "fixed", "noise"]
    for source, found in (("production", 4), ("another", 0)):
        params = {"source": source, "limit": "500"}
        assert len(answered(await stand.viewer.get("/v1/feedback", params=params))["items"]) == found


async def test_a_budget_s_alert_takes_no_feedback_and_says_what_to_do_instead(stand: Stand) -> None:
    alert = await rung(stand)
    told = problem(await stand.operator.post(f"/v1/alerts/{alert['id']}/feedback", json={"kind": "noise"}), 409)
    assert "change the budget" in told["detail"]


async def test_a_viewer_gives_no_feedback_and_takes_none_back(stand: Stand) -> None:
    await opened(stand)
    problem(await stand.viewer.post("/v1/alerts/alert_1/feedback", json={"kind": "noise"}), 403)
    (one,) = await give(stand, "alert_1", kind="noise")
    problem(await stand.viewer.delete(f"/v1/feedback/{one['id']}"), 403)


async def test_answers_are_audited(stand: Stand) -> None:
    await opened(stand)
    (one,) = await give(stand, "alert_1", kind="noise")
    stand.clock.advance(timedelta(seconds=1))
    answered(await stand.operator.delete(f"/v1/feedback/{one['id']}"), 204)
    events = {event["action"]: event for event in answered(await stand.admin.get("/v1/audit-events"))["items"]}
    assert events["alert.feedback"]["detail"] == "noise, 2026-11-14 to 2026-11-15: org"
    assert events["feedback.withdraw"]["subject"] == one["id"]


async def test_what_was_called_expected_does_not_ring_on_the_next_evaluation(stand: Stand) -> None:
    alert = await rung_by_rule(stand)
    await give(stand, alert["id"], kind="expected", first_day=TODAY.isoformat())
    for _ in range(2):
        stand.clock.advance(timedelta(hours=1))
        async with stand.ports.uow() as uow:
            (source,) = await uow.sources.all()
        await run_evaluation(stand.ports, source.id)
    states = [one["state"] for one in answered(await stand.viewer.get("/v1/alerts"))["items"]]
    assert states == ["resolved"]


async def test_a_level_answered_as_fixed_without_a_day_said_fires_again_while_it_lasts(stand: Stand) -> None:
    """The message that says that a level is accepted shows this very request."""
    source = await stand.create("/sources", SOURCE)
    params = {"granularity": "1d", "levels": ["organisation"]}
    await stand.create("/rules", {"name": "unusual", "kind": "anomaly", "params": params})
    await know(stand, source["id"], past(98, {ENG: "100.00"}, {}))
    for offset in range(10):
        await know(stand, source["id"], {TODAY + timedelta(days=offset): {ENG: "200.00"}})
        stand.clock.advance(timedelta(days=1))
        await run_evaluation(stand.ports, source["id"])
    (listed,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
    ended = answered(await stand.viewer.get(f"/v1/alerts/{listed['id']}"))
    assert ended["events"][-1]["reason"] == "accepted"
    given = await give(stand, ended["id"], kind="fixed")
    assert {one["first_day"] for one in given} == {f"{TODAY}"}
    await know(stand, source["id"], {TODAY + timedelta(days=10): {ENG: "200.00"}})
    stand.clock.advance(timedelta(days=1))
    await run_evaluation(stand.ports, source["id"])
    again, _ = answered(await stand.viewer.get("/v1/alerts"))["items"]
    assert again["state"] == "firing"
    told = answered(await stand.viewer.get(f"/v1/alerts/{again['id']}"))["evidence"]
    assert (told["expected"], told["actual"]) == ("100.00", "200.00")
