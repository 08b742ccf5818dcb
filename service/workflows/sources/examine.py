"""Reports that succeed, searched for flaws: what is empty and should not be, and what does not add up.

An empty day that is not believed is treated like one that the report did not contain: what is stored stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.domain.sources.locality import Locality
from service.domain.sources.poll import Notice
from service.domain.sources.source import ReportFamily
from service.domain.spend.completeness import NOTHING_KNOWN
from service.domain.spend.flaws import DUE_AFTER, WEEK, Flaw, FlawKind, day_before, suspect_days
from service.domain.spend.lateness import READ_AGAIN
from service.domain.spend.rows import Bucket, CostRow, UsageRow, Width
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.utc import DAY, day_start, midnight, utc_day
from service.workflows.ports.sources import CostSource, CostTotals, ReadReport, SourceError
from service.workflows.ports.spend import Changes, Stamp
from service.workflows.ports.unit_of_work import UnitOfWork

ROUNDING = Money.of("0.01")
"""How far a day's groups may be from its total: each is rounded by itself."""


@dataclass(frozen=True, slots=True)
class _ReadDays:
    """The UTC days of a report: without a row, with some, and those whose answer is the one that is stored."""

    empty: frozenset[date]
    filled: frozenset[date]
    same: frozenset[date] = frozenset()


async def believed_cost(
    uow: UnitOfWork, stamp: Stamp, report: ReadReport[CostRow], locality: Locality
) -> list[Bucket[CostRow]]:
    """The days of a cost report but those whose emptiness is not believed, which are noted."""
    read = _ReadDays(
        frozenset(_day(bucket) for bucket in report.buckets if not bucket.rows),
        frozenset(_day(bucket) for bucket in report.buckets if bucket.rows),
        frozenset(window.start.date() for window in report.unchanged),
    )
    suspect = await _suspect(uow, stamp, FlawKind.EMPTY_BILL, read, locality)
    return [bucket for bucket in report.buckets if _day(bucket) not in suspect]


async def doubted_usage(
    uow: UnitOfWork, stamp: Stamp, report: ReadReport[UsageRow], locality: Locality
) -> frozenset[date]:
    """The days of a usage report by hour that are empty and not believed, which are noted."""
    days = {_day(bucket) for bucket in report.buckets} | {window.start.date() for window in report.unchanged}
    filled = {_day(bucket) for bucket in report.buckets if bucket.rows}
    unchanged = [hour for hour in report.unchanged if hour.start.date() not in filled]
    filled |= await _with_stored_rows(uow, stamp.source_id, unchanged)
    read = _ReadDays(frozenset(days - filled), frozenset(filled))
    return await _suspect(uow, stamp, FlawKind.EMPTY_USAGE, read, locality)


async def _with_stored_rows(uow: UnitOfWork, source_id: str, unchanged: Collection[Window]) -> set[date]:
    """The days of hours that are as they were stored, and have rows: the night of a busy day has none."""
    if not unchanged:
        return set()
    whole = Window(min(hour.start for hour in unchanged), max(hour.end for hour in unchanged))
    known = await uow.completeness.knowledge(source_id, whole, Width.HOUR)
    return {hour.start.date() for hour in unchanged if known.get(hour.start, NOTHING_KNOWN).has_rows}


async def _suspect(
    uow: UnitOfWork, stamp: Stamp, kind: FlawKind, read: _ReadDays, locality: Locality
) -> frozenset[date]:
    noted = {flaw.day: flaw.since for flaw in await uow.completeness.flaws(stamp.source_id) if flaw.kind is kind}
    if not read.empty and not noted:
        return frozenset()
    since = {day: at for day, at in noted.items() if day not in read.same}
    standing = since.keys() - read.filled
    reached = min(stamp.known_at, stamp.refreshed_at or stamp.known_at)
    behind = _behind(kind, read.empty, standing, reached)
    contents = await uow.completeness.contents(stamp.source_id, kind, behind)
    off = locality.days_off(min(read.empty), max(read.empty) + DAY).keys() if read.empty else ()
    suspect = suspect_days(kind, read.empty, read.filled, contents, since, reached, off)
    flaws = [Flaw(kind, day, since.get(day, stamp.known_at)) for day in sorted(suspect)]
    if flaws or noted:
        await uow.completeness.note(stamp.source_id, kind, read.empty | read.filled | read.same, flaws)
    return suspect


