"""One scope's days, and one scope's hours: which of them exceed, and how an incident runs through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Protocol, TypeVar, overload

from service.domain.detectors.buckets import ScoredBucket
from service.domain.detectors.hourly.clocks import UTC_CLOCK
from service.domain.detectors.hourly.judge import HourJudge
from service.domain.detectors.memory.day_judge import DayJudge
from service.domain.detectors.scores import Method
from service.domain.detectors.severity import Size, severity
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.gates import is_large
from service.domain.rules.kinds.anomaly.ground import HOURS_BACK, NORMAL_HOURS
from service.domain.rules.rule import DOLLARS_A_DAY, DOLLARS_AN_HOUR, Gates, percent_of
from service.domain.spend.lateness import JUDGED_AGAIN_DAYS, JUDGED_AGAIN_HOURS, SETTLED_AFTER
from service.domain.values.severity import Severity
from service.domain.values.utc import DAY, HOUR

NORMAL_DAYS = 2
HOURLY_SHARE = 0.6
"""The part of a day's excess from which on its hours are the incident."""
MOST_AHEAD = 24 * 7
"""Buckets to come that are looked at for the end of an incident."""
UNSTEADY = (Method.VOLATILE, Method.INTERMITTENT)


class Side(Protocol):
    """Buckets of one scope by their place. `needed` normal ones in a row end an incident."""

    @property
    def needed(self) -> int: ...
    @property
    def width(self) -> timedelta: ...
    @property
    def unit(self) -> str: ...
    @property
    def recent(self) -> Sequence[int]:
        """The places that may fire, the newest first."""

    @property
    def earliest(self) -> int: ...
    @property
    def gates(self) -> Gates: ...
    def reading(self, place: int) -> ScoredBucket: ...
    def method(self, place: int) -> str:
        """How the bucket was judged, or why not, in words."""

    def falls(self, place: int) -> bool:
        """Whether what the bucket may be blamed for is too little."""

    def clock(self, place: int) -> int:
        """The number of the clock that the bucket is judged by; 0 is UTC."""

    def objects(self, place: int) -> bool:
        """Whether the bucket alerts in a direction that is asked for, and nobody has called it expected."""

    def exceeds(self, place: int) -> bool:
        """Whether it objects by enough for the gates of size."""

    @property
    def asked(self) -> Mapping[int, bool]:
        """All that `exceeds` has answered, by place."""

    def counts(self, place: int) -> bool:
        """Whether the bucket is over and known, so that it is a normal one where it does not exceed."""

    @property
    def told_after(self) -> timedelta:
        """How long after its end a bucket may count."""

    @property
    def tolerance(self) -> float:
        """How many high buckets may lie among the normal ones that end an incident, as a share of these."""

    def is_high(self, place: int) -> bool:
        """Whether the bucket is well above what was usual, whether it exceeds or not."""

    def weighs(self, place: int) -> bool:
        """Whether the bucket, which may be to come, is expected to be no small one of its week."""

    def speaks(self, place: int) -> bool:
        """Whether the bucket may speak for itself."""

    def start(self, place: int) -> datetime: ...
    def level(self, place: int, daily: float) -> tuple[Severity, float]:
        """The severity of an exceeding bucket, and its excess at that speed in 24 hours, in dollars."""

    def level_so_far(self, place: int, daily: float) -> Severity:
        """The severity by what was spent in the bucket, whatever its speed."""


@dataclass(frozen=True, slots=True, eq=False)
class DaySide:
    """`falling`: the open or final days on which falls are believed; empty where only rises are asked for.

    `told`: the last day that is told of the series; later ones only where they exceed. `late`: how many closed days are
    judged after an outage, 0 without one.
    """

    judge: DayJudge
    row: int
    gates: Gates
    answers: Sequence[Feedback]
    falling: frozenset[int]
    told: int
    late: int = 0
    needed: int = NORMAL_DAYS
    tolerance: float = 0.0
    width: timedelta = DAY
    unit: str = DOLLARS_A_DAY
    asked: dict[int, bool] = field(default_factory=dict)

    @property
    def recent(self) -> Sequence[int]:
        today = self.judge.open_day
        return range(today, max(-1, today - max(JUDGED_AGAIN_DAYS, self.late) - 1), -1)

    @property
    def earliest(self) -> int:
        return self.judge.first

    def reading(self, place: int) -> ScoredBucket:
        return self.judge.reading(self.row, place)

    def method(self, place: int) -> str:
        return self.reading(place).method.reason

    def falls(self, place: int) -> bool:
        return place in self.falling and self.reading(place).falls

    def clock(self, place: int) -> int:
        return UTC_CLOCK

    def objects(self, place: int) -> bool:
        if not self.judge.stirs(self.row, place) or self._answered(place):
            return False
        return self.reading(place).rises or self.falls(place)

    def exceeds(self, place: int) -> bool:
        if place not in self.asked:
            self.asked[place] = self.objects(place) and _is_large(self, place)
        return self.asked[place]

    def counts(self, place: int) -> bool:
        return place < self.judge.open_day and place <= self.told and self.judge.is_known(self.row, place)

    @property
    def told_after(self) -> timedelta:
        return SETTLED_AFTER if self.told < self.judge.open_day else timedelta()

    def is_high(self, place: int) -> bool:
        return self.judge.is_high(self.row, place)

    def weighs(self, place: int) -> bool:
        return self.judge.weighs(self.row, place)

    def speaks(self, place: int) -> bool:
        """An unsteady series' day only where it is huge."""
        read = self.reading(place)
        return read.override or read.method not in UNSTEADY

    def start(self, place: int) -> datetime:
        return datetime.combine(self.judge.panel.day(place), time(), UTC)

    def level(self, place: int, daily: float) -> tuple[Severity, float]:
        return _level(self.reading(place), 1, daily)

    def level_so_far(self, place: int, daily: float) -> Severity:
        return _level(self.reading(place), 0, daily)[0]

    def _answered(self, place: int) -> bool:
        """This closed day is one of an accepted level, or a person has called it expected."""
        day, end = self.judge.panel.day(place), self.start(place) + DAY
        level = self.judge.level(self.row)
        if level is not None and level.since <= day < level.accepted_on:
            return True
        return place < self.judge.open_day and any(
            said.kind is FeedbackKind.EXPECTED
            and said.first_day <= day
            and (day <= said.last_day or end <= said.given_at)
            for said in self.answers
        )


