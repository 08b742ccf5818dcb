"""The view of rules: daily figures of every cell, as they are known at one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import repeat
from operator import add

from service.domain.detectors.arrays import Floats
from service.domain.detectors.columns import CellDays, CellHours, columns_of, in_order, with_gaps
from service.domain.detectors.memory.baselines import Memo
from service.domain.rules.planned import PlannedActivity
from service.domain.sources.locality import NOWHERE, Locality
from service.domain.sources.source import SourceState
from service.domain.spend.claude_code import ClaudeCodeDay
from service.domain.values.names import Names
from service.domain.values.scopes import Cell, Dimension, Grain, Scope, ScopeKey, tells_spenders
from service.domain.values.utc import DAY, HOUR

LEARNING_DAYS = 140
"""Days of a view that is to be judged by detectors: eight weeks to learn from, and twelve in which classes settle."""


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One cell on one UTC day. Dollars and tokens as floats: detectors look at copies, money never comes from here.

    `spend` is best-known spend; `priority` the estimated dollars of Priority Tier tokens, which are in no bill.
    `input_tokens` counts uncached, cache-read and cache-written input, `cache_read_tokens` the cached part. Tokens of
    the Priority Tier are in neither.
    """

    spend: float = 0.0
    input_tokens: float = 0.0
    cache_read_tokens: float = 0.0
    output_tokens: float = 0.0
    priority: float = 0.0


NOTHING = DayFigures()
Cells = Mapping[Cell, Mapping[date, DayFigures]]
"""The figures of every cell with any, by day."""


@dataclass(frozen=True, eq=False)
class StoredCells(Mapping[Cell, Mapping[date, DayFigures]]):
    """Cells held as columns, or some of them. Objects are made of what is looked at alone."""

    columns: CellDays
    chosen: Mapping[Cell, int] | None = None

    @property
    def members(self) -> Mapping[Cell, int]:
        return self.columns.members() if self.chosen is None else self.chosen

    def only(self, cells: Iterable[Cell]) -> StoredCells:
        """Some of the cells, in the order given."""
        have = self.members
        return StoredCells(self.columns, {cell: have[cell] for cell in cells if cell in have})

    def __getitem__(self, cell: Cell) -> Mapping[date, DayFigures]:
        if cell not in self.members:
            raise KeyError(cell)
        return {day: DayFigures(*figures) for day, figures in self.columns.of(cell)}

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.members)

    def __contains__(self, cell: object) -> bool:
        return cell in self.members

    def __len__(self) -> int:
        return len(self.members)


@dataclass(frozen=True, slots=True)
class HourFigures:
    """Estimated dollars of every cell in consecutive UTC hours that are over, the newest last. Copies, not money.

    `first` is the start of the first hour (aware UTC). `known`: whether a report has covered the hour; where not, it is
    missing, not zero. An hour that ends by `mature_until` is as complete as it gets; a later one can only be too low.
    """

    first: datetime
    known: Sequence[bool]
    cells: Mapping[Cell, Sequence[float]]
    mature_until: datetime | None

    def spend_of(self, cells: Sequence[Cell]) -> Floats:
        """Dollars of these cells: [cells, hours]; NaN in unknown hours, 0 where there is no figure."""
        if isinstance(self.cells, CellHours):
            hours = self.cells.of(cells)
        else:
            nothing = [0.0] * len(self.known)
            hours = columns_of((self.cells.get(cell, nothing) for cell in cells), len(self.known))
        return with_gaps(hours, (place for place, known in enumerate(self.known) if not known))

    def foreseen_of(self, cells: Sequence[Cell]) -> Floats | None:
        """Dollars of these cells in the hours to come: [cells, hours]; None where they are not foreseen."""
        return self.cells.foreseen_of(cells) if isinstance(self.cells, CellHours) else None

    def lately(self, count: int) -> HourFigures | None:
        """Its last hours alone; None where none are asked for."""
        skipped = len(self.known) - count
        if not count or skipped <= 0:
            return self if count else None
        first, known = self.first + skipped * HOUR, self.known[skipped:]
        if isinstance(self.cells, CellHours):
            return replace(self, first=first, known=known, cells=self.cells.since(skipped))
        rows = {cell: row[skipped:] for cell, row in self.cells.items() if any(row[skipped:])}
        return replace(self, first=first, known=known, cells=rows)