def _behind(kind: FlawKind, empty: Collection[date], standing: Collection[date], read_at: datetime) -> Window:
    """The days whose stored content decides: of one that is due those of the week before, and the last believed one."""
    if not empty:
        return Window(read_at, read_at)
    due = [day for day in empty if read_at >= utc_day(day).end + DUE_AFTER[kind]]
    first = min([*empty, *(min(day - WEEK, day_before(day, standing)) for day in due)])
    return Window(midnight(first), utc_day(max(empty)).end)


# ---------------------------------------------------------------------------------------------- totals


async def read_totals(
    reader: CostSource, window: Window, reports: ReportFamily
) -> tuple[Mapping[date, Money] | None, tuple[Notice, ...]]:
    """The cost of each day in all, where the source can say; a refusal is a notice, and the groups still count.

    `reports`: those that the groups are from. None for the analytics reports, which do add up where they are read.
    """
    if reports is ReportFamily.ANALYTICS:
        return None, ()
    if not isinstance(reader, CostTotals):
        return {}, ()
    try:
        return await reader.cost_totals(window), ()
    except SourceError as error:
        return {}, (Notice(f"the totals could not be read, and nothing was compared: {error}"[:300], 1),)


async def compare_totals(
    uow: UnitOfWork, stamp: Stamp, totals: Mapping[date, Money] | None, read: Collection[date]
) -> None:
    """Notes the days that are over whose stored groups do not add up to their total. `read`: those just stored.

    None of these differs where `totals` is None: what was noted of them is of the other reports.
    """
    kind, source_id = FlawKind.TOTAL_DIFFERS, stamp.source_id
    if totals is None:
        await uow.completeness.note(source_id, kind, read, [])
        return
    compared = sorted(day for day in totals if day in read and utc_day(day).end <= stamp.known_at)
    if not compared:
        return
    stored = await uow.completeness.totals(source_id, Window(midnight(compared[0]), utc_day(compared[-1]).end))
    since = {flaw.day: flaw.since for flaw in await uow.completeness.flaws(source_id) if flaw.kind is kind}
    flaws = [
        Flaw(kind, day, since.get(day, stamp.known_at), stored.get(day, ZERO), totals[day])
        for day in compared
        if abs(totals[day] - stored.get(day, ZERO)) > ROUNDING
    ]
    if flaws or since:
        await uow.completeness.note(source_id, kind, compared, flaws)


# --------------------------------------------------------------------------------------------- notices


def lacking(window: Window, width: timedelta, read: Iterable[Window], now: datetime) -> tuple[Notice, ...]:
    """A notice where a report lacks buckets that were asked for and are over: they keep what they had."""
    contained = {one.start for one in read}
    asked = (window.start + number * width for number in range((window.end - window.start) // width))
    absent = [start for start in asked if start + width <= now and start not in contained]
    if not absent:
        return ()
    span = f"{absent[0]:%Y-%m-%d %H:%M} to {absent[-1] + width:%Y-%m-%d %H:%M} UTC"
    return (
        Notice(
            f"the report lacks days or hours that were asked for, from {span}: they keep what they had", len(absent)
        ),
    )


def found_late(changes: Changes, at: datetime) -> tuple[Notice, ...]:
    """A notice where bills of days changed that only a deep poll reads: the usual look-back is shorter than the lag."""
    usual = (day_start(at) - READ_AGAIN).date()
    late: Sequence[date] = sorted(day for day in changes.days - changes.backfilled if day < usual)
    if not late:
        return ()
    oldest = f"the oldest is {late[0]:%Y-%m-%d}"
    return (
        Notice(f"bills changed of days before {usual:%Y-%m-%d}, which are read once a day only: {oldest}", len(late)),
    )


def _day(bucket: Bucket[CostRow] | Bucket[UsageRow]) -> date:
    return bucket.window.start.date()
