from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import Response

from tests.api.stand import Stand, answered, pointers, problem

ROTA: dict[str, Any] = {
    "name": "engineers",
    "people": [{"name": "ann", "receiver": "ann mail"}, {"name": "ben", "receiver": "ben mail"}],
    "handover": {"weekday": "monday", "hour": 9},
    "timezone": "Europe/Berlin",
    "starts_on": "2026-11-16",
    "overrides": [{"person": "ben", "starts_at": "2026-11-18T10:00:00Z", "ends_at": "2026-11-19T10:00:00Z"}],
    "labels": {"team": "eng"},
}
ICS = "/v1/rotas/engineers/calendar.ics"


async def receivers(stand: Stand) -> None:
    for name in ("ann", "ben"):
        await stand.create("/receivers", {"name": f"{name} mail", "channels": [{"kind": "console"}]})


async def made(stand: Stand, **changes: object) -> dict[str, Any]:
    await receivers(stand)
    return await stand.create("/rotas", ROTA | changes)


async def test_a_rota_is_read_as_it_was_written_and_may_be_sent_back(stand: Stand) -> None:
    created = await made(stand)
    assert {field: created[field] for field in ROTA} == ROTA
    assert answered(await stand.viewer.get("/v1/rotas/engineers")) == created
    assert [one["name"] for one in answered(await stand.viewer.get("/v1/rotas"))["items"]] == ["engineers"]
    assert answered(await stand.admin.patch("/v1/rotas/engineers", json=created))["version"] == 1
    changed = answered(await stand.admin.patch("/v1/rotas/engineers", json={"overrides": []}))
    assert (changed["overrides"], changed["version"]) == ([], 2)


async def test_a_new_rota_starts_today_in_its_own_zone(stand: Stand) -> None:
    await receivers(stand)
    stand.clock.advance(datetime(2026, 11, 16, 23, 30, tzinfo=UTC) - stand.clock())
    document = {"name": "engineers", "people": ROTA["people"], "timezone": "Europe/Berlin"}
    created = await stand.create("/rotas", document)
    assert created["starts_on"] == "2026-11-17"
    assert created["handover"] == {"weekday": "monday", "hour": 9}
    stand.clock.advance(timedelta(days=3))
    again = answered(await stand.admin.patch("/v1/rotas/engineers", json={"labels": {"team": "eng"}}))
    assert again["starts_on"] == "2026-11-17"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"people": []}, "/people"),
        ({"people": [{"name": "ann", "receiver": "nobody"}]}, "/people/0/receiver"),
        ({"people": [ROTA["people"][0], ROTA["people"][0]]}, "/people/1/name"),
        ({"timezone": "Berlin"}, "/timezone"),
        ({"handover": {"weekday": "someday"}}, "/handover/weekday"),
        ({"handover": {"hour": 24}}, "/handover/hour"),
        ({"starts_on": "yesterday"}, "/starts_on"),
        ({"overrides": [ROTA["overrides"][0] | {"person": "dan"}]}, "/overrides/0/person"),
        ({"overrides": [ROTA["overrides"][0] | {"ends_at": "2026-11-18T09:00:00Z"}]}, "/overrides/0/ends_at"),
        ({"overrides": [ROTA["overrides"][0], ROTA["overrides"][0]]}, "/overrides/1"),
    ],
)
async def test_an_impossible_rota_is_refused(stand: Stand, change: dict[str, object], pointer: str) -> None:
    await receivers(stand)
    assert pointers(await stand.admin.post("/v1/rotas", json=ROTA | change)) == [pointer]


async def test_whoever_is_on_call_is_told_now_and_at_any_time(stand: Stand) -> None:
    await made(stand)
    now = answered(await stand.viewer.get("/v1/rotas/engineers/on-call"))
    assert (now["at"], now["person"], now["receiver"]) == ("2026-11-16T12:00:00Z", "ann", "ann mail")
    assert answered(await stand.viewer.get("/v1/rotas/engineers/on-call?at=2026-11-18T10:00:00Z")) == {
        "at": "2026-11-18T10:00:00Z",
        "person": "ben",
        "receiver": "ben mail",
        "starts_at": "2026-11-18T10:00:00Z",
        "ends_at": "2026-11-19T10:00:00Z",
        "next": "ann",
    }
    problem(await stand.viewer.get("/v1/rotas/engineers/on-call?at=soon"), 422)
    problem(await stand.viewer.get("/v1/rotas/nobody/on-call"), 404)
    problem(await stand.stranger.get("/v1/rotas/engineers/on-call"), 401)


