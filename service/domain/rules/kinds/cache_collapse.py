"""`cache_collapse`: the cached part of the input falls, so that the same work costs more."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated

from service.domain.rules import history, limits
from service.domain.rules.feedback import NO_FEEDBACK, Feedback, counted, raised, stricter
from service.domain.rules.history import Row
from service.domain.rules.kind import KindWords, Lookback, RuleKind
from service.domain.rules.kinds.judged_days import naming_others, told_of
from service.domain.rules.rule import DOLLARS_A_DAY, Gates, Observation, Rule
from service.domain.rules.view import NOTHING, DayFigures, SpendView
from service.domain.rules.wording import day, dollars, percent, subject
from service.domain.values.errors import Invalid
from service.domain.values.parameters import Parameter
from service.domain.values.scopes import CELL_DIMENSIONS, FINEST, Cell, Dimension, ScopeKey

POINTS = Parameter(
    "Falls by, percentage points", "How far the share of the input that comes from the cache falls below its median."
)
BELOW_PERCENT = Parameter(
    "Or falls below, percent of its median", "The same, by the part of the median that is left of that share."
)
MEDIAN_DAYS = Parameter("Days in the median", "How many whole UTC days before it is taken over.")
MIN_INPUT_TOKENS = Parameter("Least input tokens a day", "A day with fewer is not looked at.")


@dataclass(frozen=True, slots=True)
class CacheCollapse:
    """It falls by `points` percentage points, or below `below_percent` of its median; None: that one is not asked.

    The median is that of the `days` before. Only days of `min_input_tokens` are looked at.
    """

    points: Annotated[Decimal | None, POINTS] = Decimal(30)
    below_percent: Annotated[Decimal | None, BELOW_PERCENT] = None
    days: Annotated[int, MEDIAN_DAYS] = 14
    min_input_tokens: Annotated[int, MIN_INPUT_TOKENS] = 1_000_000


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
    """One observation per scope, of a closed day.

    `expected` is what the day would have cost with its usual cache, so the gates weigh the dollars that the collapse
    cost, not how far a percentage fell.
    """
    dimension = rule.for_each or Dimension.ORGANISATION
    spend = view.series(dimension, rule.scope, lambda figures: figures.spend)
    tokens = view.series(dimension, rule.scope, lambda figures: figures.input_tokens)
    reads = view.series(dimension, rule.scope, lambda figures: figures.cache_read_tokens)
    observations = {}
    for key, cells in view.members(dimension, rule.scope).items() if view.closed_days else ():
        scope = _Scope(view, rule, key, cells, spend[key], tokens[key], reads[key], feedback)
        seen = [scope.observation(place) for place in view.closed_days]
        gates = stricter(rule.gates, raised(feedback, key, view.as_of))
        observations[key] = naming_others(told_of(seen, gates, seen[0]), seen, gates)
    return observations


@dataclass(frozen=True, slots=True)
class _Scope:
    """One scope's cells, with its dollars, input tokens and cache reads by day."""

    view: SpendView
    rule: Rule[CacheCollapse]
    key: ScopeKey
    cells: Sequence[Cell]
    spend: Row
    tokens: Row
    reads: Row
    feedback: Sequence[Feedback]

    def observation(self, place: int) -> Observation:
        least, days = self.rule.params.min_input_tokens, self.view.days
        usable = [value if value >= least else history.UNKNOWN for value in self.tokens]
        past = slice(max(0, place - self.rule.params.days), place)
        comparable = counted(usable, days, self.feedback, self.key, self.view.as_of)[past]
        found = _Day(
            spent=history.known(self.spend, place),
            tokens=self.tokens[place],
            share=self.reads[place] / usable[place],
            usual=_median(self.reads[past], comparable),
            rate=_median(self.spend[past], comparable),
        )
        if found.collapsed(self.rule.params):
            compared = [day for day, value in zip(days[past], comparable, strict=True) if value >= 0]
            found = replace(found, lost=_lost(self.view, self.cells, compared, days[place]))
        return _observation(self.view, self.rule, self.key, place, found, history.active_days(usable, place))


