"""The sentence of an anomaly rule about one bucket, which can be checked by hand, and the numbers it leans on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from service.domain.detectors.buckets import ScoredBucket
from service.domain.detectors.daily.detector import RECURRING_SHARE
from service.domain.detectors.daily.explain import BY_WEEKDAY, CountedDay, DayExplanation
from service.domain.detectors.daily.recurrence import CalendarBatch
from service.domain.detectors.hourly.judge import JudgedClock, SameHour
from service.domain.detectors.hourly.two_hours import HourBefore
from service.domain.detectors.scores import Method
from service.domain.rules.view import SpendView
from service.domain.rules.wording import day, dollars
from service.domain.values.names import describe_scope
from service.domain.values.plain_text import clean
from service.domain.values.scopes import Scope, ScopeKey

Inputs = tuple[tuple[str, str], ...]
DaysOff = Mapping[date, str]
NamedHour = tuple[SameHour, str | None]
"""An hour, and the holiday that it lies in."""
HOUR = timedelta(hours=1)
LEAST_TOLD = 1.005
"""Growth under half a percent a week is not worth a word."""


def who(view: SpendView, scope: Scope, key: ScopeKey) -> str:
    """Gives `subject`, remembered: a backtest says the same names every day."""
    return _begun(describe_scope(scope, key, view.names))


@lru_cache(maxsize=4096)
def _begun(words: str) -> str:
    harmless = clean(words, 200)
    return harmless[:1].upper() + harmless[1:]


def short_cause(who: str, when: str, read: ScoredBucket, method: str, batch: CalendarBatch | None = None) -> str:
    """The inputs of a quiet bucket. `when`: "on 23 November 2026"; `method`: how it was judged, if it was."""
    if math.isnan(read.amount):
        return f"{who} could not be judged {when}: {method}."
    spent = f"{who} spent {dollars(read.amount)} {when}"
    if not read.method.judges:
        return f"{spent}; it could not be judged: {method}."
    again = f" with the {batch.name}, seen {_seen(batch)}," if batch else ""
    return f"{spent}; {dollars(read.expected)} was expected{again} and it fires from {dollars(read.fires_from)}."


def day_cause(
    who: str, is_open: bool, read: ScoredBucket, found: DayExplanation, falls: bool, days_off: DaysOff
) -> str:
    """The sentence of an exceeding day, with the days that its expectation is the mean of."""
    holiday = days_off.get(found.day)
    so_far = _called(holiday) + (" so far" if is_open else "")
    ordinary = "" if holiday is None else f", as on an ordinary {found.day:%A},"
    planned = f", {dollars(found.planned)} of it planned" if found.planned > 0.005 else ""
    edge = "which is less than a fifth of it" if falls else f"it fires from {dollars(read.fires_from)}"
    return (
        f"{who} spent {dollars(read.amount)} on {weekday(found.day)}{so_far}; {_past(found, days_off)}"
        f"{_again(found.batch)}, so {dollars(read.expected)} was expected{ordinary}{planned} and {edge}."
    )


def _again(batch: CalendarBatch | None) -> str:
    if batch is None:
        return ""
    above = _listed([dollars(each) for each in batch.above])
    return f", and the {batch.name}, seen {_seen(batch)}, {above} above normal"


def _seen(batch: CalendarBatch) -> str:
    """ "1 Sep, 1 Oct and 1 Nov"."""
    return _listed([f"{each.day} {each:%b}" for each in batch.days])


def hour_cause(
    who: str,
    when: str,
    read: ScoredBucket,
    same_hours: Sequence[NamedHour],
    growth: float,
    extra: float,
    batch: CalendarBatch | None,
    before: HourBefore | None = None,
) -> str:
    """The sentence of an exceeding hour. `same_hours`: of the last four weeks, the oldest first, and their holidays.

    `when`: see `between`. `growth`: how much more a week costs than the one before, a factor. `extra`: dollars of it
    that were announced, or are left of a batch. `before`: where it fires from less because of the hour before.
    """
    earlier = _listed([_had(*each) for each in same_hours]) + _grown(growth)
    return (
        f"{who} spent {dollars(read.amount)} (estimated) {when}; the same hour of the last four weeks had "
        f"{earlier}; {dollars(read.expected)} was expected at the present level{_more(extra, batch)} and it fires from "
        f"{dollars(read.fires_from)}{_after(before)}."
    )


def _after(before: HourBefore | None) -> str:
    return "" if before is None else f" after an hour of {dollars(before.above)} above normal"


def after_hour(before: HourBefore | None) -> Inputs:
    """Says how the hour before lowers the line."""
    if before is None:
        return ()
    return (
        ("hour before", f"{dollars(before.above)} above normal"),
        ("fires after a usual hour", f"from {dollars(before.alone)} above normal"),
        ("fires after one as high", f"from {dollars(before.half)} above normal"),
    )


def _grown(growth: float) -> str:
    return f" at {growth - 1:.0%} growth a week" if growth > LEAST_TOLD else ""


def _more(extra: float, batch: CalendarBatch | None) -> str:
    if batch is None:
        return f", {dollars(extra)} of it planned," if extra > 0.005 else ""
    allowed = dollars((1 + RECURRING_SHARE) * batch.extra)
    return f", {dollars(extra)} of it left of the {allowed} that the {batch.name}, seen {_seen(batch)}, may spend,"


def inputs(read: ScoredBucket, method: str) -> Inputs:
    if not read.method.judges:
        return (
            ("spent", dollars(read.amount)),
            ("expected", dollars(read.expected)),
            ("method", method),
        )
    return (
        ("spent", dollars(read.amount)),
        ("expected", dollars(read.expected)),
        ("band", f"up to {dollars(read.high)}"),
        ("fires from", dollars(read.fires_from)),
        ("method", method),
        ("score", f"{read.score:.2f}"),
    )


def of_holiday(name: str | None) -> Inputs:
    """Says that the judged bucket lies in a holiday, and what that means."""
    return () if name is None else (("holiday", f"{name}: more than on an ordinary day is unusual, less is not"),)


def counted_days(found: DayExplanation, days_off: DaysOff) -> Inputs:
    """Each day that was compared with, and what was made of it."""
    lift = (("earlier days multiplied by", f"{found.lifted:.2f}"),) if found.lifted != 1 else ()
    again = found.batch
    seen = zip(again.days, again.above, strict=True) if again else ()
    above = ((f"{again.name if again else ''} of {day(on)}", f"{dollars(more)} above normal") for on, more in seen)
    compared = ((day(one.day) + _called(days_off.get(one.day)), _counted(one)) for one in found.days)
    return (*compared, *lift, *_weekly(found.growth), *above)


def _weekly(growth: float) -> Inputs:
    return (("each week multiplied by", f"{growth:.3f}"),) if growth > LEAST_TOLD else ()


def _had(hour: SameHour, holiday: str | None) -> str:
    if hour.was_off:
        return f"{dollars(hour.amount)} ({holiday or 'a quiet day'}, left out)"
    return f"{dollars(hour.amount)} (an incident, left out)" if hour.left_out else dollars(hour.amount)


def counted_hours(same_hours: Sequence[NamedHour]) -> Inputs:
    return tuple((f"{one.start:%H:%M} UTC on {day(one.start.date())}", _had(one, off)) for one, off in same_hours)


def compared_by(clock: JudgedClock | None, lift: tuple[datetime, float] | None, growth: float) -> Inputs:
    """Names the clock by which earlier hours are compared, the factor of those before an accepted level, and growth."""
    by_level = () if lift is None else ((f"hours before {day(lift[0].date())} multiplied by", f"{lift[1]:.2f}"),)
    return (*by_clock(clock), *by_level, *_weekly(growth))


def by_clock(clock: JudgedClock | None) -> Inputs:
    """Names the clock by which earlier weeks are compared, where one was changed within them."""
    if clock is None:
        return ()
    name = "UTC" if clock.changed is None else f"{clock.zone}, changed on {day(clock.changed.date())}"
    if not clock.is_sure:
        known = "whether spend moved with the clock is not known yet, and this one asks for more dollars"
    else:
        known = (
            "spend did not move with the clock, or it does not matter for this hour"
            if clock.changed is None
            else "spend moved with it"
        )
    return (("clock", f"{name}: {known}"),)


def weekday(value: date) -> str:
    """ "Tuesday 24 November 2026"."""
    return f"{value:%A} {day(value)}"


@lru_cache(maxsize=1024)
def on_day(value: date, is_open: bool, holiday: str | None) -> str:
    return f"on {day(value)}{_called(holiday)}" + (" so far" if is_open else "")


def between(start: datetime, holiday: str | None) -> str:
    """ "between 09:00 and 10:00 UTC on Friday 25 December 2026 (Christmas Day)"."""
    return f"between {start:%H:%M} and {start + HOUR:%H:%M} UTC on {weekday(start.date())}{_called(holiday)}"


def _called(holiday: str | None) -> str:
    return "" if holiday is None else f" ({holiday})"


def _past(found: DayExplanation, days_off: DaysOff) -> str:
    amounts = [one.counted for one in found.days]
    if found.method in BY_WEEKDAY:
        changed = "; ".join(_change(one, days_off.get(one.day)) for one in found.days if one.changed)
        exceptions = f" ({changed})" if changed else ""
        counted = _listed([dollars(one) for one in amounts]) + _grown(found.growth)
        return f"the last four {found.day:%A}s counted {counted}{exceptions}"
    largest = max(amounts)
    span = f"the {len(amounts)} days before counted {dollars(math.fsum(amounts) / len(amounts))} on average"
    return f"{span} and {dollars(largest)} at most" if found.method is not Method.INTERMITTENT else span


def _change(one: CountedDay, holiday: str | None) -> str:
    """ "16 Oct's $463.00 spike counts as $98.00": what is unlike its neighbours must not say what is normal."""
    day = f"{one.day.day} {one.day:%b}"
    if not one.known:
        return f"{day} is unknown and counts as {dollars(one.counted)}"
    what = "spike" if one.billed > one.counted else "dip"
    what = what if holiday is None else f"{what} on {holiday}"
    return f"{day}'s {dollars(one.billed)} {what} counts as {dollars(one.counted)}"


def _counted(one: CountedDay) -> str:
    if not one.known:
        return f"unknown, counted as {dollars(one.counted)}"
    return f"{dollars(one.billed)}, counts as {dollars(one.counted)}" if one.changed else dollars(one.counted)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else "".join(words)