async def test_what_is_in_use_cannot_be_deleted(stand: Stand) -> None:
    await made(stand)
    steps = [{"after": "0s", "receiver": None, "fallback": None, "rota": "engineers"}]
    policy = await stand.create("/escalation-policies", {"name": "on call", "steps": steps})
    assert policy["steps"] == steps
    told = problem(await stand.admin.delete("/v1/receivers/ben%20mail"), 409)
    assert "rota 'engineers'" in told["detail"]
    told = problem(await stand.admin.delete("/v1/rotas/engineers"), 409)
    assert "escalation policy 'on call'" in told["detail"]
    for path in ("/v1/escalation-policies/on%20call", "/v1/rotas/engineers", "/v1/receivers/ben%20mail"):
        answered(await stand.admin.delete(path), 204)


async def test_a_step_names_a_receiver_or_a_rota(stand: Stand) -> None:
    await made(stand)
    both = {"name": "p", "steps": [{"after": "0s", "receiver": "ann mail", "rota": "engineers"}]}
    assert pointers(await stand.admin.post("/v1/escalation-policies", json=both)) == ["/steps/0"]


async def test_only_an_admin_writes_rotas(stand: Stand) -> None:
    await receivers(stand)
    problem(await stand.operator.post("/v1/rotas", json=ROTA), 403)


# ------------------------------------------------------------------------------------------- iCalendar

