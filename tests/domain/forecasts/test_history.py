import numpy as np
import pytest

from service.domain.forecasts.history import DailySpend
from service.domain.forecasts.pace import HISTORY_DAYS


def test_a_history_begins_with_the_first_spend() -> None:
    row = DailySpend.complete([0.0, 0.0, 5.0, 0.0, 7.0]).row()

    assert row.shape == (HISTORY_DAYS,)
    assert row[-3:].tolist() == [5.0, 0.0, 7.0]
    assert np.isnan(row[:-3]).all()


def test_only_the_last_ten_weeks_are_read() -> None:
    assert DailySpend.complete([9.0, *[1.0] * HISTORY_DAYS]).row().tolist() == [1.0] * HISTORY_DAYS


def test_a_day_known_in_part_is_unknown_and_counted_by_what_is_missing() -> None:
    days = DailySpend((4.0, 1.0, 4.0, 0.5), (1.0, 0.25, 1.0, 0.1))

    assert np.isnan(days.row()[-2])
    assert days.incomplete_days() == [(2, 0.75)]


@pytest.mark.parametrize(
    ("amounts", "known"),
    [
        pytest.param((), (), id="no day, not even today"),
        pytest.param((1.0, 2.0), (1.0,), id="a day without a share"),
        pytest.param((1.0,), (1.5,), id="more than all"),
        pytest.param((1.0,), (float("nan"),), id="an unknown share"),
        pytest.param((float("nan"),), (1.0,), id="not a number"),
        pytest.param((float("inf"),), (1.0,), id="endless"),
    ],
)
def test_days_that_do_not_fit_together_are_refused(amounts: tuple[float, ...], known: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"each day needs both|must be finite"):
        DailySpend(amounts, known)
