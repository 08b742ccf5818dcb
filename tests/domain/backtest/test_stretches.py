"""Stretches of a replay: wherever it is cut, joined they are the replay from end to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from service.domain.backtest.backtest import Firing, Progress
from service.domain.backtest.history import Recorded
from service.domain.backtest.stretches import (
    NEVER,
    Course,
    OneByOne,
    ReplayStretch,
    StretchResult,
    joined,
    replay_in_stretches,
    replay_stretch,
)
from service.domain.rules.kinds.anomaly.rule import AnomalyGranularity
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule
from service.domain.values.resources import Resource
from service.domain.values.utc import DAY, HOUR, midnight
from tests.domain.backtest.pasts import day, past
from tests.domain.backtest.test_hours import DAYS, DELAY, HOURLY, anomaly, wild

FIRST = DAYS - 12
"""The first day that is judged; of the last two, the hours are."""
COURSE = Course(day(FIRST), day(DAYS + 1 - HOURLY), day(DAYS - 3))
ENDS = midnight(COURSE.first), midnight(COURSE.last + DAY)


def remembered(seed: int) -> Recorded:
    """Days with incidents every few days, and wild hours at their end."""
    drawn = np.random.default_rng(seed)
    dear = {int(number): "150.00" for number in drawn.integers(FIRST, DAYS, 4)}
    return replace(past(DAYS, special=dear), hours=wild(seed), delay=DELAY)


def settings_of(pending_for: timedelta) -> Sequence[Resource[Rule[object]]]:
    subject = anomaly(AnomalyGranularity.BOTH)
    spec = replace(subject.spec, gates=replace(subject.spec.gates, pending_for=pending_for))
    return [replace(subject, spec=setting.rule) for setting in kind_of(spec).backtesting.sweep(spec)]


def silent(progress: float) -> None:
    """Nobody waits for it."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "pending_for"),
    [
        (0, timedelta()),
        (1, 2 * HOUR),
        *(pytest.param(seed, seed % 3 * HOUR, marks=pytest.mark.fuzz) for seed in range(2, 14)),
    ],
)
def test_stretches_cut_anywhere_find_what_the_whole_replay_finds(seed: int, pending_for: timedelta) -> None:
    drawn, settings, recorded = np.random.default_rng(seed), settings_of(pending_for), remembered(seed)
    whole = replay_in_stretches(settings, recorded, COURSE, OneByOne(), silent)
    hours = int((ENDS[1] - ENDS[0]) / HOUR)
    inner = [ENDS[0] + int(at) * HOUR for at in sorted(drawn.choice(np.arange(24, hours), 3, replace=False))]
    cuts = [ENDS[0], *inner, ENDS[1]]

    def made(after: datetime, until: datetime) -> StretchResult:
        return replay_stretch(ReplayStretch(settings, recorded, COURSE, after, until).narrowed(), silent)

    parts = joined([made(*between) for between in pairwise(cuts)], made)
    assert [list(firings) for firings in parts.firings] == [list(firings) for firings in whole.firings]
    assert parts.dollars.keys() == whole.dollars.keys()
    assert sum(spent for spent, _ in parts.dollars.values()) == pytest.approx(
        sum(spent for spent, _ in whole.dollars.values())
    )
    assert (parts.until, len(whole.firings[0]) > 0) == (whole.until, True)


