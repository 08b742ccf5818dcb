"""`model_shift`: a more expensive model takes over a part of a scope's spend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from service.domain.rules import history, limits
from service.domain.rules.feedback import NO_FEEDBACK, Feedback, counted, raised, stricter
from service.domain.rules.history import Row
from service.domain.rules.kind import KindWords, Lookback, RuleKind
from service.domain.rules.kinds.beginnings import named
from service.domain.rules.kinds.judged_days import naming_others, told_of
from service.domain.rules.planned import extras
from service.domain.rules.rule import DOLLARS_A_DAY, Gates, Observation, Rule
from service.domain.rules.view import DayFigures, SpendView
from service.domain.rules.wording import about, day, dollars, percent
from service.domain.values.names import name_of
from service.domain.values.parameters import Parameter
from service.domain.values.plain_text import clean
from service.domain.values.scopes import Dimension, ScopeKey

Rows = Mapping[ScopeKey, list[float]]


GROWTH = Parameter(
    "Grows by, percentage points", "How far a model's share of the spend rises above its share of the days before."
)
DAYS_BEFORE = Parameter("Days compared with", "How many whole UTC days before make its usual share.")


@dataclass(frozen=True, slots=True)
class ModelShift:
    """`points`: by how many percentage points a model's share of the spend rises above that of the `days` before."""

    points: Annotated[Decimal, GROWTH] = Decimal(20)
    days: Annotated[int, DAYS_BEFORE] = 28


def validate(rule: Rule[ModelShift]) -> None:
    params = rule.params
    limits.points(params.points, "/params/points")
    limits.window(params.days, "/params/days")


@dataclass(frozen=True, slots=True)
class _Shift:
    """One model's share (0..1) of a scope's dollars on a day and in the days before, and dollars per token."""

    model: ScopeKey
    share: float
    usual: float
    rate: float
    others: float

    @property
    def points(self) -> float:
        return (self.share - self.usual) * 100

    @property
    def costs_more(self) -> bool:
        """Where tokens are not known, a larger share of the dollars has to do."""
        return math.isnan(self.rate) or math.isnan(self.others) or self.rate > self.others


def observe(
    view: SpendView, rule: Rule[ModelShift], feedback: Sequence[Feedback] = NO_FEEDBACK
) -> Mapping[ScopeKey, Observation]:
    """One observation per scope, of a closed day and of the more expensive model whose share grew most."""
    members = view.members(rule.for_each or Dimension.ORGANISATION, rule.scope)
    announced = extras(view.planned, members, view.days)
    observations = {}
    for key, cells in members.items() if view.closed_days else ():
        part = view.only(cells)
        spend = named(part.series(Dimension.MODEL, rule.scope, lambda figures: max(figures.spend, 0.0)))
        tokens = part.series(Dimension.MODEL, rule.scope, _tokens)
        total = [math.fsum(values) for values in zip(*spend.values(), strict=True)] or [0.0] * len(view.days)
        row = counted(total, view.days, feedback, key, view.as_of)
        planned = announced.get(key, [0.0] * len(view.days))
        seen = [
            _observation(view, rule, key, place, total, _largest(rule, spend, tokens, row, place), planned[place])
            for place in view.closed_days
        ]
        gates = stricter(rule.gates, raised(feedback, key, view.as_of))
        observations[key] = naming_others(told_of(seen, gates, seen[0]), seen, gates)
    return observations


def _largest(rule: Rule[ModelShift], spend: Rows, tokens: Rows, row: Row, place: int) -> _Shift | None:
    """The more expensive model whose share grew most on a day; one of the others where none is."""
    past = [at for at in range(max(0, place - rule.params.days), place) if row[at] > 0]
    shifts = [_shift(model, spend, tokens, past, place) for model in spend]
    return max(shifts, key=lambda shift: (shift.costs_more, shift.points), default=None)


