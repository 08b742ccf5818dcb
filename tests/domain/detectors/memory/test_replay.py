"""What people say about past days: accepted, taken out, planned."""

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.memory.replay import Accepted, Replay, TakenOut, replay
from tests.domain.detectors.spending import carried, history_of, judged, normal, office, panel

DAYS = 126
STEP = 112


def doubled() -> Floats:
    series = office(DAYS)
    series[STEP:] *= 2
    return series


def first_quiet(result: Replay) -> int:
    rises = result.column("rises")[0]
    return int(np.flatnonzero(~rises)[0])


def test_an_accepted_shift_is_quiet_on_the_next_day_and_its_expectation_is_the_new_level() -> None:
    told = replay(panel(doubled()), normal(), STEP, [Accepted(row=0, since=STEP, said=STEP + 1)])
    assert told.column("rises")[0].tolist() == [True] + [False] * (DAYS - STEP - 1)
    assert told.column("expected")[0, 1:5] == pytest.approx(2 * np.array([310, 305, 295, 290]), rel=0.15)
    untold = replay(panel(doubled()), normal(), STEP)
    assert untold.column("rises")[0, :4].all()
    assert first_quiet(told) < first_quiet(untold)


def test_an_accepted_level_keeps_the_weekend_low() -> None:
    told = replay(panel(doubled()), normal(), STEP, [Accepted(0, STEP, STEP + 3)])
    saturday = told.column("expected")[0, 5]
    assert saturday == pytest.approx(160, rel=0.2)


def test_a_new_incident_on_an_accepted_level_is_found() -> None:
    series = doubled()
    series[STEP + 4] *= 2.5
    told = replay(panel(series), normal(), STEP, [Accepted(0, STEP, STEP + 2)])
    assert told.column("rises")[0].tolist()[2:6] == [False, False, True, False]


def test_an_accepted_shift_leaves_other_series_as_they_were() -> None:
    rows = doubled(), office(DAYS, seed=5)
    alone = replay(panel(rows[1]), normal(), STEP)
    both = replay(panel(*rows), normal(2), STEP, [Accepted(0, STEP, STEP + 1)])
    assert np.array_equal(both.column("scores")[1], alone.column("scores")[0])


def test_a_day_taken_out_counts_as_expected() -> None:
    history = carried(history_of(office(STEP)), 900.0)
    expected = float(history.expected[0, -1])
    capped = float(history.kept[0, -1])
    assert expected < capped < 900
    out = history.taking_out(0, 1)
    assert out.kept[0, -1] == expected
    assert history.kept[0, -1] == capped


def test_a_replay_takes_days_out_from_when_it_was_said() -> None:
    series, days = office(DAYS), (STEP, STEP + 1, STEP + 2)
    series[list(days)] = 900
    plain = replay(panel(series), normal(), STEP)
    told = replay(panel(series), normal(), STEP, [TakenOut(0, days, STEP + 3)])
    difference = told.column("expected")[0] - plain.column("expected")[0]
    assert np.flatnonzero(np.abs(difference) > 10).tolist()[0] == 7  # before, three dear days pass for a little growth
    assert difference[7] < -10


def test_a_planned_extra_does_not_enter_later_expectations() -> None:
    series, planned = office(DAYS), np.zeros((1, DAYS))
    series[STEP] += 1000
    planned[0, STEP] = 1000
    told = replay(panel(series), normal(), STEP, planned=planned)
    usual = replay(panel(office(DAYS)), normal(), STEP)
    assert not told.column("rises")[0].any()
    assert told.column("expected")[0, 7] == pytest.approx(usual.column("expected")[0, 7], rel=0.03)


def test_nobody_corrects_a_day_before_it_is_over() -> None:
    with pytest.raises(ValueError, match="not over"):
        replay(panel(office(DAYS)), normal(), STEP, [Accepted(0, STEP, STEP)])


@pytest.mark.parametrize("day", [0, 57])
def test_a_history_refuses_days_it_does_not_hold(day: int) -> None:
    with pytest.raises(ValueError, match="56 days"):
        history_of(office(60)).taking_out(0, day)


def test_an_amended_day_is_judged_again_by_the_same_history() -> None:
    history = history_of(office(STEP))
    assert judged(history, 900.0).rises[0]
    assert not judged(history, 310.0).rises[0]
    assert judged(history, 900.0).scores[0] == judged(history, 900.0).scores[0]
