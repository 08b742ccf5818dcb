"""Growth: where weeks cost more than those two weeks before, earlier days are brought nearly to today's level."""

from __future__ import annotations

import numpy as np

from service.domain.detectors.arrays import Floats, week_sum
from service.domain.detectors.daily.history import MONTH, WEEK

FOLLOW = 0.8
"""How much of the growth is believed: it may end, and a series that does not grow seems to, at times."""
MOST_GROWTH = 1.2
"""Times the week before. What grows faster is no growth but an incident, or a level of its own."""
WEEKS_AGO = np.arange(MONTH // WEEK, 0, -1)


def weekly_growth(days: Floats) -> Floats:
    """Returns how much more a week costs than the one before, cautiously: a factor each [series].

    Each of the last two weeks is held against the one two weeks before it, and the lesser rise counts: a factor over
    two weeks has half the error, a week, of one over one. 1 where either costs less, or the last week less than the
    one before: growth is what goes on. `days`: [series, 28].
    """
    one, two, three, four = (week_sum(days[:, start : start + WEEK]) for start in range(0, MONTH, WEEK))
    rows = np.flatnonzero((four > three) & (four > two) & (three > one) & (two > 0) & (one > 0))
    in_two_weeks = np.minimum(four[rows] / two[rows], three[rows] / one[rows])
    times = np.ones(days.shape[0])
    times[rows] = np.minimum(in_two_weeks ** (FOLLOW / 2), MOST_GROWTH)
    return times


def brought_up(buckets: Floats, growth: Floats) -> Floats:
    """The days, or hours, of four weeks as they would be in the week that comes: [series, 28 or 672]."""
    rows = np.flatnonzero(growth > 1)
    if not rows.size:
        return buckets
    grown = buckets.copy(order="K")
    grown[rows] *= growth[rows, None] ** WEEKS_AGO.repeat(buckets.shape[1] // WEEKS_AGO.size)
    return grown
