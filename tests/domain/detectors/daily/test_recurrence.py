"""Batches that come by the calendar: after three of them the fourth is expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.history import SEEN
from service.domain.detectors.daily.recurrence import batch, recurring, rhythms
from service.domain.detectors.daily.tape import Tape
from service.domain.detectors.memory.baselines import BaselineMemory
from service.domain.detectors.memory.replay import Replay, TakenOut, replay
from service.domain.detectors.panel import Panel
from service.domain.values.utc import DAY
from tests.domain.detectors.spending import normal, office, rare, volatile
from tests.examples import few

FIRST = date(2026, 7, 14)
DAYS = 141
MONTHLY = [date(2026, month, 1) for month in (9, 10, 11, 12)]
BATCH = 400.0
COMES = {
    "the same day of the month": MONTHLY,
    "the last day of the month": [date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31), date(2026, 11, 30)],
    "the last working day": [date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 30), date(2026, 11, 30)],
    "the first Monday": [date(2026, 8, 3), date(2026, 9, 7), date(2026, 10, 5), date(2026, 11, 2)],
    "the last Friday": [date(2026, 8, 28), date(2026, 9, 25), date(2026, 10, 30), date(2026, 11, 27)],
    "every four weeks": [date(2026, 8, 12), date(2026, 9, 9), date(2026, 10, 7), date(2026, 11, 4)],
}


def ended(row: Floats, last: date) -> Panel:
    """A series whose newest day is `last`."""
    return Panel(("series",), last - DAY * (len(row) - 1), row[None])


def spending(days: Sequence[date], extras: Sequence[float], last: date, row: Floats | None = None) -> Panel:
    """141 days of an office with so many dollars more on these days."""
    panel = ended(office(DAYS) if row is None else row.copy(), last)
    for day, extra in zip(days, extras, strict=True):
        panel.amounts[0, (day - panel.first).days] += extra
    return panel


def verdicts(panel: Panel, days: Sequence[date], *answers: TakenOut) -> list[bool]:
    found = replay(panel, normal(), 0, answers).column("rises")[0]
    return [bool(found[(day - panel.first).days]) for day in days]


@pytest.mark.parametrize("days", COMES.values(), ids=COMES)
def test_a_batch_rings_three_times_and_the_fourth_is_expected(days: list[date]) -> None:
    panel = spending(days, [BATCH, 1.2 * BATCH, 0.9 * BATCH, 1.1 * BATCH], days[-1])
    assert verdicts(panel, days) == [True, True, True, False]


@pytest.mark.parametrize("days", COMES.values(), ids=COMES)
def test_a_batch_of_twice_the_usual_size_rings(days: list[date]) -> None:
    assert verdicts(spending(days, [BATCH, BATCH, BATCH, 2 * BATCH], days[-1]), days)[-1]


@pytest.mark.parametrize("last", [0.0, 0.6 * BATCH, 1.4 * BATCH])
def test_half_as_much_again_or_none_at_all_is_no_alert(last: float) -> None:
    found = replay(spending(MONTHLY, [BATCH, BATCH, BATCH, last], MONTHLY[-1]), normal()).scores[-1]
    assert not found.rises[0]
    assert not found.falls[0]


def test_what_is_expected_is_the_usual_and_the_mean_of_what_was_above_it() -> None:
    sizes = [300.0, 400.0, 500.0]
    panel = spending(MONTHLY[:3], sizes, MONTHLY[-1] - DAY)
    history = replay(panel, normal()).history
    found = batch(history, 0, MONTHLY[-1])
    assert found is not None
    assert (found.name, found.days) == ("monthly batch", tuple(MONTHLY[:3]))
    assert found.above == pytest.approx(sizes, abs=40)
    assert recurring(history, MONTHLY[-1]) == pytest.approx([found.extra])
    assert recurring(replay(spending(MONTHLY[:3], sizes, MONTHLY[-1]), normal()).history, MONTHLY[-1] + DAY) is None


def test_days_that_are_unlike_each_other_are_no_batch() -> None:
    panel = spending(MONTHLY[:3], [200.0, 700.0, 400.0], MONTHLY[-1] - DAY)
    assert recurring(replay(panel, normal()).history, MONTHLY[-1]) is None


def test_a_batch_that_stayed_away_once_is_to_be_seen_three_times_again() -> None:
    panel = spending(MONTHLY, [BATCH, BATCH, 0.0, BATCH], MONTHLY[-1])
    assert verdicts(panel, MONTHLY) == [True, True, False, True]


def test_a_day_that_people_call_an_incident_becomes_no_habit() -> None:
    panel = spending(MONTHLY, [BATCH] * 4, MONTHLY[-1])
    at = (MONTHLY[1] - panel.first).days
    assert verdicts(panel, MONTHLY, TakenOut(0, (at,), at + 2)) == [True] * 4


def test_a_series_that_spends_on_the_first_of_the_month_alone_is_expected_to() -> None:
    days = [date(2026, 8, 1), *MONTHLY]
    panel = spending(days, [BATCH] * 5, MONTHLY[-1], np.zeros(DAYS))
    assert not verdicts(panel, days)[-1]
    panel.amounts[0, -1] = 2 * BATCH
    assert verdicts(panel, days)[-1]


def test_days_that_a_month_has_not_are_its_last() -> None:
    assert (date(2026, 3, 30) - date(2026, 2, 28)).days in rhythms(date(2026, 3, 30))[0].ago


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_every_rhythm_has_three_earlier_days_within_what_a_history_holds(on: date) -> None:
    for rhythm in rhythms(on):
        assert len(rhythm.ago) == 3
        assert SEEN >= rhythm.ago[0] > rhythm.ago[1] > rhythm.ago[2] >= 25


SPENDERS: dict[str, Callable[[int], Floats]] = {"steady": office, "volatile": volatile, "rare": rare}
ODD = st.dictionaries(st.integers(0, DAYS - 1), st.sampled_from([0.0, -50.0, 900.0, 4e4, np.nan, np.inf]), max_size=9)


def odd_series(name: str, odd: dict[int, float], batches: bool = True) -> Panel:
    panel = spending(MONTHLY, [BATCH * batches] * 4, MONTHLY[-1], SPENDERS[name](DAYS))
    for place, dollars in odd.items():
        panel.amounts[0, place] = dollars
    return panel


@few(8)
@given(st.sampled_from(list(SPENDERS)), ODD, st.floats(0.125, 4096))
def test_money_times_a_factor_is_expected_times_it(name: str, odd: dict[int, float], factor: float) -> None:
    panel = odd_series(name, {at: dollars for at, dollars in odd.items() if np.isfinite(dollars)})
    larger = Panel(panel.series, panel.first, panel.amounts * factor)
    one, other = (replay(each, normal()).history for each in (panel, larger))
    for day in range(DAYS):
        on = MONTHLY[-1] + DAY * (1 + day % 31)
        first, second = recurring(one, on), recurring(other, on)
        assert (first is None) == (second is None)
        assert first is None or second == pytest.approx(first * factor)


@few(8)
@given(st.sampled_from(list(SPENDERS)), ODD)
def test_the_same_days_28_years_on_are_judged_the_same(name: str, odd: dict[int, float]) -> None:
    """The calendar comes again after 28 years: weekdays, months and leap years."""
    panel = odd_series(name, odd)
    later = Panel(panel.series, panel.first.replace(year=panel.first.year + 28), panel.amounts)
    assert as_bytes(replay(panel, normal())) == as_bytes(replay(later, normal()))


@few(8)
@given(st.sampled_from(list(SPENDERS)), ODD, st.floats(0, 1e5))
def test_tomorrow_changes_nothing_of_today(name: str, odd: dict[int, float], tomorrow: float) -> None:
    panel = odd_series(name, odd)
    longer = Panel(panel.series, panel.first, np.append(panel.amounts, [[tomorrow]], axis=1))
    assert as_bytes(replay(panel, normal())) == as_bytes(replay(longer, normal()), DAYS)


@few(8)
@given(st.sampled_from(list(SPENDERS)), ODD)
def test_a_memory_that_follows_the_days_expects_what_a_replay_does(name: str, odd: dict[int, float]) -> None:
    panel, memory = odd_series(name, odd), BaselineMemory()
    for days in (DAYS - 9, DAYS - 1, DAYS):
        part = Panel(panel.series, panel.first, panel.amounts[:, :days])
        learnt = memory.learn(part, np.zeros_like(part.amounts), ())
    alone = BaselineMemory().learn(panel, np.zeros_like(panel.amounts), ())
    for place, base in alone.bases.items():
        on = panel.day(place)
        one, other = recurring(base.history, on), recurring(learnt.bases[place].history, on)
        assert (one is None) == (other is None)
        assert one is None or other is None or np.array_equal(one, other)


def test_incidents_of_any_day_become_a_habit_rarely() -> None:
    """Six isolated incidents of like sizes in 98 days: of a thousand days, one or two are expected to cost more."""
    random, expected, tried = np.random.default_rng(7), 0, 0
    history = replay(spending([], [], MONTHLY[-1]), normal()).history
    for _ in range(400):
        above = history.tapes.above.cells.copy()
        above[:] = 0.0
        above[0, random.choice(SEEN, 6, replace=False)] = BATCH * random.lognormal(0, 0.4, 6)
        seen = replace(history, tapes=replace(history.tapes, above=Tape.of(above)))
        for later in range(20):
            expected += recurring(seen, MONTHLY[-1] + DAY * (1 + later)) is not None
            tried += 1
    assert expected / tried < 0.002


def as_bytes(found: Replay, days: int | None = None) -> list[bytes]:
    """Everything that was said of each day."""
    names = ("expected", "low", "high", "fires_from", "scores", "methods", "overrides", "rises", "falls")
    return [b"".join(getattr(day, name).tobytes() for name in names) for day in found.scores[:days]]
