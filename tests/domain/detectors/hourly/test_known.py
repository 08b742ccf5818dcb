"""Hours as they became known, cut and put together again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from service.domain.detectors.hourly.known import HourVersions, KnownHours, Restated
from service.domain.values.scopes import Cell
from service.domain.values.utc import HOUR

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
COUNT = 240
CELLS = [Cell(f"wrkspc_{number}", "opus", "") for number in range(5)]


def drawn_hours(seed: int) -> HourVersions:
    """Ten days of five cells, of which the first is new on the sixth day and the last is gone by then."""
    drawn = np.random.default_rng(seed)
    amounts = drawn.uniform(0, 9, (len(CELLS), COUNT))
    amounts[0, : COUNT // 2] = amounts[-1, COUNT // 2 :] = 0.0
    ends = FIRST.timestamp() + 3600.0 * np.arange(1, COUNT + 1)
    read = ends + drawn.choice([300.0, 9000.0, 90_000.0], COUNT)
    rows, places = drawn.integers(1, len(CELLS) - 1, 90), drawn.integers(0, COUNT, 90)
    at = read[places] + drawn.choice([60.0, 7000.0], 90)
    told = np.argsort(at, kind="stable")
    restated = Restated(at[told], rows[told], places[told], drawn.uniform(0, 9, 90))
    return HourVersions(FIRST, CELLS, amounts, read - 100.0, read, restated)


def until(hours: HourVersions, place: int) -> HourVersions:
    """The hours before a place."""
    told = hours.restated.places < place
    restated = Restated(*(getattr(hours.restated, name)[told] for name in Restated.__slots__))
    cut = (hours.amounts[:, :place], hours.known_at[:place], hours.complete_at[:place])
    return HourVersions(hours.first, hours.cells, *cut, restated)


def without(hours: HourVersions, row: int) -> HourVersions:
    """The hours without a cell that spends nothing in them."""
    kept = [number for number in range(len(CELLS)) if number != row]
    rows = np.searchsorted(kept, hours.restated.rows)
    restated = replace(hours.restated, rows=rows)
    cells = [hours.cells[number] for number in kept]
    return replace(hours, cells=cells, amounts=hours.amounts[kept], restated=restated)


def known_at(hours: HourVersions, places: range) -> list[dict[Cell, list[float]]]:
    """The amounts at the end of every seventh hour, and a day after all."""
    known, found = KnownHours(hours), []
    for place in (*range(places.start, COUNT, 7), COUNT + 30):
        known.learn_until(FIRST + place * HOUR)
        start = (FIRST - hours.first) // HOUR + places.start
        amounts = np.where(known.known, known.amounts, -1.0)[:, start : start + len(places)]
        found.append(dict(zip(known.cells, amounts.tolist(), strict=True)))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_two_parts_are_the_whole_again(seed: int) -> None:
    hours, place = drawn_hours(seed), COUNT // 2
    earlier, later = until(hours, place), hours.since(FIRST + place * HOUR)
    joined = without(earlier, 0).followed_by(without(later, len(CELLS) - 1))
    assert (joined.first, joined.hours) == (FIRST, COUNT)
    assert known_at(joined, range(COUNT)) == known_at(hours, range(COUNT))


@pytest.mark.parametrize("gone", [0, 1, 100])
def test_what_is_known_of_later_hours_is_the_same_without_those_before(gone: int) -> None:
    hours = drawn_hours(1)
    later = hours.since(FIRST + gone * HOUR)
    assert (later.first, later.hours) == (FIRST + gone * HOUR, COUNT - gone)
    assert known_at(later, range(gone, COUNT)) == known_at(hours, range(gone, COUNT))


def test_hours_that_begin_later_are_left_whole() -> None:
    hours = drawn_hours(1)
    assert hours.since(FIRST - 5 * HOUR).hours == COUNT
