"""The first route that matches takes an alert, unless it continues; the default takes what is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.adapters.postgres.codec import Json, decode, encode
from service.domain.notify.routing.intervals import TimeInterval, TimeRange, WeekdayRange
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable, validate_routes
from service.domain.values.errors import Invalid
from service.domain.values.periods import Weekday
from tests.factories import utc

CRITICAL = Route("pager", (Matcher("severity", Op.EQUAL, "critical"),))
ENG = Route("eng", (Matcher("team", Op.EQUAL, "eng"),))
DEFAULT = Route("everyone")
LABELS: Labels = {"severity": frozenset({"critical"}), "team": frozenset({"eng"})}


def receivers(*routes: Route, labels: Labels = LABELS) -> list[str]:
    return [route.receiver_id for route in RouteTable(routes).matching(labels)]


def test_the_first_match_wins() -> None:
    assert receivers(CRITICAL, ENG, DEFAULT) == ["pager"]
    assert receivers(ENG, CRITICAL, DEFAULT) == ["eng"]


def test_a_route_that_continues_lets_later_ones_have_it_too() -> None:
    assert receivers(replace(CRITICAL, continues=True), ENG, DEFAULT) == ["pager", "eng"]
    assert receivers(replace(CRITICAL, continues=True), replace(ENG, continues=True), DEFAULT) == [
        "pager",
        "eng",
        "everyone",
    ]


def test_the_default_takes_what_no_other_does() -> None:
    assert receivers(CRITICAL, ENG, DEFAULT, labels={"severity": frozenset({"info"})}) == ["everyone"]


def test_no_route_is_asked_after_the_one_that_took_it() -> None:
    asked = [(route.receiver_id, matched) for route, matched in RouteTable((ENG, CRITICAL, DEFAULT)).walk({})]
    assert asked == [("eng", False), ("pager", False), ("everyone", True)]
    assert [route.receiver_id for route, _ in RouteTable((CRITICAL, ENG, DEFAULT)).walk(LABELS)] == ["pager"]


def test_a_route_is_muted_in_its_mute_times_and_outside_its_active_ones() -> None:
    weekend = TimeInterval(weekdays=(WeekdayRange(Weekday.SATURDAY, Weekday.SUNDAY),))
    office = TimeInterval((TimeRange(9 * 60, 17 * 60),))
    route = replace(DEFAULT, mute_times=(weekend,), active_times=(office,))
    muted = {day: route.is_muted(utc(day)) for day in ("2026-11-16T12:00", "2026-11-16T18:00", "2026-11-21T12:00")}
    assert list(muted.values()) == [False, True, True]
    assert not DEFAULT.is_muted(utc("2026-11-21T12:00"))


@pytest.mark.parametrize(
    ("routes", "pointer"),
    [
        ((), "/items"),
        ((CRITICAL,), "/items/0/matchers"),
        ((DEFAULT, ENG), "/items/1/matchers"),
        ((replace(DEFAULT, continues=True),), "/items/0/continue"),
        ((DEFAULT, DEFAULT), "/items/0/matchers"),
        ((Route("x", (Matcher("team", Op.LIKE, "["),)), DEFAULT), "/items/0/matchers/0/value"),
        ((replace(DEFAULT, group_wait=timedelta(hours=1, seconds=1)),), "/items/0/group_wait"),
        ((replace(DEFAULT, group_wait=timedelta(seconds=-1)),), "/items/0/group_wait"),
        ((replace(DEFAULT, group_interval=timedelta(days=1, seconds=1)),), "/items/0/group_interval"),
        ((replace(DEFAULT, group_by=("team",)),), "/items/0/group_by"),
        ((replace(DEFAULT, group_by=("...",), group_wait=timedelta(seconds=30)),), "/items/0/group_by"),
        ((replace(DEFAULT, repeat_interval=timedelta(minutes=4)),), "/items/0/repeat_interval"),
        ((replace(DEFAULT, mute_times=(TimeInterval(),)),), "/items/0/mute_times/0"),
        (
            (replace(DEFAULT, active_times=(TimeInterval((TimeRange(0, 60),), timezone="Mars/Olympus"),)),),
            "/items/0/active_times/0/location",
        ),
        ((replace(DEFAULT, mute_times=(TimeInterval((TimeRange(60, 60),)),)),), "/items/0/mute_times/0/times/0"),
    ],
)
def test_a_table_that_cannot_work_is_refused(routes: tuple[Route, ...], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate_routes(RouteTable(routes))
    assert refused.value.pointer == pointer


def test_a_table_that_an_earlier_release_stored_is_read() -> None:
    stored: Json = {"items": [{"receiver_id": "rcv_1", "matchers": []}]}
    assert decode(RouteTable, stored) == RouteTable((Route("rcv_1"),))


def test_a_table_comes_back_from_storage_as_it_was() -> None:
    night = TimeInterval(
        (TimeRange(22 * 60, 6 * 60),), (WeekdayRange(Weekday.MONDAY, Weekday.FRIDAY),), "Europe/Berlin"
    )
    table = RouteTable((replace(CRITICAL, repeat_interval=timedelta(hours=4), mute_times=(night,)), DEFAULT))
    assert decode(RouteTable, encode(table)) == table
