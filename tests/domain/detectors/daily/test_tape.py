"""A tape is a value, though the windows of many days share one array."""

from __future__ import annotations

import numpy as np
import pytest

from service.domain.detectors.daily.tape import ROOM, Tape


def written(days: int) -> list[Tape[np.float64]]:
    """The tapes of each day on which `day, -day` is written to two series."""
    tapes = [Tape.of(np.zeros((2, 3)))]
    for day in range(1, days + 1):
        tapes.append(tapes[-1].pushed(np.array([day, -day], dtype=np.float64)))
    return tapes


def test_every_day_s_window_stays_as_it_was_beyond_the_room_of_an_array() -> None:
    tapes = written(2 * ROOM + 5)
    for day, tape in enumerate(tapes):
        assert tape.cells.tolist() == [[sign * max(at, 0) for at in (day - 2, day - 1, day)] for sign in (1, -1)]


def test_two_days_that_follow_the_same_day_are_both_what_was_pushed() -> None:
    before = written(4)[2]
    one, other = before.pushed(np.array([7.0, 7.0])), before.pushed(np.array([9.0, 9.0]))
    assert before.pushed(np.array([8.0, 8.0])).cells[0].tolist() == [1.0, 2.0, 8.0]
    assert (one.cells[0].tolist(), other.cells[0].tolist()) == ([1.0, 2.0, 7.0], [1.0, 2.0, 9.0])


def test_nobody_can_write_into_a_window() -> None:
    with pytest.raises(ValueError, match="read-only"):
        written(1)[1].cells[0, 0] = 5.0
