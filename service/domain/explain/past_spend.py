"""The spend of windows, and the recent spend that forecasts learn from, as known at a past instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime

from service.domain.forecasts.recent import HOURS, USUAL_DAYS, UTC_DAYS, RecentSpend, first_day
from service.domain.rules.view import KnownFigures
from service.domain.rules.wording import approximate
from service.domain.spend.best_known import Spend
from service.domain.spend.day_split import edge_parts, spend_in_part, whole_days
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY, HOUR, midnight

USUAL_HOURS = (USUAL_DAYS + 1) * HOURS
"""The hours that figures for `recent_spend` must hold, besides `UTC_DAYS` days."""


def days_back_to(start: datetime, at: datetime) -> int:
    """How many UTC days figures must hold, today included, to reach back to an instant."""
    return (at.astimezone(UTC).date() - start.astimezone(UTC).date()).days + 1


def window_spend(figures: KnownFigures, window: Window) -> dict[Cell, Spend]:
    """Spend by cell. A UTC day that the window cuts is split evenly over the time of it that had passed."""
    first, end = whole_days(window)
    parts = [(part.start.date(), part) for part in edge_parts(window)]
    spend = {}
    for cell, days in figures.cells.items():
        known = {day: Spend(billed=approximate(figure.spend)) for day, figure in days.items()}
        whole = [spent for day, spent in known.items() if first <= day < end]
        cut = [spend_in_part(known[day], {}, part, figures.as_of) for day, part in parts if day in known]
        if whole or cut:
            spend[cell] = Spend.sum([*whole, *cut])
    return spend


def recent_spend(figures: KnownFigures) -> RecentSpend:
    """From figures of at least `UTC_DAYS` days and `USUAL_HOURS` hours."""
    first = first_day(figures.as_of)
    numbers = [first + number * DAY for number in range(UTC_DAYS)]
    return RecentSpend(
        now=figures.as_of,
        spend={
            cell: tuple(days[day].spend if day in days else 0.0 for day in numbers)
            for cell, days in figures.cells.items()
        },
        usual_hours=_usual_hours(figures),
        known=_known_hours(figures, numbers),
    )


def _usual_hours(figures: KnownFigures) -> dict[Cell, tuple[float, ...]]:
    """The hours of complete days alone."""
    hours, usual = figures.hours, dict[Cell, tuple[float, ...]]()
    if hours is None:
        return usual
    today = figures.as_of.date()
    for cell, row in hours.cells.items():
        sums: dict[int, float] = defaultdict(float)
        for number, cost in enumerate(row):
            start = hours.first + number * HOUR
            if today - USUAL_DAYS * DAY <= start.date() < today:
                sums[start.hour] += cost
        usual[cell] = tuple(sums[hour] for hour in range(HOURS))
    return usual


def _known_hours(figures: KnownFigures, days: Sequence[date]) -> tuple[bool, ...]:
    """Days before today are known as a whole or not at all; of today the hours that usage was known of."""
    hours = figures.hours
    reported = hours and {hours.first + number * HOUR for number, known in enumerate(hours.known) if known}
    flags = []
    for day in days:
        starts = [midnight(day) + hour * HOUR for hour in range(HOURS)]
        is_known = day not in figures.unknown_days and day >= figures.days[0]
        running = day == figures.as_of.date() and reported and any(start in reported for start in starts)
        if running and reported:
            flags += [start in reported for start in starts]
        else:
            flags += [is_known and start < figures.as_of for start in starts]
    return tuple(flags)
