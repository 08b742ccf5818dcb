"""Stand-ins behind our own ports. tests/contract holds each of them to what the real thing does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.discord import Discord
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.notification import Action, Delivery, Receipt
from service.domain.sources.poll import Notice
from service.domain.sources.pricing import Measure
from service.domain.sources.source import ReportName, Source
from service.domain.spend.rows import Bucket, CostRow, Dimensions, UsageRow, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import DEFAULT_WORKSPACE
from service.workflows.ports.channels import Channel, DeliveryError
from service.workflows.ports.platform import ChartError
from service.workflows.ports.sources import (
    NOTHING_STORED,
    ApiKeyName,
    CostSource,
    Directory,
    Organization,
    ReadReport,
    SourceError,
    StoredBuckets,
    WorkspaceName,
)

EXAMPLE = Organization("org_FAKE", "Example Inc")
DEFAULT = WorkspaceName(DEFAULT_WORKSPACE, "Default")
USAGE = {Width.HOUR: ReportName.USAGE_HOURS, Width.MINUTE: ReportName.USAGE_MINUTES}
STEPS = {Width.DAY: timedelta(days=1), Width.HOUR: timedelta(hours=1), Width.MINUTE: timedelta(minutes=1)}

Row = TypeVar("Row", CostRow, UsageRow)


@dataclass
class FakeSource:
    """One organisation, which every source is connected to: what was set, and nothing else.

    A report is refused while its error stands in `refusals`. `naming` is awaited before the organisation is named, and
    may raise instead. `meanwhile` is awaited whenever a report is asked
    for, which is where a test lets the world move on, or the reader crash. `reads` are the windows asked for. The bill
    has none of the days in `lacks`, and its totals are those of its rows but where `totals` says otherwise.
    """

    refusals: dict[ReportName, SourceError] = field(default_factory=dict)
    notices: dict[ReportName, tuple[Notice, ...]] = field(default_factory=dict)
    naming: Callable[[], Awaitable[object]] | None = None
    meanwhile: Callable[[ReportName], Awaitable[None]] | None = None
    asked: list[Source] = field(default_factory=list)
    reads: list[tuple[ReportName, Window | None]] = field(default_factory=list)
    named: Organization = EXAMPLE
    workspaces: list[WorkspaceName] = field(default_factory=list)
    api_keys: list[ApiKeyName] = field(default_factory=list)
    lacks: set[date] = field(default_factory=set)
    totals: dict[date, Money] = field(default_factory=dict)
    _bills: dict[date, tuple[CostRow, ...]] = field(default_factory=dict)
    _usage: dict[tuple[Width, datetime], tuple[UsageRow, ...]] = field(default_factory=dict)

    # What a test sets.

    def bill(self, day: date, *rows: CostRow) -> None:
        """The whole bill of one UTC day, from now on."""
        self._bills[day] = rows

    def use(self, width: Width, start: datetime, *rows: tuple[Dimensions, Mapping[Measure, int]]) -> None:
        """The whole usage of one bucket, from now on. Measures that are left out are 0."""
        every = dict.fromkeys(Measure, 0)
        self._usage[width, start] = tuple(UsageRow(about, every | dict(counts)) for about, counts in rows)

    def windows(self, report: ReportName) -> list[Window]:
        """What was asked of one report, in order."""
        return [window for name, window in self.reads if name is report and window is not None]

    # What a workflow asks for.

    @asynccontextmanager
    async def connect(self, source: Source) -> AsyncIterator[CostSource]:
        self.asked.append(source)
        yield self

    async def organization(self) -> Organization:
        if self.naming is not None:
            await self.naming()
        return self.named

    async def cost(self, window: Window, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[CostRow]:
        await self._asked_for(ReportName.COST, window)
        buckets = _buckets(window, Width.DAY, lambda start: self._bills.get(start.date(), ()))
        contained = tuple(bucket for bucket in buckets if bucket.window.start.date() not in self.lacks)
        return ReadReport(contained, self.notices.get(ReportName.COST, ()))

    async def cost_totals(self, window: Window) -> dict[date, Money]:
        buckets = _buckets(window, Width.DAY, lambda start: self._bills.get(start.date(), ()))
        sums = {bucket.window.start.date(): Money.total(row.amount for row in bucket.rows) for bucket in buckets}
        return sums | self.totals

    async def usage(self, window: Window, width: Width, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[UsageRow]:
        await self._asked_for(USAGE[width], window)
        buckets = _buckets(window, width, lambda start: self._usage.get((width, start), ()))
        return ReadReport(buckets, self.notices.get(USAGE[width], ()))

    async def directory(self) -> Directory:
        await self._asked_for(ReportName.DIRECTORY, None)
        return Directory((DEFAULT, *self.workspaces), tuple(self.api_keys))

    async def _asked_for(self, report: ReportName, window: Window | None) -> None:
        self.reads.append((report, window))
        if self.meanwhile is not None:
            await self.meanwhile(report)
        if report in self.refusals:
            raise self.refusals[report].with_traceback(None)


def _buckets(window: Window, width: Width, rows: Callable[[datetime], tuple[Row, ...]]) -> tuple[Bucket[Row], ...]:
    """Every bucket of a window that lies on boundaries, empty ones too."""
    step = STEPS[width]
    starts = [window.start + step * number for number in range((window.end - window.start) // step)]
    return tuple(Bucket(Window(start, start + step), rows(start)) for start in starts)


@dataclass
class FakeCharts:
    """Draws nothing, but keeps what it was given; refuses while there is a `refusal`."""

    refusal: ChartError | None = None
    drawn: list[Mapping[str, object]] = field(default_factory=list)

    async def png(self, specification: Mapping[str, object]) -> bytes:
        if self.refusal is not None:
            raise self.refusal.with_traceback(None)
        self.drawn.append(specification)
        return b"\x89PNG\r\n\x1a\nFAKE"


@dataclass
class FakeChannels:
    """Every channel at once: takes what is sent, or refuses it while a refusal stands under its kind.

    `meanwhile` is awaited before a message is taken. `post` is the reference of every message, where it is set.
    """

    refusals: dict[str, DeliveryError] = field(default_factory=dict)
    meanwhile: Callable[[ChannelConfig], Awaitable[None]] | None = None
    post: str | None = None
    sent: list[tuple[ChannelConfig, Delivery]] = field(default_factory=list)

    def open(self, config: ChannelConfig) -> Channel:
        return _FakeChannel(self, config)


@dataclass
class _FakeChannel:
    channels: FakeChannels
    config: ChannelConfig

    async def send(self, delivery: Delivery) -> Receipt:
        if self.channels.meanwhile is not None:
            await self.channels.meanwhile(self.config)
        if self.config.kind in self.channels.refusals:
            raise self.channels.refusals[self.config.kind].with_traceback(None)
        self.channels.sent.append((self.config, delivery))
        return Receipt(self.channels.post or self._post(delivery), "taken")

    def _post(self, delivery: Delivery) -> str | None:
        """What can edit, thread or end a message refers to it later. Discord's raise is a post of its own."""
        if not isinstance(self.config, SlackBot | Email | Alertmanager | Jsm | PagerDuty | Discord):
            return None
        is_new = isinstance(self.config, Discord) and delivery.action is Action.RAISE
        return f"post-{len(self.channels.sent)}" if is_new or delivery.post is None else delivery.post
