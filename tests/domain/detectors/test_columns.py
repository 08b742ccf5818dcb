"""Days that are mostly like others are made of those, and are what they would be by themselves."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from service.domain.detectors.columns import CellDays, DayBlock, Roll, day_block
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY

FIRST = date(2026, 11, 1)
DAYS = [FIRST + DAY * ago for ago in range(5)]
CELLS = [Cell("wrkspc_1", "opus", "key_1"), Cell("wrkspc_1", "opus", "key_2"), Cell("wrkspc_2", "haiku", "key_3")]


def block(roll: Roll, **dollars: float) -> DayBlock:
    return day_block(roll, [(cell, [dollars[cell.api_key]]) for cell in CELLS if cell.api_key in dollars], 1)


def night(roll: Roll) -> CellDays:
    roll.places(CELLS)
    return CellDays(roll, {day: block(roll, key_1=10.0 + at, key_2=5.0) for at, day in enumerate(DAYS[:4])})


@pytest.mark.parametrize(
    "dollars",
    [{"key_1": 99.0, "key_2": 5.0}, {"key_1": 99.0, "key_2": 5.0, "key_3": 7.0}],
    ids=["dearer", "a new cell"],
)
def test_days_with_more_are_what_they_are_by_themselves(dollars: dict[str, float]) -> None:
    roll = Roll()
    before = night(roll)
    changed = {DAYS[3]: block(roll, **dollars), DAYS[4]: block(roll, key_1=1.0)}
    found, alone = before.with_more(changed), CellDays(roll, {**before.blocks, **changed})
    kept = before.spend(DAYS, before.cells()).copy()
    assert found.cells() == alone.cells()
    assert np.array_equal(found.spend(DAYS, found.cells()), alone.spend(DAYS, alone.cells()))
    assert np.array_equal(found.spend(DAYS[1:4], CELLS), alone.spend(DAYS[1:4], CELLS))
    assert np.array_equal(before.spend(DAYS, before.cells()), kept), "the others stay as they were"
