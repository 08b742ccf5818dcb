"""The words of what a replay found."""

from __future__ import annotations

import pytest

from service.api.dashboard.replays import would_have_fired
from service.domain.backtest.backtest import BacktestTally
from service.domain.values.money import ZERO


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        (0, "Would not have fired in 90 days"),
        (1, "Would have fired once in 90 days"),
        (4, "Would have fired 4 times in 90 days"),
        (1200, "Would have fired 1,200 times in 90 days"),
    ],
)
def test_it_says_how_often(alerts: int, said: str) -> None:
    assert would_have_fired(BacktestTally(alerts, alerts, 0, 0.0, ZERO), 90) == said
