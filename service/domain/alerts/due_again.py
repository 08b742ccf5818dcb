"""When an evaluation may answer differently although nothing was read and nothing edited: only because time passes."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.domain.sources.source import SourceState

LONGEST = timedelta(minutes=15)
"""Hours, days and periods begin on a quarter of an hour in every zone, and a forecast hardly moves within one."""


def due_again(state: SourceState, now: datetime, *, waits: bool) -> datetime:
    """The instant at which time alone may change the answer of an evaluation at `now` (aware UTC).

    `state` is the one that it began with. At once where it counts minutes (`waits` says that a rule's gate does, and a
    source that fails goes stale), and where the next one closes periods that this one could not: it leans on the bill
    that this one saw first, and periods close on a quarter, too.
    """
    before, read_at = state.assessed_read_at, state.cost_read_at
    closes = before is not None and read_at is not None and _quarter(before) != _quarter(read_at)
    if waits or closes or state.failing_since is not None:
        return now
    return _quarter(now) + LONGEST


def _quarter(at: datetime) -> datetime:
    """The beginning of the quarter of an hour that holds an instant."""
    return at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % LONGEST
