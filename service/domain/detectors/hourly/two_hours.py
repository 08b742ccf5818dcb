"""Two hours in a row: what goes on is told from chance by less than a single hour is.

The line of an hour falls, the more the hour before cost above its usual, to a lower one where that reached it, too. In
busy and noisy hours it is far lower; in small ones it is that of a mean hour, which changes little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.domain.detectors.arrays import Flags, Floats

LINE_OF_EACH = 4.0, 6.5
"""Scales above the usual that are enough for each of two hours: of a calm series, and of a noisy one."""
LINE_RISES = 0.26, 0.36
"""The noise from which on they rise, evenly, and at which they are the most."""
SPREADS_OF_EACH = 2.0
"""Times the week's standard deviation that each has to reach, too."""
LEFT_OUT_TIMES = 1.4
"""Times that line above the second smallest of the same hours, from which on two in a row say nothing of the usual."""


@dataclass(frozen=True, slots=True)
class HourBefore:
    """How far the hour before lay above its usual, and the line of an hour after a usual one, and after one as high."""

    above: float
    alone: float
    half: float


def lines_of_each(noise: Floats) -> Floats:
    """The scales that are asked for of each series: [series]."""
    return np.asarray(np.interp(noise, LINE_RISES, LINE_OF_EACH), dtype=np.float64)


def half_line(usual: Floats, mean: Floats, offset: Floats, scales: Floats) -> Floats:
    """The dollars above the usual that are enough for each of two hours: [series]."""
    return np.asarray(scales * (np.maximum(usual, mean) + offset), dtype=np.float64)


def reach_after(before: Floats, alone: Floats, half: Floats) -> Floats:
    """The dollars from the expectation to a score of 1, after an hour of `before` dollars above its own: [series].

    It falls evenly from `alone`, after a usual hour, to `half`, after one that reached this, too.
    """
    part = np.clip(before / half, 0, 1)
    return np.asarray(alone - part * np.maximum(alone - half, 0), dtype=np.float64)


def with_a_neighbour(loud: Flags) -> Flags:
    """The hours of which the one before or after is loud, too: [series, hours]."""
    both, found = loud[:, 1:] & loud[:, :-1], np.zeros_like(loud)
    found[:, 1:] = both
    found[:, :-1] |= both
    return found
