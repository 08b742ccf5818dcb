"""A rota: people who are on call a week each, in turn, and who stands in for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, pairwise

from service.domain.notify.calendar_links import Feed
from service.domain.values.calendars import local_date, zone_names, zone_of
from service.domain.values.errors import Invalid
from service.domain.values.lookalikes import lookalike, require_visible
from service.domain.values.periods import Weekday

MOST_PEOPLE = 50
MOST_OVERRIDES = 200
DAYS = 7


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is notified through a receiver while on call."""

    name: str
    receiver_id: str


@dataclass(frozen=True, slots=True)
class Handover:
    """When a week ends and the next one begins, on the wall clock of the rota's zone."""

    weekday: Weekday
    hour: int


@dataclass(frozen=True, slots=True)
class Override:
    """A person of the rota, by name, is on call in whoever's stead: starts_at <= t < ends_at, aware UTC."""

    person: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Rota:
    """The first person has the week that begins on `starts_on`, or on the last handover day before it.

    The weeks before that one are counted backwards: somebody is always on call. `feed` is its calendar's link, if any.
    """

    people: tuple[Person, ...]
    handover: Handover
    timezone: str
    starts_on: date
    overrides: tuple[Override, ...] = ()
    feed: Feed | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's time on call: starts_at <= t < ends_at, UTC."""

    person: Person
    starts_at: datetime
    ends_at: datetime


def validate_rota(rota: Rota) -> None:
    """Raises Invalid."""
    if not 1 <= len(rota.people) <= MOST_PEOPLE:
        raise Invalid(f"a rota has 1 to {MOST_PEOPLE} people", "/people")
    names = [person.name for person in rota.people]
    _validate_names(names)
    if not 0 <= rota.handover.hour <= 23:
        raise Invalid("must be between 0 and 23", "/handover/hour")
    if rota.timezone not in zone_names():
        raise Invalid(f"{rota.timezone!r} is not an IANA time zone, such as Europe/Berlin", "/timezone")
    if len(rota.overrides) > MOST_OVERRIDES:
        raise Invalid(f"a rota has {MOST_OVERRIDES} overrides at most", "/overrides")
    for position, override in enumerate(rota.overrides):
        _validate_override(override, names, f"/overrides/{position}")
    _refuse_overlaps(rota.overrides)


def _validate_names(names: Sequence[str]) -> None:
    for position, name in enumerate(names):
        pointer = f"/people/{position}/name"
        if name in names[:position]:
            raise Invalid(f"there is a {name!r} already", pointer)
        require_visible(name, pointer)
        other = lookalike(name, names[:position])
        if other is not None:
            raise Invalid(f"the name looks like {other!r}: choose another one", pointer)


def _validate_override(override: Override, names: Sequence[str], pointer: str) -> None:
    if override.person not in names:
        raise Invalid(f"there is no {override.person!r} among the people", f"{pointer}/person")
    for field, instant in (("starts_at", override.starts_at), ("ends_at", override.ends_at)):
        if instant.microsecond:  # calendars know whole seconds alone
            raise Invalid("must be a whole second", f"{pointer}/{field}")
    if override.ends_at <= override.starts_at:
        raise Invalid("must be later than starts_at", f"{pointer}/ends_at")


def _refuse_overlaps(overrides: Sequence[Override]) -> None:
    ordered = sorted(enumerate(overrides), key=lambda one: (one[1].starts_at, one[0]))
    for (one, earlier), (other, later) in pairwise(ordered):
        if later.starts_at < earlier.ends_at:
            raise Invalid(f"overlaps override {min(one, other)}", f"/overrides/{max(one, other)}")


def on_call(rota: Rota, at: datetime) -> Person:
    """Who is on call at an aware instant."""
    return shift_at(rota, at).person


def shift_at(rota: Rota, at: datetime) -> Shift:
    """The shift that holds an aware instant."""
    return shifts(rota, at, at + timedelta.resolution)[0]


def shifts(rota: Rota, since: datetime, until: datetime) -> list[Shift]:
    """Whole shifts that touch since <= t < until, in order, without gap or overlap. A valid rota, aware instants."""
    people = {person.name: person for person in rota.people}
    stand_ins = [Shift(people[one.person], one.starts_at, one.ends_at) for one in rota.overrides]
    stand_ins.sort(key=lambda one: one.starts_at)
    regular = [piece for week in _weeks(rota, since, until) for piece in _left_over(week, stand_ins)]
    touching = [one for one in (*regular, *stand_ins) if one.starts_at < until and one.ends_at > since]
    return sorted(touching, key=lambda one: one.starts_at)


def _weeks(rota: Rota, since: datetime, until: datetime) -> Iterator[Shift]:
    """The regular weeks that touch a stretch of time."""
    for number in count(_week_of(rota, since)):
        start = _handover(rota, number)
        if start >= until:
            return
        yield Shift(rota.people[number % len(rota.people)], start, _handover(rota, number + 1))


def _week_of(rota: Rota, at: datetime) -> int:
    """The number of the week that holds an instant; 0 is the first person's first one."""
    number = (local_date(at, zone_of(rota.timezone)) - _first_day(rota)).days // DAYS
    while _handover(rota, number) > at:
        number -= 1
    while _handover(rota, number + 1) <= at:
        number += 1
    return number


def _handover(rota: Rota, number: int) -> datetime:
    """When a week begins. An hour that clocks skip counts as the one after it, a repeated one the first time."""
    day = _first_day(rota) + timedelta(days=DAYS * number)
    return datetime.combine(day, time(rota.handover.hour), zone_of(rota.timezone)).astimezone(UTC)


def _first_day(rota: Rota) -> date:
    weekday = list(Weekday).index(rota.handover.weekday)
    return rota.starts_on - timedelta(days=(rota.starts_on.weekday() - weekday) % DAYS)


def _left_over(week: Shift, stand_ins: Sequence[Shift]) -> Iterator[Shift]:
    """The pieces of a week that nobody else takes. The others' shifts come in order."""
    start = week.starts_at
    for other in stand_ins:
        if other.ends_at <= start or other.starts_at >= week.ends_at:
            continue
        if other.starts_at > start:
            yield Shift(week.person, start, other.starts_at)
        start = other.ends_at
    if start < week.ends_at:
        yield Shift(week.person, start, week.ends_at)