@dataclass(frozen=True, slots=True, eq=False)
class HourSide:
    """`known`: the places of the known hours, the newest first."""

    judge: HourJudge
    row: int
    gates: Gates
    answers: Sequence[Feedback]
    known: Sequence[int]
    needed: int = NORMAL_HOURS
    tolerance: float = 0.5
    width: timedelta = HOUR
    told_after: timedelta = timedelta()
    unit: str = DOLLARS_AN_HOUR
    asked: dict[int, bool] = field(default_factory=dict)

    @property
    def recent(self) -> Sequence[int]:
        return self.known[:JUDGED_AGAIN_HOURS]

    @property
    def earliest(self) -> int:
        return max(0, self.known[0] - HOURS_BACK)

    def reading(self, place: int) -> ScoredBucket:
        return self.judge.reading(self.row, place)

    def method(self, place: int) -> str:
        return self.reading(place).method.reason_of_hours

    def falls(self, place: int) -> bool:
        return False

    def clock(self, place: int) -> int:
        return self.judge.clock_number(self.row, place)

    def objects(self, place: int) -> bool:
        return self.judge.rises(self.row, place) and not self._answered(place)

    def exceeds(self, place: int) -> bool:
        if place not in self.asked:
            self.asked[place] = self.objects(place) and _is_large(self, place)
        return self.asked[place]

    def counts(self, place: int) -> bool:
        return place < self.judge.mature and self.judge.is_known(self.row, place)

    def is_high(self, place: int) -> bool:
        return self.judge.is_high(self.row, place)

    def weighs(self, place: int) -> bool:
        return self.judge.weighs(self.row, place)

    def speaks(self, place: int) -> bool:
        """Always: the line of an hour rises with the noise, without a step."""
        return True

    def start(self, place: int) -> datetime:
        return self.judge.start(place)

    def level(self, place: int, daily: float) -> tuple[Severity, float]:
        return _level(self.reading(place), 24, daily)

    def level_so_far(self, place: int, daily: float) -> Severity:
        return _level(self.reading(place), 0, daily)[0]

    def _answered(self, place: int) -> bool:
        start = self.start(place)
        return any(
            said.kind is FeedbackKind.EXPECTED and said.first_day <= start.date() and start + HOUR <= said.given_at
            for said in self.answers
        )


One = TypeVar("One", DaySide, HourSide)


class Each(Sequence[One]):
    """The side of each of many scopes, made when it is looked at."""

    def __init__(self, length: int, make: Callable[[int], One]) -> None:
        self._length = length
        self._make: Callable[[int], One] = make
        self._made: dict[int, One] = {}

    @overload
    def __getitem__(self, row: int) -> One: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[One]: ...
    def __getitem__(self, row: int | slice) -> One | Sequence[One]:
        if isinstance(row, slice):
            return [self[at] for at in range(*row.indices(self._length))]
        if not 0 <= row < self._length:
            raise IndexError(row)
        if row not in self._made:
            self._made[row] = self._make(row)
        return self._made[row]

    def __len__(self) -> int:
        return self._length


def _is_large(side: Side, place: int) -> bool:
    read = side.reading(place)
    excess = read.expected - read.amount if side.falls(place) else read.amount - read.expected
    return is_large(excess, percent_of(excess, read.expected), side.gates)


def _level(read: ScoredBucket, a_day: int, daily: float) -> tuple[Severity, float]:
    """`a_day`: how many such buckets a day has; 0 leaves speed out of it."""
    excess = read.amount - read.expected
    size = Size(read.amount, read.expected, read.score, read.override, excess * a_day)
    return severity(size, daily), abs(excess) * a_day


def newest_exceeding(side: Side) -> int | None:
    """The newest bucket that exceeds and may fire; one that may speak for itself comes before others."""
    found = [place for place in side.recent if side.exceeds(place)]
    return next((place for place in found if side.speaks(place)), found[0] if found else None)


def lies_in_hours(day: DaySide, place: int, hours: HourSide) -> bool:
    """Whether most of an exceeding day's excess is that of exceeding hours: then these say when it is over."""
    first = (day.start(place) - hours.start(0)) // HOUR
    if first < 0:
        return False
    within = range(first, min(first + DAY // HOUR, hours.known[0] + 1))
    readings = [hours.reading(at) for at in within if hours.exceeds(at)]
    whole = day.reading(place)
    return sum(read.amount - read.expected for read in readings) >= HOURLY_SHARE * (whole.amount - whole.expected)


def begun(side: Side, place: int) -> int:
    """Where the incident began that exceeds at `place`: before it lie `needed` normal buckets in a row."""
    first, normal = place, 0
    for at in range(place - 1, side.earliest - 1, -1):
        if side.exceeds(at):
            first, normal = at, 0
        elif side.counts(at):
            normal += 1
            if normal == side.needed:
                break
    return first


def impact(side: Side, first: int) -> float:
    """The excess of all exceeding buckets from `first` on, in dollars."""
    readings = [side.reading(place) for place in range(first, side.recent[0] + 1) if side.exceeds(place)]
    return sum(abs(read.amount - read.expected) for read in readings)
