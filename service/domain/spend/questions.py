"""Questions about a source's spend, and the figures that answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service.domain.spend.attribution import Attribution
from service.domain.spend.best_known import Spend
from service.domain.spend.rows import Width
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, Grain, Scope, ScopeKey


@dataclass(frozen=True, slots=True)
class Figure:
    """Spend, and beside it what spend leaves out: tokens without a price, and the Priority Tier's estimate."""

    spend: Spend = field(default_factory=Spend)
    unpriced_tokens: int = 0
    priority: Money = ZERO

    @property
    def is_something(self) -> bool:
        """Whether anything was used: what has no price yet, or no cost row, is not nothing."""
        return bool(self.spend.total or self.unpriced_tokens or self.priority)

    def __add__(self, other: Figure) -> Figure:
        return Figure(
            self.spend + other.spend,
            self.unpriced_tokens + other.unpriced_tokens,
            self.priority + other.priority,
        )


@dataclass(frozen=True, slots=True)
class SpendQuestion:
    """A question about one source's spend: a window of whole days or hours, filtered and grouped.

    With an attribution, `group_by` is the organisation, and a group's id is who is answerable for it.
    """

    source_id: str
    window: Window
    width: Width
    scope: Scope
    group_by: Dimension
    attribution: Attribution | None = None

    @property
    def grain(self) -> Grain:
        """The dimensions by which it tells cells apart."""
        return self.scope.grain | {self.group_by}


@dataclass(frozen=True, slots=True)
class BucketFigures:
    """Figures by bucket start and group, in order of time, of the window's buckets that end by `until`.

    Buckets without spend are not in `figures`.
    """

    figures: Mapping[datetime, Mapping[ScopeKey, Figure]]
    until: datetime


@dataclass(frozen=True, slots=True)
class LargestGroups:
    """A part of a window's groups, the largest first, and the total of all groups."""

    groups: Sequence[tuple[ScopeKey, Figure]]
    total: Figure
