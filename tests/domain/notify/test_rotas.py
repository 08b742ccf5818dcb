"""Who is on call when. Local times are written as the wall clock showed them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.notify.rotas import Handover, Override, Person, Rota, on_call, shift_at, shifts, validate_rota
from service.domain.values.errors import Invalid
from service.domain.values.periods import Weekday

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
ANN, BEN, CAS = (Person(name, f"rcv_{name}") for name in ("ann", "ben", "cas"))
ROTA = Rota((ANN, BEN, CAS), Handover(Weekday.MONDAY, 9), "Europe/Berlin", date(2026, 11, 16))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


def covered(*overrides: tuple[str, str, str]) -> Rota:
    return replace(ROTA, overrides=tuple(Override(name, utc(start), utc(end)) for name, start, end in overrides))


def spans(rota: Rota, since: str, until: str) -> list[tuple[str, str, str]]:
    """Name, start and end in UTC."""
    return [
        (one.person.name, f"{one.starts_at:%m-%dT%H:%M}", f"{one.ends_at:%m-%dT%H:%M}")
        for one in shifts(rota, utc(since), utc(until))
    ]


def test_people_take_turns_at_the_handover() -> None:
    assert on_call(ROTA, berlin("2026-11-16T09:00")) == ANN
    assert on_call(ROTA, berlin("2026-11-23T08:59:59")) == ANN
    assert on_call(ROTA, berlin("2026-11-23T09:00")) == BEN
    assert on_call(ROTA, berlin("2026-11-30T09:00")) == CAS
    assert on_call(ROTA, berlin("2026-12-07T09:00")) == ANN


def test_somebody_is_on_call_before_the_first_handover_too() -> None:
    assert on_call(ROTA, berlin("2026-11-16T08:59")) == CAS
    assert on_call(ROTA, berlin("2026-11-02T09:00")) == BEN


@pytest.mark.parametrize("day", range(16, 23))
def test_a_rota_that_starts_within_a_week_gives_that_week_to_the_first(day: int) -> None:
    rota = replace(ROTA, starts_on=date(2026, 11, day))
    assert spans(rota, "2026-11-22T00:00", "2026-11-22T01:00") == [("ann", "11-16T08:00", "11-23T08:00")]


def test_the_handover_keeps_its_wall_clock_hour_when_clocks_change() -> None:
    spring = replace(ROTA, starts_on=date(2027, 3, 22))
    assert spans(spring, "2027-03-23T00:00", "2027-03-30T00:00") == [
        ("ann", "03-22T08:00", "03-29T07:00"),
        ("ben", "03-29T07:00", "04-05T07:00"),
    ]
    autumn = replace(ROTA, starts_on=date(2026, 10, 19))
    assert spans(autumn, "2026-10-20T00:00", "2026-10-27T00:00") == [
        ("ann", "10-19T07:00", "10-26T08:00"),
        ("ben", "10-26T08:00", "11-02T08:00"),
    ]


def test_a_handover_in_an_hour_that_clocks_skip_or_repeat_comes_once() -> None:
    sunday = replace(ROTA, handover=Handover(Weekday.SUNDAY, 2))
    assert shift_at(sunday, utc("2027-03-28T01:00")).starts_at == utc("2027-03-28T01:00")  # 03:00 in Berlin
    assert shift_at(sunday, utc("2027-03-28T00:59")).ends_at == utc("2027-03-28T01:00")
    assert shift_at(sunday, utc("2026-10-25T01:30")).starts_at == utc("2026-10-25T00:00")  # the first 02:00


def test_an_override_cuts_the_shift_of_the_week() -> None:
    rota = covered(("cas", "2026-11-18T10:00", "2026-11-19T10:00"))
    assert spans(rota, "2026-11-17T00:00", "2026-11-21T00:00") == [
        ("ann", "11-16T08:00", "11-18T10:00"),
        ("cas", "11-18T10:00", "11-19T10:00"),
        ("ann", "11-19T10:00", "11-23T08:00"),
    ]


def test_an_override_may_reach_over_handovers_and_begin_with_one() -> None:
    rota = covered(("cas", "2026-11-23T08:00", "2026-12-07T10:00"))
    assert spans(rota, "2026-11-16T08:00", "2026-12-08T00:00") == [
        ("ann", "11-16T08:00", "11-23T08:00"),
        ("cas", "11-23T08:00", "12-07T10:00"),
        ("ann", "12-07T10:00", "12-14T08:00"),
    ]


def test_overrides_may_follow_each_other_in_any_order_of_writing() -> None:
    rota = covered(("ben", "2026-11-19T00:00", "2026-11-20T00:00"), ("cas", "2026-11-18T00:00", "2026-11-19T00:00"))
    validate_rota(rota)
    assert [name for name, _, _ in spans(rota, "2026-11-17T00:00", "2026-11-21T00:00")] == ["ann", "cas", "ben", "ann"]


@pytest.mark.parametrize(
    ("bad", "pointer"),
    [
        pytest.param(replace(ROTA, people=()), "/people", id="nobody"),
        pytest.param(replace(ROTA, people=(ANN, BEN, ANN)), "/people/2/name", id="twice"),
        pytest.param(replace(ROTA, people=(ANN, replace(BEN, name="аnn"))), "/people/1/name", id="a Cyrillic a"),
        pytest.param(replace(ROTA, people=(ANN, replace(BEN, name="b\u200ben"))), "/people/1/name", id="unseen"),
        pytest.param(replace(ROTA, timezone="Berlin"), "/timezone", id="no zone"),
        pytest.param(replace(ROTA, handover=Handover(Weekday.MONDAY, 24)), "/handover/hour", id="no hour"),
        pytest.param(
            covered(("dan", "2026-11-18T00:00", "2026-11-19T00:00")), "/overrides/0/person", id="unknown person"
        ),
        pytest.param(covered(("ben", "2026-11-18T00:00", "2026-11-18T00:00")), "/overrides/0/ends_at", id="empty"),
        pytest.param(
            covered(("ben", "2026-11-18T00:00:00.5", "2026-11-19T00:00")), "/overrides/0/starts_at", id="fraction"
        ),
        pytest.param(
            covered(
                ("ben", "2026-11-20T00:00", "2026-11-21T00:00"),
                ("cas", "2026-11-17T00:00", "2026-11-18T00:00"),
                ("cas", "2026-11-19T00:00", "2026-11-20T00:00:01"),
            ),
            "/overrides/2",
            id="overlap",
        ),
    ],
)
def test_a_rota_that_makes_no_sense_is_refused(bad: Rota, pointer: str) -> None:
    with pytest.raises(Invalid) as raised:
        validate_rota(bad)
    assert raised.value.pointer == pointer


OFFSETS = st.lists(st.integers(0, 2000), min_size=2, max_size=8, unique=True).map(sorted)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])


@given(
    zone=ZONES,
    handover=st.builds(Handover, st.sampled_from(Weekday), st.integers(0, 23)),
    hours=OFFSETS,
    since=st.datetimes(datetime(2026, 9, 1), datetime(2027, 5, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_shifts_leave_no_gap_and_agree_with_who_is_on_call(
    zone: str, handover: Handover, hours: list[int], since: datetime
) -> None:
    start = since.replace(microsecond=0)
    overrides = tuple(
        Override(CAS.name, start + one * HOUR, start + other * HOUR)
        for one, other in zip(hours[::2], hours[1::2], strict=False)
    )
    rota = replace(ROTA, timezone=zone, handover=handover, overrides=overrides)
    validate_rota(rota)
    found = shifts(rota, since, since + 10 * WEEK)
    assert found[0].starts_at <= since
    assert found[-1].ends_at >= since + 10 * WEEK
    assert all(one.ends_at == other.starts_at for one, other in pairwise(found))
    for one in found:
        assert one.starts_at < one.ends_at
        assert on_call(rota, one.starts_at) == one.person == on_call(rota, one.ends_at - timedelta.resolution)
