"""A rule of changes over columns sees what it sees of each scope alone, to the last digit."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from service.domain.detectors.columns import CellDays, DayBlock, Roll, in_order
from service.domain.rules.kinds.change import Against, Change, Direction, exceeding, observe
from service.domain.rules.verdicts import objected
from service.domain.rules.view import SpendView, StoredCells
from service.domain.sources.locality import locality_of
from service.domain.values.scopes import Cell, Dimension
from tests.domain.rules.views import rule, view
from tests.examples import cases

DAYS = 40
LEVELS = (Dimension.API_KEY, Dimension.WORKSPACE, Dimension.MODEL, None)


def drawn(seed: int) -> SpendView:
    """Many cells with equal days, credits, gaps and late beginnings."""
    chance = random.Random(seed)
    named = (Cell(f"wrkspc_{n % 7}", f"claude-{n % 3}", f"apikey_{n % 40}") for n in range(60))
    cells = sorted(named, key=in_order)
    levels = [chance.choice([0.1, 10.0, 10.0, 1e6]) for _ in cells]
    rows = {
        cell: [
            0.0 if place < chance.choice([0, 0, 30]) else level * chance.choice([1.0, 1.0, 0.0, 3.0, -1.0, 1.1])
            for place in range(DAYS)
        ]
        for cell, level in zip(cells, levels, strict=True)
    }
    seen = view(rows, unknown=(3, 8) if seed % 2 else (), settled=chance.choice([None, 1, 2]))
    return replace(seen, locality=locality_of(None, "US"))  # Veterans Day is the tenth of these days from the last


@pytest.mark.parametrize("seed", cases([1, 0, 2]))
@pytest.mark.parametrize("against", Against)
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("level", LEVELS)
def test_what_is_said_of_a_scope_does_not_depend_on_the_others(
    seed: int, against: Against, direction: Direction, level: Dimension | None
) -> None:
    seen = drawn(seed)
    looked = rule("change", Change(against, 7, direction), for_each=level)
    together = observe(seen, looked)
    first = objected(together)
    for key, cells in seen.members(level or Dimension.ORGANISATION, looked.scope).items():
        alone = observe(seen.only(cells), looked)
        assert repr(together[key]) == repr(alone[key])
        assert key in first or not alone[key].candidate
        assert (key in exceeding(seen, looked)) == (key in exceeding(seen.only(cells), looked))


def test_most_scopes_are_not_looked_at_and_some_rise() -> None:
    seen = drawn(1)
    found = observe(seen, rule("change", Change(Against.TRAILING_MEAN, 7), for_each=Dimension.API_KEY))
    assert 0 < len(objected(found)) < len(found)


def test_days_held_as_columns_are_the_same_days() -> None:
    listed = drawn(0)
    roll, blocks = Roll(), {}
    for one in listed.days:
        there = [(roll.place(cell), known[one].spend) for cell, known in listed.cells.items() if one in known]
        blocks[one] = DayBlock(np.array([at for at, _ in there]), np.array([[spent for _, spent in there]]))
    held = StoredCells(CellDays(roll, blocks))
    looked = rule("change", Change(Against.SAME_WEEKDAY), for_each=Dimension.API_KEY)
    expected, found = observe(listed, looked), observe(replace(listed, cells=held), looked)
    assert {key: repr(seen) for key, seen in found.items()} == {key: repr(seen) for key, seen in expected.items()}
