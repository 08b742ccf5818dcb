"""Flaws of reports that succeed: an empty day that should not be, and a total that is not the sum of its groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from service.domain.spend.lateness import LATE_FOR, SETTLED_AFTER
from service.domain.values.money import Money
from service.domain.values.utc import DAY, HOUR, utc_day

BELIEVED_AFTER = LATE_FOR
"""An empty answer that has lasted this long is believed, unless the other report says that something was used."""
WEEK = timedelta(days=7)


class FlawKind(StrEnum):
    EMPTY_BILL = "empty_bill"
    """The cost report has no row of a day that should have some."""
    EMPTY_USAGE = "empty_usage"
    """The usage report has no row of a day that should have some."""
    TOTAL_DIFFERS = "total_differs"
    """The organisation's cost of a day, asked for without groups, is not the sum of its groups."""


DUE_AFTER: Mapping[FlawKind, timedelta] = {FlawKind.EMPTY_BILL: SETTLED_AFTER, FlawKind.EMPTY_USAGE: HOUR}
"""How long after a day's end its report should have rows."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A UTC day whose report is not what it should be, since when every poll has found it so.

    `known` is what is stored of the day and `total` what the organisation's own total says; None where that is not the
    question. US dollars.
    """

    kind: FlawKind
    day: date
    since: datetime
    known: Money | None = None
    total: Money | None = None


@dataclass(frozen=True, slots=True)
class DayContent:
    """The content of a UTC day as it is stored before a report is.

    `filled`: there are amounts of the report's own kind. `spent`: those of the other report say that something was
    spent; `other_read`: it has contained the day. `complete`: the day is complete already, rows or not.
    """

    filled: bool = False
    spent: bool = False
    other_read: bool = False
    complete: bool = False


_UNREAD = DayContent()


def suspect_days(
    kind: FlawKind,
    empty: Collection[date],
    filled: Collection[date],
    stored: Mapping[date, DayContent],
    since: Mapping[date, datetime],
    read_at: datetime,
    days_off: Collection[date] = (),
) -> frozenset[date]:
    """Those of the empty days of a report that are not believed. `filled` are its days with rows.

    A day is suspect that had rows before. So is one that should have some by now and follows on a day with rows, where
    the other report or the same day of the week before speaks against it (organisations rest on the same weekdays), or
    usage, which is read after the bill, is not known yet. That ends where polls do not look again soon: an old empty
    day is history.
    The week before says nothing of a public holiday (`days_off`).
    `since` says from when on a day has been suspect; one that was not read now, because polls have moved on, still is.
    """
    suspect: set[date] = set()
    standing = since.keys() - {*empty, *filled}
    for day in sorted(empty):
        content, end = stored.get(day, _UNREAD), utc_day(day).end
        follows = day_before(day, suspect | standing)
        had = {one for one in (follows, day - WEEK) if one in filled or stored.get(one, _UNREAD).filled}
        is_recent = read_at < end + LATE_FOR or day in since
        is_due = not content.complete and read_at >= end + DUE_AFTER[kind] and is_recent
        is_unread = kind is FlawKind.EMPTY_BILL and not content.other_read
        worked_then = day - WEEK in had and day not in days_off
        is_odd = follows in had and (content.spent or worked_then or is_unread)
        lasted = read_at - since.get(day, read_at)
        if (content.filled or (is_due and is_odd)) and (content.spent or lasted < BELIEVED_AFTER):
            suspect.add(day)
    return frozenset(suspect)


def day_before(day: date, suspect: Collection[date]) -> date:
    """The day before, of which is known whether it is empty."""
    before = day - DAY
    while before in suspect:
        before -= DAY
    return before
