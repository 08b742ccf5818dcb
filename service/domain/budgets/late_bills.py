"""The days of a period whose bill came after the period's end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from service.domain.spend.best_known import DayVersion
from service.domain.spend.lateness import READ_DEEPLY
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY


@dataclass(frozen=True, slots=True)
class LateBill:
    """UTC days, oldest first, and the UTC day on which their bill was read."""

    days: tuple[date, ...]
    read_on: date


def days_to_look_at(window: Window, now: datetime) -> tuple[date, date]:
    """The UTC days of a period that polls still read: the first, and the one after the last."""
    first = max(window.start, now - READ_DEEPLY)
    return first.date(), (window.end - DAY.resolution).date() + DAY


def newest_late_bill(versions: Iterable[DayVersion], ended_on: date, counts: Callable[[Cell], bool]) -> LateBill | None:
    """The newest bill, read from the day `ended_on` on, that made the counted spend of a day larger.

    `versions` are in the order in which they became known. None where nothing but estimates grew, or all is assumed.
    """
    spent: dict[date, Money] = {}
    grown: dict[date, list[date]] = defaultdict(list)
    for version in versions:
        own = [known.spend for cell, known in version.cells.items() if counts(cell)]
        before, after = spent.get(version.day, ZERO), Money.total(one.total for one in own)
        spent[version.day] = after
        is_bill = any(one.billed for one in own) and not version.assumed
        if is_bill and after > before and version.known_on >= ended_on:
            grown[version.known_on].append(version.day)
    if not grown:
        return None
    read_on = max(grown)
    return LateBill(tuple(sorted(grown[read_on])), read_on)
