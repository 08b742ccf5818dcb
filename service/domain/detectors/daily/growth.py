"""Growth: where weeks cost more than those before them, earlier days are brought nearly to today's level."""

from __future__ import annotations

import numpy as np

from service.domain.detectors.arrays import Floats, Whole, week_sum
from service.domain.detectors.daily.history import MONTH, WEEK, WINDOW
from service.domain.detectors.noise import Noise

FOLLOW = 0.8
"""How much of the growth is believed: it may end, and a series that does not grow seems to, at times."""
MOST_GROWTH = 1.2
"""Times the week before. What grows faster is no growth but an incident, or a level of its own."""
WEEKS_AGO = np.arange(MONTH // WEEK, 0, -1)


def weekly_growth(days: Floats, ages: Whole, noise: Whole) -> Floats:
    """Returns how much more a week costs than the one before, cautiously: a factor each [series].

    The last four weeks say it, and of a steady series eight weeks, too: the larger counts. `days`: [series, 56].
    """
    times = in_four_weeks(days[:, -MONTH:])
    rows = np.flatnonzero((ages >= WINDOW) & (noise == Noise.STEADY.value))
    if rows.size:
        times[rows] = np.maximum(times[rows], in_eight_weeks(days[rows]))
    return times


def in_four_weeks(days: Floats) -> Floats:
    """Returns the growth of a week by the last four: a factor each [series].

    Each of the last two weeks is held against the one two weeks before it, and the lesser rise counts: a factor over
    two weeks has half the error, a week, of one over one. 1 where either costs less, or the last week less than the
    one before: growth is what goes on. `days`: [series, 28].
    """
    one, two, three, four = _sums(days)
    rows = np.flatnonzero((four > three) & (four > two) & (three > one) & (two > 0) & (one > 0))
    in_two_weeks = np.minimum(four[rows] / two[rows], three[rows] / one[rows])
    times = np.ones(days.shape[0])
    times[rows] = np.minimum(in_two_weeks ** (FOLLOW / 2), MOST_GROWTH)
    return times


def in_eight_weeks(days: Floats) -> Floats:
    """Returns the same by eight weeks, which know slow growth: two weeks against two weeks, over four.

    A step in the middle of them looks like growth, but brought nothing since: a week counts for no more than what one
    of the last four brought. `days`: [series, 56].
    """
    one, two, three, four = _sums(days)
    rows = np.flatnonzero((four > three) & (four > two) & (three > one) & (two > 0) & (one > 0))
    in_four = np.minimum(four[rows] / two[rows], three[rows] / one[rows])
    lately = np.sqrt(four[rows] / three[rows])
    times = np.ones(days.shape[0])
    times[rows] = np.minimum(np.minimum(in_four ** (FOLLOW / 4), lately), MOST_GROWTH)
    return times


def _sums(days: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The cost of each quarter of the days, the oldest first."""
    one, two, three, four = (week_sum(each) for each in np.split(days, 4, axis=1))
    return one, two, three, four


def brought_up(buckets: Floats, growth: Floats) -> Floats:
    """The days, or hours, of four weeks as they would be in the week that comes: [series, 28 or 672]."""
    rows = np.flatnonzero(growth > 1)
    if not rows.size:
        return buckets
    grown = buckets.copy(order="K")
    grown[rows] *= growth[rows, None] ** WEEKS_AGO.repeat(buckets.shape[1] // WEEKS_AGO.size)
    return grown
