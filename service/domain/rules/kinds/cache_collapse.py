"""`cache_collapse`: the cached part of the input falls, so that the same work costs more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from service.domain.rules import history, limits
from service.domain.rules.backtesting import Backtesting, own_figures
from service.domain.rules.feedback import NO_FEEDBACK, Feedback, counted
from service.domain.rules.history import Row
from service.domain.rules.kind import KindWords, Lookback, RuleKind
from service.domain.rules.rule import DOLLARS_A_DAY, Gates, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.rules.wording import day, dollars, percent, subject
from service.domain.values.errors import Invalid
from service.domain.values.scopes import Dimension, ScopeKey


@dataclass(frozen=True, slots=True)
class CacheCollapse:
    """It falls by `points` percentage points, or below `below_percent` of its median; None: that one is not asked.

    The median is that of the `days` before. Only days of `min_input_tokens` are looked at.
    """

    points: Decimal | None = Decimal(30)
    below_percent: Decimal | None = None
    days: int = 14
    min_input_tokens: int = 1_000_000


def validate(rule: Rule[CacheCollapse]) -> None:
    params = rule.params
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
        comparable = counted(usable, view.days, feedback, key, view.as_of)[past]
        found = _Day(
            spent=history.known(spend[key], closed),
            tokens=row[closed],
            share=reads[key][closed] / usable[closed],
            usual=_median(reads[key][past], comparable),
            rate=_median(spend[key][past], comparable),
        )
        observations[key] = _observation(view, rule, key, found, history.active_days(usable, closed))
    return observations


@dataclass(frozen=True, slots=True)
class _Day:
    """The judged day: dollars, input tokens, the cached share (0..1, NaN with too few tokens), and the medians before:
    the cached share, and dollars per input token."""

    spent: float
    tokens: float
    share: float
    usual: float
    rate: float

    def collapsed(self, params: CacheCollapse) -> bool:
        fell = params.points is not None and (self.usual - self.share) * 100 >= float(params.points) - HAIR
        below = params.below_percent is not None and self.share < self.usual * float(params.below_percent) / 100 - HAIR
        return fell or below


HAIR = 1e-9
"""Shares that should be equal may differ by this, from rounding."""


def _median(parts: Row, wholes: Row) -> float:
    return history.median_of([part / whole for part, whole in zip(parts, wholes, strict=True) if part >= 0 < whole])


def _observation(
    view: SpendView, rule: Rule[CacheCollapse], key: ScopeKey, found: _Day, active_days: int
) -> Observation:
    expected = found.tokens * found.rate
    place = len(view.days) - 2
    return Observation(
        candidate=found.collapsed(rule.params) and found.spent > expected,
        actual=found.spent,
        expected=expected,
        unit=DOLLARS_A_DAY,
        cause=_cause(subject(view, rule.scope, key), day(view.days[place]), rule.params, found),
        inputs=(
            ("cached share of the input", percent(found.share * 100)),
            (f"median of the {rule.params.days} days before", percent(found.usual * 100)),
            ("input tokens", _count(found.tokens)),
            ("usual dollars per million input tokens", dollars(found.rate * 1_000_000)),
        ),
        active_days=active_days,
        days=(view.days[place],),
    )


def _cause(who: str, when: str, params: CacheCollapse, found: _Day) -> str:
    if math.isnan(found.share):
        needed = _count(params.min_input_tokens)
        return f"{who} had {_count(found.tokens)} input tokens on {when}; caching is judged from {needed} on."
    read = f"{who} read {percent(found.share * 100)} of its input from the cache on {when}"
    if math.isnan(found.usual):
        return f"{read}; there is nothing to compare it with yet."
    return (
        f"{read}; the median of the {params.days} days before is {percent(found.usual * 100)}. At its usual dollars "
        f"per input token the day would have cost {dollars(found.tokens * found.rate)}; it cost {dollars(found.spent)}."
    )


def _count(tokens: float) -> str:
    return "an unknown number of" if math.isnan(tokens) else f"{tokens:,.0f}"


KIND = RuleKind(
    name="cache_collapse",
    title="Cache collapse",
    description="The cached part of the input falls, and the same input costs more.",
    params=CacheCollapse,
    observe=observe,
    validate=validate,
    gates=Gates(min_percent=Decimal(10), min_active_days=7),
    lookback=lambda params: Lookback({"days": params.days}),
    words=KindWords("{who}: less input from the cache cost {excess} more {when}"),
    backtesting=Backtesting(dimensions=own_figures),
)
