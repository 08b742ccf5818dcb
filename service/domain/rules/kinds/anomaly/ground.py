"""The ground of an anomaly rule: every scope's amounts, and the judges of its days and hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache

from service.domain.detectors.arrays import Floats
from service.domain.detectors.buckets import Grouping, grouping, sharing, summed, turned
from service.domain.detectors.columns import columns_of
from service.domain.detectors.hourly.clocks import moves_within
from service.domain.detectors.hourly.judge import HourJudge, hour_judge
from service.domain.detectors.hourly.sums import SummedHours
from service.domain.detectors.hourly.time_off import hours_off
from service.domain.detectors.memory.baselines import DatedCorrection, accepted, taken_out
from service.domain.detectors.memory.batch_hours import with_batches
from service.domain.detectors.memory.day_judge import Bar, DayJudge, day_judge, usual_day
from service.domain.detectors.panel import Panel
from service.domain.detectors.scores import Sensitivity
from service.domain.rules.feedback import Feedback, FeedbackKind, days_out, of_scope, raised, restarts_on
from service.domain.rules.planned import PlannedActivity, extras
from service.domain.rules.view import HourFigures, SpendView
from service.domain.spend.lateness import JUDGED_AGAIN_HOURS
from service.domain.values.scopes import ORGANISATION, SPENDER_DIMENSIONS, Cell, Dimension, Scope, ScopeKey
from service.domain.values.utc import DAY, HOUR

NORMAL_HOURS = 6
LEARNING_HOURS = 768
"""The 672 that a band is made of, and those of today and the last three closed days: each of these is judged by all the
four weeks before it, and so the same however long ago it was."""
HOURS_BACK = 48
"""How far back an incident of hours is followed, in hours."""


class Members(dict[ScopeKey, tuple[int, ...]]):
    """The places of every member's cells. Never changed once it is made."""

    @cached_property
    def ordered(self) -> tuple[ScopeKey, ...]:
        return tuple(self)

    @cached_property
    def rows(self) -> Mapping[ScopeKey, int]:
        return {key: row for row, key in enumerate(self)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(map(str, self))

    @cached_property
    def groups(self) -> Grouping:
        return grouping(list(self.values()))

    @cached_property
    def homes(self) -> Grouping:
        """The rows of the members that each cell is in."""
        return turned(self.groups)

    def sharing(self, row: int) -> list[int]:
        """The rows of the members that share a cell with this one."""
        if row not in self._sharing:
            self._sharing[row] = sharing(self.groups, self.homes, row)
        return self._sharing[row]

    @cached_property
    def _sharing(self) -> dict[int, list[int]]:
        return {}


@dataclass(frozen=True, eq=False)
class Ground:
    """Every member of every dimension in a scope, the organisation first, and the cells it is the sum of.

    `day_rows` and `hour_rows` are those of the cells, NaN where unknown: [cells, buckets]; `hour_rows` is empty without
    hours. `judged`: the judges that were made of it, by what had been said.
    """

    view: SpendView
    scope: Scope
    cells: tuple[Cell, ...]
    members: Members
    day_rows: Floats
    hour_rows: Floats
    judged: dict[tuple[Feedback, ...], Judges] = field(default_factory=dict, init=False)

    @property
    def keys(self) -> tuple[ScopeKey, ...]:
        return self.members.ordered

    @property
    def rows(self) -> Mapping[ScopeKey, int]:
        return self.members.rows

    def sharing(self, row: int) -> list[int]:
        """The rows of the members that share a cell with this one."""
        return self.members.sharing(row)

    @cached_property
    def days(self) -> Floats:
        """Dollars of every key: [keys, days]."""
        return summed(self.day_rows, self.members.groups)

    def usual_day(self, row: int) -> float:
        """Returns what a key usually spends a day, in dollars."""
        if row not in self._usual_days:
            self._usual_days[row] = usual_day(self.days[row])
        return self._usual_days[row]

    @cached_property
    def _usual_days(self) -> dict[int, float]:
        return {}

    def last_told(self, row: int) -> int:
        """The place of the last day that is told of a key."""
        return self.view.last_told(self.scope.grain | {self.keys[row].dimension})

    @cached_property
    def hours(self) -> SummedHours:
        return SummedHours(self.hour_rows, self.members.groups)

    @cached_property
    def known_hours(self) -> Sequence[int]:
        """The places of the hours that a report has covered, the newest first."""
        known = self.view.hours.known if self.view.hours else ()
        return [place for place, is_known in enumerate(known) if is_known][::-1]

    @property
    def foreseen(self) -> SummedHours | None:
        """The hours to come, as far as a replay knows them."""
        found = self.view.hours.foreseen_of(self.cells) if self.view.hours else None
        return None if found is None else SummedHours(found, self.members.groups)


def ground(view: SpendView, scope: Scope) -> Ground:
    """Cells are taken in one order always, so that equal figures have equal sums."""
    return view.memo.once(("ground", scope), view, lambda: _ground(view, scope))


def _ground(view: SpendView, scope: Scope) -> Ground:
    figures = view.hours
    cells = view.ordered_cells(scope)
    members = _members(cells)
    hours = figures.spend_of(cells) if figures else columns_of((), 0)
    return Ground(view, scope, cells, members, view.spend_of(cells), hours)


@lru_cache(maxsize=8)
def _members(cells: tuple[Cell, ...]) -> Members:
    """The places of every member's cells. A source has the same cells from one look to the next."""
    members = Members()
    for dimension in Dimension:
        by_id: dict[str, list[int]] = defaultdict(list)
        for place, cell in enumerate(cells):
            by_id[cell.along(dimension)].append(place)
        if dimension in SPENDER_DIMENSIONS and by_id.keys() <= {""}:
            continue  # the cells do not tell
        members.update((ScopeKey(dimension, id), tuple(places)) for id, places in by_id.items())
    return members


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """`daily`: what the whole scope usually spends a day, in dollars. `raised`: of every key, by noise feedback."""

    days: DayJudge
    hours: HourJudge | None
    daily: float
    raised: Mapping[ScopeKey, float]


def judges(of: Ground, sensitivity: Sensitivity, feedback: Sequence[Feedback]) -> Judges:
    """Raises KeyError where the ground holds no cell: then there is nothing to judge.

    What does not depend on the sensitivity is done once for all those at which a backtest tries a rule.
    """
    said = tuple(one for one in feedback if one.given_at <= of.view.as_of)
    if said not in of.judged:
        of.judged[said] = _judges(of, sensitivity, said)
    found = of.judged[said]
    bar = _bar(of, sensitivity, found.daily, found.raised)
    return replace(found, days=found.days.at(bar), hours=found.hours and found.hours.at(bar.of_hours()))


def _bar(of: Ground, sensitivity: Sensitivity, daily: float, lifts: Mapping[ScopeKey, float]) -> Bar:
    return Bar(sensitivity, tuple(lifts[key] for key in of.keys), daily)


def _judges(of: Ground, sensitivity: Sensitivity, said: Sequence[Feedback]) -> Judges:
    view, amounts = of.view, of.days
    daily = of.usual_day(of.rows[ORGANISATION])
    lifts = {key: raised(said, key, view.as_of) if said else 0.0 for key in of.keys}
    bar = _bar(of, sensitivity, daily, lifts)
    by_key = {key: [of.cells[at] for at in places] for key, places in of.members.items()} if view.planned else {}
    days = day_judge(
        view.memo.of((of.scope, len(view.days))),
        Panel(of.members.names, view.days[0], amounts, frozenset(view.days_off())),
        {str(key): row for key, row in extras(view.planned, by_key, view.days).items()},
        [answer for one in said for answer in _answers(one, view)],
        bar,
        -1 if view.settled is None else view.settled,
    )
    return Judges(days, _hours(of, bar, said, by_key, days), daily, lifts)


def _answers(said: Feedback, view: SpendView) -> list[DatedCorrection]:
    """Turns an answer about one scope into a detector's correction."""
    series, given = str(said.scope), said.given_at.astimezone(UTC).date()
    if said.kind is FeedbackKind.EXPECTED:
        return [accepted(series, said.first_day, given)]
    if said.kind is FeedbackKind.NOISE:
        return []
    first, last = max(said.first_day, view.days[0]), min(said.last_day, view.today)
    return [taken_out(series, first + DAY * offset, given) for offset in range((last - first).days + 1)]


def _hours(
    of: Ground, bar: Bar, said: Sequence[Feedback], by_key: Mapping[ScopeKey, Sequence[Cell]], days: DayJudge
) -> HourJudge | None:
    figures = of.view.hours
    if figures is None or not of.known_hours:
        return None
    silent = [
        (row, start, end)
        for row, key in enumerate(of.keys)
        for start, end in (_silent(figures, said, key, of.view.as_of) if said else ())
    ]
    judged = of.known_hours[: JUDGED_AGAIN_HOURS + NORMAL_HOURS]
    judge = hour_judge(
        of.hours,
        figures.first,
        figures.mature_until,
        bar.of_hours(),
        with_batches(_planned_hours(of.view.planned, by_key, figures), days, of.hours, figures.first),
        silent,
        judged[-1],
        of.view.memo.hours(of.scope),
    )
    lifts = {
        row: (max(0, (_midnight(since) - figures.first) // HOUR), factor)
        for row, (since, factor) in days.lifts().items()
    }
    locality, count = of.view.locality, len(figures.known)
    moves = moves_within(locality.zones, figures.first, count)
    off = hours_off(locality, days.quiet_days(), figures.first, count)
    return replace(
        judge, foreseen=of.foreseen, moves=moves, off=off, lifts=lifts, growth=days.growth_of(range(len(of.keys)))
    )


def _silent(
    figures: HourFigures, said: Sequence[Feedback], key: ScopeKey, now: datetime
) -> list[tuple[datetime, datetime]]:
    """Hours before an accepted level, and those of real incidents: they do not say what is usual."""
    if not of_scope(said, key, now):
        return []
    start = restarts_on(said, key, now)
    spans = [(_midnight(day), _midnight(day) + DAY) for day in sorted(days_out(said, key, now))]
    return [*([(figures.first, _midnight(start))] if start else []), *spans]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _planned_hours(
    activities: Sequence[PlannedActivity], by_key: Mapping[ScopeKey, Sequence[Cell]], figures: HourFigures
) -> dict[int, list[float]]:
    """Announced extra dollars of every scope in the last hours, spread evenly over each activity's time."""
    touched = [
        (activity, [any(activity.scope.holds(cell) for cell in cells) for cells in by_key.values()])
        for activity in activities
    ]
    found: dict[int, list[float]] = {}
    for place in range(max(0, len(figures.known) - HOURS_BACK), len(figures.known)):
        start = figures.first + place * HOUR
        for activity, touches in touched:
            shared = min(activity.ends_at, start + HOUR) - max(activity.starts_at, start)
            if shared > timedelta():
                extra = float(activity.extra_amount.usd) * (shared / (activity.ends_at - activity.starts_at))
                row = found.setdefault(place, [0.0] * len(touches))
                found[place] = [have + extra * touch for have, touch in zip(row, touches, strict=True)]
    return found
