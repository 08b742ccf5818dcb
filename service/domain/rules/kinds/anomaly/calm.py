"""When an alert may end: how many normal days and hours there are of those that it needs, and until when that holds."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from service.domain.rules.kinds.anomaly.ground import NORMAL_HOURS
from service.domain.rules.kinds.anomaly.lulls import Lull
from service.domain.rules.kinds.anomaly.sides import NORMAL_DAYS
from service.domain.rules.rule import Calm, NewLevel
from service.domain.values.utc import DAY, HOUR

LEAST_OPEN_LATE, LEAST_OPEN_HOURLY = DAY, NORMAL_HOURS * HOUR
CALM_DAYS, CALM_HOURS = 1, 2
"""Normal buckets after which nobody is notified again of an alert that is not over yet."""
LEAST_OPEN = (LEAST_OPEN_LATE, LEAST_OPEN_HOURLY)
"""How long an alert stays at least: one of a day may have been found when later days were normal already."""


@lru_cache(maxsize=256)
def calm_of(days: Lull | None, hours: Lull | None, late: bool, accepted: NewLevel | None, up: bool) -> Calm:
    """`late`: one of the last days exceeds; it may have been found when later ones were normal already."""
    asked = [
        (one, *counts)
        for one, counts in ((days, (NORMAL_DAYS, CALM_DAYS, DAY)), (hours, (NORMAL_HOURS, CALM_HOURS, HOUR)))
        if one is not None
    ]
    is_quiet = all(one.normal >= calm for one, _, calm, _ in asked)
    ended = [(one.after, one.until) for one, _, _, _ in asked if one.after and is_quiet]
    ends = [until for _, until in ended if until]
    return Calm(
        over=(days is None or days.over) and (hours is None or hours.over or _is_long_ago(hours, days)),
        found=" and ".join(_counted(one.settled, _WORDS[width]) for one, _, _, width in asked),
        needed=" and ".join(_counted(needed, _WORDS[width]) for _, needed, _, width in asked),
        at_least=LEAST_OPEN_LATE if late else LEAST_OPEN_HOURLY,
        since=max((after for after, _ in ended), default=None),
        until=max(ends) if ends and len(ends) == len(ended) else None,
        accepted=accepted,
        high=days is not None and days.high,
        up=up,
        same_for=_same_for(days, hours),
    )


def _same_for(days: Lull | None, hours: Lull | None) -> timedelta:
    """How long the same is found while no hour exceeds, and no day is known otherwise.

    Whether an exceeding day lies in its hours stays as it is, too: all that are asked about have their four weeks.
    """
    if hours is None or (days is not None and not days.over) or _is_long_ago(hours, days):
        return DAY
    return (hours.holds + 1) * HOUR


def _is_long_ago(hours: Lull, days: Lull | None) -> bool:
    """Whether no hour has exceeded for two days, nor is a day still high: hours of a series that is mostly idle."""
    return hours.after is None and (days is None or days.fresh > 0)


_WORDS = {DAY: "day", HOUR: "hour"}


def _counted(count: int, word: str) -> str:
    return f"{count} normal {word}{'' if count == 1 else 's'}"