OUTPUT_PRICE, READ_PRICE = 5.0, 0.1
"""The list prices of output and of cache reads, as multiples of the model's input price. Output costs five times as
much with every model, a read a tenth (of the newest ones less): https://platform.claude.com/docs/en/about-claude/pricing
"""


@dataclass(frozen=True, slots=True)
class LostReads:
    """The input tokens that would have come from the cache as usual and did not, and the dollars that this cost."""

    tokens: float = 0.0
    dollars: float = 0.0


@dataclass(frozen=True, slots=True)
class _Day:
    """The judged day: dollars, input tokens, the cached share (0..1, NaN with too few tokens), and the medians before:
    the cached share, and dollars per input token. `lost` is there where the share has collapsed."""

    spent: float
    tokens: float
    share: float
    usual: float
    rate: float
    lost: LostReads | None = None

    @property
    def cost(self) -> float:
        """The dollars of the lost cache: at most what the day cost above its usual dollars per input token, since a
        cheaper model may have paid for some."""
        above = self.spent - self.tokens * self.rate
        return above if self.lost is None else min(above, self.lost.dollars)

    def collapsed(self, params: CacheCollapse) -> bool:
        fell = params.points is not None and (self.usual - self.share) * 100 >= float(params.points) - HAIR
        below = params.below_percent is not None and self.share < self.usual * float(params.below_percent) / 100 - HAIR
        return fell or below


def _lost(view: SpendView, cells: Iterable[Cell], days: Sequence[date], judged: date) -> LostReads:
    """The lost reads of each cell, at what it paid itself: models differ in their prices, keys in their caches.

    What people and products spent is put together: tokens are known by workspace, model and key alone.
    """
    homes: dict[Cell, list[Mapping[date, DayFigures]]] = defaultdict(list)
    for cell in cells:
        homes[cell.at(FINEST)].append(view.cells[cell])
    workspaces: dict[str, list[_Use]] = defaultdict(list)
    for home, parts in homes.items():
        use = _Use(_together(parts, judged), [_together(parts, day) for day in days])
        workspaces[home.workspace].append(use)
    lost = [one for uses in workspaces.values() for one in _lost_by(uses)]
    return LostReads(sum(one.tokens for one in lost), sum(one.dollars for one in lost))


@dataclass(frozen=True, slots=True)
class _Use:
    """One cell's figures of the judged day, and of the days before that it is compared with."""

    used: DayFigures
    past: Sequence[DayFigures]

    @property
    def usual(self) -> float:
        """The cached share that is usual; NaN where it has no past."""
        return _usual_share(self.past)

    def lost(self, tokens: float) -> LostReads:
        """The price of so many lost reads, by what the day itself cost."""
        used = self.used
        paid = used.input_tokens - (1 - READ_PRICE) * used.cache_read_tokens + OUTPUT_PRICE * used.output_tokens
        return LostReads(tokens, tokens * (1 - READ_PRICE) * used.spend / paid) if paid > 0 else LostReads()


def _lost_by(uses: Sequence[_Use]) -> Iterator[LostReads]:
    """The lost reads of each of a workspace's cells. One without a past is compared with the workspace's.

    So is a key that was rotated, or a model's successor, on the day its cache breaks. Together they lose at most the
    reads that the workspace usually has and those with a past do not account for: what is added had no cache to lose.
    """
    known = [use for use in uses if not math.isnan(use.usual)]
    expected = [use.usual * use.used.input_tokens for use in known]
    yield from (use.lost(reads - use.used.cache_read_tokens) for use, reads in zip(known, expected, strict=True))
    past = [_added(day) for day in zip(*(use.past for use in uses), strict=True)]
    missing = history.median_of([day.cache_read_tokens for day in past if day.input_tokens > 0]) - sum(expected)
    fresh = [use for use in uses if math.isnan(use.usual)]
    wanted = [_usual_share(past) * use.used.input_tokens for use in fresh]
    share = min(1.0, missing / sum(wanted)) if missing > 0 and sum(wanted) > 0 else 0.0
    for use, reads in zip(fresh, wanted, strict=True):
        tokens = share * reads - use.used.cache_read_tokens
        if tokens > 0:
            yield use.lost(tokens)