def test_a_replay_of_many_hours_is_cut_into_as_many_stretches_as_there_are_hands() -> None:
    course = Course(date(2026, 1, 1), date(2026, 2, 1), date(2026, 12, 31))
    cuts = course.cut(3)
    assert (cuts[0][0], cuts[-1][1]) == (midnight(date(2026, 1, 1)), midnight(date(2027, 1, 1)))
    assert all(end == start for (_, end), (start, _) in pairwise(cuts))
    by_hour = [(end - max(start, midnight(course.hourly_from))) // DAY for start, end in cuts]
    assert (max(by_hour) - min(by_hour), sum(by_hour)) == (1, 334)
    assert course.steps == 31 + 334 * 24


@pytest.mark.parametrize("hourly_from", [date(2027, 1, 1), date(2026, 9, 4)])
def test_days_alone_and_hours_of_few_days_are_one_stretch(hourly_from: date) -> None:
    course = Course(date(2026, 1, 1), hourly_from, date(2026, 12, 31))
    assert course.cut(8) == [(midnight(date(2026, 1, 1)), midnight(date(2027, 1, 1)))]


def at(hour: int) -> datetime:
    return midnight(date(2026, 1, 1)) + hour * HOUR


def part(until: int, fired: Sequence[int], busy: Sequence[tuple[int, int]] = ()) -> StretchResult:
    """A stretch up to an hour. It has fired at some, and something was open at others."""
    firings = [_Fired(at(hour)) for hour in fired]
    return StretchResult(at(until), [firings], {}, [(at(start), at(end)) for start, end in busy])


class _Fired(Firing):
    """A firing of which only the instant matters."""

    def __init__(self, when: datetime) -> None:
        object.__setattr__(self, "at", when)


def hours_of(found: StretchResult) -> list[int]:
    return [(firing.at - at(0)) // HOUR for firing in found.firings[0]]


def never_again(after: datetime, until: datetime) -> StretchResult:
    raise AssertionError(f"made again: {after} to {until}")


def test_what_both_stretches_found_at_their_seam_counts_once() -> None:
    """The first went on until its alert had ended; the second began in its midst, and fired once more."""
    early, late = part(30, [5, 20], [(5, 8), (20, 30)]), part(48, [25, 40], [(25, 29), (40, 44)])
    found = joined([early, late], never_again)
    assert hours_of(found) == [5, 20, 40]
    assert found.busy == [(at(5), at(8)), (at(20), at(30)), (at(40), at(44))]


def test_where_two_stretches_never_rest_at_once_the_time_between_is_made_again() -> None:
    early, late = part(30, [20], [(20, 30)]), part(48, [25, 40], [(25, 33), (40, 44)])
    asked = []

    def again(after: datetime, until: datetime) -> StretchResult:
        asked.append((after, until))
        return part(34, [31], [(31, 34)])

    assert hours_of(joined([early, late], again)) == [20, 31, 40]
    assert asked == [(at(30), at(33))]


def test_a_stretch_that_never_rests_before_the_end_makes_the_others_void() -> None:
    early, late = part(48, [20], [(20, 99)]), part(48, [25], [(25, 33)])
    assert hours_of(joined([early, late], never_again)) == [20]


def test_a_stretch_that_is_open_at_its_end_is_made_again_from_the_seam() -> None:
    """Nothing tells when a person of the whole replay would have seen it end."""
    early, late = part(30, [20], [(20, 30)]), replace(part(48, [25]), busy=[(at(25), NEVER)])
    assert hours_of(joined([early, late], lambda after, until: part(48, [31], [(31, 99)]))) == [20, 31]


class Unwanted(Exception):
    """Nobody waits for the replay any more."""


class _OpenAtTheSeam(OneByOne):
    """Makes two stretches at once; the second has something open at their seam, and rests no more."""

    def make(self, stretches: Sequence[ReplayStretch], note: Progress) -> list[StretchResult]:
        seam, end = ENDS[1] - DAY, ENDS[1]
        return [StretchResult(seam, [[]], {}, []), StretchResult(end, [[]], {}, [(seam, NEVER)])]


def test_a_replay_can_be_stopped_while_the_time_at_a_seam_is_made_again() -> None:
    def note(progress: float) -> None:
        raise Unwanted

    with pytest.raises(Unwanted):
        replay_in_stretches(settings_of(timedelta())[:1], remembered(0), COURSE, _OpenAtTheSeam(), note)
