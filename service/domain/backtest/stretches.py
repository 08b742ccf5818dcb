"""A replay of a rule in stretches, which can be made side by side: joined, they are the replay from end to end.

Nothing of an incident outlives it in a replay, where no person answers. So a stretch that begins at any instant with
nothing open finds what the whole replay finds, from the first instant on at which neither of them has anything open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Protocol

from service.domain.backtest.backtest import Firing, Progress
from service.domain.backtest.history import Recorded, ReplayStep, steps
from service.domain.backtest.hours import learning_days, moments
from service.domain.backtest.rule_replay import RuleReplay, take_moment, take_step
from service.domain.rules.evaluation import days_needed
from service.domain.rules.rule import Rule
from service.domain.values.resources import Resource
from service.domain.values.utc import DAY, midnight

LEAST_DAYS = 60
"""Days by the hour in a stretch: of fewer, what it has to read of the time before would be most of the work."""
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Course:
    """The UTC days of a whole replay: the first, the first one by the hour (the day after the last: none), the last."""

    first: date
    hourly_from: date
    last: date

    @property
    def steps(self) -> int:
        """One for every day and, of days by the hour, for every hour."""
        return (self.hourly_from - self.first).days + 24 * ((self.last - self.hourly_from).days + 1)

    def cut(self, most: int) -> list[tuple[datetime, datetime]]:
        """Instants between which stretches of about as many hours lie, `most` of them. The first has the days, too."""
        days = (self.last - self.hourly_from).days + 1
        count = max(1, min(most, days // LEAST_DAYS))
        inner = [midnight(self.hourly_from + days * number // count * DAY) for number in range(1, count)]
        ends = [midnight(self.first), *inner, midnight(self.last + DAY)]
        return list(pairwise(ends))


@dataclass(frozen=True, slots=True)
class ReplayStretch:
    """The steps of a replay after the instant `after`, up to the first one from `until` on that leaves nothing open.

    `settings` are those of the rule's sweep, the one that fires most easily first. `recorded` begins early enough.
    """

    settings: Sequence[Resource[Rule[object]]]
    recorded: Recorded
    course: Course
    after: datetime
    until: datetime

    def narrowed(self) -> ReplayStretch:
        """The same, without what was known of days that it does not look at."""
        loosest, first = self.settings[0].spec, self.after.date() - DAY
        earliest, hours = first - days_needed(loosest) * DAY, self.recorded.hours
        versions = [version for version in self.recorded.versions if version.day >= earliest]
        hours = hours and hours.since(midnight(first) - learning_days(loosest))
        return replace(self, recorded=replace(self.recorded, versions=versions, hours=hours))


@dataclass(frozen=True, slots=True)
class StretchResult:
    """The result of a stretch: every setting's firings, up to the step `until`.

    `dollars`, by closed day: all that was looked at, and those whose time of becoming known is assumed. `busy`: from
    each step that left something open to the next one that left nothing, or NEVER.
    """

    until: datetime
    firings: Sequence[Sequence[Firing]]
    dollars: Mapping[date, tuple[float, float]]
    busy: Sequence[tuple[datetime, datetime]]

    def busy_until(self, at: datetime) -> datetime:
        """The instant from which on nothing is open: `at` itself if nothing is then."""
        return next((end for start, end in self.busy if start <= at < end), at)

    def then(self, later: StretchResult) -> StretchResult:
        """Both as one, where neither has anything open at the end of this one."""
        return StretchResult(
            until=later.until,
            firings=[
                [*mine, *(firing for firing in more if firing.at > self.until)]
                for mine, more in zip(self.firings, later.firings, strict=True)
            ],
            dollars={**self.dollars, **later.dollars},
            busy=[*self.busy, *((start, end) for start, end in later.busy if start > self.until)],
        )


class Hands(Protocol):
    """Whoever makes stretches, `count` of them at the same time."""

    @property
    def count(self) -> int: ...

    def make(self, stretches: Sequence[ReplayStretch], note: Progress) -> list[StretchResult]:
        """Makes all of them, `count` at most, and notes how far the first has come."""
        ...

    def called(self) -> AbstractContextManager[Hands]:
        """Hands that get ready from now on, for one call of `make` before the block is left."""
        ...


class OneByOne:
    """Makes stretches one after the other."""

    count = 1

    def called(self) -> AbstractContextManager[Hands]:
        return nullcontext(self)

    def make(self, stretches: Sequence[ReplayStretch], note: Progress) -> list[StretchResult]:
        return [replay_stretch(stretch, note) for stretch in stretches]


ONE_BY_ONE = OneByOne()


def replay_in_stretches(
    settings: Sequence[Resource[Rule[object]]], recorded: Recorded, course: Course, hands: Hands, note: Progress
) -> StretchResult:
    """The whole replay. `settings` as in `ReplayStretch`."""
    whole = ReplayStretch(settings, recorded, course, midnight(course.first), midnight(course.last + DAY))
    stretches = [replace(whole, after=after, until=until) for after, until in course.cut(hands.count)]

    def again(after: datetime, until: datetime) -> StretchResult:
        # Whoever hears of the progress may also want it to stop.
        return replay_stretch(replace(whole, after=after, until=until), lambda progress: note(1.0))

    return joined(hands.make(stretches, note), again)


def joined(parts: Sequence[StretchResult], again: Callable[[datetime, datetime], StretchResult]) -> StretchResult:
    """The stretches as one. Where two have nothing open at no common instant, `again` makes what lies between them."""
    whole, *later = parts
    for part in later:
        while whole.until < part.until and (rests_at := part.busy_until(whole.until)) > whole.until:
            whole = whole.then(again(whole.until, rests_at))
        if whole.until < part.until:
            whole = whole.then(part)
    return whole


def replay_stretch(stretch: ReplayStretch, note: Progress) -> StretchResult:
    """Begins with nothing open. Notes which part of its time is over, 0..1."""
    replays = [RuleReplay(setting) for setting in stretch.settings]
    dollars, busy, until = dict[date, tuple[float, float]](), list[tuple[datetime, datetime]](), stretch.after
    busy_since: datetime | None = None
    for until, night in _taken(stretch, replays):
        if night.closed >= stretch.course.first:
            dollars[night.closed] = night.dollars, night.assumed
        is_at_rest = all(one.is_at_rest for one in replays)
        if is_at_rest and busy_since is not None:
            busy.append((busy_since, until))
        busy_since = None if is_at_rest else busy_since or until
        note(min((until - stretch.after) / (stretch.until - stretch.after), 1.0))
        if is_at_rest and until >= stretch.until:
            break
    if busy_since is not None:
        busy.append((busy_since, NEVER))
    return StretchResult(until, [one.ledger.firings() for one in replays], dollars, busy)


def _taken(stretch: ReplayStretch, replays: Sequence[RuleReplay]) -> Iterator[tuple[datetime, ReplayStep]]:
    """Takes the steps, and tells of each its instant and the midnight that it goes by."""
    recorded, course, after, loosest = stretch.recorded, stretch.course, stretch.after, stretch.settings[0].spec
    for step in steps(
        recorded,
        max(course.first, after.date()),
        min(course.hourly_from - DAY, course.last),
        days_needed(loosest),
    ):
        take_step(step, replays)
        yield step.view.as_of, step
    if recorded.hours is None:
        return
    before: datetime | None = None
    first = max(course.hourly_from, after.date() - DAY)
    for night, moment in moments(recorded, recorded.hours, loosest, first, course.last):
        if moment.as_of > after:
            take_moment(moment, replays, before)
            before = moment.as_of
            yield moment.as_of, night
