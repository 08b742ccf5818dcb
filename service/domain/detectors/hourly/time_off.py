"""The hours of public holidays, which say nothing of what an hour usually costs."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from service.domain.detectors.arrays import Flags
from service.domain.detectors.hourly.detector import WEEK
from service.domain.sources.locality import Locality
from service.domain.values.utc import DAY, HOUR

MOST_OFF = 2
"""So many of the same hours of four weeks may be left out, so that two are left to compare with."""


def hours_off(locality: Locality, first: datetime, hours: int) -> Flags | None:
    """Which of so many hours from `first` (aware UTC) on lie in a holiday: [hours]; None where none does.

    Hours of the week of which more than two are holidays are what is usual, and none of them is left out.
    """
    off = np.zeros(-(-hours // WEEK) * WEEK, dtype=np.bool_)
    for one in locality.holidays(first.date(), (first + hours * HOUR).date() + DAY):
        start, end = ((at - first) // HOUR for at in (one.starts_at, one.ends_at))
        off[max(0, start) : max(0, end)] = True
    off[hours:] = False
    weeks = off.reshape(-1, WEEK)
    weeks &= weeks.sum(axis=0) <= MOST_OFF
    return off[:hours] if off.any() else None
