"""Late bills, staleness and closing: how long after the fact spend becomes known, and what follows from that.

A UTC day's bill appears during the day after it and is restated for some days. Usage appears within minutes, by the
hour. Every rule about that is here, with its constant; there is none in SQL: adapters bind what these functions return.
docs/spend.md and docs/budgets.md tell users. ADRs 4, 10, 11 and 17 hold the reasons.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from service.domain.sources.source import SourceState, succeeded_ahead
from service.domain.spend.rows import Width
from service.domain.values.parameters import Parameter
from service.domain.values.periods import Window
from service.domain.values.utc import DAY, HOUR, day_start, hour_start, midnight, utc_day

# ------------------------------------------------------------------------------------------ how late amounts are

LATE_FOR = timedelta(days=3)
"""How long after their end days still change as a rule: their bill arrives, and is restated."""
SETTLED_AFTER = timedelta(hours=24)
"""A UTC day is settled when a cost report read this long after its end contained it: the bill is complete by then."""
MATURE_AFTER = timedelta(minutes=10)
"""An hour of usage is as complete as it gets when it was read this long after its end."""

JUDGED_AGAIN_DAYS = LATE_FOR.days
"""Closed days that rules judge again at every evaluation, because their bills are restated."""
JUDGED_AGAIN_HOURS = 3
"""Known hours that rules judge again at every evaluation, because usage reports fill up."""
JUDGED_FOR = DAY
"""How long a closed day is judged by itself: that long after its end, and after an outage once all of it is read."""
MOST_LATE_DAYS = 7
"""Closed days that are judged by themselves at most when they are read: those of a longer outage are history."""

LONGEST_UNREFRESHED = timedelta(hours=24)
"""How old the data of an analytics report may be. They are refreshed every 4 hours; the vendor allows itself a day."""


def is_settled(day: Window, read_at: datetime) -> bool:
    """Whether a cost report that was read at `read_at`, and contained this UTC day, settles it."""
    return read_at >= day.end + SETTLED_AFTER


def is_complete(width: Width, bucket: Window, read_at: datetime) -> bool:
    """Whether a report shows all of a bucket: of a day once it is settled, of an hour once it is over."""
    return is_settled(bucket, read_at) if width is Width.DAY else read_at >= bucket.end


def mature_until(complete_until: datetime | None, usage_read_at: datetime | None) -> datetime | None:
    """The end of the last hour that is as complete as it gets; a later one can only be too low. None: there is none.

    `complete_until` is the end of the newest hour that was read after its end.
    """
    if complete_until is None or usage_read_at is None:
        return None
    return hour_start(min(complete_until, usage_read_at - MATURE_AFTER))


def is_known_day(day: date, as_of: datetime, *, billed: bool, hours_read: int, closed_hours_read: int) -> bool:
    """Whether anything can be said of a UTC day at `as_of`: a bill contained it, or usage reports all its hours so far.

    `hours_read` counts the hours of the day that a report contained, `closed_hours_read` those that were over by then.
    """
    hours_over = (min(utc_day(day).end, as_of) - midnight(day)) // HOUR
    return billed or (hours_read > 0 and closed_hours_read >= hours_over)


def known_hours(day: date, used: Collection[datetime], *, settled: bool, bill_read_at: datetime | None) -> list[bool]:
    """Whether the spend of each hour of a UTC day is known. All hours of a settled day are.

    Else the hours are that usage reports contained: `used`, by their starts. Without any of the day, the hours are that
    had begun when its bill was read, at `bill_read_at`; None: no bill contained it.
    """
    hours = [midnight(day) + number * HOUR for number in range(DAY // HOUR)]
    if settled:
        return [True for _ in hours]
    in_usage = [hour in used for hour in hours]
    if any(in_usage) or bill_read_at is None:
        return in_usage
    return [hour < bill_read_at for hour in hours]


def is_found_late(day: date, at: datetime) -> bool:
    """Whether what is found at `at` about a UTC day is found late: the day could have been settled by then."""
    return is_settled(utc_day(day), at)


def late_since(today: date, hours_read: Mapping[datetime, datetime], now: datetime) -> date | None:
    """The first of the last closed days that was read late, and not yet judged for as long as others; None: none was.

    `hours_read`: when each hour of usage was first read after its end, by its start. What the first poll of a source
    finds is history, and not late.
    """
    begun = min(hours_read.values(), default=now)
    for back in range(MOST_LATE_DAYS + 1, 1, -1):  # one more than at the reading: a midnight may lie in between
        day = today - back * DAY
        end = utc_day(day).end
        read_at = min((at for hour, at in hours_read.items() if hour + HOUR >= end), default=begun)
        is_recent = read_at.date() - day <= MOST_LATE_DAYS * DAY
        if is_recent and begun < end + JUDGED_FOR < read_at <= now < read_at + JUDGED_FOR:
            return day
    return None


# ---------------------------------------------------------------------------------- what a poll reads again

READ_AGAIN = LATE_FOR
"""How many days before today every poll reads again."""
READ_DEEPLY = timedelta(days=35)
"""How many days before today a deep poll reads again: bills may be restated for weeks, and prices may be added.

