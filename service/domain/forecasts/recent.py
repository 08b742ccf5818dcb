"""Recent spend of one source, and from it the local days of any scope: the data that forecasts learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from service.domain.detectors.arrays import Floats
from service.domain.forecasts.history import DailySpend
from service.domain.forecasts.pace import HISTORY_DAYS
from service.domain.spend.lateness import known_hours
from service.domain.values import calendars
from service.domain.values.scopes import Cell, Dimension, Scope, ScopeKey
from service.domain.values.utc import DAY, HOUR, midnight

HOURS = 24
UTC_DAYS = HISTORY_DAYS + 3
"""UTC days, today included, that hold the local days to learn from in any time zone."""
USUAL_DAYS = 7
"""Days before today whose hours say how a usual day goes: four weeks say it hardly better, and take four times as long
to read (docs/forecasts.md).
"""


@dataclass(frozen=True, slots=True)
class RecentSpend:
    """Float copies, in US dollars. `spend`: by cell and UTC day, from `first` to today, `UTC_DAYS` of them.

    `usual_hours`: by cell, estimated cost by hour of the UTC day, summed over recent days. `known`: of every hour of
    the UTC days, whether its spend is.
    """

    now: datetime
    spend: Mapping[Cell, tuple[float, ...]]
    usual_hours: Mapping[Cell, tuple[float, ...]]
    known: tuple[bool, ...]

    @property
    def first(self) -> date:
        return first_day(self.now)


def first_day(now: datetime) -> date:
    """The first UTC day that counts as recent."""
    return now.astimezone(UTC).date() - (UTC_DAYS - 1) * DAY


@dataclass(frozen=True, slots=True)
class Reports:
    """The buckets that reports have contained: days of cost, those of them that are settled, hours of usage.

    `bill_read_at` is when cost was read last.
    """

    billed_days: frozenset[date]
    settled_days: frozenset[date]
    used_hours: frozenset[datetime]
    bill_read_at: datetime | None

    def known(self, now: datetime) -> tuple[bool, ...]:
        """Whether each hour of the recent UTC days is known."""
        days = [first_day(now) + number * DAY for number in range(UTC_DAYS)]
        return tuple(is_known for day in days for is_known in self._of(day))

    def _of(self, day: date) -> list[bool]:
        bill_read_at = self.bill_read_at if day in self.billed_days else None
        return known_hours(day, self.used_hours, settled=day in self.settled_days, bill_read_at=bill_read_at)


def daily_spends(recent: RecentSpend, scope: Scope, members: Dimension, timezone: str) -> dict[ScopeKey, DailySpend]:
    """The local days of every member of a scope that has spent; `members` ORGANISATION makes one of all.

    A UTC day that local midnight cuts is split as the member's usual day goes.
    """
    keys, spend, usual = _grouped(recent, scope, members)
    if not keys:
        return {}
    zone = calendars.zone_of(timezone)
    today = calendars.local_date(recent.now, zone)
    starts = [calendars.start_of(today - back * DAY, zone) for back in range(HISTORY_DAYS, -2, -1)]
    seen = _seen_until(recent)
    known = _known_shares(recent, starts)
    amounts = _cut(recent, spend, _reached(usual), starts[:-1], seen)
    elapsed = min(max((seen - starts[-2]) / (starts[-1] - starts[-2]), 0.0), 1.0)
    spent_today = usual_shares(np.roll(usual, -starts[-2].hour, axis=1), elapsed)
    return {
        key: DailySpend(tuple(row), (*known, share))
        for key, row, share in zip(keys, amounts.tolist(), spent_today, strict=True)
    }


def usual_shares(usual: Floats, elapsed: float) -> list[float]:
    """The share (0..1) of each member's usual day [member, 24] that is spent when `elapsed` (0..1) of it has passed.

    Spend follows office hours: at 09:00 a scope may have spent a tenth of its day, not three eighths of it.
    """
    shares: list[float] = np.minimum(_at(_reached(usual), np.array([elapsed])), 1.0)[:, 0].tolist()
    return shares


def _grouped(recent: RecentSpend, scope: Scope, members: Dimension) -> tuple[list[ScopeKey], Floats, Floats]:
    """The members, their spend [member, UTC day] and the hours of their usual day [member, 24]."""
    places: dict[ScopeKey, int] = {}
    held = [cell for cell in recent.spend if scope.holds(cell)]
    rows = [places.setdefault(ScopeKey(members, cell.along(members)), len(places)) for cell in held]
    spend, usual = np.zeros((len(places), UTC_DAYS)), np.zeros((len(places), HOURS))
    nothing = (0.0,) * HOURS
    for row, cell in zip(rows, held, strict=True):
        spend[row] += recent.spend[cell]
        usual[row] += recent.usual_hours.get(cell, nothing)
    return list(places), spend, np.maximum(usual, 0.0)


def _reached(usual: Floats) -> Floats:
    """The share of a usual day that is spent at each full hour: [member, 25]. Even where nothing is known."""
    weights = np.where(usual.any(axis=1, keepdims=True), usual, 1.0)
    reached = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return np.column_stack([np.zeros(len(usual)), reached])


def _cut(recent: RecentSpend, spend: Floats, reached: Floats, starts: list[datetime], seen: datetime) -> Floats:
    """Spend by local day: [member, starts]. The last one is today's so far."""
    days = np.array([_days_since(recent.first, start) for start in starts])
    whole = np.minimum(np.floor(days).astype(int), UTC_DAYS - 1)
    shares = _at(reached, days - whole)
    # Of the UTC day that runs, nothing is spent after what was seen.
    so_far = _at(reached, np.array([min(max(_days_since(recent.first, seen) - (UTC_DAYS - 1), 0.0), 1.0)]))
    running = whole == UTC_DAYS - 1
    shares[:, running] = np.minimum(shares[:, running] / np.where(so_far > 0, so_far, 1.0), 1.0)
    before = np.column_stack([np.zeros(len(spend)), np.cumsum(spend, axis=1)])
    marks = before[:, whole] + spend[:, whole] * shares
    return np.diff(np.column_stack([marks, before[:, -1]]), axis=1)


def _at(reached: Floats, share_of_day: Floats) -> Floats:
    """The share that is reached at points of the day (0..1): [member, points]."""
    hour = np.minimum(np.floor(share_of_day * HOURS).astype(int), HOURS - 1)
    rest = share_of_day * HOURS - hour
    return np.asarray(reached[:, hour] + (reached[:, hour + 1] - reached[:, hour]) * rest)


def _seen_until(recent: RecentSpend) -> datetime:
    """Until when spend is known: the end of the newest known hour, or now."""
    newest = max((number for number, known in enumerate(recent.known) if known), default=-1)
    return min(midnight(recent.first) + (newest + 1) * HOUR, recent.now)


def _known_shares(recent: RecentSpend, starts: list[datetime]) -> list[float]:
    """How much of each local day before today is known, by its hours, 0..1."""
    hours = np.array([_days_since(recent.first, start) * HOURS for start in starts[:-1]])
    known = np.interp(hours, np.arange(len(recent.known) + 1), np.concatenate([[0], np.cumsum(recent.known)]))
    shares: list[float] = np.clip(np.round(np.diff(known) / np.diff(hours), 9), 0.0, 1.0).tolist()
    return shares


def _days_since(first: date, at: datetime) -> float:
    return (at - midnight(first)) / DAY
