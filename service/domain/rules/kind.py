"""A kind of rule: one value that holds all that the product has to know of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic

from service.domain.rules.backtesting import NOTHING_LEFT_OUT, Backtesting
from service.domain.rules.feedback import Feedback
from service.domain.rules.rule import Gates, Observation, Params_co, Rule
from service.domain.rules.view import SpendView
from service.domain.values.scopes import Dimension, ScopeKey

EVERY_DIMENSION = tuple(dimension for dimension in Dimension if dimension is not Dimension.ORGANISATION)


@dataclass(frozen=True, slots=True)
class Lookback:
    """How much of the past a rule looks at.

    `days`: its parameters that are numbers of whole UTC days, by name. A view holds them one after the other, and the
    stored history must be as long as each. `hours`: the newest UTC hours that are over. `ever`: it asks whether
    something has happened before, so that its view is as long as any.
    """

    days: Mapping[str, int] = field(default_factory=dict)
    hours: int = 0
    ever: bool = False


@dataclass(frozen=True, slots=True)
class KindWords:
    """The words of a kind's alerts. `headline` is one line, and may name {who}, {spent}, {excess}, {when} and {usual}.

    `over` is what an alert that has ended by itself says of {who}. `next_step` is what to do, where there is no key to
    stop. `normal` is what an excess is above or below, and `remark` is said beside every figure.
    """

    headline: str = "{who}: {spent} {when}, {usual}"
    over: str = "the rule no longer objects to {who}"
    next_step: str = ""
    normal: str = "normal"
    remark: str = ""


BACK_TO_NORMAL = "{who} was back to normal"


@dataclass(frozen=True, slots=True)
class JudgedBucket:
    """A UTC day or hour by its start. Dollars as floats: `amount` is NaN where unknown.

    `low` to `high` is what the score lets pass; these and `expected` are NaN where nothing was expected.
    """

    start: datetime
    amount: float
    expected: float
    low: float
    high: float

    @property
    def has_limits(self) -> bool:
        return math.isfinite(self.high)


Bands = Mapping[ScopeKey, Sequence[JudgedBucket]]
USUAL_GATES = Gates()


def _anything(rule: Rule[object]) -> None:
    """Accepts the parameters, whatever they are."""


def _no_levels(params: object) -> Collection[Dimension]:
    return ()


def _no_lookback(params: object) -> Lookback:
    return Lookback()


@dataclass(frozen=True, slots=True)
class RuleKind(Generic[Params_co]):
    """A kind of rule. Only the first five fields have no default.

    `name` is what is stored and what documents say. `params` is the dataclass of the parameters, all of which have
    defaults. `observe` gives one observation for each scope in the view, as it is at `view.as_of`; it is pure.

    `validate` raises Invalid for parameters that mean nothing. `gates` hold where a rule gives none. `for_each`: the
    dimensions that a rule may be repeated over. `lookback`: how much of the past the parameters ask for. `words`: what
    its alerts say. `backfill_days`: the UTC days that are read back for an enabled rule, where they are not stored.
    `judges_spend`: False where it judges how the source is read. `calibrated`: it guesses at what is unusual, and is
    held against its own past each week. `backtesting`: what a backtest may leave out, and
    the settings that it tries. `band`: of some scopes the newest days, or hours where the view has any, with what was
    expected of each, for a chart; None where the kind has no such limits. `levels`: the dimensions whose members may
    fire, where the parameters name them. `claude_code_days`: the UTC days before today of people's use of Claude Code
    that it judges in place of spend; 0 where it judges none. No version of such days is kept, and no bill shows them.
    `expects_planned`: it adds planned activities to what it expects.
    """

    name: str
    title: str
    description: str
    params: type[Params_co]
    observe: Callable[[SpendView, Rule[Params_co], Sequence[Feedback]], Mapping[ScopeKey, Observation]]
    validate: Callable[[Rule[Params_co]], None] = _anything
    gates: Gates = USUAL_GATES
    for_each: tuple[Dimension, ...] = EVERY_DIMENSION
    lookback: Callable[[Params_co], Lookback] = _no_lookback
    words: KindWords = KindWords()
    backfill_days: int = 0
    judges_spend: bool = True
    calibrated: bool = False
    backtesting: Backtesting[Params_co] = NOTHING_LEFT_OUT
    band: Callable[[SpendView, Rule[Params_co], Sequence[Feedback], Collection[ScopeKey]], Bands] | None = None
    levels: Callable[[Params_co], Collection[Dimension]] = _no_levels
    claude_code_days: int = 0
    expects_planned: bool = False

    @property
    def judges_bill(self) -> bool:
        """Whether what it judges is on the bill: then it has a scope, a picture, and a past to be judged once more."""
        return self.judges_spend and not self.claude_code_days
