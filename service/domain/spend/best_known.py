"""Best-known spend: of a cell by its bill and its usage, and of a UTC day as it was known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import UNATTRIBUTED, Cell


class Basis(StrEnum):
    BILLED = "billed"
    ESTIMATED = "estimated"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Spend:
    """Best-known spend: the part read off the bill and the part estimated from usage.

    `split` marks a figure whose boundary days were divided at a midnight other than UTC's. `unpriced_tokens` were used
    on days that are not settled yet, of models without a known price: they are in no dollars here.
    """

    billed: Money = ZERO
    estimated: Money = ZERO
    split: bool = False
    unpriced_tokens: int = 0

    @property
    def total(self) -> Money:
        return self.billed + self.estimated

    @property
    def basis(self) -> Basis:
        unbilled = bool(self.estimated) or self.unpriced_tokens > 0
        if self.split or (self.billed and unbilled):
            return Basis.MIXED
        return Basis.ESTIMATED if unbilled else Basis.BILLED

    def __add__(self, other: Spend) -> Spend:
        return Spend(
            self.billed + other.billed,
            self.estimated + other.estimated,
            self.split or other.split,
            self.unpriced_tokens + other.unpriced_tokens,
        )

    @staticmethod
    def dollars(parts: Iterable[Spend]) -> Money:
        """The total of the parts' sum, without the sum."""
        return Money(sum((amount.usd for part in parts for amount in (part.billed, part.estimated)), ZERO.usd))

    def share(self, part: Decimal) -> Spend:
        """A part (0..1) of this spend, cut at a boundary inside a day."""
        unpriced = round(self.unpriced_tokens * part)
        return Spend(self.billed * part, self.estimated * part, split=True, unpriced_tokens=unpriced)

    @classmethod
    def sum(cls, parts: Iterable[Spend]) -> Spend:
        """The sum of many: `+`, without what lies between."""
        added = list(parts)
        return cls(
            Money.total([part.billed for part in added]),
            Money.total([part.estimated for part in added]),
            any([part.split for part in added]),
            sum([part.unpriced_tokens for part in added]),
        )


@dataclass(frozen=True, slots=True)
class BilledDay:
    """One cell's bill of one UTC day. The bill of the Admin reports knows no API keys: its cells have none."""

    tokens: Money = ZERO
    other: Money = ZERO


@dataclass(frozen=True, slots=True)
class EstimatedDay:
    """One cell's usage of one UTC day, priced. Priority Tier is kept apart: it has no cost row.

    `input_tokens` counts uncached, cache-read and cache-written input, `cache_read_tokens` the part read from a cache.
    Tokens of the Priority Tier are in neither of them nor in `output_tokens`.
    """

    cost: Money = ZERO
    priority: Money = ZERO
    unpriced_tokens: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class SpendDay:
    """The spend of one cell on one UTC day, as well as it is known."""

    spend: Spend = Spend()
    estimate: EstimatedDay = field(default_factory=EstimatedDay)


@dataclass(frozen=True, slots=True)
class DayVersion:
    """A UTC day as it was known at the end of the UTC day `known_on`, where that had changed.

    `assumed`: the day was backfilled, and is taken to have been known 24 hours after its end. A day without cells was
    read, and nothing was spent.
    """

    day: date
    known_on: date
    assumed: bool
    settled: bool
    cells: Mapping[Cell, SpendDay]


def best_known(
    bill: Mapping[Cell, BilledDay], usage: Mapping[Cell, EstimatedDay], *, settled: bool
) -> dict[Cell, SpendDay]:
    """One UTC day's spend by cell, from its bill and its usage.

    Settled: the bill. Otherwise, per (workspace, model), the larger of the billed token cost and the estimate (the bill
    alone where nothing is estimated), plus the billed non-token cost. Where the bill names keys, each has what it is
    billed. Where it names none, its token spend is shared among them by their estimates. What no key can be named for
    is unattributed. The cells' spend adds up to the bill exactly.
    """
    billed: dict[tuple[str, str], dict[str, BilledDay]] = defaultdict(dict)
    for cell, of_bill in bill.items():
        billed[cell.workspace, cell.model][cell.api_key] = of_bill
    used: dict[tuple[str, str], dict[str, EstimatedDay]] = defaultdict(dict)
    for cell, estimate in usage.items():
        used[cell.workspace, cell.model][cell.api_key] = estimate
    days: dict[Cell, SpendDay] = {}
    for place in billed.keys() | used.keys():
        for api_key, day in _share(billed.get(place, {}), used.get(place, {}), settled=settled).items():
            days[Cell(*place, api_key)] = day
    return days


def _share(bill: Mapping[str, BilledDay], usage: Mapping[str, EstimatedDay], *, settled: bool) -> dict[str, SpendDay]:
    tokens = Money.total(day.tokens for day in bill.values())
    estimated = Money.total(estimate.cost for estimate in usage.values())
    by_bill = settled or not estimated or tokens >= estimated
    if by_bill and bill.keys() - {UNATTRIBUTED}:
        shares = {api_key: day.tokens for api_key, day in bill.items()}
    else:
        shares = _token_shares(tokens if by_bill else estimated, usage)
    others = {api_key: day.other for api_key, day in bill.items() if day.other}
    days: dict[str, SpendDay] = {}
    for api_key in shares.keys() | usage.keys() | others.keys():
        share = shares.get(api_key, ZERO)
        spend = Spend(billed=share) if by_bill else Spend(estimated=share)
        if api_key in others:
            spend += Spend(billed=others[api_key])
        days[api_key] = SpendDay(spend, usage.get(api_key, EstimatedDay()))
    return days


def _token_shares(token_spend: Money, keys: Mapping[str, EstimatedDay]) -> dict[str, Money]:
    # By name: rounding goes with the order, and rows of the same day come in any.
    weighed = {api_key: keys[api_key].cost for api_key in sorted(keys) if keys[api_key].cost > ZERO}
    if not weighed:
        return {UNATTRIBUTED: token_spend} if token_spend else {}
    parts = token_spend.split([cost.usd for cost in weighed.values()])
    return dict(zip(weighed, parts, strict=True))
