"""Where an alert would go, and the table of routes in one form."""

from __future__ import annotations

import re

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.budgets.test_editing import fields
from tests.api.stand import SLACK, Stand, answered

MUTED = {"times": [{"start_time": "20:00", "end_time": "08:00"}], "weekdays": [], "location": "UTC"}
CRITICAL = {"label": "severity", "op": "=", "value": "critical"}


async def furnished(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    await stand.create("/receivers", {"name": "oncall", "channels": [SLACK]})
    routes = [{"matchers": [CRITICAL], "receiver": "oncall", "mute_times": [MUTED]}, {"receiver": "console"}]
    answered(await stand.admin.put("/v1/routes", json={"items": routes}))


async def test_a_question_is_answered_with_who_and_why(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.VIEWER)
    page = (await opened.get("/pages/routes", params={"severity": "critical"})).text
    assert "<b>oncall, Slack</b>" in page
    assert "matches: later routes are not asked" in page
    page = (await opened.get("/pages/routes", params={"severity": "warning", "labels": "team=eng"})).text
    assert "<b>console, The worker&#39;s log</b>" in page


async def test_labels_that_no_alert_has_are_said_to_be_so(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.VIEWER)
    assert "no alert has the severity &#39;loud&#39;" in (await opened.get("/pages/routes?labels=severity%3Dloud")).text
    assert "write a label and its value" in (await opened.get("/pages/routes?labels=eng")).text


async def test_mute_times_are_written_as_lines_and_said_in_words(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    sent = fields((await opened.get("/pages/routes/edit")).text)
    assert sent["/items/0/mute_times"] == "20:00-08:00 UTC"
    lines = "monday-friday 20:00-08:00 Europe/Berlin\r\nSat, sun"
    wrong = await opened.post("/pages/routes/edit", data=sent | {"/items/0/mute_times": f"{lines}\r\nnever"})
    assert wrong.status_code == 422
    assert "write a weekday or a range" in wrong.text
    assert "saturday, sunday\nnever" in wrong.text, "what was typed is not lost"
    more = {"/items/0/mute_times": lines, "/items/1/active_times": "09:00-17:00 Asia/Tokyo"}
    assert (await opened.post("/pages/routes/edit", data=sent | more)).status_code == 303
    first, last = answered(await stand.admin.get("/v1/routes"))["items"]
    assert [one["weekdays"] for one in first["mute_times"]] == [["monday:friday"], ["saturday", "sunday"]]
    assert [one["location"] for one in first["mute_times"]] == ["Europe/Berlin", "UTC"]
    assert last["active_times"][0]["times"] == [{"start_time": "09:00", "end_time": "17:00"}]
    page = (await opened.get("/pages/routes")).text
    assert "notifies nobody Monday to Friday 20:00 to 08:00 Europe/Berlin, or Saturday and Sunday UTC" in page
    assert "notifies only 09:00 to 17:00 Asia/Tokyo" in page
    none = fields((await opened.get("/pages/routes/edit")).text) | {"/items/0/mute_times": ""}
    assert (await opened.post("/pages/routes/edit", data=none)).status_code == 303
    assert answered(await stand.admin.get("/v1/routes"))["items"][0]["mute_times"] == []


async def test_a_route_is_added_before_the_default_and_what_no_form_shows_stays(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    sent = fields((await opened.get("/pages/routes/edit")).text) | {
        "/items/2/matchers": "workspace=~eng-.*\nkind!=budget",
        "/items/2/receiver": "oncall",
        "/items/2/continue": "true",
    }
    answer = await opened.post("/pages/routes/edit", data=sent)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/pages/routes"), answer.text
    first, second, last = answered(await stand.admin.get("/v1/routes"))["items"]
    assert first["mute_times"] == [MUTED]
    assert [one["op"] for one in second["matchers"]] == ["=~", "!="]
    assert (second["continue"], last["receiver"], last["matchers"]) == (True, "console", [])
    assert (await opened.post("/pages/routes/edit", data=sent)).status_code == 409, "of a version that is gone"


async def test_a_table_whose_last_route_is_choosy_is_refused_at_that_route(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    sent = {"version": "1", "/items/0/matchers": "team=eng", "/items/0/receiver": "oncall"}
    answer = await opened.post("/pages/routes/edit", data=sent)
    assert answer.status_code == 422
    assert "team=eng" in answer.text


async def test_what_a_route_cannot_hold_is_said_at_its_field(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    sent = fields((await opened.get("/pages/routes/edit")).text) | {"/items/1/repeat_interval": "often"}
    answer = await opened.post("/pages/routes/edit", data=sent)
    assert answer.status_code == 422
    assert 'id="at-items-1-repeat_interval-about"><b class="critical">' in answer.text


async def test_a_route_to_the_owner_keeps_its_fallback_in_the_form(stand: Stand) -> None:
    await furnished(stand)
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "owner", "fallback": "console"}]}))
    opened = await signed_in(stand, Role.ADMIN)
    page = (await opened.get("/pages/routes/edit")).text
    assert '<option value="owner" selected>' in page
    sent = {
        "version": re.findall(r'name="version" value="(\d+)"', page)[0],
        "/items/0/place": "1",
        "/items/0/receiver": "owner",
        "/items/0/fallback": "oncall",
        "/items/0/escalation_policy": "",
    }
    answer = await opened.post("/pages/routes/edit", data=sent)
    assert answer.status_code == 303, answer.text
    (only,) = answered(await stand.admin.get("/v1/routes"))["items"]
    assert (only["receiver"], only["fallback"]) == ("owner", "oncall")


async def test_routes_that_change_places_take_their_mute_times_along_even_by_a_second_try(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    sent = fields((await opened.get("/pages/routes/edit")).text) | {
        "/items/2/place": "0",
        "/items/2/matchers": "kind",
        "/items/2/receiver": "console",
    }
    refused = await opened.post("/pages/routes/edit", data=sent)
    assert refused.status_code == 422
    again = fields(refused.text) | {"/items/0/matchers": "kind=budget"}
    assert (await opened.post("/pages/routes/edit", data=again)).status_code == 303
    routes = answered(await stand.admin.get("/v1/routes"))["items"]
    assert [one["mute_times"] for one in routes] == [[], [MUTED], []]
