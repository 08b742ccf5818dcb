"""Announced spend, spread over its days."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.rules.planned import ActivityState, PlannedActivity, by_day, ended, extras, validate_activity
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.scopes import Cell, Dimension, Scope, ScopeKey
from tests.domain.rules.views import day, instant

ACTIVITY = PlannedActivity("src_1", Scope(workspaces=("wrkspc_eng",)), instant(3), instant(1), Money.of("100.00"))
CI, CRON = Cell("wrkspc_eng", "m", "apikey_ci"), Cell("wrkspc_ops", "m", "apikey_cron")
DAYS = [day(ago) for ago in (4, 3, 2, 1, 0)]


def test_the_extra_is_spread_evenly_over_whole_days() -> None:
    assert by_day(ACTIVITY) == {day(3): Money.of("50"), day(2): Money.of("50")}


def test_a_day_that_is_touched_for_six_hours_gets_the_share_of_six_hours() -> None:
    activity = replace(ACTIVITY, starts_at=instant(3, hour=18), ends_at=instant(2, hour=18))
    assert by_day(activity) == {day(3): Money.of("25"), day(2): Money.of("75")}


def test_days_are_utc_days_wherever_the_activity_was_announced() -> None:
    tokyo = timezone(timedelta(hours=9))
    start, end = (datetime(2026, 11, number, tzinfo=tokyo) for number in (19, 20))
    activity = replace(ACTIVITY, starts_at=start, ends_at=end)
    assert by_day(activity) == {day(3): Money.of("37.50"), day(2): Money.of("62.50")}


@given(
    st.timedeltas(min_value=timedelta(), max_value=timedelta(days=365)),
    st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=90)),
    st.decimals("0.01", "1000000", places=2),
)
def test_the_parts_add_up_to_the_announced_amount(start: timedelta, length: timedelta, dollars: Decimal) -> None:
    begins = instant(365) + start
    activity = replace(ACTIVITY, starts_at=begins, ends_at=begins + length, extra_amount=Money.of(str(dollars)))
    validate_activity(activity)
    assert Money.total(by_day(activity).values()) == activity.extra_amount


@pytest.mark.parametrize(
    ("sentence", "dimension", "cell", "touched"),
    [
        ("the organisation over it", Dimension.ORGANISATION, CI, True),
        ("its own workspace", Dimension.WORKSPACE, CI, True),
        ("a key of its workspace", Dimension.API_KEY, CI, True),
        ("another workspace", Dimension.WORKSPACE, CRON, False),
        ("a key of another workspace", Dimension.API_KEY, CRON, False),
    ],
)
def test_an_activity_raises_the_expectation_of(sentence: str, dimension: Dimension, cell: Cell, touched: bool) -> None:
    key = ScopeKey(dimension, cell.along(dimension))
    found = extras([ACTIVITY], {key: [cell]}, DAYS)
    assert found == ({key: [0.0, 50.0, 50.0, 0.0, 0.0]} if touched else {}), sentence


def test_activities_at_the_same_time_add_up() -> None:
    key = ScopeKey()
    assert extras([ACTIVITY, ACTIVITY], {key: [CI, CRON]}, DAYS)[key] == [0.0, 100.0, 100.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("activity", "pointer"),
    [
        (replace(ACTIVITY, ends_at=ACTIVITY.starts_at), "/ends_at"),
        (replace(ACTIVITY, ends_at=instant(4)), "/ends_at"),
        (replace(ACTIVITY, ends_at=instant(-398)), "/ends_at"),
        (replace(ACTIVITY, extra_amount=Money.of("0")), "/extra_amount"),
        (replace(ACTIVITY, extra_amount=Money.of("-1")), "/extra_amount"),
    ],
)
def test_an_impossible_activity_is_refused(activity: PlannedActivity, pointer: str) -> None:
    with pytest.raises(Invalid) as refusal:
        validate_activity(activity)
    assert refusal.value.pointer == pointer


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (instant(4), ActivityState.COMING),
        (instant(3), ActivityState.RUNNING),
        (instant(2), ActivityState.RUNNING),
        (instant(1), ActivityState.OVER),
    ],
)
def test_an_activity_runs_from_its_start_up_to_its_end(now: datetime, state: ActivityState) -> None:
    assert ACTIVITY.state(now) is state


def test_one_that_is_ended_early_leaves_what_was_expected_of_the_time_that_has_passed() -> None:
    early = ended(ACTIVITY, instant(2, hour=12))
    assert early.state(instant(2, hour=12)) is ActivityState.OVER
    assert by_day(early) == {day(3): Money.of("50"), day(2): Money.of("25")}
