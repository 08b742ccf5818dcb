"""The past of a source as it was known: a view of it at the end of every UTC day, one day after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from service.domain.detectors.columns import SPEND, CellDays, DayBlock, Roll, day_block
from service.domain.detectors.hourly.known import HourVersions
from service.domain.detectors.memory.baselines import Memo
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.view import DayFigures, SpendView, StoredCells
from service.domain.sources.locality import NOWHERE, Locality
from service.domain.spend.best_known import DayVersion, SpendDay
from service.domain.values.names import Names
from service.domain.values.utc import DAY, midnight

FIGURES = len(fields(DayFigures))
NO_FIGURES = day_block(Roll(), (), FIGURES)


@dataclass(frozen=True, slots=True)
class Announced:
    """A planned activity, and since when it was known (aware UTC)."""

    at: datetime
    activity: PlannedActivity


@dataclass(frozen=True, slots=True)
class Recorded:
    """All that a replay reads of one source. `versions` are in the order in which they became known.

    `hours` are there for a rule that judges them, with the weeks before the first one that is judged. `delay` is how
    long after its end an hour has been read, as a rule: the source's poll interval.
    """

    source_id: str
    versions: Sequence[DayVersion]
    names: Names
    planned: Sequence[Announced] = ()
    simulated: bool = False
    hours: HourVersions | None = None
    delay: timedelta = timedelta()
    locality: Locality = NOWHERE


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """The midnight after `closed`, or an instant of that very day: the view, good until the next step.

    `dollars` are all in the view, `assumed` those of `assumed_days`, whose time of becoming known is assumed.
    """

    closed: date
    view: SpendView
    dollars: float
    assumed: float
    assumed_days: frozenset[date]


def steps(recorded: Recorded, first: date, last: date, days: int) -> Iterator[ReplayStep]:
    """One step for every UTC day from `first` to `last`, as known at its end, by a view of `days` days.

    The last day of a view is the day after: nothing is known of it yet.
    """
    memo, waiting, known = Memo(), deque(recorded.versions), _KnownDays()
    for number in range((last - first).days + 1):
        closed = first + number * DAY
        today = closed + DAY
        window = tuple(today - back * DAY for back in range(days - 1, -1, -1))
        while waiting and waiting[0].known_on <= closed:
            known.learn(waiting.popleft(), window[0])
        known.forget_before(window[0])
        view = SpendView(
            source_id=recorded.source_id,
            as_of=midnight(today),
            days=window,
            cells=known.cells,
            unknown_days=frozenset(day for day in window if day not in known.versions),
            settled_until=known.settled_until,
            names=recorded.names,
            simulated=recorded.simulated,
            planned=tuple(one.activity for one in recorded.planned if one.at <= midnight(today)),
            locality=recorded.locality,
            memo=memo,
        )
        assumed = frozenset(day for day in window if day in known.versions and known.versions[day].assumed)
        yield ReplayStep(closed, view, *known.dollars_since(window[0]), assumed_days=assumed)


class _KnownDays:
    """The days as known at one instant. Only what a new version changes is touched."""

    def __init__(self) -> None:
        self.versions: dict[date, DayVersion] = {}
        self.settled_until: datetime | None = None
        self._roll = Roll()
        self._blocks: dict[date, DayBlock] = {}
        self._dollars: dict[date, float] = {}

    @property
    def cells(self) -> StoredCells:
        return StoredCells(CellDays(self._roll, dict(self._blocks)))

    def learn(self, version: DayVersion, since: date) -> None:
        self.versions[version.day] = version
        if version.settled:
            end = midnight(version.day + DAY)
            self.settled_until = max(end, self.settled_until or end)
        if version.day < since:
            return
        block = self._blocks[version.day] = self._block(version)
        self._dollars[version.day] = sum(block.figures[SPEND].tolist())

    def forget_before(self, since: date) -> None:
        """Forgets the days that no later view will hold."""
        for day in [day for day in self._dollars if day < since]:
            del self._blocks[day]
            del self._dollars[day]

    def dollars_since(self, since: date) -> tuple[float, float]:
        """The dollars of all days, and of those whose time of becoming known is assumed."""
        parts = [(dollars, self.versions[day].assumed) for day, dollars in self._dollars.items() if day >= since]
        return sum(dollars for dollars, _ in parts), sum(dollars for dollars, assumed in parts if assumed)

    def _block(self, version: DayVersion) -> DayBlock:
        """A cell without figures is in no view, as in one that is read from the store."""
        known = [(cell, figures_of(day)) for cell, day in version.cells.items()]
        return day_block(self._roll, [(cell, figures) for cell, figures in known if any(figures)], FIGURES)


def figures_of(known: SpendDay) -> tuple[float, ...]:
    """Float copies, in the order of `DayFigures`."""
    used = known.estimate
    return (
        float(known.spend.billed.usd + known.spend.estimated.usd),
        float(used.input_tokens),
        float(used.cache_read_tokens),
        float(used.output_tokens),
        float(used.priority.usd),
    )
