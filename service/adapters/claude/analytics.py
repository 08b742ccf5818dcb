"""The Claude Usage and Cost Analytics API (a beta) as a source of cost: each API key is billed by name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Generic

import httpx

from service import __version__
from service.adapters.claude.actors import ActorParser
from service.adapters.claude.analytics_rows import AnalyticsRow, RowParser, totals_by_start
from service.adapters.claude.answers import NotUnderstood, instant
from service.adapters.claude.client import AdminClient, Dialect, Query, Report
from service.adapters.claude.compared import DayTotals
from service.adapters.claude.failures import AnswerTooLong, RequestFailed
from service.adapters.claude.paging import BY_TOKEN, Paged, Pages, read_pages
from service.adapters.claude.parser import Grid, Row, added_cost, added_usage, merged
from service.adapters.claude.source import ClaudeAdminSource
from service.domain.sources.poll import Notice
from service.domain.sources.source import ReportFamily
from service.domain.spend.rows import Bucket, CostRow, UsageRow, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.workflows.ports.sources import (
    NOTHING_STORED,
    Directory,
    Organization,
    OutOfReach,
    Provenance,
    ReadReport,
    SourceError,
    StoredBuckets,
)

BETA = "analytics-usage-cost-2026-08-24"
_API = "The Claude analytics API"
ANALYTICS = Dialect(
    "2026-10-21",
    BETA,
    {
        400: f"{_API} does not serve this organisation's reports",
        401: f"{_API} does not know the key: it is wrong, expired or revoked",
        403: f"{_API} does not let this key read the organisation's cost. The source needs an admin key, or a key with"
        " the permission read:analytics",
        404: f"{_API} is not there for this key: the beta {BETA} is not enabled for the organisation, or base_url is"
        " wrong. With prefer: admin the Admin reports are read instead",
    },
)
_COST = "/v1/organizations/analytics/cost"
_USAGE = "/v1/organizations/analytics/usage"
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
"""The first day of which there are data."""
_LONGEST = timedelta(days=31)
_MOST_ROWS = 1000
_SHRINK = 8
_RFC_3339 = "%Y-%m-%dT%H:%M:%SZ"
_COST_GROUPS = ("api_key_id", "model", "product", "service_tier", "workspace_id", "cost_type", "token_type")
"""At most five and the last two. The context window and the region are left out."""
_COST_GROUPS_OF_ACTORS = ("actor", "api_key_id", "model", "product", "workspace_id", "cost_type", "token_type")
"""The tier makes room for who made the calls."""
_USAGE_GROUPS = ("api_key_id", "inference_geo", "model", "service_tier", "workspace_id")
"""All that a price depends on, but for the context window: at most five."""
_TOTAL = ("organization_id",)
_TOLERANCE = Money.of("0.01")
"""The most by which the rows of a bucket may miss its total: the amounts are fractions of a cent."""


class NotServed(Exception):
    """The analytics reports are not to be had of this organisation, or of this time. The text is for people."""


@dataclass(frozen=True, slots=True)
class _Read(Generic[Row]):
    """The rows of a window, and up to when the report says that it is complete."""

    rows: tuple[AnalyticsRow[Row], ...]
    refreshed_at: datetime


class ClaudeAnalyticsSource:
    """One organisation's reports, read from the analytics API where it serves them. A CostSource."""

    def __init__(self, client: AdminClient, admin: ClaudeAdminSource, actors: ActorParser) -> None:
        self._client = client
        self._admin = admin
        self._actors = actors if actors.asks else None

    async def organization(self) -> Organization:
        """Returns the id alone where the key may read nothing but analytics: each answer says whose it is."""
        try:
            return await self._admin.organization()
        except RequestFailed as error:
            if error.is_not_allowed and error.organization:
                return Organization(error.organization, "")
            raise

    async def directory(self) -> Directory | None:
        try:
            return await self._admin.directory()
        except RequestFailed as error:
            if error.is_not_allowed:
                return None
            raise

    async def cost(self, window: Window, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[CostRow]:
        """Cost by UTC day and API key, oldest first; of days before there are data, as the Admin reports have it."""
        if window.start < _FIRST < window.end:
            return await _around_first(window, lambda part: self.cost(part, stored))
        try:
            return await self._cost(Grid.around(window, Width.DAY), stored)
        except NotServed as refusal:
            return await _in_place(self._admin.cost(window, stored), refusal)

    async def usage(self, window: Window, width: Width, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[UsageRow]:
        """Usage by hour or minute, oldest first. Buckets later than the data are left out: they are unknown."""
        if window.start < _FIRST < window.end:
            return await _around_first(window, lambda part: self.usage(part, width, stored))
        try:
            return await self._usage(Grid.around(window, width), stored)
        except NotServed as refusal:
            return await _in_place(self._admin.usage(window, width, stored), refusal)

    async def totals(self, window: Window) -> DayTotals:
        """The whole bill of each UTC day that `window` touches."""
        grid = Grid.around(window, Width.DAY)
        async with self._client.report("analytics cost report by day") as report:
            try:
                read = await _read_windows(report, _COST, grid, _TOTAL, RowParser(grid, frozenset()).cost)
            except NotServed as refusal:
                raise SourceError(str(refusal), retryable=False) from None
        return DayTotals(totals_by_start(read.rows), read.refreshed_at)

    async def _cost(self, grid: Grid, stored: StoredBuckets) -> ReadReport[CostRow]:
        defaults, actors = await self._admin.default_workspaces(), self._actors
        parser, whole = RowParser(grid, defaults, actors), RowParser(grid, defaults)
        groups = _COST_GROUPS_OF_ACTORS if actors else _COST_GROUPS
        async with self._client.report("analytics cost report") as report:
            read = await _read_windows(report, _COST, grid, groups, parser.cost)
            totals = await _read_windows(report, _COST, grid, _TOTAL, whole.cost)
            _compare(read, totals)
        bucketed = _Bucketed(grid, read, parser.defaults, stored, actors.people.value if actors else "")
        return _report(bucketed, added_cost, _of_children(totals.rows))

    async def _usage(self, grid: Grid, stored: StoredBuckets) -> ReadReport[UsageRow]:
        parser = RowParser(grid, await self._admin.default_workspaces())
        async with self._client.report(f"analytics usage report by {grid.width.value}") as report:
            read = await _read_windows(report, _USAGE, grid, _USAGE_GROUPS, parser.usage)
        return _report(_Bucketed(grid, read, parser.defaults, stored), added_usage, "")


async def _read_windows(
    report: Report, path: str, grid: Grid, groups: tuple[str, ...], parse: Callable[[bytes], AnalyticsRow[Row]]
) -> _Read[Row]:
    """The rows of the whole grid, in windows as long as one query may be."""
    rows: list[AnalyticsRow[Row]] = []
    refreshed: list[datetime] = []
    for window in _windows(grid.window):
        pages = await _read_window(report, Paged(path, _query(window, grid, groups), BY_TOKEN, parse, _identity))
        rows += pages.items
        refreshed.append(_refreshed_at(pages))
    return _Read(tuple(rows), min(refreshed))


def _windows(whole: Window) -> Iterator[Window]:
    """Raises NotServed where the whole lies before the first day of which there are data."""
    start = max(whole.start, _FIRST)
    if start >= whole.end:
        raise NotServed(f"{_API} has data from {_FIRST:%Y-%m-%d} on.")
    while start < whole.end:
        end = min(start + _LONGEST, whole.end)
        yield Window(start, end)
        start = end


async def _read_window(report: Report, paged: Paged[AnalyticsRow[Row]]) -> Pages[AnalyticsRow[Row]]:
    """The rows of one query, in pages as large as can be. Raises NotServed where its first request is not accepted."""
    limit = _MOST_ROWS
    while True:
        try:
            return await read_pages(report, replace(paged, query=[*paged.query, ("limit", limit)]))
        except AnswerTooLong:
            if limit == 1:
                raise
            limit = max(1, limit // _SHRINK)
        except RequestFailed as error:
            if error.status != httpx.codes.BAD_REQUEST or report.answered:
                raise
            raise NotServed(str(error)) from None


def _query(window: Window, grid: Grid, groups: tuple[str, ...]) -> Query:
    return [
        ("starting_at", f"{window.start:{_RFC_3339}}"),
        ("ending_at", f"{window.end:{_RFC_3339}}"),
        ("time_bucket_width", grid.width.value),
        *(("group_by[]", group) for group in groups),
        ("order_by", "time"),
        ("order", "asc"),
    ]


def _identity(row: AnalyticsRow[Row]) -> Hashable:
    return row.identity


def _refreshed_at(pages: Pages[AnalyticsRow[Row]]) -> datetime:
    """Raises NotUnderstood where the data were refreshed between two pages: no page is of the same rows then."""
    seen = {instant(answer, "data_refreshed_at") for answer in pages.answers}
    if len(seen) > 1:
        raise NotUnderstood("the data were refreshed while the report was read", retryable=True)
    return seen.pop()


def _compare(read: _Read[CostRow], totals: _Read[CostRow]) -> None:
    """Raises NotUnderstood where the rows of a bucket do not add up to its total: some of them are missing."""
    if read.refreshed_at != totals.refreshed_at:
        raise NotUnderstood("the data were refreshed while the report was read", retryable=True)
    summed, whole = totals_by_start(read.rows), totals_by_start(totals.rows)
    for start in summed.keys() | whole.keys():
        parts, total = (each.get(start, Money.of("0")) for each in (summed, whole))
        if max(parts, total) - min(parts, total) > _TOLERANCE:
            raise NotUnderstood(
                f"the rows of {start:%Y-%m-%d} add up to ${parts.usd}, and the total of that day is ${total.usd}",
                retryable=True,
            )


def _of_children(totals: Iterable[AnalyticsRow[CostRow]]) -> str:
    """The remark of a report that covers linked organisations, too."""
    organizations = {dict(row.group).get("organization_id", "") for row in totals}
    if len(organizations) < 2:
        return ""
    return (
        f"The bill covers {len(organizations)} linked organisations and may be partial: the analytics reports leave"
        " HIPAA-ready ones out"
    )


class _Bucketed(Generic[Row]):
    """The rows of a report by bucket: of those that the data reach, and of later ones that have rows."""

    def __init__(
        self, grid: Grid, read: _Read[Row], defaults: frozenset[str], stored: StoredBuckets, people: str = ""
    ) -> None:
        self.refreshed_at = read.refreshed_at
        self.named = {key: name for row in read.rows for key, name in row.named}
        self._rows: dict[datetime, list[AnalyticsRow[Row]]] = {}
        for row in read.rows:
            self._rows.setdefault(row.window.start, []).append(row)
        self.windows = [
            window for window in _buckets(grid) if window.start < read.refreshed_at or window.start in self._rows
        ]
        # Another release, price, default workspace or switch of people may make other facts of the same bytes.
        self._salt = f"analytics {__version__} {stored.prices} {sorted(defaults)} {people}".encode()
        self._stored = stored.fingerprints

    @property
    def is_empty(self) -> bool:
        return not self._rows

    def rows(self, window: Window) -> list[AnalyticsRow[Row]]:
        return self._rows.get(window.start, [])

    def fingerprint(self, window: Window) -> bytes:
        """Identifies what a bucket holds, in whatever order its rows came."""
        return hashlib.sha256(self._salt + b"".join(sorted(row.digest for row in self.rows(window)))).digest()

    def is_stored(self, window: Window) -> bool:
        return self._stored.get(window) == self.fingerprint(window)


def _report(bucketed: _Bucketed[Row], add: Callable[[Row, Row], Row], remark: str) -> ReadReport[Row]:
    """The report of its buckets, oldest first. A bucket without rows says: nothing was spent."""
    unchanged = frozenset(window for window in bucketed.windows if bucketed.is_stored(window))
    changed = [window for window in bucketed.windows if window not in unchanged]
    notices: Counter[str] = Counter()
    fingerprints: dict[Window, bytes | None] = {}
    for window in changed:
        found = sum((row.notices for row in bucketed.rows(window)), Counter[str]())
        fingerprints[window] = None if found else bucketed.fingerprint(window)
        notices += found
    return ReadReport(
        buckets=tuple(Bucket(each, merged([row.row for row in bucketed.rows(each)], add)) for each in changed),
        notices=tuple(Notice(text, times) for text, times in sorted(notices.items())),
        fingerprints=fingerprints,
        unchanged=unchanged,
        origin=Provenance(ReportFamily.ANALYTICS, bucketed.refreshed_at, remark, bucketed.is_empty),
        named=bucketed.named,
    )


def _buckets(grid: Grid) -> Iterator[Window]:
    step = grid.width.length
    start = max(grid.window.start, _FIRST)
    while start < grid.window.end:
        yield Window(start, start + step)
        start += step


async def _around_first(window: Window, read: Callable[[Window], Awaitable[ReadReport[Row]]]) -> ReadReport[Row]:
    """Reads the parts of a window before and from the first day of which there are data.

    The former is left out, as unknown, where the key may read nothing but analytics.
    """
    late = await read(Window(_FIRST, window.end))
    try:
        return _joined(await read(Window(window.start, _FIRST)), late)
    except OutOfReach as error:
        return _remarked(late, f"Earlier days are left out. {error}")


def _remarked(report: ReadReport[Row], remark: str) -> ReadReport[Row]:
    remarks = ". ".join(text for text in (report.origin.remark, remark) if text)
    return replace(report, origin=replace(report.origin, remark=remarks))


def _joined(early: ReadReport[Row], late: ReadReport[Row]) -> ReadReport[Row]:
    """One report of two that follow each other, with what is to be known of both."""
    is_empty = late.origin.is_empty and not any(bucket.rows for bucket in early.buckets)
    both = ReadReport(
        buckets=early.buckets + late.buckets,
        notices=early.notices + late.notices,
        fingerprints={**early.fingerprints, **late.fingerprints},
        unchanged=early.unchanged | late.unchanged,
        origin=replace(late.origin, is_empty=is_empty),
        named={**early.named, **late.named},
    )
    return _remarked(both, early.origin.remark)


async def _in_place(reading: Awaitable[ReadReport[Row]], refusal: NotServed) -> ReadReport[Row]:
    """The Admin report, read in place of the analytics report. Raises OutOfReach where the key may not read it."""
    try:
        report = await reading
    except RequestFailed as error:
        if error.status not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise
        raise OutOfReach(f"{refusal} {error}", retryable=False, concerns=error.concerns) from error
    remark = f"Read from the Admin reports in place of the analytics reports. {refusal}"
    return replace(report, origin=Provenance(ReportFamily.ADMIN, remark=remark))
