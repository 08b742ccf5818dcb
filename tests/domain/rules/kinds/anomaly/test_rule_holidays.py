"""The anomaly rule around public holidays: quiet offices, loud loops, and words that name the day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.domain.detectors.memory.baselines import Memo
from service.domain.rules.evaluation import evaluate
from service.domain.rules.incidents import Incident, incidents
from service.domain.rules.kinds.anomaly.rule import AnomalyDirection, AnomalyGranularity, observe
from service.domain.rules.view import SpendView
from service.domain.sources.locality import Locality, locality_of
from service.domain.values.utc import HOUR
from tests.domain.rules.spending import ENG, ENG_CI, HOURS, a_rule, hours, with_hours
from tests.domain.rules.views import view
from tests.factories import utc

BERLIN = ZoneInfo("Europe/Berlin")
GERMANY, UNKNOWN = locality_of("Europe/Berlin", "DE"), locality_of("Europe/Berlin")
HOURLY, BOTH = a_rule(AnomalyGranularity.HOURS), a_rule(AnomalyGranularity.BOTH)
FALLS = a_rule(AnomalyGranularity.DAYS, direction=AnomalyDirection.BOTH)
CLOSED = {date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)}
"""The office closes on Christmas Eve, too, which is no public holiday."""
Spend = Callable[[datetime], float]


def office(at: datetime) -> float:
    """Dollars of an hour: $40 from 9 to 18 on working days, else $4, and a little more at some hours than at others."""
    local = at.astimezone(BERLIN)
    works = 9 <= local.hour < 18 and local.weekday() < 5 and local.date() not in CLOSED
    return (40.0 if works else 4.0) * (1 + 0.03 * ((local.day + local.hour) % 3))


def looping(*starts: datetime, dollars: float = 200.0) -> Spend:
    return lambda at: office(at) + dollars * (at in starts)


def seen(end: datetime, locality: Locality, spend: Spend = office, days: int = 84) -> SpendView:
    """What is known at the end of an hour, 140 days of it or fewer."""
    today = end.date()
    begin = datetime.combine(today, time(), UTC) - timedelta(days=days - 1)
    row = [sum(spend(begin + (day * 24 + hour) * HOUR) for hour in range(24)) for day in range(days - 1)]
    row.append(sum(spend(end - ago * HOUR) for ago in range(1, end.hour + 1)))
    by_hour = [spend(end - ago * HOUR) for ago in range(HOURS, 0, -1)]
    known = replace(view({ENG_CI: row}, today=today), as_of=end, locality=locality)
    return with_hours(known, hours({ENG_CI: by_hour}, end=end))


def found(end: datetime, locality: Locality, spend: Spend = office) -> list[Incident]:
    known = seen(end, locality, spend)
    return incidents(known, evaluate(known, BOTH))


WORKING = [datetime(2026, 12, day, hour, tzinfo=UTC) for day in (23, 28, 29) for hour in (9, 12, 17)] + [
    datetime(2027, 1, day, hour, tzinfo=UTC) for day in (4, 8, 15) for hour in (9, 12, 17)
]
AT_HOME = [datetime(2026, 12, day, hour, tzinfo=UTC) for day in (24, 25, 26) for hour in (9, 17)]


def test_an_office_that_has_christmas_off_rings_neither_then_nor_after() -> None:
    assert not [end for end in (*WORKING, *AT_HOME, utc("2027-01-01T12:00")) if found(end, GERMANY)]


def test_two_fridays_off_are_no_reason_to_ring_on_the_third() -> None:
    """25 December and 1 January are two of the four Fridays that 8 January is compared with, country or not."""
    friday = utc("2027-01-08T12:00")
    expected = {locality: observe(seen(friday, locality), HOURLY)[ENG].expected for locality in (GERMANY, UNKNOWN)}
    assert min(expected.values()) > 39
    assert not found(friday, GERMANY)
    assert not found(friday, UNKNOWN)


def test_an_hour_of_a_quiet_day_that_nobody_named_is_shown_as_one() -> None:
    start = utc("2027-01-08T10:00")
    told = observe(seen(start + HOUR, UNKNOWN, looping(start)), HOURLY)[ENG]
    assert told.cause.count("(a quiet day, left out)") == 2


@pytest.mark.parametrize("start", [utc("2026-12-25T10:00"), utc("2026-12-25T22:00"), utc("2026-12-28T09:00")])
def test_a_loop_on_christmas_day_and_on_the_first_working_day_after_rings_within_the_hour(start: datetime) -> None:
    [incident] = found(start + HOUR, GERMANY, looping(start))
    assert incident.verdict.observation.since == start


def test_an_hour_of_a_holiday_says_so_and_is_held_against_an_ordinary_one() -> None:
    start = utc("2026-12-25T10:00")
    told = observe(seen(start + HOUR, GERMANY, looping(start)), HOURLY)[ENG]
    assert told.expected == pytest.approx(41, abs=2)
    assert "UTC on Friday 25 December 2026 (Christmas Day);" in told.cause
    assert dict(told.inputs)["holiday"].startswith("Christmas Day: ")


def test_an_hour_that_was_off_is_named_and_left_out() -> None:
    start = utc("2027-01-08T10:00")
    told = observe(seen(start + HOUR, GERMANY, looping(start)), HOURLY)[ENG]
    assert "(Christmas Day, left out)" in told.cause
    assert told.cause.count("left out") == 2
    assert "New Year's Day" in dict(told.inputs)["10:00 UTC on 1 January 2027"]


def test_a_day_of_a_holiday_is_held_against_an_ordinary_one_and_named_when_it_is_compared_with() -> None:
    loop = [utc("2027-01-01T08:00") + ago * HOUR for ago in range(6)]
    told = observe(seen(utc("2027-01-01T16:00"), GERMANY, looping(*loop)), a_rule())[ENG]
    assert "on Friday 1 January 2027 (New Year's Day) so far;" in told.cause
    assert "dip on Christmas Day counts as" in told.cause
    assert "was expected, as on an ordinary Friday, and it fires from" in told.cause
    assert [name for name, _ in told.inputs if "(Christmas Day)" in name] == ["25 December 2026 (Christmas Day)"]


def falls(today: date, locality: Locality) -> bool:
    end = datetime.combine(today, time(6), UTC)
    closed = replace(seen(end, locality, lambda at: office(at) if at < utc("2026-12-25") else 0.1), hours=None)
    settled = replace(closed, settled_until=datetime.combine(today, time(), UTC))
    return observe(settled, FALLS)[ENG].falls


def test_little_spend_on_two_holidays_is_no_fall_and_on_two_days_more_it_is() -> None:
    assert falls(date(2026, 12, 27), UNKNOWN)
    assert not falls(date(2026, 12, 27), GERMANY)
    assert falls(date(2026, 12, 30), GERMANY)


def test_the_same_view_gives_the_same_answer_remembered_or_not() -> None:
    """A country that is set, or corrected, counts from the next look on: nothing learnt without it is left."""
    memo = Memo()
    for locality in (UNKNOWN, GERMANY, locality_of("Europe/Berlin", "US"), UNKNOWN):
        for end in (utc("2027-01-08T12:00"), utc("2027-01-09T12:00")):
            known = seen(end, locality)
            remembered = observe(replace(known, memo=memo), BOTH)
            assert repr(remembered) == repr(observe(known, BOTH))


def scaled(spend: Spend, factor: float) -> Spend:
    return lambda at: factor * spend(at)


def shapes(known: SpendView) -> Sequence[object]:
    told = observe(known, BOTH)[ENG]
    return told.candidate, told.severity, told.days


def test_dollars_times_a_thousand_are_judged_the_same_across_holidays() -> None:
    for end in (utc("2026-12-28T10:00"), utc("2027-01-08T12:00")):
        loop = looping(end - HOUR, dollars=400.0)
        assert shapes(seen(end, GERMANY, scaled(loop, 8.0))) == shapes(seen(end, GERMANY, scaled(loop, 1024.0)))
