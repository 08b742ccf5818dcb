"""A usage report: tokens by model, the weekday's trend, what was paid for, and how fresh the data are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from service.domain.digests.periods import a_week_before
from service.domain.sources.commitment import PriorityUse
from service.domain.spend.best_known import Spend
from service.domain.spend.completeness import BucketState
from service.domain.spend.tokens import TokenCounts
from service.domain.values.calendars import local_date, zone_of
from service.domain.values.csv_text import Value, csv_text
from service.domain.values.money import ZERO, Money
from service.domain.values.names import Names, name_of
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.domain.values.utc import midnight

WEEKS_BACK = 4
"""Days of the same weekday that a day is compared with."""
HEADINGS = (
    "since", "until", "workspace_id", "workspace", "model", "api_key_id", "api_key", "amount_usd", "billed_usd",
    "estimated_usd", "basis", "before_usd", "uncached_input_tokens", "cache_read_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens", "output_tokens", "priority_tokens", "unpriced_tokens", "web_searches",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """The tokens of a model, what it spent, and how much more that is than in the period before."""

    model: str
    tokens: TokenCounts
    spent: Money
    change: Money


@dataclass(frozen=True, slots=True)
class PaidFor:
    """The dollars of one kind of cost, such as "web search"."""

    name: str
    spent: Money


@dataclass(frozen=True, slots=True)
class Freshness:
    """Up to when the source is billed and its usage known, and how many UTC days of the period are not final, by why.

    None: never.
    """

    billed_until: datetime | None
    estimated_until: datetime | None
    lacking: Mapping[BucketState, int]


@dataclass(frozen=True, slots=True)
class UsageReport:
    """`models` have the most expensive first. `weekdays`: what the same weekday cost before, the newest first.

    `paid_for` are kinds of cost and `keyless` what was used without an API key, of `days`: the UTC days with the
    period's dates. `csv` has a row for each workspace, model and key.
    """

    models: tuple[ModelUsage, ...]
    weekdays: tuple[tuple[Window, Money], ...]
    days: Window
    paid_for: tuple[PaidFor, ...]
    keyless: tuple[PaidFor, ...]
    priority: PriorityUse
    freshness: Freshness
    csv: str

    @property
    def usual(self) -> Money | None:
        """The median of the same weekday; None where there is none."""
        amounts = [amount.usd for _, amount in self.weekdays]
        return Money.rounded(median(amounts)) if amounts else None

    @property
    def unpriced(self) -> tuple[ModelUsage, ...]:
        return tuple(one for one in self.models if one.tokens.unpriced)


def same_weekdays(day: Window, timezone: str) -> list[Window]:
    """The days of a week before, two weeks before and so on; none of a period that is not one day."""
    zone = zone_of(timezone)
    if (local_date(day.end, zone) - local_date(day.start, zone)).days != 1:
        return []
    found = [day]
    for _ in range(WEEKS_BACK):
        found.append(a_week_before(found[-1], timezone))
    return found[1:]


def utc_days(window: Window, timezone: str) -> Window | None:
    """The UTC days with the dates of a period: bills have no others. None where it does not last until another date."""
    zone = zone_of(timezone)
    start, end = midnight(local_date(window.start, zone)), midnight(local_date(window.end, zone))
    return Window(start, end) if start < end else None


def models_of(
    now: Mapping[Cell, Spend], before: Mapping[Cell, Spend], tokens: Mapping[Cell, TokenCounts] | None
) -> tuple[ModelUsage, ...]:
    """Every model that was used or paid for, the most expensive first. `tokens`: None where they are not known."""
    spent, earlier = _by_model(now), _by_model(before)
    used: dict[str, TokenCounts] = {}
    for cell, counts in (tokens or {}).items():
        used[cell.model] = used.get(cell.model, TokenCounts()) + counts
    models = [
        ModelUsage(
            model,
            used.get(model, TokenCounts()),
            spent.get(model, ZERO),
            spent.get(model, ZERO) - earlier.get(model, ZERO),
        )
        for model in (spent.keys() | used.keys()) - {""}
    ]
    return tuple(sorted(models, key=lambda one: (-one.spent.usd, -one.tokens.all, one.model)))


def _by_model(cells: Mapping[Cell, Spend]) -> dict[str, Money]:
    totals: dict[str, Money] = {}
    for cell, spend in cells.items():
        totals[cell.model] = totals.get(cell.model, ZERO) + spend.total
    return totals


def usage_csv(
    window: Window,
    now: Mapping[Cell, Spend],
    before: Mapping[Cell, Spend],
    tokens: Mapping[Cell, TokenCounts] | None,
    names: Names,
) -> str:
    """A row for each cell that spent or used anything, in order. Tokens that are not known (None) are empty fields."""
    cells = sorted(now.keys() | (tokens or {}).keys(), key=lambda cell: (cell.workspace, cell.model, cell.api_key))
    used = {cell: None if tokens is None else tokens.get(cell, TokenCounts()) for cell in cells}
    rows = (_row(window, cell, now.get(cell, Spend()), before.get(cell, Spend()), used[cell], names) for cell in cells)
    return csv_text([HEADINGS, *rows])


def _row(
    window: Window, cell: Cell, spend: Spend, before: Spend, tokens: TokenCounts | None, names: Names
) -> Sequence[Value]:
    return (
        f"{window.start:%Y-%m-%dT%H:%M:%SZ}",
        f"{window.end:%Y-%m-%dT%H:%M:%SZ}",
        cell.workspace,
        name_of(ScopeKey(Dimension.WORKSPACE, cell.workspace), names),
        cell.model,
        cell.api_key,
        name_of(ScopeKey(Dimension.API_KEY, cell.api_key), names) if cell.api_key else "",
        *(spend.total, spend.billed, spend.estimated, str(spend.basis), before.total),
        *_counts(tokens),
    )


def _counts(tokens: TokenCounts | None) -> Sequence[Value]:
    if tokens is None:
        return (None,) * 8
    return (
        *(tokens.uncached, tokens.read, tokens.written_5m, tokens.written_1h, tokens.output),
        *(tokens.priority, tokens.unpriced, tokens.searches),
    )


def file_name(window: Window, timezone: str) -> str:
    """The name of the file with the rows of a period."""
    zone = zone_of(timezone)
    return f"tocsin-usage-{local_date(window.start, zone)}-{local_date(window.end, zone)}.csv"