def _tokens(figures: DayFigures) -> float:
    return figures.input_tokens + figures.output_tokens


def _shift(model: ScopeKey, spend: Rows, tokens: Rows, past: Sequence[int], closed: int) -> _Shift:
    everyone, others = list(spend), [key for key in spend if key != model]
    return _Shift(
        model=model,
        share=_ratio(_sum(spend, [model], [closed]), _sum(spend, everyone, [closed])),
        usual=_ratio(_sum(spend, [model], past), _sum(spend, everyone, past)),
        rate=_ratio(_sum(spend, [model], [*past, closed]), _sum(tokens, [model], [*past, closed])),
        others=_ratio(_sum(spend, others, [*past, closed]), _sum(tokens, others, [*past, closed])),
    )


def _sum(rows: Rows, keys: Sequence[ScopeKey], places: Sequence[int]) -> float:
    return math.fsum(rows[key][place] for key in keys for place in places)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else history.UNKNOWN


def _observation(
    view: SpendView, rule: Rule[ModelShift], key: ScopeKey, place: int, total: Row, shift: _Shift | None, planned: float
) -> Observation:
    spent, usual = (shift.share, shift.usual) if shift is not None else (history.UNKNOWN, history.UNKNOWN)
    points = (spent - usual) * 100
    actual = spent * total[place] if total[place] > 0 else total[place]
    expected = usual * total[place] + planned
    when = day(view.days[place])
    return Observation(
        candidate=shift is not None and shift.costs_more and _reaches(points, rule.params.points) and actual > expected,
        actual=actual,
        expected=expected,
        unit=DOLLARS_A_DAY,
        cause=_cause(view, rule, shift, f"{about(view, rule.scope, key)}'s spend on {when}"),
        inputs=_inputs(view, shift, total[place]),
        active_days=history.active_days(total, place),
        days=(view.days[place],),
    )


def _reaches(points: float, needed: Decimal) -> bool:
    """With a hair's breadth for the rounding of shares."""
    return points >= float(needed) - 1e-9


def _cause(view: SpendView, rule: Rule[ModelShift], shift: _Shift | None, spend: str) -> str:
    if shift is None or math.isnan(shift.share):
        return f"No model's share of {spend} is known."
    model = _model(view, shift)
    share = f"{model} was {percent(shift.share * 100)} of {spend}"
    if math.isnan(shift.usual):
        return f"{share}; there is nothing to compare it with yet."
    return f"{share}, and {percent(shift.usual * 100)} of it over the {rule.params.days} days before{_rates(shift)}."


def _rates(shift: _Shift) -> str:
    if math.isnan(shift.rate) or math.isnan(shift.others):
        return ""
    return f"; it costs {_per_million(shift.rate)} per million tokens, the others {_per_million(shift.others)}"


def _inputs(view: SpendView, shift: _Shift | None, total: float) -> tuple[tuple[str, str], ...]:
    if shift is None:
        return ()
    return (
        ("model", _model(view, shift)),
        ("share", percent(shift.share * 100)),
        ("usual share", percent(shift.usual * 100)),
        ("spend of all models", dollars(total)),
        ("dollars per million tokens", _per_million(shift.rate)),
        ("the others' dollars per million tokens", _per_million(shift.others)),
    )


def _per_million(rate: float) -> str:
    return dollars(rate * 1_000_000)


def _model(view: SpendView, shift: _Shift) -> str:
    return clean(name_of(shift.model, view.names))


KIND = RuleKind(
    name="model_shift",
    title="Shift to a more expensive model",
    description="A more expensive model takes over a part of the spend.",
    params=ModelShift,
    observe=observe,
    validate=validate,
    gates=Gates(min_active_days=7),
    for_each=(Dimension.WORKSPACE, Dimension.API_KEY),
    lookback=lambda params: Lookback({"days": params.days}),
    words=KindWords("{who}: {spent} on a more expensive model {when}, {usual}"),
    expects_planned=True,
)
