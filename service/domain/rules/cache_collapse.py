"""`cache_collapse`: the cached part of the input falls, so that the same work costs more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from service.domain.errors import Invalid
from service.domain.rules import history, limits
from service.domain.rules.feedback import NO_FEEDBACK, Feedback, counted
from service.domain.rules.rule import Gates, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.scopes import Dimension, ScopeKey

DEFAULT_GATES = Gates(min_percent=Decimal(10), min_active_days=7)


@dataclass(frozen=True, slots=True)
class CacheCollapse:
    """It falls by `points` percentage points, or below `below_percent` of its median; None: that one is not asked.

    The median is that of the `days` before. Only days of `min_input_tokens` are looked at.
    """

    points: Decimal | None = Decimal(30)
    below_percent: Decimal | None = None
    days: int = 14
    min_input_tokens: int = 1_000_000


def validate(params: CacheCollapse) -> None:
    if params.points is None and params.below_percent is None:
        raise Invalid("give points, below_percent or both", "/params/points")
    if params.points is not None:
        limits.points(params.points, "/params/points")
    if params.below_percent is not None:
        limits.points(params.below_percent, "/params/below_percent")
    limits.window(params.days, "/params/days")
    limits.count(params.min_input_tokens, "/params/min_input_tokens")


def observe(
    view: SpendView, rule: Rule[CacheCollapse], feedback: Sequence[Feedback] = NO_FEEDBACK
) -> Mapping[ScopeKey, Observation]:
    """One observation per scope, of the last closed day.

    `expected` is what the day's input would have cost at the median dollars per input token of the days before, so
    the gates weigh what the collapse cost, not how far a percentage fell.
    """
    dimension, closed = rule.for_each or Dimension.ORGANISATION, view.closed
    if closed is None:
        return {}
    spend = view.series(dimension, rule.scope, lambda figures: figures.spend)
    tokens = view.series(dimension, rule.scope, lambda figures: figures.input_tokens)
    reads = view.series(dimension, rule.scope, lambda figures: figures.cache_read_tokens)
    observations = {}
    for key, row in tokens.items():
        usable = [value if value >= rule.params.min_input_tokens else history.UNKNOWN for value in row]
        past = slice(max(0, closed - rule.params.days), closed)
        counting = counted(usable, view.days, feedback, key, view.as_of)
        day = _Day(
            spent=history.known(spend[key], closed),
            tokens=row[closed],
            enough=not math.isnan(usable[closed]),
            share=_ratio(reads[key][closed], row[closed]),
            usual=_median(reads[key][past], counting[past]),
            rate=_median(spend[key][past], counting[past]),
        )
        active = sum(1 for value in usable[:closed] if not math.isnan(value))
        observations[key] = _observation(view, rule, key, day, active)
    return observations
