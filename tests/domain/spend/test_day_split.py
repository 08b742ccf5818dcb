"""A UTC day's spend, cut at a midnight of another time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from service.domain.spend.best_known import Basis, Spend
from service.domain.spend.day_split import edge_parts, spend_in_part, stretches, whole_days
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.utc import HOUR, utc_day

DAY = date(2026, 11, 20)
LATER = datetime(2026, 12, 31, tzinfo=UTC)
BILLED = Spend(billed=Money.of("24"))


def at(hour: int, minute: int = 0, day: int = 20) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def hour(start: int) -> Window:
    return Window(at(start), at(start) + HOUR)


@pytest.mark.parametrize(
    ("window", "first", "end", "parts"),
    [
        pytest.param(Window(at(0, day=1), at(0, day=3)), 1, 3, [], id="whole UTC days have no parts"),
        pytest.param(
            Window(at(5, day=1), at(5, day=4)),
            2,
            4,
            [Window(at(5, day=1), at(0, day=2)), Window(at(0, day=4), at(5, day=4))],
            id="a New York period has two",
        ),
        pytest.param(
            Window(at(5, day=1), at(5, day=2)),
            2,
            2,
            [Window(at(5, day=1), at(0, day=2)), Window(at(0, day=2), at(5, day=2))],
            id="one New York day lies in two UTC days and holds none",
        ),
        pytest.param(Window(at(5), at(9)), 21, 21, [Window(at(5), at(9))], id="both edges in one day make one part"),
        pytest.param(Window(at(0), at(9)), 20, 20, [Window(at(0), at(9))], id="a day's beginning is one part"),
        pytest.param(Window(at(9), at(0, day=21)), 21, 21, [Window(at(9), at(0, day=21))], id="so is its end"),
        pytest.param(Window(at(0), at(0)), 20, 20, [], id="an empty window has nothing"),
    ],
)
def test_a_window_is_whole_days_and_the_parts_beside_them(
    window: Window, first: int, end: int, parts: list[Window]
) -> None:
    assert whole_days(window) == (DAY.replace(day=first), DAY.replace(day=end))
    assert edge_parts(window) == parts


def test_a_day_is_cut_in_proportion_to_the_estimated_cost_of_its_hours() -> None:
    hours = {hour(2): Money.of("1"), hour(20): Money.of("3")}
    assert spend_in_part(BILLED, hours, Window(at(0), at(5)), LATER).total == Money.of("6")
    assert spend_in_part(BILLED, hours, Window(at(5), at(0, day=21)), LATER).total == Money.of("18")


def test_the_hour_of_a_half_hour_zones_midnight_is_cut_pro_rata() -> None:
    hours = {hour(18): Money.of("4"), hour(20): Money.of("4")}
    assert spend_in_part(BILLED, hours, Window(at(0), at(18, 30)), LATER).total == Money.of("6")


def test_the_running_hour_is_as_long_as_it_has_lasted() -> None:
    hours = {hour(18): Money.of("4")}
    early = spend_in_part(BILLED, hours, Window(at(0), at(18, 30)), now=at(18, 40))
    assert early.total == BILLED.total * Decimal("0.75")


def test_without_hours_a_finished_day_is_cut_by_time() -> None:
    assert spend_in_part(BILLED, {}, Window(at(0), at(5)), LATER).total == Money.of("5")


def test_without_hours_a_running_day_is_cut_by_the_time_that_has_passed() -> None:
    assert spend_in_part(BILLED, {}, Window(at(0), at(5)), now=at(10)).total == Money.of("12")
    assert spend_in_part(BILLED, {}, Window(at(5), at(0, day=21)), now=at(10)).total == Money.of("12")


def test_hours_that_cost_nothing_do_not_count_as_hours() -> None:
    assert spend_in_part(BILLED, {hour(2): ZERO}, Window(at(0), at(5)), LATER).total == Money.of("5")


def test_a_part_says_that_it_was_split_and_keeps_what_is_billed_apart() -> None:
    spend = Spend(billed=Money.of("24"), estimated=Money.of("12"))
    part = spend_in_part(spend, {}, Window(at(0), at(6)), LATER)
    assert (part.billed, part.estimated, part.split) == (Money.of("6"), Money.of("3"), True)
    assert spend_in_part(BILLED, {}, Window(at(0), at(6)), LATER).basis is Basis.MIXED


amounts = st.decimals(-1000, 10_000_000, places=12).map(Money)
costs = st.dictionaries(st.integers(0, 23).map(hour), st.decimals(0, 10_000, places=12).map(Money), max_size=24)
instants = st.integers(0, 24 * 3600 * 10**6).map(lambda us: utc_day(DAY).start + timedelta(microseconds=us))


@given(amounts, amounts, costs, st.lists(instants, max_size=4), instants)
@example(Money.of("0.000000000001"), ZERO, {}, [at(8), at(16)], LATER)
def test_the_parts_of_a_day_add_up_to_it_exactly(
    billed: Money, estimated: Money, hours: dict[Window, Money], cuts: list[datetime], now: datetime
) -> None:
    day, spend = utc_day(DAY), Spend(billed, estimated)
    edges = [day.start, *sorted(cuts), day.end]
    parts = [spend_in_part(spend, hours, Window(start, end), now) for start, end in pairwise(edges)]
    whole = Spend.sum(parts)
    assert (whole.billed, whole.estimated) == (billed, estimated)


@pytest.mark.parametrize(
    ("part", "cuts"),
    [
        pytest.param(Window(at(0), at(5)), [0, 1, 5, 6, 24], id="at full hours"),
        pytest.param(Window(at(18, 30), at(0, day=21)), [0, 18, 19, 24], id="inside an hour"),
        pytest.param(Window(at(18, 15), at(18, 45)), [0, 18, 19, 24], id="twice inside the same hour"),
        pytest.param(Window(at(23, 30), at(0, day=21)), [0, 23, 24], id="in the last hour"),
    ],
)
def test_stretches_are_the_day_cut_around_the_hours_of_the_edges(part: Window, cuts: list[int]) -> None:
    midnight = at(0)
    assert stretches(part) == [Window(midnight + start * HOUR, midnight + end * HOUR) for start, end in pairwise(cuts)]


@given(costs, instants, instants, instants)
def test_summing_hours_by_stretch_loses_nothing(
    hours: dict[Window, Money], one: datetime, other: datetime, now: datetime
) -> None:
    part = Window(min(one, other), max(one, other))
    assume(part.start < utc_day(DAY).end)
    by_stretch = {
        stretch: Money.total(cost for window, cost in hours.items() if window.start in stretch)
        for stretch in stretches(part)
    }
    exact = spend_in_part(BILLED, hours, part, now).total
    assert abs(spend_in_part(BILLED, by_stretch, part, now).total - exact) <= Money.of("0.000000000002")
