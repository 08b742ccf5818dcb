"""What one sensitivity found of a scope serves another only where that one would find the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from service.domain.detectors.memory.baselines import Memo
from service.domain.detectors.scores import Sensitivity
from service.domain.rules.kinds.anomaly.rule import AnomalyGranularity, observe
from service.domain.rules.rule import Observation
from service.domain.rules.verdicts import objected
from service.domain.rules.view import SpendView
from service.domain.sources.locality import LIKELY_ZONES, Locality
from service.domain.values.scopes import ScopeKey
from tests.domain.rules.spending import ENG_CI, HOURS, LEVELS, OPS_BOT, a_rule, hours, steady, with_hours
from tests.domain.rules.views import view
from tests.examples import cases

CHANGED = datetime(2026, 10, 26, tzinfo=UTC)
"""The first working day by winter's clocks in Europe. America changes its own a week later."""
MADRID = ZoneInfo("Europe/Madrid")
LOOSEST_FIRST = (Sensitivity.HIGH, Sensitivity.NORMAL, Sensitivity.LOW)


def work(ends: list[datetime], zone: tzinfo) -> list[float]:
    return [1.0 if 9 <= end.astimezone(zone).hour < 18 else 0.1 for end in ends]


def looks(seed: int) -> Iterator[SpendView]:
    """Two noisy scopes after a clock change, of work that moved with the clocks and work that did not.

    Their newest hours cost more, at times just as much as one of the clocks allows.
    """
    chance = np.random.default_rng(seed)
    for _ in range(4):
        end, rows = CHANGED + timedelta(hours=int(chance.integers(0, 14 * 24))), {}
        ends = [end - timedelta(hours=ago) for ago in range(HOURS, 0, -1)]
        for cell in (ENG_CI, OPS_BOT):
            shape = 40 * np.array(work(ends, MADRID)) + chance.choice([0, 40]) * np.array(work(ends, UTC))
            row = shape * chance.lognormal(0, chance.uniform(0.05, 0.3), HOURS)
            row[-int(chance.integers(1, 30)) :] *= chance.uniform(1.2, 4)
            rows[cell] = row.tolist()
        days = view({cell: steady() for cell in rows}, today=end.date())
        yield with_hours(replace(days, as_of=end, locality=Locality(LIKELY_ZONES)), hours(rows, end=end))


def found(seen: SpendView, sensitivity: Sensitivity) -> Mapping[ScopeKey, Observation]:
    return dict(objected(observe(seen, a_rule(AnomalyGranularity.BOTH, LEVELS, sensitivity=sensitivity))))


@pytest.mark.slow
@pytest.mark.parametrize("seed", cases([0, 86, *range(1, 5)], at_once=2))
def test_a_sweep_finds_what_each_sensitivity_finds_alone(seed: int) -> None:
    """Of seed 0 two sensitivities judge an hour by different clocks, of seed 86 a part of what is spent in it."""
    for seen in looks(seed):
        together = [found(seen, sensitivity) for sensitivity in LOOSEST_FIRST]
        assert together == [found(replace(seen, memo=Memo()), sensitivity) for sensitivity in LOOSEST_FIRST]
