"""Spend by line: what the dollars were paid for, along the dimensions of a bill, two at once if need be.

`/v1/spend` adds up whole days of workspaces, models and keys. A day of a workspace and model is either billed or, where
its usage says more than its bill so far, priced usage (`service.domain.spend.best_known`): its lines are the rows of
the one that was chosen. So lines add up to that spend to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.values.money import ZERO, Money
from service.domain.values.names import Names, name_of
from service.domain.values.scopes import Dimension, Grain, ScopeKey


class LinePart(StrEnum):
    """The dimensions of a row of a report that are no scope. All but `caller` have the vendor's own values."""

    COST_TYPE = "cost_type"
    TOKEN_TYPE = "token_type"
    SERVICE_TIER = "service_tier"
    CONTEXT_WINDOW = "context_window"
    INFERENCE_GEO = "inference_geo"
    CALLER = "caller"
    """Whether it was used through an API key; else it was the Workbench, or somebody who had signed in."""


class CallerKind(StrEnum):
    API_KEY = "api_key"
    WORKBENCH = "workbench"


LineDimension = Dimension | LinePart
NOT_ATTRIBUTABLE = ""
"""The value of spend whose rows are not known: those of old months are forgotten before the days' sums are."""
NONE = "none"
"""The value where the report names none: a web search has no token type."""

_NAMES: Mapping[LinePart, Mapping[str, str]] = {
    LinePart.COST_TYPE: {"tokens": "tokens", "web_search": "web search", "code_execution": "code execution"}
    | {"session_usage": "session runtime"},
    LinePart.TOKEN_TYPE: {
        "uncached_input_tokens": "input",
        "output_tokens": "output",
        "cache_read_input_tokens": "cache reads",
        "cache_creation.ephemeral_5m_input_tokens": "cache writes, 5 minutes",
        "cache_creation.ephemeral_1h_input_tokens": "cache writes, 1 hour",
        NONE: "no tokens",
    },
    LinePart.SERVICE_TIER: {"priority": "Priority Tier", NONE: "no tier"},
    LinePart.CONTEXT_WINDOW: {NONE: "no context window"},
    LinePart.INFERENCE_GEO: {NONE: "no region"},
    LinePart.CALLER: {CallerKind.API_KEY: "API keys", CallerKind.WORKBENCH: "Workbench and signed-in use"},
}


@dataclass(frozen=True, slots=True)
class LineQuestion:
    """A question about spend, divided by one dimension or two; what it is grouped by itself does not matter."""

    spend: SpendQuestion
    by: tuple[LineDimension, ...]

    @property
    def grain(self) -> Grain:
        """The dimensions of cells by which it tells them apart."""
        return self.spend.grain.union(one for one in self.by if isinstance(one, Dimension))


@dataclass(frozen=True, slots=True)
class SpendLine:
    """`ids`: a value for each dimension of the question.

    `shared` is the part of the billed spend that the bill names no key for, and that was divided among keys by the
    estimates of their usage: it is exact over all keys, not for one.
    """

    ids: tuple[str, ...]
    figure: Figure
    shared: Money = field(default=ZERO)


@dataclass(frozen=True, slots=True)
class LargestLines:
    """A part of a window's lines, the largest first, and the total of all lines."""

    lines: Sequence[SpendLine]
    total: Figure


def line_name(dimension: LineDimension, id: str, names: Names) -> str:
    """The value of a dimension as people call it."""
    if isinstance(dimension, Dimension):
        return name_of(ScopeKey(dimension, id), names)
    return _NAMES[dimension].get(id, id) or "not attributable"


def keys_of(by: Sequence[LineDimension], lines: Sequence[SpendLine]) -> set[ScopeKey]:
    """The scope keys that lines have."""
    return {
        ScopeKey(dimension, id)
        for line in lines
        for dimension, id in zip(by, line.ids, strict=True)
        if isinstance(dimension, Dimension)
    }
