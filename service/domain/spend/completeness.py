"""How much is known of a day or an hour: whether it is missing, late, suspect, empty, zero or complete.

$0.00 says five different things. docs/spend.md tells users which; the constants of time are in `lateness`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.spend.lateness import MATURE_AFTER, SETTLED_AFTER
from service.domain.spend.rows import Width
from service.domain.values.periods import Window


class BucketState(StrEnum):
    """The state of a bucket: the first of these that holds."""

    AHEAD = "ahead"
    """It has not begun."""
    SUSPECT = "suspect"
    """A report said that nothing was spent, and is not believed: what was known before stands."""
    MISSING = "missing"
    """It has begun, and no report has contained it: nothing is known."""
    LATE = "late"
    """It should be complete by now, and is not: its bill, or its usage, has not been read since."""
    OPEN = "open"
    """It still fills up: it runs, or its bill is not due."""
    COMPLETE = "complete"
    """All of it is known, and something was spent."""
    ZERO = "zero"
    """All of it is known, and what was asked for spent nothing; something else has rows there."""
    EMPTY = "empty"
    """All of it is known, and no report had a row of it."""


LACKING = (BucketState.MISSING, BucketState.SUSPECT, BucketState.LATE, BucketState.OPEN)
"""The states of a bucket that has begun, and whose figure is not final."""

_DUE_AFTER = {Width.DAY: SETTLED_AFTER, Width.HOUR: MATURE_AFTER}


@dataclass(frozen=True, slots=True)
class BucketKnowledge:
    """The knowledge of one bucket, whatever is asked of it.

    `contained`: a report had it, with rows or without. `complete`: it was read late enough to be whole. `has_rows`: any
    report ever had a row of it. `suspect`: an empty answer about it is not believed.
    """

    contained: bool = False
    complete: bool = False
    has_rows: bool = False
    suspect: bool = False

    @property
    def is_final(self) -> bool:
        return self.complete and not self.suspect


NOTHING_KNOWN = BucketKnowledge()


def state_of(width: Width, bucket: Window, known: BucketKnowledge, now: datetime, *, spent: bool) -> BucketState:
    """The state of a bucket. `spent`: whether there is spend, unpriced tokens included, in what was asked for."""
    if bucket.start > now:
        return BucketState.AHEAD
    if known.suspect:
        return BucketState.SUSPECT
    if not known.contained:
        return BucketState.MISSING
    if not known.complete:
        return BucketState.LATE if now >= bucket.end + _DUE_AFTER[width] else BucketState.OPEN
    if spent:
        return BucketState.COMPLETE
    return BucketState.ZERO if known.has_rows else BucketState.EMPTY
