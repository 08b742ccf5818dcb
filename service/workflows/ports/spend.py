"""The stores of spend: facts by bucket, and their daily rollup."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from service.domain.budgets.unpriced import UnpricedUsage
from service.domain.detectors.hourly.known import HourVersions
from service.domain.forecasts.recent import RecentSpend
from service.domain.rules.view import KnownFigures
from service.domain.spend.best_known import BilledDay, DayVersion, EstimatedDay, Spend, SpendDay
from service.domain.spend.caching import InputDay
from service.domain.spend.lines import LargestLines, LineQuestion
from service.domain.spend.questions import BucketFigures, Figure, LargestGroups, SpendQuestion
from service.domain.spend.rows import Bucket, CostRow, UsageFact, Width
from service.domain.spend.tokens import TokenCounts
from service.domain.values.periods import Window
from service.domain.values.scopes import EVERYTHING, FINEST, Cell, Grain, Scope


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that a report made to the stored facts, and the UTC days whose rollups must follow.

    `backfilled` are those of the days of which the report contained something for the first time, long after their end.
    """

    added: int = 0
    changed: int = 0
    gone: int = 0
    days: frozenset[date] = frozenset()
    backfilled: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class DayInputs:
    bill: Mapping[Cell, BilledDay]
    usage: Mapping[Cell, EstimatedDay]
    settled: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who learned it when: the poll and the instant it is known from; up to when the report says it is complete."""

    source_id: str
    poll_id: str
    known_at: datetime
    refreshed_at: datetime | None = None


class Facts(Protocol):
    """Cost and usage by bucket, and the daily rollup that everything else reads."""

    async def replace_cost(self, stamp: Stamp, buckets: Sequence[Bucket[CostRow]]) -> Changes:
        """Replaces exactly these days' rows; vanished rows become $0. One revision per amount new, changed or gone.

        `days` also holds the days that became settled by being read.
        """
        ...

    async def replace_usage(self, stamp: Stamp, width: Width, buckets: Sequence[Bucket[UsageFact]]) -> Changes:
        """The same for hours (with revisions once the hour is over) or minutes (without); `days` for hours only."""
        ...

    async def day_inputs(self, source_id: str, days: Iterable[date]) -> dict[date, DayInputs]: ...

    async def store_days(
        self, stamp: Stamp, days: Mapping[date, Mapping[Cell, SpendDay]], backfilled: Collection[date] = ()
    ) -> None:
        """Replaces these days' rollup, and keeps what each was known to be at the end of the stamp's UTC day.

        `service.domain.spend.lateness.day_known` says since when a day counts as known, also if it is `backfilled`.
        """
        ...

    async def spend(self, source_id: str, window: Window, now: datetime, grain: Grain = FINEST) -> dict[Cell, Spend]:
        """Best-known spend by cell in a window; boundary days not at midnight UTC are split by their hours.

        Cells are those of the grain: added up over its other dimensions, in the database as far as days are whole.
        """
        ...

    async def spend_of(
        self, source_ids: Collection[str], window: Window, now: datetime, grain: Grain
    ) -> dict[str, dict[Cell, Spend]]:
        """The same for several sources, without their unpriced tokens: one statement where no day is split."""
        ...

    async def unpriced(self, source_id: str, now: datetime) -> list[UnpricedUsage]:
        """Usage without a known price by model, of UTC days whose bill is not settled and that polls read again."""
        ...

    async def days(self, source_id: str, window: Window) -> list[tuple[date, Cell, SpendDay]]: ...

    async def hours(self, source_id: str, window: Window) -> list[tuple[datetime, Cell, EstimatedDay]]: ...

    async def figures_by_bucket(self, question: SpendQuestion, most: int) -> BucketFigures:
        """Figures of the first buckets of the window: as many as hold `most` figures together, at least one."""
        ...

    async def largest(self, question: SpendQuestion, limit: int, skipped: int = 0) -> LargestGroups:
        """Figures of the whole window by group: `limit` groups, the largest first, behind the `skipped` largest."""
        ...

    async def largest_lines(self, question: LineQuestion, limit: int, skipped: int = 0) -> LargestLines:
        """The same by line: along any two dimensions of rows. Lines add up to the spend of the whole window."""
        ...

    async def tokens(self, question: SpendQuestion, tier: str | None = None) -> dict[Cell, TokenCounts]:
        """The tokens of the window's hours by cell, whatever it is grouped by; those of a service tier, or all."""
        ...

    async def rows_behind(self, question: SpendQuestion) -> int:
        """About how many stored rows the question adds up: an estimate that costs a thousandth of the answer."""
        ...

    async def total(self, question: SpendQuestion) -> Figure:
        """The figure of the whole window, whatever it is grouped by."""
        ...

    async def input_days(self, question: SpendQuestion) -> list[InputDay]:
        """The input tokens behind a question, by day, cell and kind of usage, in this order."""
        ...

    async def recent(
        self, source_id: str, now: datetime, grain: Grain = FINEST, within: Scope = EVERYTHING
    ) -> RecentSpend:
        """The data that forecasts learn from: the last ten weeks by UTC day and cell, and the hours of usual days.

        Cells are those of the grain, as in `spend`, and those that the scope holds.
        """
        ...

    async def figures(
        self, source_id: str, now: datetime, *, days: int, hours: int, grain: Grain = FINEST
    ) -> KnownFigures:
        """The figures that rules read: the last UTC days, today included, and the last hours that are over, if any.

        Days are by the cells of the grain, FINEST or SPENDERS; hours by FINEST. Figures that are all zero are left out.
        """
        ...

    async def figures_at(
        self, source_id: str, at: datetime, *, days: int, hours: int, grain: Grain = FINEST
    ) -> KnownFigures:
        """The same as it was known at a past instant.

        Days that changed on that UTC day, and the fresh ones, are as of the instant, others as of the midnight before.
        Two things can only be too low: an hour that was still running when it was last read counts from its end on,
        and `mature_until` may lag by an hour. Hours of days before the fresh ones are as they are known today.
        """
        ...

    async def day_versions(
        self, source_id: str, first: date, end: date, grain: Grain = FINEST, within: Scope = EVERYTHING
    ) -> list[DayVersion]:
        """Versions of the days from `first` up to, not including, `end`, in the order in which they became known.

        By cells of a grain, each the sum of those that `within` holds.
        """
        ...

    async def spender_versions(self, source_id: str, first: date, end: date) -> list[DayVersion]:
        """The same of what the bill names an actor or product for, by these; nothing tells whether it was settled."""
        ...

    async def hour_versions(self, source_id: str, window: Window, *, most: int) -> HourVersions:
        """Versions of every hour of a window: estimated dollars of all tiers but Priority, as in `figures`.

        The window begins and ends at midnight UTC. Where it holds more than `most` amounts, cells times hours, its
        first days are left out.
        """
        ...

    async def erase_actors(self, source_id: str) -> None:
        """Takes whoever made the calls out of all that is stored of them: amounts stay as they are."""
        ...

    async def billed_since(self, source_id: str) -> datetime | None:
        """The start of the oldest UTC day that a bill has covered."""
        ...

    async def unbilled_since(self, source_id: str, days: Window) -> datetime | None:
        """The start of the first of these UTC days that no bill has covered."""
        ...

    async def billed_until(self, source_id: str) -> datetime | None:
        """The end of the last settled UTC day."""
        ...

    async def estimated_until(self, source_id: str) -> datetime | None:
        """The end of the newest usage hour that is known."""
        ...


class Storage(Protocol):
    """Upkeep of the fact tables, in short transactions of its own."""

    async def make_room(self, window: Window) -> None:
        """Makes the month partitions that a write of this range needs."""
        ...

    async def forget(self, *, facts_before: date, minutes_before: datetime) -> None:
        """Retention: drops whole months, what is derived from them but daily spend, and old minutes.

        By many short transactions, so that nobody waits long.
        """
        ...
