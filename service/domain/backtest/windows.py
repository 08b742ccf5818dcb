"""The spend of a budget's periods as it was known, updated with one version of a day after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime

from service.domain.spend.best_known import DayVersion, Spend
from service.domain.spend.day_split import edge_parts, spend_in_part, whole_days
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY

Days = Mapping[date, DayVersion]
NOTHING = Spend()


class Windows:
    """The spend of windows that come, slide and go, by what is known of the days just now."""

    def __init__(self, versions: Iterable[DayVersion]) -> None:
        self._waiting = deque(versions)
        self._days: dict[date, DayVersion] = {}
        self._sums: dict[str, _Sum] = {}

    def learn_until(self, closed: date) -> None:
        """Takes in what became known by the end of a UTC day."""
        while self._waiting and self._waiting[0].known_on <= closed:
            version = self._waiting.popleft()
            before = self._days.get(version.day)
            self._days[version.day] = version
            for each in self._sums.values():
                each.replace(before, version)

    def spend(self, window: Window, slot: str, now: datetime) -> dict[Cell, Spend]:
        """The spend of a window by cell. A window that slides keeps its slot, so that only its ends are looked at.

        A UTC day that a boundary cuts is divided by the time that has passed of it: its hours are not known here.
        """
        kept = self._sums.setdefault(slot, _Sum())
        kept.move(*whole_days(window), self._days)
        cells = dict(kept.cells)
        for part in edge_parts(window):
            version = self._days.get(part.start.date())
            for cell, known in _spends(version):
                share = spend_in_part(known, {}, part, now)
                cells[cell] = cells.get(cell, NOTHING) + share
        return cells

    def keep(self, slots: Iterable[str]) -> None:
        """Forgets the windows that are over."""
        wanted = set(slots)
        self._sums = {slot: kept for slot, kept in self._sums.items() if slot in wanted}

    def assumed_share(self, first: date, last: date) -> float:
        """The part (0..1) of the dollars of these days, as known by now, whose time of becoming known is assumed."""
        known = [version for day, version in self._days.items() if first <= day <= last]
        dollars = [(float(sum(spend.total.usd for _, spend in _spends(one))), one.assumed) for one in known]
        whole = sum(usd for usd, _ in dollars)
        return sum(usd for usd, assumed in dollars if assumed) / whole if whole > 0 else 0.0


class _Sum:
    """Whole days from `first` to before `end`, added up by cell."""

    def __init__(self) -> None:
        self.cells: dict[Cell, Spend] = {}
        self._first = self._end = date.min

    def move(self, first: date, end: date, days: Days) -> None:
        before, after = set(_span(self._first, self._end)), set(_span(first, end))
        for day in sorted(before - after):
            self._add(days.get(day), -1)
        for day in sorted(after - before):
            self._add(days.get(day), 1)
        self._first, self._end = first, end

    def replace(self, before: DayVersion | None, after: DayVersion) -> None:
        if self._first <= after.day < self._end:
            self._add(before, -1)
            self._add(after, 1)

    def _add(self, version: DayVersion | None, sign: int) -> None:
        for cell, spend in _spends(version):
            total = self.cells.get(cell, NOTHING) + (spend if sign > 0 else _negative(spend))
            if total == NOTHING:
                self.cells.pop(cell, None)
            else:
                self.cells[cell] = total


def _spends(version: DayVersion | None) -> Iterator[tuple[Cell, Spend]]:
    """Spend by cell. Tokens without a price count until the day is settled, as everywhere."""
    if version is None:
        return
    for cell, known in version.cells.items():
        unpriced = 0 if version.settled else known.estimate.unpriced_tokens
        yield cell, replace(known.spend, unpriced_tokens=unpriced) if unpriced else known.spend


def _negative(spend: Spend) -> Spend:
    return Spend(-spend.billed, -spend.estimated, unpriced_tokens=-spend.unpriced_tokens)


def _span(first: date, end: date) -> Iterator[date]:
    for offset in range((end - first).days):
        yield first + offset * DAY
