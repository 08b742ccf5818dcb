"""Panels and the statistics under them."""

import numpy as np
import pytest

from service.domain.detectors.arrays import median_of, row_quantile, week_sum
from service.domain.detectors.panel import Panel
from tests.domain.detectors.spending import MONDAY, panel


def test_days_before_the_first_spend_are_unknown_and_idle_days_after_it_are_zero() -> None:
    known = panel(np.array([0.0, np.nan, 5.0, 0.0]), np.array([0.0, 0.0, 0.0, 0.0])).from_first_spend()
    assert np.array_equal(known, [[np.nan, np.nan, 5, 0], [np.nan] * 4], equal_nan=True)


def test_a_panel_refuses_names_that_do_not_fit_its_rows() -> None:
    with pytest.raises(ValueError, match="2 series"):
        Panel(("a", "b"), MONDAY, np.zeros((1, 3)))


def test_a_panel_knows_the_date_of_each_day() -> None:
    assert panel(np.zeros(10)).day(7).isoformat() == "2026-06-08"


def test_quantiles_pass_over_unknown_cells() -> None:
    cells = np.array([[1.0, np.nan, 3.0, 2.0], [np.nan, 4.0, np.nan, np.nan], [np.nan] * 4])
    assert np.array_equal(row_quantile(cells, 0.5), [2.0, 4.0, np.nan], equal_nan=True)
    assert row_quantile(cells, 0.25)[0] == 1.5


def test_the_fast_median_is_numpys() -> None:
    cells = np.random.default_rng(1).random((3, 4, 7))
    for axis in (0, 1, 2):
        assert np.allclose(median_of(cells, axis), np.median(cells, axis=axis))


@pytest.mark.parametrize("days", [5, 28, 49, 56])
def test_a_row_s_sum_is_the_same_alone_and_among_others_however_they_lie_in_memory(days: int) -> None:
    cells = np.random.default_rng(days).lognormal(3, 2, (50, days))
    sums = week_sum(cells)
    assert np.allclose(sums, cells.sum(axis=1), rtol=1e-14)
    assert week_sum(np.asfortranarray(cells)).tobytes() == sums.tobytes()
    assert np.concatenate([week_sum(row[None]) for row in cells]).tobytes() == sums.tobytes()
