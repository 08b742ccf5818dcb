"""The hours of a stretch, one step each: what was known of them, and whether anything may have changed since."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from service.domain.backtest.history import NO_FIGURES, Recorded, ReplayStep, steps
from service.domain.detectors.columns import DayBlock, spent_hours
from service.domain.detectors.hourly.known import HourVersions, KnownHours, LearntHours
from service.domain.rules.backtesting import HourEnd, Look
from service.domain.rules.evaluation import days_needed, hours_needed
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule
from service.domain.rules.view import HourFigures, SpendView, StoredCells
from service.domain.spend.lateness import LATE_FOR, fresh_days
from service.domain.values.utc import DAY, HOUR, midnight

HOURS_OF_DAY = 24
LONGEST_DELAY = timedelta(minutes=59)
LOOKED_AT = Look(may_fire=True, is_news=True)


def learning_days(rule: Rule[object]) -> timedelta:
    """Everything that a replay by the hour has to hold before the first day whose hours are evaluated."""
    return max(math.ceil(hours_needed(rule) / HOURS_OF_DAY) * DAY, LATE_FOR)


@dataclass(frozen=True, slots=True)
class Moment:
    """An hour's step at `as_of`, made only where it is looked at.

    `may_fire`: False where no scope can. `is_news`: False where every scope would be found as at the moment before.
    """

    as_of: datetime
    may_fire: bool
    is_news: bool
    step: Callable[[], ReplayStep]


def moments(
    recorded: Recorded, versions: HourVersions, rule: Rule[object], first: date, last: date
) -> Iterator[tuple[ReplayStep, Moment]]:
    """One moment for every hour of the UTC days from `first` to `last`, with the midnight that it goes by.

    It is the hour's end and the usual delay of its reading, as far as hours had been read by then. Closed days are as
    they were known at the midnight before, but at least what their hours come to while they are not settled.
    `rule` is the one that fires most easily; `versions` begin `learning_days` before the first day.
    """
    hours = _Hours(recorded, versions, rule)
    for night in steps(recorded, first - DAY, last, days_needed(rule)):
        start = 1 if night.closed < first else 0
        end = 1 if night.closed == last else HOURS_OF_DAY
        for number in range(start, end):
            yield night, hours.moment(night, number)


class _Hours:
    def __init__(self, recorded: Recorded, versions: HourVersions, rule: Rule[object]) -> None:
        self._recorded = recorded
        self._delay = min(recorded.delay, LONGEST_DELAY)
        self._known = KnownHours(versions)
        self._count = hours_needed(rule)
        watch = kind_of(rule).backtesting.hours
        waits = rule.gates.pending_for or rule.gates.keep_firing_for
        self._watch = None if waits or watch is None else watch(self._known, rule)

    def moment(self, night: ReplayStep, number: int) -> Moment:
        now = night.view.as_of + number * HOUR + self._delay
        learnt = self._known.learn_until(now)
        look = LOOKED_AT if self._watch is None else self._watch.look(self._hour(night, number, now, learnt))
        return Moment(now, look.may_fire, look.is_news, lambda: self._step(night, number, now))

    def _hour(self, night: ReplayStep, number: int, now: datetime, learnt: LearntHours) -> HourEnd:
        return HourEnd(
            now=now,
            place=self._place(now),
            today=self._place(midnight(now.date())),
            fresh=[self._place(midnight(day)) for day in fresh_days(now.date())[:-1]],
            learnt=learnt,
            stands_on=(night.closed, sum(one.at <= now for one in self._recorded.planned)),
            days=lambda: self._days_at(night, number, now),
            locality=self._recorded.locality,
        )

    def _step(self, night: ReplayStep, number: int, now: datetime) -> ReplayStep:
        closed = night.closed if number == 0 else night.closed + DAY
        return replace(night, closed=closed, view=self._view(night, number, now), dollars=0.0, assumed=0.0)

    def _view(self, night: ReplayStep, number: int, now: datetime) -> SpendView:
        hours = self._figures(self._place(night.view.as_of) + number)
        return replace(self._days_at(night, number, now), hours=hours)

    def _days_at(self, night: ReplayStep, number: int, now: datetime) -> SpendView:
        """The days alone."""
        view = night.view
        assert isinstance(view.cells, StoredCells)
        settled, columns = view.settled_until, view.cells.columns
        blocks, unknown = dict[date, DayBlock](), set(view.unknown_days)
        places = columns.roll.places(self._known.cells)
        for day in reversed(fresh_days(view.today)):
            start = self._place(midnight(day))
            over = number if day == view.today else HOURS_OF_DAY
            if settled is None or midnight(day + DAY) > settled:
                # A day that is not settled has cost at least what its hours have.
                spent = self._known.amounts[:, start : start + over].sum(axis=1)
                blocks[day] = columns.blocks.get(day, NO_FIGURES).with_at_least(places, spent)
                if all(self._known.known[start : start + over] if over else self._known.known[start - 1 : start]):
                    unknown.discard(day)
        planned = tuple(one.activity for one in self._recorded.planned if one.at <= now)
        cells = StoredCells(columns.with_more(blocks))
        return replace(view, as_of=now, cells=cells, unknown_days=frozenset(unknown), planned=planned)

    def _figures(self, end: int) -> HourFigures:
        """The hours before a place, as many as a view holds."""
        start, known, night = end - self._count, self._known, -(-end // HOURS_OF_DAY) * HOURS_OF_DAY
        spent, foreseen = known.amounts[:, start:end].copy(), known.first_read(end, night)
        return HourFigures(
            first=known.first + start * HOUR,
            known=known.known[start:end].tolist(),
            cells=spent_hours(known.cells, spent, foreseen),
            mature_until=known.mature_until(),
        )

    def _place(self, instant: datetime) -> int:
        """How many hours are over by then."""
        return (instant - self._known.first) // HOUR
