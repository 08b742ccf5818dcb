"""A rule over the past: one step for every UTC day or hour of it, at every setting of its sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from service.domain.backtest.backtest import MOST_FIRINGS, Firing, Progress, Result, SweepRow
from service.domain.backtest.glance import merged
from service.domain.backtest.history import Recorded
from service.domain.backtest.hours import learning_days
from service.domain.backtest.ledger import tallies_by_scope, tally_of
from service.domain.backtest.stretches import ONE_BY_ONE, Course, Hands, StretchResult, replay_in_stretches
from service.domain.rules.backtesting import Setting
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule
from service.domain.values.resources import Resource
from service.domain.values.utc import DAY

DAILY = "One step at the end of every UTC day, by what was known then. Live, a rule also looks at the day that runs."
HOURLY = (
    "One step for every hour, a poll after its end, by what was known of the hours then. Days that are over are as they"
    " were known at the midnight before, or as their hours add up to more; the running day is what its hours add up to."
)
LATER_HOURS = (
    "Hours are replayed from {day} on: so many of so many keys are not held at once. Before, days are judged alone."
)
UNANSWERED = (
    "Nobody answers: no alert is acknowledged, resolved or given feedback, and what was answered since is left out."
)
BACKFILLED = "Backfilled days count as known 24 hours after they ended, by the figures they have now."


def replay_rule(
    rule: Resource[Rule[object]],
    recorded: Recorded,
    first: date,
    last: date,
    note: Progress,
    hands: Hands = ONE_BY_ONE,
) -> Result:
    """Judges the rule at the end of every day from `first` to `last`, and at every setting of its sweep.

    Where hours are recorded, it does so at the end of every hour of the days from which on they are.
    """
    settings, course = _settings(rule), _course(rule, recorded, first, last)
    replayed = _replayed(rule, recorded, course, hands, note)
    tallies = [tally_of(firings, first, last) for firings in replayed.firings]
    own = next((place for place, setting in enumerate(settings) if setting.configured), 0)
    share = _assumed_share(replayed)
    return Result(
        first_day=first,
        last_day=last,
        steps=course.steps,
        tally=tallies[own],
        firings=tuple(replayed.firings[own][-MOST_FIRINGS:]),
        by_scope=tallies_by_scope(replayed.firings[own]),
        assumed_share=round(share, 4),
        sweep=tuple(
            SweepRow(setting.name, setting.configured, tally) for setting, tally in zip(settings, tallies, strict=False)
        ),
        assumptions=_assumptions(course, share),
    )


def firings_by_setting(
    rule: Resource[Rule[object]], recorded: Recorded, first: date, last: date, note: Progress
) -> list[tuple[Setting, Sequence[Firing]]]:
    """All that a replay would have fired, at every setting of the rule's sweep."""
    replayed = _replayed(rule, recorded, _course(rule, recorded, first, last), ONE_BY_ONE, note)
    return list(zip(_settings(rule), replayed.firings, strict=False))


def _replayed(
    rule: Resource[Rule[object]], recorded: Recorded, course: Course, hands: Hands, note: Progress
) -> StretchResult:
    """The replay at every setting of the rule's sweep; of a rule without a sweep at its own."""
    swept = [replace(rule, spec=setting.rule) for setting in _settings(rule)]
    return replay_in_stretches(swept or [rule], merged(recorded, rule), course, hands, note)


def _settings(rule: Resource[Rule[object]]) -> Sequence[Setting]:
    return tuple(kind_of(rule.spec).backtesting.sweep(rule.spec))


def _course(rule: Resource[Rule[object]], recorded: Recorded, first: date, last: date) -> Course:
    return Course(first, _hourly_from(recorded, learning_days(rule.spec), first, last), last)


def _hourly_from(recorded: Recorded, learning: timedelta, first: date, last: date) -> date:
    """The first day whose hours are replayed; the day after the last one where none is."""
    if recorded.hours is None:
        return last + DAY
    return min(max(first, recorded.hours.first.date() + learning), last + DAY)


def _assumed_share(replayed: StretchResult) -> float:
    """The part of the dollars looked at whose time of becoming known is assumed, 0..1."""
    looked_at, assumed = (sum(each) for each in zip(*replayed.dollars.values(), strict=True))
    return assumed / looked_at if looked_at > 0 else 0.0


def _assumptions(course: Course, assumed_share: float) -> tuple[str, ...]:
    first, hourly_from, last = course.first, course.hourly_from, course.last
    daily = (DAILY,) if hourly_from > first else ()
    hourly = (HOURLY,) if hourly_from <= last else ()
    later = (LATER_HOURS.format(day=hourly_from),) if first < hourly_from <= last else ()
    backfilled = (BACKFILLED,) if assumed_share > 0 else ()
    return (*daily, *hourly, *later, UNANSWERED, *backfilled)
