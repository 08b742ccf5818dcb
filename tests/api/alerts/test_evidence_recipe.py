"""The recipe of ARCHITECTURE.md for an alert kind: its evidence, its words, and a line for each make all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from service.adapters.channels.slack.blocks import blocks
from service.adapters.channels.slack.controls import controls
from service.domain.alerts.alert import Alert, AlertEvent, Command, Reason
from service.domain.alerts.evidence import Contribution
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.alerts.reconcile import execute, found_since, reconcile
from service.domain.alerts.snooze import has_outgrown
from service.domain.explain.explanation import then
from service.domain.messages.message import compose
from service.domain.messages.summary import summarise
from service.domain.notify.notification import Action
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, ScopeKey
from service.domain.values.severity import Severity
from service.workflows.delivery.deliver import run_delivery
from service.workflows.digests.deliver import run_digest
from service.workflows.notify.announce import announce
from service.workflows.notify.situation import read_situation
from service.workflows.ports.alerts import AlertFilter
from tests.api.digests.test_digests import CONSOLE, DIGEST
from tests.api.stand import BUDGET, SLACK, SOURCE, Stand, answered, problem
from tests.domain.messages.made_up_kind import KIND, BurnRateEvidence, registered
from tests.fakes.slack import shown_texts

PART = Contribution(ScopeKey(Dimension.MODEL, "claude-opus-4-5"), "claude-opus-4-5", Money.of("9.00"))
SCOPES = (ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"), ScopeKey(Dimension.WORKSPACE, "wrkspc_ops"))


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    with registered():
        yield


async def configured(stand: Stand) -> BurnRateEvidence:
    """A budget, and receivers: one in Slack for whatever burns within hours, one in the terminal for the rest."""
    await stand.create("/sources", SOURCE)
    budget = await stand.create("/budgets", BUDGET)
    await stand.create("/receivers", CONSOLE)
    await stand.create("/receivers", {"name": "burning", "channels": [SLACK]})
    burning = [{"label": "kind", "op": "=", "value": KIND}, {"label": "window", "op": "=", "value": "6h"}]
    routes = [{"matchers": burning, "receiver": "burning"}, {"receiver": "finance"}]
    answered(await stand.admin.put("/v1/routes", json={"items": routes}))
    return BurnRateEvidence(
        budget_id=budget["id"],
        budget_name="eng monthly",
        rate=Money.of("12.00"),
        limit=Money.of("2.00"),
        hours=(1, 6),
        exhausted_on=date(2026, 11, 20),
        contributions=(PART,),
    )


async def find(
    stand: Stand, evidence: BurnRateEvidence, scope: ScopeKey = SCOPES[0], condition: Condition = Condition.FIRES
) -> AlertEvent | None:
    """What the finder of such alerts would do with one finding."""
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        situation = await read_situation(uow, source.id, stand.clock())
        finding = Finding(
            fingerprint=f"{KIND}:{scope}",
            source_id=source.id,
            scope=scope,
            severity=Severity.CRITICAL,
            condition=condition,
            reason=Reason.FIRST,
            evidence=evidence,
        )
        (move,) = reconcile(situation.open_alerts, [finding])
        event = execute(move, new_alert_id=f"alert_{scope.id}", now=stand.clock())
        if event is not None:
            await uow.alerts.save(event)
            await announce(uow, situation, [event])
        return event


async def opened(stand: Stand) -> Sequence[AlertEvent]:
    evidence = await configured(stand)
    events = [await find(stand, evidence, scope) for scope in SCOPES]
    return [event for event in events if event is not None]


async def test_it_is_stored_and_read_as_it_was(stand: Stand) -> None:
    first, second = await opened(stand)
    slower = replace(first.alert.evidence, contributions=())
    async with stand.ports.uow() as uow:
        await uow.alerts.note_latest({first.alert.id: slower})
        assert await uow.alerts.get(first.alert.id) == replace(first.alert, latest=slower)
        assert await uow.alerts.events(second.alert.id) == [second]
        page = await uow.alerts.page(AlertFilter(budget_ids=(_budget(first),)), limit=10, cursor=None)
    assert {alert.kind for alert in page.items} == {KIND}


async def test_it_is_listed_and_shown_over_rest_in_a_document_that_follows_from_its_evidence(stand: Stand) -> None:
    await opened(stand)
    listed = answered(await stand.viewer.get("/v1/alerts", params={"budget": "eng monthly"}))["items"]
    assert {(one["kind"], one["budget"], one["rule"]) for one in listed} == {(KIND, "eng monthly", None)}
    assert listed[0]["summary"] == "eng monthly burns $12.00 an hour. $2.00 an hour is sustainable."
    shown = answered(await stand.viewer.get(f"/v1/alerts/{listed[0]['id']}"))
    assert shown["evidence"] == {
        "budget_id": shown["evidence"]["budget_id"],
        "budget_name": "eng monthly",
        "rate": "12.00",
        "limit": "2.00",
        "hours": [1, 6],
        "exhausted_on": "2026-11-20",
        "ceiling": None,
        "simulated": False,
    }
    assert [(part["name"], part["share"]) for part in shown["contributions"]] == [("claude-opus-4-5", 75.0)]


async def test_the_api_document_lists_its_word_and_its_schema(stand: Stand) -> None:
    schemas = stand.app.openapi()["components"]["schemas"]
    assert schemas["AlertKind"]["enum"][-1] == KIND
    references = [one["$ref"] for one in schemas["AlertDetailOut"]["properties"]["evidence"]["anyOf"]]
    assert references[-1] == "#/components/schemas/BurnRateEvidenceOut"
    properties = schemas["BurnRateEvidenceOut"]["properties"]
    assert properties["rate"] == {"type": "string", "description": "US dollars, exact", "examples": ["123.456789"]}
    assert properties["hours"]["items"] == {"type": "integer"}
    assert [one.get("type") for one in properties["ceiling"]["anyOf"]] == ["string", "null"]


async def test_routes_know_its_labels_and_channels_are_told_in_its_words(stand: Stand) -> None:
    await opened(stand)
    await run_delivery(stand.ports)
    assert {config.kind for config, _ in stand.channels.sent} == {"slack_bot"}
    message = stand.channels.sent[0][1].message
    assert (message.kind, message.headline) == (KIND, "eng monthly burns $12.00 an hour")
    assert message.summary == "$2.00 an hour is sustainable."
    assert message.facts[:2] == (("Burns", "$12.00 an hour"), ("Largest models", "claude-opus-4-5 $9.00"))
    assert message.next_step.startswith("Stop what burns it, and acknowledge: http://tocsin.example/v1/alerts")


async def test_a_slack_post_offers_what_fits_the_kind(stand: Stand) -> None:
    first, _ = await opened(stand)
    message = compose(first, Action.OPEN, stand.ports.public_url)
    assert any("burns $12.00 an hour" in text for text in shown_texts(blocks(message)))
    (actions,) = controls(message)
    elements: Any = actions["elements"]
    offered = ["tocsin_acknowledge", "tocsin_snooze", "tocsin_hand_on", "tocsin_resolve"]
    assert [one["action_id"] for one in elements] == offered
    assert any("growth" in option["value"] for option in elements[1]["options"])


async def test_every_move_is_worded(stand: Stand) -> None:
    first, _ = await opened(stand)
    faster = replace(_evidence(first.alert), rate=Money.of("15.00"))
    grown = await find(stand, faster, condition=Condition.HOLDS)
    assert grown is not None
    assert _change(grown, Action.AMEND) == "Faster: $15.00 an hour."
    assert await find(stand, replace(faster, rate=Money.of("15.10")), condition=Condition.HOLDS) is None
    (move,) = reconcile([grown.alert], [over(grown.alert, Reason.RECOVERED)])
    ended = execute(move, new_alert_id="", now=stand.clock())
    assert ended is not None
    assert _change(ended, Action.RESOLVE) == "Over: the budget burns slowly again."
    again = replace(first, command=Command.AMEND)
    assert _change(again, Action.RAISE) == "Still going on: eng monthly burns $12.00 an hour; nobody has acknowledged."


async def test_people_snooze_it_by_growth_and_are_told_what_to_do_instead_of_feedback(stand: Stand) -> None:
    first, _ = await opened(stand)
    place = f"/v1/alerts/{first.alert.id}"
    snoozed = answered(await stand.operator.post(f"{place}/snooze", json={"until_growth_percent": 50}))
    assert snoozed["snoozed_above"] == "18.00"
    async with stand.ports.uow() as uow:
        alert = await uow.alerts.get(first.alert.id)
    assert has_outgrown(alert, replace(_evidence(alert), rate=Money.of("18.00")))
    refused = problem(await stand.operator.post(f"{place}/feedback", json={"kind": "noise"}), 409)
    assert "lower the limit, or resolve the alert" in refused["detail"]


async def test_a_summary_lists_it(stand: Stand) -> None:
    events = await opened(stand)
    message = summarise("ntf_1", events, events[1:], stand.ports.public_url)
    assert message.headline == "2 alerts: 2 critical"
    assert [one.headline for one in message.listed] == ["eng monthly burns $12.00 an hour"] * 2
    assert message.change == "eng monthly burns $12.00 an hour."


async def test_a_digest_counts_it(stand: Stand) -> None:
    evidence = await configured(stand)
    stand.clock.advance(-timedelta(days=1))
    await find(stand, evidence)
    stand.clock.advance(timedelta(days=1))
    made = await stand.create("/digests", DIGEST | {"source": "production"})
    run = answered(await stand.operator.post(f"/v1/digests/{made['id']}/send"), 202)
    await run_digest(stand.ports, run["id"])
    facts = dict(stand.channels.sent[-1][1].message.facts)
    assert facts["Alerts"] == "1 opened, 0 resolved"
    assert facts["Alert quality"].endswith("$12.00 at detection (median)")


async def test_an_explanation_names_its_cause(stand: Stand) -> None:
    first, _ = await opened(stand)
    known = then([first], stand.clock())
    assert known is not None
    assert known.cause == "eng monthly burns $12.00 an hour. $2.00 an hour is sustainable."


async def test_what_is_found_later_is_kept_beside_what_was_told(stand: Stand) -> None:
    first, _ = await opened(stand)
    later = replace(_evidence(first.alert), rate=Money.of("12.01"))
    finding = replace(over(first.alert, Reason.NOTHING_NEW), condition=Condition.HOLDS, evidence=later)
    (move,) = reconcile([first.alert], [finding])
    assert (move.command, found_since(move)) == (None, later)


def _evidence(alert: Alert) -> BurnRateEvidence:
    assert isinstance(alert.evidence, BurnRateEvidence)
    return alert.evidence


def _budget(event: AlertEvent) -> str:
    return _evidence(event.alert).budget_id


def _change(event: AlertEvent, action: Action) -> str:
    return compose(event, action, "http://tocsin.example").change