INSTANT = re.compile(r"\d{8}T\d{6}Z")
ONCE_IN_EVENTS = {"UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "TRANSP"}
ONCE_IN_CALENDARS = {"VERSION", "PRODID", "NAME", "X-WR-CALNAME"}


def lines_of(response: Response) -> list[str]:
    """Unfolded content lines, of a calendar whose physical lines are as RFC 5545, 3.1, wants them."""
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    body = response.content
    assert body.endswith(b"\r\n")
    assert body.count(b"\n") == body.count(b"\r") == body.count(b"\r\n")
    physical = body.removesuffix(b"\r\n").split(b"\r\n")
    assert all(0 < len(line) <= 75 for line in physical)
    assert all(line.decode() for line in physical)  # no character is cut in two
    return body.decode().removesuffix("\r\n").replace("\r\n ", "").split("\r\n")


def text(value: str) -> str:
    """A TEXT value without its escapes; anything that should have been escaped is refused."""
    assert re.fullmatch(r"(?:[^\\;,\x00-\x08\x0a-\x1f\x7f]|\\[\\;,nN])*", value), value
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def parsed(response: Response) -> tuple[dict[str, str], list[dict[str, str]]]:
    """A calendar's own properties, and its events'."""
    first, *lines, last = lines_of(response)
    assert (first, last) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    calendar: dict[str, str] = {}
    events: list[dict[str, str]] = []
    holder = calendar
    for line in lines:
        name, colon, value = line.partition(":")
        assert colon
        assert re.fullmatch(r"[A-Z-]+", name), line
        if (name, value) == ("BEGIN", "VEVENT"):
            assert holder is calendar
            holder = {}
        elif (name, value) == ("END", "VEVENT"):
            assert holder.keys() == ONCE_IN_EVENTS
            events.append(holder)
            holder = calendar
        else:
            assert name not in holder, line
            holder[name] = text(value)
    assert calendar.keys() == ONCE_IN_CALENDARS
    assert calendar["VERSION"] == "2.0"
    assert all(INSTANT.fullmatch(event[name]) for event in events for name in ("DTSTAMP", "DTSTART", "DTEND"))
    return calendar, events


async def test_the_calendar_has_every_shift_of_half_a_year_in_utc(stand: Stand) -> None:
    await made(stand)
    calendar, events = parsed(await stand.viewer.get(ICS))
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "engineers"
    week = [one for one in events if "20261116" <= one["DTSTART"] < "20261124"]
    assert [(one["SUMMARY"], one["DTSTART"], one["DTEND"]) for one in week] == [
        ("On call: ann", "20261116T080000Z", "20261118T100000Z"),
        ("On call: ben", "20261118T100000Z", "20261119T100000Z"),
        ("On call: ann", "20261119T100000Z", "20261123T080000Z"),
        ("On call: ben", "20261123T080000Z", "20261130T080000Z"),
    ]
    assert events[0]["DTSTART"] <= "20261019T120000Z"
    assert events[-1]["DTEND"] >= "20270517T120000Z"
    assert {one["DTSTAMP"] for one in events} == {"20261116T120000Z"}


async def test_a_shift_keeps_its_uid_and_a_change_counts_up_its_sequence(stand: Stand) -> None:
    await made(stand)
    _, before = parsed(await stand.viewer.get(ICS))
    stand.clock.advance(timedelta(hours=1))
    answered(await stand.admin.patch("/v1/rotas/engineers", json={"overrides": []}))
    _, after = parsed(await stand.viewer.get(ICS))
    uids = [one["UID"] for one in before]
    assert len(set(uids)) == len(uids)
    assert {one["UID"] for one in after} == {one["UID"] for one in before} - {
        one["UID"] for one in before if one["DTSTART"] in {"20261118T100000Z", "20261119T100000Z"}
    }
    assert ({one["SEQUENCE"] for one in before}, {one["SEQUENCE"] for one in after}) == ({"1"}, {"2"})
    assert {one["DTSTAMP"] for one in after} == {"20261116T130000Z"}


async def test_long_and_awkward_names_come_through_the_calendar(stand: Stand) -> None:
    awkward = "Zoë; of \\ the, night \U0001f319 " + "ж" * 100
    people = [{"name": awkward, "receiver": "ann mail"}]
    await made(stand, name=f"rota, {awkward}", people=people, overrides=[])
    rota = answered(await stand.viewer.get("/v1/rotas"))["items"][0]
    calendar, events = parsed(await stand.viewer.get(f"/v1/rotas/{rota['id']}/calendar.ics"))
    assert calendar["NAME"] == f"rota, {awkward}"
    assert {one["SUMMARY"] for one in events} == {f"On call: {awkward}"}


async def test_a_calendar_needs_a_token_and_a_rota(stand: Stand) -> None:
    problem(await stand.stranger.get(ICS), 401)
    problem(await stand.viewer.get(ICS), 404)


# ------------------------------------------------------------------------------------------- links

LINK = "/v1/rotas/engineers/calendar-link"


async def new_link(stand: Stand) -> str:
    """The path of a link's address."""
    url = answered(await stand.admin.post(LINK), 201)["url"]
    assert isinstance(url, str)
    return "/calendars/" + url.rpartition("/calendars/")[2]


async def test_a_link_opens_its_rota_s_calendar_without_a_token(stand: Stand) -> None:
    await made(stand)
    link = await new_link(stand)
    opened = await stand.stranger.get(link)
    assert parsed(opened) == parsed(await stand.viewer.get(ICS))
    assert answered(await stand.viewer.get("/v1/rotas/engineers"))["calendar_link"] == {"since": "2026-11-16T12:00:00Z"}


async def test_a_program_that_asks_for_the_head_alone_finds_the_calendar(stand: Stand) -> None:
    await made(stand)
    link = await new_link(stand)
    asked = await stand.stranger.head(link)
    assert asked.status_code == 200
    assert asked.headers == (await stand.stranger.get(link)).headers
    assert (await stand.stranger.head("/calendars/nothing.ics")).status_code == 404


async def test_a_link_opens_nothing_but_that_calendar(stand: Stand) -> None:
    await made(stand)
    await stand.create("/rotas", ROTA | {"name": "others"})
    link = await new_link(stand)
    token = link.removeprefix("/calendars/").removesuffix(".ics")
    bearer = {"Authorization": f"Bearer {token}"}
    problem(await stand.stranger.get("/v1/rotas/engineers", headers=bearer), 401)
    problem(await stand.stranger.get(f"/charts/{token}.png"), 404)
    other = answered(await stand.viewer.get("/v1/rotas/others"))["id"]
    own = answered(await stand.viewer.get("/v1/rotas/engineers"))["id"]
    problem(await stand.stranger.get(link.replace(own, other)), 404)
    problem(await stand.stranger.get(f"/calendars/{token.partition('.')[0]}.ics"), 404)
    problem(await stand.stranger.get(f"/calendars/{token[:-1]}.ics"), 404)


async def test_a_new_link_ends_the_one_before_and_it_can_be_ended(stand: Stand) -> None:
    await made(stand)
    problem(await stand.admin.delete(LINK), 404)
    first, second = await new_link(stand), await new_link(stand)
    problem(await stand.stranger.get(first), 404)
    assert (await stand.stranger.get(second)).status_code == 200
    answered(await stand.admin.delete(LINK), 204)
    problem(await stand.stranger.get(second), 404)
    assert answered(await stand.viewer.get("/v1/rotas/engineers"))["calendar_link"] is None


async def test_a_link_outlives_changes_of_its_rota_and_not_the_rota(stand: Stand) -> None:
    created = await made(stand)
    link = await new_link(stand)
    answered(await stand.admin.patch("/v1/rotas/engineers", json={"overrides": []}))
    answered(await stand.admin.patch("/v1/rotas/engineers", json={"people": created["people"], "calendar_link": None}))
    assert (await stand.stranger.get(link)).status_code == 200
    answered(await stand.admin.delete("/v1/rotas/engineers"), 204)
    problem(await stand.stranger.get(link), 404)


async def test_only_an_admin_makes_links_and_no_kept_answer_holds_one(stand: Stand) -> None:
    await made(stand)
    problem(await stand.operator.post(LINK), 403)
    problem(await stand.operator.delete(LINK), 403)
    key = {"Idempotency-Key": "link-1"}
    first = answered(await stand.admin.post(LINK, headers=key), 201)
    again = answered(await stand.admin.post(LINK, headers=key), 201)
    assert (first["since"], again["url"]) == (again["since"], None)
    assert first["url"].startswith("http")
