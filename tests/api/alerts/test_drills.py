"""A drill goes the way of every alert: a poll is queued, the routes are asked, and it ends by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from service.domain.alerts.drills import LONGEST_DRILL
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.delivery.deliver import run_delivery
from tests.api.stand import SLACK, SOURCE, Stand, answered, pointers, problem


async def routed(stand: Stand) -> dict[str, Any]:
    """A source, and a route for the critical alerts of a team before the default."""
    source = await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    await stand.create("/receivers", {"name": "eng-oncall", "channels": [SLACK]})
    of_team = [{"label": "team", "op": "=", "value": "eng"}, {"label": "severity", "op": "=", "value": "critical"}]
    routes = [{"matchers": of_team, "receiver": "eng-oncall"}, {"receiver": "console"}]
    answered(await stand.admin.put("/v1/routes", json={"items": routes}))
    return source


async def drilled(stand: Stand, document: dict[str, Any]) -> dict[str, Any]:
    begun: dict[str, Any] = answered(await stand.operator.post("/v1/drills", json=document), 201)
    return begun


async def test_a_drill_is_a_poll_and_an_alert_that_the_routes_lead_as_they_would_in_earnest(stand: Stand) -> None:
    source = await routed(stand)
    begun = await drilled(stand, {"labels": {"team": "eng"}})
    assert (begun["poll"]["state"], begun["poll"]["source_id"]) == ("queued", source["id"])
    alert = begun["alert"]
    assert (alert["kind"], alert["severity"], alert["state"]) == ("drill", "critical", "firing")
    await run_delivery(stand.ports)
    ((config, delivery),) = stand.channels.sent
    assert config.kind == "slack_bot"
    assert delivery.message.one_line.startswith("DRILL, nothing is wrong")
    answered(await stand.operator.post(f"/v1/alerts/{alert['id']}/resolve", json={"note": "the drill is over"}))
    stand.clock.advance(timedelta(seconds=2))  # Slack takes a message a second
    await run_delivery(stand.ports)
    assert "DRILL" in stand.channels.sent[-1][1].message.one_line
    shown = answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}"))
    assert {(one["action"], one["state"]) for one in shown["notifications"]} == {("open", "sent"), ("resolve", "sent")}


async def test_a_drill_without_the_label_takes_the_default_route(stand: Stand) -> None:
    await routed(stand)
    begun = await drilled(stand, {"severity": "warning"})
    assert [one["receiver"] for one in begun["alert"]["notifications"]] == ["console"]


async def test_one_that_nobody_ends_is_over_after_a_quarter_of_an_hour(stand: Stand) -> None:
    source = await routed(stand)
    alert = (await drilled(stand, {}))["alert"]
    stand.clock.advance(LONGEST_DRILL - timedelta(seconds=1))
    await run_evaluation(stand.ports, source["id"])
    problem(await stand.operator.post("/v1/drills", json={}), 409)
    stand.clock.advance(timedelta(seconds=1))
    await run_evaluation(stand.ports, source["id"])
    assert answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}"))["state"] == "resolved"
    await drilled(stand, {})


async def test_a_drill_is_refused_to_viewers_of_disabled_sources_and_with_labels_that_no_alert_has(
    stand: Stand,
) -> None:
    source = await routed(stand)
    problem(await stand.viewer.post("/v1/drills", json={}), 403)
    assert pointers(await stand.operator.post("/v1/drills", json={"labels": {"severity": "info"}})) == [
        "/labels/severity"
    ]
    assert pointers(await stand.operator.post("/v1/drills", json={"labels": {"kind": "spike"}})) == ["/labels"]
    assert pointers(await stand.operator.post("/v1/drills", json={"source": "nowhere"})) == ["/source"]
    answered(await stand.admin.patch(f"/v1/sources/{source['id']}", json={"enabled": False}))
    problem(await stand.operator.post("/v1/drills", json={"source": "production"}), 409)
    assert answered(await stand.viewer.get("/v1/alerts"))["items"] == []


async def test_a_source_says_which_reading_was_evaluated_last(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    assert source["status"]["evaluated_read_at"] is None
