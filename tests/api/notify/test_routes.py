"""Routes as one document, and where it leads an alert."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.workflows.alerts.watch_silences import run_watch_silences
from tests.api.alerts.test_alerts import rung
from tests.api.notify.test_rotas import ROTA
from tests.api.stand import Stand, answered, pointers, problem

DEFAULT = {"receiver": "eng"}
CRITICAL = {"label": "severity", "op": "=", "value": "critical"}
NIGHT = {
    "times": [{"start_time": "20:00", "end_time": "08:00"}],
    "weekdays": ["monday:friday", "sunday"],
    "location": "Europe/Berlin",
}
LATE = {"start_time": "24:01", "end_time": "08:00"}
PLAIN: dict[str, Any] = {
    "matchers": [],
    "receiver": "eng",
    "fallback": None,
    "escalation_policy": None,
    "continue": False,
    "group_by": [],
    "group_wait": "0s",
    "group_interval": "0s",
    "repeat_interval": None,
    "mute_times": [],
    "active_times": [],
}


async def put(stand: Stand, *routes: dict[str, Any], status: int = 200) -> Any:
    return answered(await stand.admin.put("/v1/routes", json={"items": list(routes)}), status)


async def test_routes_show_their_receiver_by_name_and_keep_an_etag(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    empty = await stand.viewer.get("/v1/routes")
    assert (answered(empty)["items"], empty.headers["etag"]) == ([], '"0"')
    written = await stand.admin.put("/v1/routes", json={"items": [DEFAULT]}, headers={"If-Match": '"0"'})
    assert answered(written)["items"] == [PLAIN]
    assert written.headers["etag"] == '"1"'
    again = await stand.admin.put("/v1/routes", json=answered(written), headers={"If-Match": '"1"'})
    assert again.headers["etag"] == '"1"'
    problem(await stand.admin.put("/v1/routes", json=answered(written), headers={"If-Match": '"0"'}), 412)
    problem(await stand.operator.put("/v1/routes", json=answered(written)), 403)


async def test_what_was_written_is_read_and_may_be_sent_back(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    route = PLAIN | {"matchers": [CRITICAL], "continue": True, "repeat_interval": "4h", "mute_times": [NIGHT]}
    written = await put(stand, route, DEFAULT | {"repeat_interval": "0s"})
    assert written["items"] == [route, PLAIN | {"repeat_interval": "0s"}]
    assert answered(await stand.viewer.get("/v1/routes")) == written
    assert await put(stand, *written["items"]) == written


@pytest.mark.parametrize(
    ("items", "pointer"),
    [
        ([], "/items"),
        ([{"receiver": "none"}], "/items/0/receiver"),
        ([DEFAULT | {"matchers": [CRITICAL]}], "/items/0/matchers"),
        ([DEFAULT, DEFAULT | {"matchers": [CRITICAL]}], "/items/1/matchers"),
        ([DEFAULT | {"continue": True}], "/items/0/continue"),
        ([DEFAULT | {"escalation_policy": "none"}], "/items/0/escalation_policy"),
        ([DEFAULT | {"group_wait": "2h"}], "/items/0/group_wait"),
        ([DEFAULT | {"group_interval": "2d"}], "/items/0/group_interval"),
        ([DEFAULT | {"group_by": ["team"]}], "/items/0/group_by"),
        ([DEFAULT | {"group_by": ["..."], "group_wait": "30s"}], "/items/0/group_by"),
        ([DEFAULT | {"group_by": ["a b"], "group_wait": "30s"}], "/items/0/group_by/0"),
        ([DEFAULT | {"repeat_interval": "1m"}], "/items/0/repeat_interval"),
        ([DEFAULT | {"matchers": [CRITICAL | {"op": "=="}]}], "/items/0/matchers/0/op"),
        ([DEFAULT | {"matchers": [CRITICAL | {"label": "a b"}]}], "/items/0/matchers/0/label"),
        ([DEFAULT | {"matchers": [CRITICAL | {"op": "=~", "value": "("}]}, DEFAULT], "/items/0/matchers/0/value"),
        ([DEFAULT | {"mute_times": [NIGHT | {"location": "Mars"}]}], "/items/0/mute_times/0/location"),
        ([DEFAULT | {"mute_times": [NIGHT | {"weekdays": ["monday-friday"]}]}], "/items/0/mute_times/0/weekdays/0"),
        ([DEFAULT | {"mute_times": [{"times": [LATE]}]}], "/items/0/mute_times/0/times/0/start_time"),
        ([DEFAULT | {"colour": 1}], "/items/0/colour"),
    ],
)
async def test_a_table_that_cannot_work_is_refused(stand: Stand, items: object, pointer: str) -> None:
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    assert pointers(await stand.admin.put("/v1/routes", json={"items": items})) == [pointer]


async def test_a_receiver_that_any_route_leads_to_cannot_be_deleted(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    await stand.create("/receivers", {"name": "pager", "channels": [{"kind": "console"}]})
    await put(stand, {"receiver": "pager", "matchers": [CRITICAL]}, DEFAULT)
    assert "route 1" in problem(await stand.admin.delete("/v1/receivers/pager"), 409)["detail"]


# ------------------------------------------------------------------------------------------- match


async def match(stand: Stand, **params: Any) -> Any:
    return answered(await stand.viewer.get("/v1/routes/match", params=params))


async def test_a_match_shows_each_route_s_verdict_and_where_the_alert_would_go(stand: Stand) -> None:
    alert = await rung(stand)
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "email", "to": ["eng@example.com"]}]})
    warning = CRITICAL | {"value": "warning"}
    budget = {"label": "budget", "op": "=~", "value": "eng .*"}
    await put(
        stand,
        {"receiver": "console", "matchers": [warning]},
        DEFAULT | {"matchers": [CRITICAL, budget], "continue": True},
        {"receiver": "console", "matchers": [CRITICAL]},
        {"receiver": "console"},
    )
    found = await match(stand, alert=alert["id"])
    assert [(one["position"], one["matched"], one["stops"], one["receiver"]) for one in found["routes"]] == [
        (0, False, False, "console"),
        (1, True, False, "eng"),
        (2, True, True, "console"),
    ]
    assert [one["why"] for one in found["routes"]] == [
        "does not match: severity is 'critical', = 'warning' is asked for",
        "matches, and continues: later routes are asked, too",
        "matches: later routes are not asked",
    ]
    names = [{"label": "budget", "op": "=~", "value": "eng .*", "found": found["labels"]["budget"], "matched": True}]
    assert found["routes"][1]["matchers"][1:] == names
    assert [(one["receiver"], one["held_by"]) for one in found["goes_to"]] == [("eng", None), ("console", None)]


async def test_a_match_says_what_would_hold_the_alert_back(stand: Stand) -> None:
    alert = await rung(stand)
    noon = [{"times": [{"start_time": "11:00", "end_time": "13:00"}]}]
    await put(stand, {"receiver": "console", "mute_times": noon})
    muted = await match(stand, alert=alert["id"])
    assert [one["held_by"] for one in (*muted["routes"], *muted["goes_to"])] == ["muted_time", "muted_time"]
    silence = {"name": "all critical", "matchers": [CRITICAL], "ends_at": "2026-11-16T14:00:00Z"}
    made = answered(await stand.operator.post("/v1/silences", json=silence), 201)
    silenced = await match(stand, alert=alert["id"])
    assert [one["held_by"] for one in silenced["goes_to"]] == ["silenced"]
    assert silenced["silenced_by"] == [{"id": made["id"], "name": "all critical", "ends_at": "2026-11-16T14:00:00Z"}]


async def test_the_contract_s_own_example_is_taken_and_a_match_shows_what_it_collects(stand: Stand) -> None:
    alert = await rung(stand)
    route = {"receiver": "console", "group_by": [], "group_wait": "0s", "group_interval": "5m", "mute_times": []}
    written = await put(stand, route | {"matchers": [CRITICAL], "group_by": ["severity"]}, route)
    assert [one["group_interval"] for one in written["items"]] == ["5m", "5m"]
    found = await match(stand, alert=alert["id"])
    assert found["routes"][0]["group"] == {"by": {"severity": ["critical"]}, "wait": "0s", "interval": "5m"}
    assert [one["collected"] for one in found["goes_to"]] == [True]
    at_once = await put(stand, {"receiver": "console"})
    assert at_once["items"][0]["group_interval"] == "0s"
    found = await match(stand, alert=alert["id"])
    assert (found["routes"][0]["group"], found["goes_to"][0]["collected"]) == (None, False)


async def test_a_match_names_the_matchers_that_nothing_has_so_far(stand: Stand) -> None:
    alert = await rung(stand)
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    await put(stand, DEFAULT | {"matchers": [{"label": "taem", "op": "=", "value": "eng"}]}, DEFAULT)
    for found in (await match(stand, alert=alert["id"]), await match(stand, label=["team=eng"])):
        (doubt,) = found["routes"][0]["doubts"]
        assert doubt.startswith("no alert has a label taem so far")
        assert found["routes"][1]["doubts"] == []


async def test_a_match_of_what_calls_nobody_leads_to_what_people_read_alone(stand: Stand) -> None:
    channels = [{"kind": "console"}, {"kind": "pagerduty", "routing_key": "FAKE-key"}]
    await stand.create("/receivers", {"name": "eng", "channels": channels})
    await put(stand, DEFAULT)
    found = {
        kind: [one["channel"].partition(":")[0] for one in (await match(stand, label=[f"kind={kind}"]))["goes_to"]]
        for kind in ("silence_ends", "budget")
    }
    assert found == {"silence_ends": ["console"], "budget": ["console", "pagerduty"]}


async def test_labels_may_be_asked_about_without_an_alert(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    await put(stand, DEFAULT | {"matchers": [{"label": "team", "op": "!=", "value": "eng"}]}, DEFAULT)
    found = await match(stand, label=["team=eng", "severity=info"])
    assert found["labels"] == {"severity": ["info"], "team": ["eng"]}
    assert [(one["matched"], one["why"]) for one in found["routes"]] == [
        (False, "does not match: team is 'eng', != 'eng' is asked for"),
        (True, "is the default: later routes are not asked"),
    ]


async def test_a_match_shows_how_often_it_would_ring_again(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    info = {"label": "severity", "op": "=", "value": "info"}
    await put(stand, DEFAULT | {"matchers": [info], "repeat_interval": "0s"}, DEFAULT)
    loud = await match(stand, label=["kind=rule", "severity=error"])
    assert [one["repeats_every"] for one in loud["routes"]] == [None, "4h"]
    quiet = await match(stand, label=["kind=budget", "severity=critical"])
    assert [one["repeats_every"] for one in quiet["routes"]] == [None, None]


HOME = DEFAULT | {"receiver": "console"}


async def test_a_match_shows_whom_an_escalation_policy_calls_and_when(stand: Stand) -> None:
    alert = await rung(stand)
    await stand.create("/receivers", {"name": "second", "channels": [{"kind": "email", "to": ["lead@example.com"]}]})
    steps = [{"after": "0s", "receiver": "console"}, {"after": "15m", "receiver": "second"}]
    await stand.create("/escalation-policies", {"name": "on call", "steps": steps, "repeat": 1})
    await put(stand, HOME | {"escalation_policy": "on call"})
    for found in (await match(stand, alert=alert["id"]), await match(stand, label="severity=critical")):
        called = [(one["receiver"], one["escalation_policy"], one["after"]) for one in found["goes_to"]]
        assert called == [("console", "on call", "0s"), ("second", "on call", "15m")]
        assert found["escalation_policies"] == ["on call"]


async def test_a_match_shows_who_is_on_call_by_a_rota_when_its_step_comes(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    await stand.create("/receivers", {"name": "ben", "channels": [{"kind": "console"}]})
    await stand.create("/rotas", ROTA | {"people": [{"name": "ben", "receiver": "ben"}]})
    await stand.create("/escalation-policies", {"name": "on call", "steps": [{"after": "5m", "rota": "engineers"}]})
    await put(stand, HOME | {"escalation_policy": "on call"})
    (called,) = (await match(stand, label="severity=critical"))["goes_to"]
    assert (called["receiver"], called["after"]) == ("ben", "5m")


async def test_a_matcher_that_can_never_match_is_refused(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    high = {"label": "severity", "op": "=", "value": "high"}
    answer = await stand.admin.put("/v1/routes", json={"items": [HOME | {"matchers": [high]}, HOME]})
    assert pointers(answer) == ["/items/0/matchers/0/value"]
    assert "info, warning, error or critical" in answer.text
    assert pointers(await stand.viewer.get("/v1/routes/match", params={"label": "severity=high"})) == ["/label"]
    silence = {"name": "x", "matchers": [high], "ends_at": "2026-11-16T14:00:00Z"}
    assert pointers(await stand.operator.post("/v1/silences", json=silence)) == ["/matchers/0/value"]


async def test_a_matcher_of_what_nothing_has_so_far_is_stored_and_in_doubt(stand: Stand) -> None:
    await rung(stand)
    misspelt = {"label": "budget", "op": "=", "value": "eng montly"}
    written = await put(stand, HOME | {"matchers": [misspelt]}, HOME)
    assert written["doubts"] == ["no alert has budget='eng montly' so far; the nearest: eng monthly"]
    assert answered(await stand.admin.put("/v1/routes", json=written))["doubts"] == written["doubts"]
    silence = {"name": "x", "matchers": [misspelt], "ends_at": "2026-11-16T14:00:00Z"}
    made = answered(await stand.operator.post("/v1/silences", json=silence), 201)
    assert made["doubts"] == written["doubts"]


async def test_a_question_that_cannot_be_answered_is_refused(stand: Stand) -> None:
    alert = await rung(stand)
    place = "/v1/routes/match"
    assert pointers(await stand.viewer.get(place, params={"label": "team"})) == ["/label"]
    assert pointers(await stand.viewer.get(place, params={"alert": alert["id"], "label": "a=b"})) == ["/label"]
    problem(await stand.viewer.get(place, params={"alert": "alert_none"}), 404)
    problem(await stand.stranger.get(place), 401)


async def test_routes_that_cannot_be_read_are_replaced(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    await put(stand, DEFAULT)
    async with stand.engine.begin() as connection:
        await connection.execute(text("""UPDATE resources SET spec = '{"items"\\: 7}' WHERE kind = 'routes'"""))
    problem(await stand.viewer.get("/v1/routes"), 500)
    document = {"items": [DEFAULT]}
    problem(await stand.admin.put("/v1/routes", json=document, headers={"If-Match": '"9"'}), 412)
    answered(await stand.admin.put("/v1/routes", json=document, headers={"If-Match": '"1"'}))
    assert answered(await stand.viewer.get("/v1/routes"))["items"] == [PLAIN]


async def test_a_match_shows_a_policy_that_may_not_begin_though_its_receiver_is_notified(stand: Stand) -> None:
    """Whoever looks at noon whether the lead is called sees that nobody is, and why."""
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    lead = [{"kind": "email", "to": ["lead@example.com"]}]
    await stand.create("/receivers", {"name": "lead", "channels": lead})
    steps = [{"after": "0s", "receiver": "eng"}, {"after": "15m", "receiver": "lead"}]
    await stand.create("/escalation-policies", {"name": "on call", "steps": steps})
    noon = [{"times": [{"start_time": "11:00", "end_time": "13:00"}]}]
    called = DEFAULT | {"matchers": [CRITICAL], "escalation_policy": "on call", "mute_times": noon, "continue": True}
    await put(stand, called, DEFAULT)
    found = await match(stand, label=["severity=critical"])
    shown = [(one["receiver"], one["after"], one["held_by"], one["escalation_policy"]) for one in found["goes_to"]]
    assert shown == [
        ("eng", "0s", None, None),
        ("eng", "0s", "muted_time", "on call"),
        ("lead", "15m", "muted_time", "on call"),
    ]
    assert found["escalation_policies"] == []
    await put(stand, DEFAULT | {"escalation_policy": "on call", "mute_times": noon})
    found = await match(stand, label=["severity=critical"])
    assert [(one["receiver"], one["escalation_policy"]) for one in found["goes_to"]] == [
        ("eng", "on call"),
        ("lead", "on call"),
    ]


async def test_a_match_of_the_notice_that_a_silence_ends_does_not_name_that_silence(stand: Stand) -> None:
    """It goes out all the same, and the answer would say both."""
    await rung(stand)
    everything = {"label": "severity", "op": "=~", "value": ".+"}
    silence = {"name": "all of it", "matchers": [everything], "ends_at": "2026-11-16T13:00:00Z"}
    answered(await stand.operator.post("/v1/silences", json=silence), 201)
    stand.clock.advance(timedelta(minutes=45))
    await run_watch_silences(stand.ports)
    alerts = answered(await stand.viewer.get("/v1/alerts"))["items"]
    shown = {one["kind"]: await match(stand, alert=one["id"]) for one in alerts}
    assert {kind: len(one["silenced_by"]) for kind, one in shown.items()} == {"budget": 1, "silence_ends": 0}
    assert [one["held_by"] for one in shown["silence_ends"]["goes_to"]] == [None]
