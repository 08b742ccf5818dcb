"""What a method answers in the benchmark, and the gate that all of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.noise import Noise

FLOOR = 25.0
GATE_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Scored:
    """[series, days] from the first judged day on. `forced` alerts whatever the score says."""

    score: Floats
    expected: Floats
    forced: Flags

    def alerts(self, amounts: Floats, lines: Floats) -> Flags:
        """`lines`: the score each series has to reach: [series]."""
        gate = amounts - self.expected >= np.maximum(FLOOR, GATE_SHARE * self.expected)
        return np.asarray(gate & ((self.score >= lines[:, None]) | self.forced))


Judge = Callable[[Floats, int], Scored]
"""(amounts [series, days], first day judged) -> Scored."""


@dataclass(frozen=True, eq=False)
class Method:
    """`lines`: the score that alerts, by class. `tuned`: they are chosen on the tune half instead."""

    name: str
    judge: Judge
    lines: dict[Noise, float]
    tuned: bool = False


def same(line: float) -> dict[Noise, float]:
    return dict.fromkeys((Noise.STEADY, Noise.VOLATILE, Noise.INTERMITTENT), line)
