"""Growth: where each of the last weeks cost more than the one before, earlier days are brought to today's level."""

from __future__ import annotations

import numpy as np

from service.domain.detectors.arrays import Floats, week_sum
from service.domain.detectors.daily.history import MONTH, WEEK

MOST_GROWTH = 1.25
"""Times the week before. What grows faster is no growth but an incident, or a level of its own."""
WEEKS_AGO = np.arange(MONTH // WEEK, 0, -1).repeat(WEEK)


def weekly_growth(days: Floats) -> Floats:
    """The least by which one of the last three weeks cost more than the one before: a factor each [series].

    1 where one of them cost less: growth is what goes on. `days`: [series, 28].
    """
    one, two, three, four = (week_sum(days[:, start : start + WEEK]) for start in range(0, MONTH, WEEK))
    rows = np.flatnonzero((four > three) & (three > two) & (two > one) & (one > 0))
    least = np.minimum(np.minimum(four[rows] / three[rows], three[rows] / two[rows]), two[rows] / one[rows])
    times = np.ones(days.shape[0])
    times[rows] = np.minimum(least, MOST_GROWTH)
    return times


def brought_up(days: Floats, growth: Floats) -> Floats:
    """The days as they would be a week later, two, three and four: [series, 28]."""
    rows = np.flatnonzero(growth > 1)
    if not rows.size:
        return days
    grown = days.copy(order="K")
    grown[rows] *= growth[rows, None] ** WEEKS_AGO
    return grown
