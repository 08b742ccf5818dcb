"""One report at a time: read whole over the network, then committed whole in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from service.domain.sources.poll import Notice, ReportOutcome
from service.domain.sources.pricing import PriceBook
from service.domain.sources.source import ReportName, Source
from service.domain.spend.best_known import BilledDay, EstimatedDay, best_known
from service.domain.spend.rows import Bucket, CostRow, UsageRow, Width
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.utc import DAY, HOUR
from service.workflows.ports.platform import VaultError
from service.workflows.ports.sources import (
    NOTHING_STORED,
    CostSource,
    Directory,
    Organization,
    Provenance,
    ReadReport,
    SourceError,
    StoredBuckets,
)
from service.workflows.ports.spans import identified
from service.workflows.ports.spend import Changes, Stamp
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.claude_code import run_read_claude_code
from service.workflows.sources.defects import bounded, defects_refuse
from service.workflows.sources.examine import (
    believed_cost,
    compare_totals,
    doubted_usage,
    found_late,
    lacking,
    read_totals,
)
from service.workflows.sources.identify import run_claim, run_is_identified
from service.workflows.sources.origins import note_origin, refuse_emptiness
from service.workflows.sources.usage_pricing import price_usage

_SUBJECTS = {
    ReportName.COST: "cost report",
    ReportName.USAGE_HOURS: "usage report by hour",
    ReportName.USAGE_MINUTES: "usage report by minute",
    ReportName.DIRECTORY: "directory",
}
NOT_LISTED = Notice("the key may not list workspaces and API keys: they are called as the reports call them", 1)


@dataclass(frozen=True, slots=True)
class ReportChange:
    """A report that has been read: how it is written, where it comes from, and what was not as documented in it."""

    write: Callable[[UnitOfWork, Stamp], Awaitable[Changes]]
    origin: Provenance | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class RunningPoll:
    """A poll under way: where it reads, at which prices, and the fence that lets it write."""

    ports: Ports
    source: Resource[Source]
    reader: CostSource
    prices: PriceBook
    poll_id: str
    fence: int


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A source whose key or address is of no use: every report is refused for the same reason."""

    reason: str

    async def organization(self) -> Organization:
        raise SourceError(self.reason, retryable=False)

    async def cost(self, window: Window, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[CostRow]:
        raise SourceError(self.reason, retryable=False)

    async def usage(self, window: Window, width: Width, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[UsageRow]:
        raise SourceError(self.reason, retryable=False)

    async def directory(self) -> Directory | None:
        raise SourceError(self.reason, retryable=False)


@asynccontextmanager
async def opened(ports: Ports, source: Source) -> AsyncIterator[CostSource]:
    """The source's reports; where it cannot even be tried, the reason in their place."""
    async with AsyncExitStack() as stack:
        try:
            with defects_refuse("connection"):
                reader = await stack.enter_async_context(ports.sources.connect(source))
        except (SourceError, VaultError) as error:
            reader = Unreachable(str(error))
        yield reader


async def run_report(
    running: RunningPoll, report: ReportName, read: Callable[[], Awaitable[ReportChange]]
) -> ReportOutcome:
    """Reads one report, then writes it with its rollups and its outcome.

    A report that cannot be read or written leaves the store as it was, and the reason is kept on the poll, whatever was
    thrown. Raises FenceLost.
    """
    with identified(running.ports.spans, "report", {"report": report.value}):
        return await _run_report(running, report, read)


async def _run_report(
    running: RunningPoll, report: ReportName, read: Callable[[], Awaitable[ReportChange]]
) -> ReportOutcome:
    started = running.ports.clock()
    try:
        with defects_refuse(_SUBJECTS[report]):
            return await _run_write(running, report, await read(), started)
    except SourceError as error:
        return await _run_refusal(running, report, error, started)


async def _run_write(
    running: RunningPoll, report: ReportName, change: ReportChange, started: datetime
) -> ReportOutcome:
    async with running.ports.uow() as uow:
        await uow.polling_states.hold_fence(running.source.id, running.fence)
        known_at = running.ports.clock()
        if change.origin is not None:
            await note_origin(uow, running.source.id, report, change.origin, known_at)
        refreshed_at = change.origin.refreshed_at if change.origin else None
        stamp = Stamp(running.source.id, running.poll_id, known_at, refreshed_at)
        changes = await change.write(uow, stamp)
        await refresh_days(uow, stamp, changes)
        late = found_late(changes, stamp.known_at) if report is ReportName.COST else ()
        outcome = ReportOutcome(
            *(report, changes.added, changes.changed, changes.gone),
            seconds=(running.ports.clock() - started).total_seconds(),
            notices=(*change.notices, *late),
        )
        await uow.polls.record(running.poll_id, outcome)
    return outcome


async def run_directory(running: RunningPoll) -> tuple[ReportOutcome, bool]:
    """Reads the directory, and says whether the other reports may be stored: whether the organisation is this source's.

    It is where the key has named it, though its names could not be read. Raises FenceLost.
    """
    outcome = await run_report(running, ReportName.DIRECTORY, lambda: read_directory(running))
    return outcome, await run_is_identified(running.ports, running.source.id)


async def _run_refusal(
    running: RunningPoll, report: ReportName, error: SourceError, started: datetime
) -> ReportOutcome:
    reason = bounded(str(error))
    running.ports.outages.failed(f"source {running.source.name}", f"{report.value}: {reason}")
    seconds = (running.ports.clock() - started).total_seconds()
    outcome = ReportOutcome(report, seconds=seconds, error=reason, wait=error.wait)
    async with running.ports.uow() as uow:
        await uow.polls.record(running.poll_id, outcome)
    return outcome


async def read_cost(running: RunningPoll, window: Window) -> ReportChange:
    report = await running.reader.cost(window, await run_find_stored(running, Width.DAY, window))
    if not report.buckets and not report.unchanged:
        # Days without cost are in the report, too: an answer without any day is none.
        raise SourceError("the cost report names none of the days asked for", retryable=True)
    totals, unread = await read_totals(running.reader, window, report.origin.reports)
    await _make_room(running, report.buckets)

    async def write(uow: UnitOfWork, stamp: Stamp) -> Changes:
        await refuse_emptiness(uow, stamp.source_id, report, lambda seen: any(map(_is_billed, seen.bill.values())))
        believed = await believed_cost(uow, stamp, report, running.source.spec.locality)
        changes = await uow.facts.replace_cost(stamp, believed)
        read = {bucket.window for bucket in believed}
        await uow.fingerprints.keep(stamp.source_id, Width.DAY, _of(read, report.fingerprints))
        await compare_totals(uow, stamp, totals, {one.start.date() for one in read | report.unchanged})
        await uow.directory.note_named(stamp.source_id, report.named, stamp.known_at)
        return changes

    absent = lacking(window, DAY, _contained(report), _reached(running, report))
    return ReportChange(write, report.origin, (*report.notices, *absent, *unread))


async def read_usage(running: RunningPoll, window: Window, width: Width) -> ReportChange:
    report = await running.reader.usage(window, width, await run_find_stored(running, width, window))
    priced = await price_usage(report.buckets, running.prices)
    await _make_room(running, report.buckets)

    async def write(uow: UnitOfWork, stamp: Stamp) -> Changes:
        if width is Width.HOUR:
            await refuse_emptiness(uow, stamp.source_id, report, lambda seen: any(map(_is_used, seen.usage.values())))
        locality = running.source.spec.locality
        suspect = await doubted_usage(uow, stamp, report, locality) if width is Width.HOUR else frozenset()
        believed = [bucket for bucket in priced if bucket.window.start.date() not in suspect]
        changes = await uow.facts.replace_usage(stamp, width, believed)
        read = {bucket.window for bucket in believed}
        await uow.fingerprints.keep(stamp.source_id, width, _of(read, report.fingerprints))
        return changes

    absent = lacking(window, HOUR, _contained(report), _reached(running, report)) if width is Width.HOUR else ()
    return ReportChange(write, report.origin, (*report.notices, *absent))


def _reached(running: RunningPoll, report: ReadReport[CostRow] | ReadReport[UsageRow]) -> datetime:
    """Up to when the report can contain anything: later buckets are not lacking, they have still to come."""
    now, refreshed_at = running.ports.clock(), report.origin.refreshed_at
    return now if refreshed_at is None else min(now, refreshed_at)


def _contained(report: ReadReport[CostRow] | ReadReport[UsageRow]) -> set[Window]:
    return {bucket.window for bucket in report.buckets} | report.unchanged


def _of(windows: Collection[Window], fingerprints: Mapping[Window, bytes | None]) -> dict[Window, bytes | None]:
    return {window: read for window, read in fingerprints.items() if window in windows}


def _is_billed(day: BilledDay) -> bool:
    return bool(day.tokens or day.other)


def _is_used(day: EstimatedDay) -> bool:
    return bool(day.cost or day.priority or day.unpriced_tokens)


async def run_find_stored(running: RunningPoll, width: Width, window: Window) -> StoredBuckets:
    """The buckets that need not be parsed and written once more. Usage by minute is stored for hours only."""
    if width is Width.MINUTE:
        return NOTHING_STORED
    async with running.ports.uow() as uow:
        fingerprints = await uow.fingerprints.stored(running.source.id, width, window)
    return StoredBuckets(running.prices.fingerprint, fingerprints)


async def read_directory(running: RunningPoll) -> ReportChange:
    """Raises SourceError also where another source reads the organisation."""
    organization = await running.reader.organization()
    await run_claim(running.ports, running.source.id, running.fence, organization)
    directory = await running.reader.directory()
    code = await run_read_claude_code(running.ports, running.source, running.reader)

    async def write(uow: UnitOfWork, stamp: Stamp) -> Changes:
        await code.write(uow, stamp)
        return await uow.directory.replace(stamp.source_id, directory, stamp.known_at) if directory else Changes()

    return ReportChange(write, notices=code.notices if directory else (*code.notices, NOT_LISTED))


async def _make_room(running: RunningPoll, buckets: Sequence[Bucket[CostRow]] | Sequence[Bucket[UsageRow]]) -> None:
    if buckets:
        windows = [bucket.window for bucket in buckets]
        whole = Window(min(w.start for w in windows), max(w.end for w in windows))
        await running.ports.storage.make_room(whole)


async def refresh_days(uow: UnitOfWork, stamp: Stamp, changes: Changes) -> None:
    """Brings the daily rollup of every touched day up to date, in the report's own transaction."""
    if not changes.days:
        return
    inputs = await uow.facts.day_inputs(stamp.source_id, changes.days)
    days = {day: best_known(seen.bill, seen.usage, settled=seen.settled) for day, seen in inputs.items()}
    await uow.facts.store_days(stamp, days, changes.backfilled)
    cells = {cell for by_cell in days.values() for cell in by_cell}
    await uow.directory.note_cells(stamp.source_id, cells, stamp.known_at)
