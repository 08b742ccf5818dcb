"""Cases are led by the sentence they prove; local times are written as the wall clock showed them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.values.errors import Invalid
from service.domain.values.periods import (
    Period,
    PeriodKind,
    PeriodSpec,
    Phase,
    Weekday,
    Window,
    live_periods,
    period_at,
    phase,
    previous_period,
    validate,
)

DAY = timedelta(days=1)
THREE_DAYS = timedelta(days=3)
"""How long these periods are closing."""
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def found(spec: PeriodSpec, instant: datetime) -> Period:
    period = period_at(spec, instant)
    assert period is not None
    return period


def daily(timezone: str) -> PeriodSpec:
    return PeriodSpec(PeriodKind.DAILY, timezone)


def monthly(anchor_day: int, timezone: str = "UTC") -> PeriodSpec:
    return PeriodSpec(PeriodKind.MONTHLY, timezone, anchor_day=anchor_day)


def quarterly(anchor_day: int) -> PeriodSpec:
    return PeriodSpec(PeriodKind.QUARTERLY, anchor_day=anchor_day)


def yearly(timezone: str = "UTC", anchor_day: int = 1) -> PeriodSpec:
    return PeriodSpec(PeriodKind.YEARLY, timezone, anchor_day=anchor_day)


def weekly(week_start: Weekday, timezone: str = "UTC") -> PeriodSpec:
    return PeriodSpec(PeriodKind.WEEKLY, timezone, week_start=week_start)


def custom(start: str, end: str, timezone: str = "UTC") -> PeriodSpec:
    return PeriodSpec(PeriodKind.CUSTOM, timezone, start=datetime.fromisoformat(start), end=datetime.fromisoformat(end))


def rolling(days: int, timezone: str = "UTC") -> PeriodSpec:
    return PeriodSpec(PeriodKind.ROLLING, timezone, days=days)


@dataclass(frozen=True)
class Case:
    sentence: str
    spec: PeriodSpec
    at: str
    start: str
    end: str
    label: str


CASES = [
    Case(
        "a day in Tokyo begins at 15:00 UTC of the day before",
        daily("Asia/Tokyo"),
        at="2026-11-20T15:00:00Z",
        start="2026-11-21T00:00:00+09:00",
        end="2026-11-22T00:00:00+09:00",
        label="21 November 2026",
    ),
    Case(
        "an instant before Tokyo's midnight belongs to the day before",
        daily("Asia/Tokyo"),
        at="2026-11-20T14:59:59.999999Z",
        start="2026-11-20T00:00:00+09:00",
        end="2026-11-21T00:00:00+09:00",
        label="20 November 2026",
    ),
    Case(
        "a month in Tokyo does not begin late by the zone's offset",
        monthly(1, "Asia/Tokyo"),
        at="2026-10-31T15:00:00Z",
        start="2026-11-01T00:00:00+09:00",
        end="2026-12-01T00:00:00+09:00",
        label="November 2026",
    ),
    Case(
        "a half-hour zone begins its day at a half hour",
        daily("Asia/Kolkata"),
        at="2026-11-21T18:29:00Z",
        start="2026-11-21T00:00:00+05:30",
        end="2026-11-22T00:00:00+05:30",
        label="21 November 2026",
    ),
    Case(
        "New York's day in March has 23 hours",
        daily("America/New_York"),
        at="2026-03-08T12:00:00-04:00",
        start="2026-03-08T00:00:00-05:00",
        end="2026-03-09T00:00:00-04:00",
        label="8 March 2026",
    ),
    Case(
        "New York's day in November has 25 hours",
        daily("America/New_York"),
        at="2026-11-01T23:30:00-05:00",
        start="2026-11-01T00:00:00-04:00",
        end="2026-11-02T00:00:00-05:00",
        label="1 November 2026",
    ),
    Case(
        "Berlin's day in March has 23 hours",
        daily("Europe/Berlin"),
        at="2026-03-29T00:30:00+01:00",
        start="2026-03-29T00:00:00+01:00",
        end="2026-03-30T00:00:00+02:00",
        label="29 March 2026",
    ),
    Case(
        "Berlin's day in October has 25 hours",
        daily("Europe/Berlin"),
        at="2026-10-25T23:59:00+01:00",
        start="2026-10-25T00:00:00+02:00",
        end="2026-10-26T00:00:00+01:00",
        label="25 October 2026",
    ),
    Case(
        "a month that holds the autumn change is an hour longer",
        monthly(1, "Europe/Berlin"),
        at="2026-10-31T23:59:00+01:00",
        start="2026-10-01T00:00:00+02:00",
        end="2026-11-01T00:00:00+01:00",
        label="October 2026",
    ),
    Case(
        "a midnight that does not exist gives way to the first instant of its day: Sao Paulo",
        daily("America/Sao_Paulo"),
        at="2018-11-04T01:00:00-02:00",
        start="2018-11-04T01:00:00-02:00",
        end="2018-11-05T00:00:00-02:00",
        label="4 November 2018",
    ),
    Case(
        "a midnight that does not exist gives way to the first instant of its day: Beirut",
        daily("Asia/Beirut"),
        at="2026-03-28T23:59:59+02:00",
        start="2026-03-28T00:00:00+02:00",
        end="2026-03-29T01:00:00+03:00",
        label="28 March 2026",
    ),
    Case(
        "clocks that jump from before midnight to after it start the day where they land: Toronto 1919",
        daily("America/Toronto"),
        at="1919-03-31T12:00:00-04:00",
        start="1919-03-31T00:30:00-04:00",
        end="1919-04-01T00:00:00-04:00",
        label="31 March 1919",
    ),
    Case(
        "of two midnights the first one counts: Havana",
        daily("America/Havana"),
        at="2026-11-01T00:30:00-05:00",
        start="2026-11-01T00:00:00-04:00",
        end="2026-11-02T00:00:00-05:00",
        label="1 November 2026",
    ),
    Case(
        "an hour shown again after the new day had begun belongs to the new day: St John's 2010",
        daily("America/St_Johns"),
        at="2010-11-06T23:30:00-03:30",
        start="2010-11-07T00:00:00-02:30",
        end="2010-11-08T00:00:00-03:30",
        label="7 November 2010",
    ),
    Case(
        "the eve of a skipped day ends where the day after it begins: Apia",
        daily("Pacific/Apia"),
        at="2011-12-29T23:59:59-10:00",
        start="2011-12-29T00:00:00-10:00",
        end="2011-12-31T00:00:00+14:00",
        label="29 December 2011",
    ),
    Case(
        "a month with a skipped day is a day shorter: Apia",
        monthly(1, "Pacific/Apia"),
        at="2011-12-31T00:00:00+14:00",
        start="2011-12-01T00:00:00-10:00",
        end="2012-01-01T00:00:00+14:00",
        label="December 2011",
    ),
    Case(
        "a month anchored on a skipped day begins with the day after it: Apia",
        monthly(30, "Pacific/Apia"),
        at="2012-01-01T00:00:00+14:00",
        start="2011-12-31T00:00:00+14:00",
        end="2012-01-30T00:00:00+14:00",
        label="30 December 2011 to 29 January 2012",
    ),
    Case(
        "a week starts on Monday unless told otherwise",
        PeriodSpec(PeriodKind.WEEKLY),
        at="2026-11-22T23:59:59Z",
        start="2026-11-16T00:00:00Z",
        end="2026-11-23T00:00:00Z",
        label="week of 16 November 2026",
    ),
    Case(
        "a week that starts on Sunday starts on that very Sunday",
        weekly(Weekday.SUNDAY),
        at="2026-11-22T00:00:00Z",
        start="2026-11-22T00:00:00Z",
        end="2026-11-29T00:00:00Z",
        label="week of 22 November 2026",
    ),
    Case(
        "a week runs through the turn of the year, also of the ISO year with 53 weeks",
        weekly(Weekday.MONDAY),
        at="2027-01-03T12:00:00Z",
        start="2026-12-28T00:00:00Z",
        end="2027-01-04T00:00:00Z",
        label="week of 28 December 2026",
    ),
    Case(
        "a week with the spring change has 167 hours",
        weekly(Weekday.SUNDAY, "America/New_York"),
        at="2026-03-10T12:00:00Z",
        start="2026-03-08T00:00:00-05:00",
        end="2026-03-15T00:00:00-04:00",
        label="week of 8 March 2026",
    ),
    Case(
        "before the anchor day it is still last month's period",
        monthly(15),
        at="2026-11-14T23:59:59Z",
        start="2026-10-15T00:00:00Z",
        end="2026-11-15T00:00:00Z",
        label="15 October to 14 November 2026",
    ),
    Case(
        "a period over the turn of the year names both years",
        monthly(15),
        at="2027-01-01T00:00:00Z",
        start="2026-12-15T00:00:00Z",
        end="2027-01-15T00:00:00Z",
        label="15 December 2026 to 14 January 2027",
    ),
    Case(
        "31 January is followed by the last day of February",
        monthly(31),
        at="2026-02-27T23:00:00Z",
        start="2026-01-31T00:00:00Z",
        end="2026-02-28T00:00:00Z",
        label="31 January to 27 February 2026",
    ),
    Case(
        "after a short February the 31st is back",
        monthly(31),
        at="2026-02-28T00:00:00Z",
        start="2026-02-28T00:00:00Z",
        end="2026-03-31T00:00:00Z",
        label="28 February to 30 March 2026",
    ),
    Case(
        "in a leap year February ends a day later",
        monthly(31),
        at="2028-02-29T00:00:00Z",
        start="2028-02-29T00:00:00Z",
        end="2028-03-31T00:00:00Z",
        label="29 February to 30 March 2028",
    ),
    Case(
        "the 30th falls on the leap day too",
        monthly(30),
        at="2028-02-28T23:59:59Z",
        start="2028-01-30T00:00:00Z",
        end="2028-02-29T00:00:00Z",
        label="30 January to 28 February 2028",
    ),
    Case(
        "the leap day is a day of its own",
        daily("UTC"),
        at="2028-02-29T12:00:00Z",
        start="2028-02-29T00:00:00Z",
        end="2028-03-01T00:00:00Z",
        label="29 February 2028",
    ),
    Case(
        "a leap year is one day longer",
        yearly(),
        at="2028-02-29T12:00:00Z",
        start="2028-01-01T00:00:00Z",
        end="2029-01-01T00:00:00Z",
        label="2028",
    ),
    Case(
        "a year begins at the zone's own midnight",
        yearly("Asia/Tokyo"),
        at="2026-12-31T15:00:00Z",
        start="2027-01-01T00:00:00+09:00",
        end="2028-01-01T00:00:00+09:00",
        label="2027",
    ),
    Case(
        "an anchored year starts in January",
        yearly(anchor_day=15),
        at="2026-01-14T12:00:00Z",
        start="2025-01-15T00:00:00Z",
        end="2026-01-15T00:00:00Z",
        label="15 January 2025 to 14 January 2026",
    ),
    Case(
        "the fourth quarter starts in October",
        quarterly(1),
        at="2026-12-31T23:59:59Z",
        start="2026-10-01T00:00:00Z",
        end="2027-01-01T00:00:00Z",
        label="Q4 2026",
    ),
    Case(
        "the first quarter starts in January",
        quarterly(1),
        at="2026-03-31T23:59:59Z",
        start="2026-01-01T00:00:00Z",
        end="2026-04-01T00:00:00Z",
        label="Q1 2026",
    ),
    Case(
        "a quarter anchored on the 31st starts on the 30th of April",
        quarterly(31),
        at="2026-07-30T23:59:59Z",
        start="2026-04-30T00:00:00Z",
        end="2026-07-31T00:00:00Z",
        label="30 April to 30 July 2026",
    ),
    Case(
        "a quarter anchored on the 31st holds the start of the next calendar quarter",
        quarterly(31),
        at="2026-04-29T12:00:00Z",
        start="2026-01-31T00:00:00Z",
        end="2026-04-30T00:00:00Z",
        label="31 January to 29 April 2026",
    ),
    Case(
        "a custom range is taken as it stands, and named by its last day",
        custom("2026-03-01T00:00:00+01:00", "2026-04-16T00:00:00+02:00", "Europe/Berlin"),
        at="2026-04-15T21:59:59Z",
        start="2026-02-28T23:00:00Z",
        end="2026-04-15T22:00:00Z",
        label="1 March to 15 April 2026",
    ),
    Case(
        "a custom range within a day has that day's name",
        custom("2026-03-01T09:00:00Z", "2026-03-01T17:00:00Z"),
        at="2026-03-01T09:00:00Z",
        start="2026-03-01T09:00:00Z",
        end="2026-03-01T17:00:00Z",
        label="1 March 2026",
    ),
    Case(
        "seven rolling days end with today, in the budget's zone",
        rolling(7, "Asia/Kolkata"),
        at="2026-11-20T18:30:00Z",
        start="2026-11-15T00:00:00+05:30",
        end="2026-11-22T00:00:00+05:30",
        label="last 7 days",
    ),
    Case(
        "rolling days are local days, also over a change of the clocks",
        rolling(2, "Europe/Berlin"),
        at="2026-10-26T12:00:00Z",
        start="2026-10-25T00:00:00+02:00",
        end="2026-10-27T00:00:00+01:00",
        label="last 2 days",
    ),
    Case(
        "one rolling day is today",
        rolling(1),
        at="2026-11-21T00:00:00Z",
        start="2026-11-21T00:00:00Z",
        end="2026-11-22T00:00:00Z",
        label="last day",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_a_period_is_cut_by_the_calendar_of_its_zone(case: Case) -> None:
    assert found(case.spec, utc(case.at)) == Period(Window(utc(case.start), utc(case.end)), case.label)


@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("Asia/Tokyo", "2026-03-29", 24),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(timezone: str, day: str, hours: int) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=ZoneInfo(timezone))
    window = found(daily(timezone), noon).window
    assert window.end - window.start == timedelta(hours=hours)


def test_bounds_are_utc_whatever_the_zone() -> None:
    for case in CASES:
        window = found(case.spec, utc(case.at)).window
        assert (window.start.tzinfo, window.end.tzinfo) == (UTC, UTC), case.sentence


def test_outside_a_custom_range_there_is_no_period() -> None:
    spec = custom("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
    assert period_at(spec, utc("2026-02-28T23:59:59Z")) is None
    assert period_at(spec, utc("2026-03-31T23:59:59Z")) is not None
    assert period_at(spec, utc("2026-04-01T00:00:00Z")) is None


@pytest.mark.parametrize("kind", [kind for kind in PeriodKind if kind is not PeriodKind.CUSTOM])
def test_a_naive_instant_is_refused_and_not_guessed(kind: PeriodKind) -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        period_at(PeriodSpec(kind, days=7), datetime.fromisoformat("2026-11-21"))


# -------------------------------------------------------------------------------- properties

ZONES = [
    "UTC",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/New_York",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "America/St_Johns",
    "America/Havana",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Antarctica/Troll",
]
CALENDAR_KINDS = [kind for kind in PeriodKind if kind not in (PeriodKind.CUSTOM, PeriodKind.ROLLING)]


def instants_from(year: int) -> st.SearchStrategy[datetime]:
    start = datetime(year, 1, 1, tzinfo=UTC)
    return st.timedeltas(timedelta(), datetime(2038, 1, 1, tzinfo=UTC) - start).map(lambda t: start + t)


instants = instants_from(1990)
calendar_specs = st.builds(
    PeriodSpec,
    kind=st.sampled_from(CALENDAR_KINDS),
    timezone=st.sampled_from(ZONES),
    week_start=st.sampled_from(Weekday),
    anchor_day=st.integers(1, 31),
)
any_specs = calendar_specs | st.builds(
    PeriodSpec,
    kind=st.just(PeriodKind.ROLLING),
    timezone=st.sampled_from(ZONES),
    days=st.integers(1, 366),
)
offsets = st.builds(timezone, st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes)))


@given(any_specs, instants)
def test_an_instant_lies_in_its_period(spec: PeriodSpec, instant: datetime) -> None:
    assert instant in found(spec, instant).window


@given(calendar_specs, instants)
def test_periods_follow_each_other_without_gap_or_overlap(spec: PeriodSpec, instant: datetime) -> None:
    period = found(spec, instant)
    assert found(spec, period.window.end).window.start == period.window.end
    assert found(spec, period.window.end - timedelta.resolution) == period
    assert found(spec, period.window.start) == period


@given(calendar_specs, instants)
def test_the_previous_period_ends_where_this_one_starts(spec: PeriodSpec, instant: datetime) -> None:
    period = found(spec, instant)
    previous = previous_period(spec, period)
    assert previous is not None
    assert previous.window.end == period.window.start
    assert previous.label != period.label


@given(any_specs, instants, offsets)
def test_the_zone_that_now_is_told_in_does_not_matter(spec: PeriodSpec, instant: datetime, offset: timezone) -> None:
    assert period_at(spec, instant.astimezone(offset)) == period_at(spec, instant)


@given(calendar_specs, instants_from(2012))  # after the last zone that skipped a day
def test_a_period_starts_on_the_local_date_it_is_anchored_to(spec: PeriodSpec, instant: datetime) -> None:
    start = found(spec, instant).window.start.astimezone(ZoneInfo(spec.timezone)).date()
    eve = start - DAY
    if spec.kind is PeriodKind.WEEKLY:
        assert f"{start:%A}".lower() == spec.week_start
    if spec.kind in (PeriodKind.MONTHLY, PeriodKind.QUARTERLY, PeriodKind.YEARLY):
        assert start.day == spec.anchor_day or (start.day < spec.anchor_day and (start + DAY).day == 1)
        assert eve.day < spec.anchor_day or start.day == 1
    if spec.kind is PeriodKind.QUARTERLY:
        assert start.month in (1, 4, 7, 10)
    if spec.kind is PeriodKind.YEARLY:
        assert start.month == 1


@given(any_specs, instants, st.timedeltas(timedelta(), timedelta(days=40)))
def test_live_periods_are_all_that_are_not_closed_and_end_with_the_open_one(
    spec: PeriodSpec, now: datetime, closing_for: timedelta
) -> None:
    live = live_periods(spec, now, closing_for)
    assert live[-1] == period_at(spec, now)
    assert [phase(period, now, closing_for) for period in live[:-1]] == [Phase.CLOSING] * (len(live) - 1)
    assert [a.window.end for a in live[:-1]] == [b.window.start for b in live[1:]]
    before = previous_period(spec, live[0])
    assert before is None or phase(before, now, closing_for) is Phase.CLOSED


# -------------------------------------------------------------------------------- phases


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-09-30T23:59:59Z", Phase.UPCOMING),
        ("2026-10-01T00:00:00Z", Phase.OPEN),
        ("2026-10-31T23:59:59Z", Phase.OPEN),
        ("2026-11-01T00:00:00Z", Phase.CLOSING),
        ("2026-11-03T23:59:59Z", Phase.CLOSING),
        ("2026-11-04T00:00:00Z", Phase.CLOSED),
    ],
)
def test_a_period_is_open_then_closing_for_three_days_then_closed(now: str, expected: Phase) -> None:
    assert phase(found(monthly(1), utc("2026-10-10T00:00:00Z")), utc(now), THREE_DAYS) is expected


def test_a_daily_budget_has_three_days_closing_beside_the_open_one() -> None:
    labels = [period.label for period in live_periods(daily("UTC"), NOW, THREE_DAYS)]
    assert labels == ["18 November 2026", "19 November 2026", "20 November 2026", "21 November 2026"]


def test_an_instant_after_midnight_the_third_day_back_is_still_closing_and_the_fourth_is_not() -> None:
    midnight = utc("2026-11-21T00:00:00Z")
    assert live_periods(daily("UTC"), midnight, THREE_DAYS)[0].label == "18 November 2026"
    assert live_periods(daily("UTC"), midnight - timedelta.resolution, THREE_DAYS)[0].label == "17 November 2026"


def test_last_month_is_live_beside_this_one_until_it_is_closed() -> None:
    both = live_periods(monthly(1), utc("2026-11-03T23:59:59Z"), THREE_DAYS)
    assert [period.label for period in both] == ["October 2026", "November 2026"]
    one = live_periods(monthly(1), utc("2026-11-04T00:00:00Z"), THREE_DAYS)
    assert [period.label for period in one] == ["November 2026"]


@pytest.mark.parametrize(
    ("now", "live"),
    [
        ("2026-02-28T23:59:59Z", 0),
        ("2026-03-01T00:00:00Z", 1),
        ("2026-04-03T23:59:59Z", 1),
        ("2026-04-04T00:00:00Z", 0),
    ],
)
def test_a_custom_period_is_live_from_its_start_until_it_is_closed(now: str, live: int) -> None:
    spec = custom("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
    assert len(live_periods(spec, utc(now), THREE_DAYS)) == live


def test_a_rolling_budget_has_one_live_period_and_no_previous_one() -> None:
    spec = rolling(30)
    (period,) = live_periods(spec, NOW, timedelta(days=90))
    assert period == period_at(spec, NOW)
    assert previous_period(spec, period) is None


def test_a_custom_period_has_no_previous_one() -> None:
    spec = custom("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
    assert previous_period(spec, found(spec, utc("2026-03-10T00:00:00Z"))) is None


def test_the_day_before_a_skipped_day_is_the_previous_one() -> None:
    spec = daily("Pacific/Apia")
    previous = previous_period(spec, found(spec, utc("2011-12-31T12:00:00+14:00")))
    assert previous is not None
    assert previous.label == "29 December 2011"


# -------------------------------------------------------------------------------- validation

RANGE = custom("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        (daily("Mars/Olympus"), "timezone"),
        (daily(""), "timezone"),
        (daily("America"), "timezone"),
        (daily("../etc/passwd"), "timezone"),
        (daily("UTC\0"), "timezone"),
        (daily("Z" * 5000), "timezone"),
        (daily("localtime"), "timezone"),
        (monthly(0), "anchor_day"),
        (monthly(32), "anchor_day"),
        (quarterly(-1), "anchor_day"),
        (yearly(anchor_day=32), "anchor_day"),
        (rolling(0), "days"),
        (rolling(367), "days"),
        (PeriodSpec(PeriodKind.ROLLING), "days"),
        (PeriodSpec(PeriodKind.CUSTOM), "start"),
        (replace(RANGE, end=None), "end"),
        (replace(RANGE, end=RANGE.start), "end"),
        (custom("2026-04-01T00:00:00Z", "2026-03-01T00:00:00Z"), "end"),
        (custom("2026-03-01T00:00:00", "2026-04-01T00:00:00Z"), "start"),
        (custom("2026-03-01T00:00:00Z", "2026-04-01T00:00:00"), "end"),
        (custom("0001-01-01T00:00:00Z", "2026-04-01T00:00:00Z"), "start"),
        (custom("2026-03-01T00:00:00Z", "9999-12-31T23:59:59Z"), "end"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused_with_its_place(spec: PeriodSpec, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate(spec)
    assert refused.value.pointer == f"/period/{pointer}"
    assert str(refused.value)


def test_the_end_of_a_range_is_compared_as_an_instant_and_not_as_a_wall_clock() -> None:
    zone = ZoneInfo("Europe/Berlin")
    again = datetime(2026, 10, 25, 2, 15, tzinfo=zone, fold=1)
    spec = replace(RANGE, start=datetime(2026, 10, 25, 2, 30, tzinfo=zone), end=again)
    validate(spec)
    assert found(spec, utc("2026-10-25T00:45:00Z")).window.end == utc("2026-10-25T01:15:00Z")


@pytest.mark.parametrize("spec", [case.spec for case in CASES] + [rolling(1), rolling(366), monthly(31)], ids=str)
def test_a_period_that_makes_sense_is_accepted(spec: PeriodSpec) -> None:
    validate(spec)


def test_fields_of_another_kind_do_not_count() -> None:
    validate(PeriodSpec(PeriodKind.DAILY, anchor_day=99, days=-1, start=RANGE.end, end=RANGE.start))
