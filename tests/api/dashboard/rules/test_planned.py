"""Planned activities on pages: which run, what expects them, and to announce and end one."""

from __future__ import annotations

from datetime import timedelta

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.stand import ENG, SOURCE, Stand, answered

LIST = "/pages/planned-activities"
FORM = {
    "/name": "migration",
    "/extra_amount": "480",
    "/starts_at": "2026-11-16 00:00",
    "/ends_at": "2026-11-17 00:00",
    "/scope/workspaces": ENG.workspace,
    "/comment": "<b>to a new model",
}


async def furnished(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "123.45")


async def test_one_is_announced_and_says_which_rules_expect_it(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/rules", {"name": "another", "kind": "change", "scope": {"workspaces": ["default"]}})
    await stand.spend(ENG, "123.45")
    await stand.create("/rules", {"name": "jump", "kind": "change"})
    await stand.create("/rules", {"name": "paused", "kind": "change", "enabled": False})
    await stand.create("/rules", {"name": "caches", "kind": "cache_collapse"})
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post(f"{LIST}/new", data=FORM)
    (stored,) = answered(await stand.viewer.get("/v1/planned-activities"))["items"]
    assert (answer.status_code, answer.headers.get("location")) == (303, f"{LIST}/{stored['id']}"), answer.text
    assert (stored["starts_at"], stored["extra_amount"]) == ("2026-11-16T00:00:00Z", "480.00")
    page = (await opened.get(answer.headers["location"])).text
    assert "&lt;b&gt;to a new model" in page
    assert ">jump</a>" in page
    assert [name for name in ("paused", "another", "caches") if name in page] == []


async def test_one_that_is_ended_keeps_what_was_expected_of_the_time_that_has_passed(stand: Stand) -> None:
    """At noon, half of the day's extra spend is left."""
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    place = (await opened.post(f"{LIST}/new", data=FORM)).headers["location"]
    assert "nothing becomes quieter" in (await opened.get(place)).text
    assert "End it now" in (await opened.get(place)).text
    ended = await opened.post(f"{place}/end")
    assert ended.headers["location"] == place
    (stored,) = answered(await stand.viewer.get("/v1/planned-activities"))["items"]
    assert (stored["ends_at"], stored["extra_amount"]) == ("2026-11-16T12:00:00Z", "240.00")
    stand.clock.advance(timedelta(hours=1))
    assert (await opened.post(f"{place}/end")).status_code == 303, "twice is once"
    assert answered(await stand.viewer.get("/v1/planned-activities"))["items"] == [stored]
    event, *_ = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert (event["action"], event["actor"]) == ("planned_activity.change", "token:the admin")


async def test_the_list_begins_with_what_runs_then_what_comes_next_and_last_what_is_over(stand: Stand) -> None:
    await furnished(stand)
    days = {"over longest": 1, "over": 3, "comes later": 20, "running": 16, "comes next": 18}
    for name, day in days.items():
        start, end = f"2026-11-{day:02}", f"2026-11-{day + 1:02}"
        times = {"starts_at": f"{start}T00:00:00Z", "ends_at": f"{end}T12:00:00Z", "extra_amount": "10.00"}
        await stand.create("/planned-activities", {"name": name, **times})
    opened = await signed_in(stand, Role.VIEWER)
    page = (await opened.get(LIST)).text
    order = ["running", "comes next", "comes later", "over", "over longest"]
    places = [page.index(f">{name}</a>") for name in order]
    assert places == sorted(places)
    assert "$10.00 more, the organisation" in page
    assert "End it now" not in page
    assert f"{LIST}/new" not in page


async def test_what_is_wrong_stands_at_its_field_and_a_viewer_announces_nothing(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post(f"{LIST}/new", data=FORM | {"/ends_at": "2026-11-15 00:00"})
    assert answer.status_code == 422
    assert "a planned activity ends after it starts" in answer.text
    assert 'value="2026-11-15 00:00"' in answer.text
    viewer = await signed_in(stand, Role.VIEWER)
    assert (await viewer.post(f"{LIST}/new", data=FORM)).status_code == 403
    assert answered(await stand.viewer.get("/v1/planned-activities"))["items"] == []