@dataclass(frozen=True, slots=True)
class KnownFigures:
    """The stored figures of one source's spend, as known at `as_of`: the numbers of a `SpendView`.

    `assumed_share` (0..1) is the part of the dollars whose time of becoming known is assumed: backfilled history.
    `late_since`: the first closed day that is judged because it was read late, None where none was. `memo` is that of
    earlier figures of the same days.
    """

    as_of: datetime
    days: Sequence[date]
    cells: Cells
    unknown_days: frozenset[date]
    settled_until: datetime | None
    late_since: date | None = None
    hours: HourFigures | None = None
    assumed_share: float = 0.0
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SpendView:
    """Daily figures of one source as known at `as_of` (aware UTC).

    `days` are consecutive UTC days, oldest first; the last one is today and still open. A day without figures of a
    cell counts as zero for it. `unknown_days` are days that no report has covered: they are missing, not zero.
    `settled_until` is the end of the last settled day, `late_since` as with `KnownFigures`. `planned` are the
    announced activities of the source, and `polling` is how reading it goes; None where a past instant is judged.
    `hours` are there where a rule reads them, `assumed_share` as with `KnownFigures`.
    `locality`: the clocks that the source's people may live by, and their holidays. `claude_code`: people's use of it,
    where a rule reads it and it is no past instant.
    `memo` may be handed on to the next view of the same source, so that its days are not read again from the first.
    """

    source_id: str
    as_of: datetime
    days: Sequence[date]
    cells: Cells
    unknown_days: frozenset[date]
    settled_until: datetime | None
    names: Names
    late_since: date | None = None
    simulated: bool = False
    planned: tuple[PlannedActivity, ...] = ()
    polling: SourceState | None = None
    hours: HourFigures | None = None
    assumed_share: float = 0.0
    locality: Locality = NOWHERE
    claude_code: Sequence[ClaudeCodeDay] = ()
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)

    @property
    def today(self) -> date:
        return self.days[-1]

    @property
    def closed(self) -> int | None:
        """The place of the last closed day in `days`; None while the view holds only today."""
        return len(self.days) - 2 if len(self.days) > 1 else None

    @property
    def closed_days(self) -> range:
        """The places of the closed days that are judged by themselves, newest first.

        These are the last one and, after an outage, those that were read late.
        """
        if self.closed is None:
            return range(0)
        since = self.closed if self.late_since is None else max(0, (self.late_since - self.days[0]).days)
        return range(self.closed, since - 1, -1)

    @property
    def settled(self) -> int | None:
        """The place of the last settled day in `days`; only such a day may be called too low."""
        if self.settled_until is None or self.closed is None:
            return None
        ended = (self.settled_until.date() - self.days[0]).days
        return min(ended - 1, self.closed) if ended > 0 else None

    def last_told(self, grain: Grain) -> int:
        """The place of the last day that is told by a grain: today, but by actors and products the last settled one.

        Nothing but the bill names those, and it comes during the day after. Where nothing is settled: today.
        """
        last = self.settled if tells_spenders(grain) else None
        return len(self.days) - 1 if last is None else last

    def days_off(self) -> Mapping[date, str]:
        """The holidays among the days, by their names."""
        return self.locality.days_off(self.days[0], self.days[-1] + DAY)

    def members(self, dimension: Dimension, scope: Scope) -> dict[ScopeKey, list[Cell]]:
        """The cells of every member of a dimension."""
        found: dict[ScopeKey, list[Cell]] = {}
        for cell in self.cells:
            if scope.holds(cell):
                found.setdefault(ScopeKey(dimension, cell.along(dimension)), []).append(cell)
        return found

    def only(self, cells: Iterable[Cell]) -> SpendView:
        """The same view of some of its cells."""
        chosen = list(cells)
        hours = self.hours and replace(
            self.hours, cells={cell: self.hours.cells[cell] for cell in chosen if cell in self.hours.cells}
        )
        return replace(self, cells=self._only(chosen), hours=hours, memo=Memo())

    def _only(self, chosen: Sequence[Cell]) -> Cells:
        if isinstance(self.cells, StoredCells):
            return self.cells.only(chosen)
        return {cell: self.cells[cell] for cell in chosen if cell in self.cells}

    def lately(self, days: int, hours: int) -> SpendView:
        """The same view of its last days alone, today included, and of its last hours, if any are asked for."""
        kept = self.hours and self.hours.lately(hours)
        if days >= len(self.days) and kept is self.hours:
            return self
        return replace(self, days=self.days[-days:], hours=kept)

    def ordered_cells(self, scope: Scope) -> tuple[Cell, ...]:
        """The cells in a scope, those that have hours alone among them, by workspace, model and API key."""
        whole = isinstance(self.cells, StoredCells) and self.cells.chosen is None
        if whole and scope == Scope() and self._has_no_more_hours():
            return tuple(self.cells)
        seen = {*self.cells, *(self.hours.cells if self.hours else ())}
        return tuple(sorted((cell for cell in seen if scope.holds(cell)), key=in_order))

    def _has_no_more_hours(self) -> bool:
        if self.hours is None or not isinstance(self.cells, StoredCells):
            return self.hours is None
        columns = self.cells.columns
        if isinstance(self.hours.cells, CellHours) and self.hours.cells.names == columns.cells():
            return True
        return all(cell in columns.members() for cell in self.hours.cells)

    def spend_of(self, cells: Sequence[Cell]) -> Floats:
        """Dollars of these cells: [cells, days]; NaN on unknown days, 0 on days without figures."""
        if isinstance(self.cells, StoredCells):
            spend = self.cells.columns.spend(self.days, cells)
        else:
            known = (self.cells.get(cell, {}) for cell in cells)
            spend = columns_of(([row.get(day, NOTHING).spend for day in self.days] for row in known), len(self.days))
        return with_gaps(spend, ((day - self.days[0]).days for day in self.unknown_days))

    def spent_on(self, day: date, cells: Sequence[Cell]) -> float:
        """The dollars of these cells on one day."""
        if isinstance(self.cells, StoredCells):
            return sum(self.cells.columns.spent_on(day, cells))
        return sum(self.cells[cell].get(day, NOTHING).spend for cell in cells if cell in self.cells)

    def series(
        self, dimension: Dimension, scope: Scope, figure: Callable[[DayFigures], float]
    ) -> dict[ScopeKey, list[float]]:
        """One list per member of a dimension, aligned with `days`; NaN on unknown days. `figure` of nothing is 0."""
        totals: dict[ScopeKey, list[float]] = {}
        nothing = [0.0] * len(self.days)
        for cell, figures in self.cells.items():
            if not scope.holds(cell):
                continue
            key = ScopeKey(dimension, cell.along(dimension))
            row = map(figure, map(figures.get, self.days, repeat(NOTHING)))
            totals[key] = list(map(add, totals.get(key, nothing), row))
        unknown = [place for place, day in enumerate(self.days) if day in self.unknown_days]
        for each in totals.values():
            for place in unknown:
                each[place] = float("nan")
        return totals
