"""What is remembered gives the same baselines as a replay from the first day ever seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.detectors.arrays import Floats, Whole
from service.domain.detectors.daily.baseline import Baseline
from service.domain.detectors.memory.baselines import (
    LOOK_BACK,
    BaselineMemory,
    DatedCorrection,
    LearntDays,
    Memo,
    accepted,
    taken_out,
)
from service.domain.detectors.memory.day_judge import Bar, day_judge
from service.domain.detectors.memory.replay import replay
from service.domain.detectors.panel import Panel
from service.domain.detectors.scores import Sensitivity
from tests.domain.detectors.spending import MONDAY, normal, office, panel, rare, volatile
from tests.examples import few

pytestmark = pytest.mark.slow

NAMES = ("org", "workspace:eng", "api_key:ci")
ROWS = np.array([office(100), volatile(100), rare(100)])


def cut(start: int, end: int, rows: Floats = ROWS, names: tuple[str, ...] = NAMES) -> Panel:
    return Panel(names, MONDAY + timedelta(days=start), rows[:, start:end])


def nothing_planned(seen: Panel) -> Floats:
    return np.zeros_like(seen.amounts)


def learn(memory: BaselineMemory, seen: Panel, *answers: DatedCorrection) -> LearntDays:
    return memory.learn(seen, nothing_planned(seen), answers)


def same(one: LearntDays, other: LearntDays, ago: int = 0) -> bool:
    """Whether the baselines before each of the last days agree; the panels may begin on different days."""
    last = [learnt.amounts.shape[1] - 1 - ago for learnt in (one, other)]
    pair = [(learnt.bases[at], learnt.rows) for learnt, at in zip((one, other), last, strict=True)]
    return all(_same_arrays(*pair[0], *pair[1], name) for name in Baseline.__slots__ if name != "history") and all(
        np.array_equal(
            getattr(pair[0][0].history, name)[pair[0][1]],
            getattr(pair[1][0].history, name)[pair[1][1]],
            equal_nan=name in ("raw", "kept", "expected"),
        )
        for name in ("raw", "kept", "expected", "known", "ages", "noise", "leaning", "streak", "since_accepted", "lows")
    )


def _same_arrays(one: Baseline, rows: Whole, other: Baseline, others: Whole, name: str) -> bool:
    return np.array_equal(getattr(one, name)[rows], getattr(other, name)[others], equal_nan=True)


def test_the_first_panel_is_judged_as_a_replay_judges_it() -> None:
    bar = Bar(Sensitivity.NORMAL, (0.0, 0.0, 0.0), 0.0)
    judge = day_judge(BaselineMemory(), panel(*ROWS), {}, (), bar, settled=99)
    told = replay(panel(*ROWS), normal(3), 90)
    for place in range(90, 99):
        for row in range(3):
            read = judge.reading(row, place)
            assert read.rises == told.scores[place - 90].rises[row]
            if read.method.judges:
                assert read.expected == told.scores[place - 90].expected[row]


def test_a_day_more_gives_what_all_days_at_once_give() -> None:
    memory = BaselineMemory()
    for end in range(60, 101):
        grown = learn(memory, cut(0, end))
    assert all(same(grown, learn(BaselineMemory(), cut(0, 100)), ago) for ago in range(LOOK_BACK + 1))


def test_a_window_that_moves_on_remembers_what_lay_before_it() -> None:
    memory = BaselineMemory()
    for end in range(60, 101):
        moved = learn(memory, cut(end - 60, end))
    assert same(moved, learn(BaselineMemory(), cut(0, 100)))
    assert not same(moved, learn(BaselineMemory(), cut(40, 100)))


def test_a_panel_before_the_first_day_seen_starts_anew() -> None:
    memory = BaselineMemory()
    learn(memory, cut(40, 100))
    assert same(learn(memory, cut(0, 90)), learn(BaselineMemory(), cut(0, 90)))


def test_a_panel_after_a_gap_starts_anew() -> None:
    memory = BaselineMemory()
    learn(memory, cut(0, 30))
    assert same(learn(memory, cut(40, 100)), learn(BaselineMemory(), cut(40, 100)))


def test_a_series_that_is_no_longer_named_and_comes_back_spent_nothing_meanwhile() -> None:
    memory = BaselineMemory()
    learn(memory, cut(0, 60))
    learn(memory, cut(0, 70, ROWS[:2], NAMES[:2]))
    back = learn(memory, cut(65, 100))
    whole = ROWS.copy()
    whole[2, :65] = 0.0  # the second panel, which names it no longer, speaks of the first 60 days as well
    assert same(back, learn(BaselineMemory(), cut(0, 100, whole)))


def test_selections_are_remembered_apart() -> None:
    memo = Memo()
    assert memo.of("one") is memo.of("one")
    assert memo.of("one") is not memo.of("other")


def test_what_is_said_of_a_day_counts_when_the_day_is_over() -> None:
    assert accepted("org", MONDAY, MONDAY).said == MONDAY + timedelta(days=1)
    assert taken_out("org", MONDAY, MONDAY + timedelta(days=5)).said == MONDAY + timedelta(days=5)


@dataclass(frozen=True)
class Step:
    """The days known by then, how many series there are, and what has changed since."""

    end: int
    restated: int
    series: int
    said: bool
    planned: float
    off: frozenset[int]


steps = st.builds(
    Step,
    st.integers(60, 100),
    st.sampled_from([0, 1, 2, 3, 30]),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from([0.0, 40.0]),
    st.frozensets(st.integers(0, 59), max_size=4),
)


@few(10)
@given(st.lists(steps, min_size=2, max_size=4), st.integers(0, 5))
def test_any_line_of_panels_ends_as_if_its_last_one_had_been_the_first(line: list[Step], seed: int) -> None:
    """All begin on the same day, so that the last panel says all that was ever seen of its series."""
    memory, rows = BaselineMemory(), ROWS.copy()
    for number, step in enumerate(line):
        rows = rows.copy()
        if step.restated:
            rows[number % 3, step.end - step.restated] *= 1.5 + seed
        seen = cut(0, step.end, rows[: step.series], NAMES[: step.series])
        seen = replace(seen, holidays=frozenset(seen.day(place) for place in step.off))
        planned = np.zeros_like(seen.amounts)
        planned[:, step.end - 5] = step.planned
        since = MONDAY + timedelta(days=50)
        answers = [accepted("org", since, since), taken_out("org", since, date(2026, 8, 1))] if step.said else []
        remembered = memory.learn(seen, planned, answers)
    fresh = BaselineMemory().learn(seen, planned, answers)
    assert all(same(remembered, fresh, ago) for ago in range(LOOK_BACK + 1))


def test_a_day_that_turns_out_to_be_off_is_learnt_as_one_and_again_as_none() -> None:
    memory, plain = BaselineMemory(), cut(0, 100)
    off = replace(plain, holidays=frozenset({plain.day(91)}))
    learn(memory, plain)
    assert same(learn(memory, off), learn(BaselineMemory(), off))
    assert same(learn(memory, plain), learn(BaselineMemory(), plain))


@pytest.mark.parametrize("unknown", [(99,), (97, 98), (70,)])
def test_days_that_become_known_are_learnt_then(unknown: tuple[int, ...]) -> None:
    memory, gaps = BaselineMemory(), ROWS.copy()
    gaps[:, unknown] = np.nan
    learn(memory, cut(0, 100, gaps))
    assert same(learn(memory, cut(0, 100)), learn(BaselineMemory(), cut(0, 100)))
