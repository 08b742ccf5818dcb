"""Rows of reports: cost and usage, by bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from service.domain.sources.pricing import Measure
from service.domain.values.money import Money
from service.domain.values.periods import Window

TOKEN_COST = "tokens"
PRIORITY_TIER = "priority"


class Width(StrEnum):
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def length(self) -> timedelta:
        return _LENGTHS[self]


_LENGTHS = {Width.MINUTE: timedelta(minutes=1), Width.HOUR: timedelta(hours=1), Width.DAY: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The dimensions of a cost or usage row. "" where the report gives null; the null workspace is "default".

    `extra` keeps dimensions that this version does not know, as sorted (key, value) pairs.
    """

    workspace: str
    model: str = ""
    description: str = ""
    cost_type: str = ""
    token_type: str = ""
    service_tier: str = ""
    context_window: str = ""
    inference_geo: str = ""
    api_key: str = ""
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CostRow:
    dimensions: Dimensions
    amount: Money


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Tokens (and web search requests) by measure. The dimensions' `token_type` is empty."""

    dimensions: Dimensions
    quantities: Mapping[Measure, int]


Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Bucket(Generic[Row]):
    """One bucket that a report contained. Without rows it says: nothing was spent."""

    window: Window
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class UsageFact:
    """A usage row's one measure, priced. `cost` is None where the model has no price."""

    dimensions: Dimensions
    quantity: int
    cost: Money | None
