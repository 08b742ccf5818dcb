"""A source that knows both families of reports: the one is read, and its days are compared with the other's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from service.domain.sources.source import ReportFamily
from service.domain.spend.lateness import SETTLED_AFTER
from service.domain.spend.rows import CostRow, UsageRow, Width
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.utc import DAY
from service.workflows.ports.sources import (
    NOTHING_STORED,
    CostSource,
    CostTotals,
    Directory,
    Organization,
    ReadClaudeCode,
    ReadReport,
    ReadsClaudeCode,
    SourceError,
    StoredBuckets,
)

OVERLAP = timedelta(days=31)
"""How far back days are compared: what both families answer in one request."""
_LEAST = Money.of("1")
_SHARE = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class DayTotals:
    """The whole bill of each UTC day, by the day's start, and up to when it is complete; None: nothing says so."""

    by_day: Mapping[datetime, Money]
    refreshed_at: datetime | None = None


class CountsDays(Protocol):
    async def totals(self, window: Window) -> DayTotals: ...


class AdminReports(CountsDays, CostTotals, ReadsClaudeCode, Protocol):
    """The Admin reports, which alone have totals to compare a bill with, and people's use of Claude Code."""


class ComparedSource:
    """One organisation's reports of the preferred family; its bill carries a remark where both differ. A CostSource."""

    def __init__(self, preferred: CostSource, family: ReportFamily, admin: AdminReports, analytics: CountsDays) -> None:
        self._preferred = preferred
        self._family = family
        self._admin = admin
        self._analytics = analytics

    async def organization(self) -> Organization:
        return await self._preferred.organization()

    async def directory(self) -> Directory | None:
        return await self._preferred.directory()

    async def cost_totals(self, window: Window) -> Mapping[date, Money]:
        return await self._admin.cost_totals(window)

    async def claude_code(self, day: date) -> ReadClaudeCode:
        return await self._admin.claude_code(day)

    async def usage(self, window: Window, width: Width, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[UsageRow]:
        return await self._preferred.usage(window, width, stored)

    async def cost(self, window: Window, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[CostRow]:
        report = await self._preferred.cost(window, stored)
        origin = report.origin
        if origin.reports is not self._family:
            return report
        remarks = [text for text in (origin.remark, await self._difference(window)) if text]
        return replace(report, origin=replace(origin, remark=". ".join(remarks)))

    async def _difference(self, window: Window) -> str:
        overlap = Window(window.end - OVERLAP, window.end)
        try:
            return difference(await self._admin.totals(overlap), await self._analytics.totals(overlap))
        except SourceError as error:
            return f"The two families of reports were not compared. {error}"


def difference(admin: DayTotals, analytics: DayTotals) -> str:
    """The remark about days that both families should know whole, and do not agree on; "" where they do."""
    if analytics.refreshed_at is None:
        return ""
    settled = analytics.refreshed_at - DAY - SETTLED_AFTER
    days = sorted(day for day in admin.by_day.keys() | analytics.by_day.keys() if day <= settled)
    apart = [day for day in days if _differ(admin.by_day.get(day, ZERO), analytics.by_day.get(day, ZERO))]
    if not apart:
        return ""
    day = apart[-1]
    more = f" Of the last {OVERLAP.days} days {len(apart)} differ." if apart[1:] else ""
    return (
        f"The bill of {day:%Y-%m-%d} is ${admin.by_day.get(day, ZERO).usd:.2f} by the Admin reports and"
        f" ${analytics.by_day.get(day, ZERO).usd:.2f} by the analytics reports.{more}"
    )


def _differ(one: Money, other: Money) -> bool:
    apart = max(one, other) - min(one, other)
    return apart > _LEAST and apart.usd > max(one, other).usd * _SHARE