def _usual_share(past: Sequence[DayFigures]) -> float:
    return _median([one.cache_read_tokens for one in past], [one.input_tokens for one in past])


def _together(parts: Sequence[Mapping[date, DayFigures]], day: date) -> DayFigures:
    return _added([part.get(day, NOTHING) for part in parts])


def _added(figures: Sequence[DayFigures]) -> DayFigures:
    if len(figures) == 1:
        return figures[0]
    return DayFigures(
        spend=sum(one.spend for one in figures),
        input_tokens=sum(one.input_tokens for one in figures),
        cache_read_tokens=sum(one.cache_read_tokens for one in figures),
        output_tokens=sum(one.output_tokens for one in figures),
    )


HAIR = 1e-9
"""Shares that should be equal may differ by this, from rounding."""


def _median(parts: Row, wholes: Row) -> float:
    return history.median_of([part / whole for part, whole in zip(parts, wholes, strict=True) if part >= 0 < whole])


def _observation(
    view: SpendView, rule: Rule[CacheCollapse], key: ScopeKey, place: int, found: _Day, active_days: int
) -> Observation:
    return Observation(
        candidate=found.lost is not None and found.cost > 0,
        actual=found.spent,
        expected=found.spent - found.cost,
        unit=DOLLARS_A_DAY,
        cause=_cause(subject(view, rule.scope, key), day(view.days[place]), rule.params, found),
        inputs=(
            ("cached share of the input", percent(found.share * 100)),
            (f"median of the {rule.params.days} days before", percent(found.usual * 100)),
            ("input tokens", _count(found.tokens)),
            *_lost_inputs(found),
            ("usual dollars per million input tokens", dollars(found.rate * 1_000_000)),
        ),
        active_days=active_days,
        days=(view.days[place],),
    )


def _lost_inputs(found: _Day) -> tuple[tuple[str, str], ...]:
    if found.lost is None:
        return ()
    return (
        ("of them usually cached, and not now", _count(found.lost.tokens)),
        ("cost of the lost cache", dollars(max(found.cost, 0.0))),
    )


def _cause(who: str, when: str, params: CacheCollapse, found: _Day) -> str:
    if math.isnan(found.share):
        needed = _count(params.min_input_tokens)
        return f"{who} had {_count(found.tokens)} input tokens on {when}; caching is judged from {needed} on."
    read = f"{who} read {percent(found.share * 100)} of its input from the cache on {when}"
    if math.isnan(found.usual):
        return f"{read}; there is nothing to compare it with yet."
    compared = f"{read}; the median of the {params.days} days before is {percent(found.usual * 100)}."
    if found.lost is None or not found.cost > 0:
        return f"{compared} It cost {dollars(found.spent)}."
    return (
        f"{compared} The lost cache cost about {dollars(found.cost)}: with it the day would have cost "
        f"{dollars(found.spent - found.cost)}; it cost {dollars(found.spent)}."
    )


def _count(tokens: float) -> str:
    return "an unknown number of" if math.isnan(tokens) else f"{tokens:,.0f}"


KIND = RuleKind(
    name="cache_collapse",
    title="Cache collapse",
    description="The cached part of the input falls, and what is not cached any more costs.",
    params=CacheCollapse,
    observe=observe,
    validate=validate,
    for_each=CELL_DIMENSIONS,
    gates=Gates(min_percent=Decimal(10), min_active_days=7),
    lookback=lambda params: Lookback({"days": params.days}),
    words=KindWords("{who}: the lost cache cost {excess} {when}"),
)