Tokens without a price are counted as far back, because a price that is added changes no older ones.
"""
DEEP_EVERY = DAY
LONGEST_GAP = timedelta(days=366)
"""How far back a poll reads after an outage."""
MINUTES_READ = timedelta(hours=3)
"""How far back usage by minute is read. It has no revisions and no figure uses it."""


def is_deep(state: SourceState, at: datetime) -> bool:
    """Whether a poll that begins at `at` is a deep one. The first poll of a source is."""
    return state.deep_read_at is None or at - state.deep_read_at >= DEEP_EVERY


def read_from(state: SourceState, at: datetime) -> datetime:
    """The midnight (UTC) from which a poll that begins at `at` reads; earlier after an outage, to leave no gap."""
    today = day_start(at)
    usual = today - (READ_DEEPLY if is_deep(state, at) else READ_AGAIN)
    if state.cost_read_at is None:
        return usual
    return max(min(usual, day_start(state.cost_read_at) - READ_AGAIN), today - LONGEST_GAP)


def hours_from(state: SourceState, at: datetime) -> datetime:
    """The same of usage by hour, which may be refused where the bill is read: days that it lacks are read again, too.

    As many as a deep poll reads: keys have their share of the bill by them. More could take longer than a report may.
    """
    from_bill, deep = read_from(state, at), day_start(at) - READ_DEEPLY
    if state.usage_read_at is None:
        return min(from_bill, deep)
    return min(from_bill, max(day_start(state.usage_read_at) - READ_AGAIN, deep))


# -------------------------------------------------------------------------------------- since when it is known

BACKFILLED_AFTER = LATE_FOR
"""A bucket that is first read this long after its end is not late but backfilled: polls would have read it before."""
ASSUMED_AFTER = SETTLED_AFTER
"""A backfilled bucket is assumed to have been known this long after its end; nobody knows when its amounts appeared."""


class Revise(StrEnum):
    """Which amounts of a bucket get a revision when it is read."""

    NOTHING = "nothing"
    """Minutes, and the hour that still runs: it grows at every poll."""
    CHANGES = "changes"
    EVERYTHING = "everything"
    """An hour that has ended since it was last read: it had no revisions while it ran."""


@dataclass(frozen=True, slots=True)
class BucketReading:
    """One bucket of a report. Instants are aware UTC. `known_at` is assumed for a backfill.

    `is_news`: the bucket is read for the first time, or for the first time since it is complete.
    """

    bucket: datetime
    known_at: datetime
    assumed: bool
    revise: Revise
    is_news: bool
    is_complete: bool


def read_bucket(
    width: Width, bucket: Window, read_at: datetime, *, was_complete: bool | None, refreshed_at: datetime | None = None
) -> BucketReading:
    """The consequences of reading a bucket. `was_complete` at the last reading; None: it was never read before.

    `refreshed_at`: up to when the report says that it is complete; None: it is one that fills up within minutes.
    """
    complete = is_complete(width, bucket, read_at if refreshed_at is None else min(read_at, refreshed_at))
    if width is Width.MINUTE:
        return BucketReading(bucket.start, read_at, False, Revise.NOTHING, False, complete)
    is_first = was_complete is None
    assumed = is_first and read_at > bucket.end + BACKFILLED_AFTER
    known_at = bucket.end + ASSUMED_AFTER if assumed else read_at
    is_news = is_first or (not was_complete and complete)
    revise = _revise(width, complete=complete, is_news=is_news)
    return BucketReading(bucket.start, known_at, assumed, revise, is_news, complete)


def _revise(width: Width, *, complete: bool, is_news: bool) -> Revise:
    if width is Width.DAY:
        return Revise.CHANGES
    if not complete:
        return Revise.NOTHING
    return Revise.EVERYTHING if is_news else Revise.CHANGES


@dataclass(frozen=True, slots=True)
class DayKnowledge:
    """A version of a UTC day: it was known at the end of the UTC day `known_on`. `assumed`: that is a guess."""

    known_on: date
    assumed: bool


def day_known(day: date, read_at: datetime, earlier: Iterable[bool], *, backfilled: bool) -> DayKnowledge:
    """Since when a UTC day that is read at `read_at` counts as known.

    `earlier` says of each earlier version of the day whether it is assumed. `backfilled`: the report contained some of
    the day for the first time. Only what is first read long after the day is assumed; all else was learnt when read.
    """
    versions = list(earlier)
    end = utc_day(day).end
    is_first = backfilled or not versions
    if read_at > end + BACKFILLED_AFTER and is_first and all(versions):
        return DayKnowledge((end + ASSUMED_AFTER - timedelta.resolution).date(), assumed=True)
    return DayKnowledge(read_at.date(), assumed=False)


def fresh_days(today: date) -> tuple[date, ...]:
    """Today and the UTC days before it whose figures still move within a day, oldest first.

    A past instant knows them by their revisions, to the poll, and older ones by their versions, to the UTC day. Until
    they are settled they count at least what their hours have cost.
    """
    return tuple(today - back * DAY for back in reversed(range(LATE_FOR.days)))


def newly_read_from(at: datetime) -> datetime:
    """The start of the oldest bucket of which a poll just before `at` brought news, as a rule."""
    return at - READ_AGAIN


# ------------------------------------------------------------------------------------------- when periods close

CLOSING_FOR = LATE_FOR
"""How long a budget's period stays open for late bills after its end."""
LONGEST_BLINDNESS = timedelta(days=31)
LATE_ALERTS_STAY_FOR = DAY
"""How long an alert stays that fired late, though its period closes: after an outage that is at the next evaluation."""


def closing_for(now: datetime, read_at: datetime | None) -> timedelta:
    """The closing time, lengthened by the time since the last bill was read (`read_at`), a month at most.

    So no period closes before its late bills could be seen.
    """
    blind = now - read_at if read_at else timedelta()
    return CLOSING_FOR + min(max(blind, timedelta()), LONGEST_BLINDNESS)


# ---------------------------------------------------------------------------------- when a source counts as stale


FAILURES = Parameter("Failed polls in a row", "It fires after so many.")
FAILING_FOR = Parameter("Or failing for", "A time such as 30m or 2h, at most 7 days.")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a source may fail before it is stale: this many polls, or this long, whichever comes first."""

    failures: Annotated[int, FAILURES] = 3
    after: Annotated[timedelta, FAILING_FOR] = timedelta(minutes=30)


USUAL_PATIENCE = Patience()


def is_stale(state: SourceState, now: datetime, patience: Patience = USUAL_PATIENCE) -> bool:
    """Whether a source has failed for so long that what is known of its spend may be out of date.

    A success in the future says nothing about when it was last read.
    """
    if succeeded_ahead(state, now):
        return True
    if state.failing_since is None:
        return False
    return state.failures >= patience.failures or now - state.failing_since >= patience.after
