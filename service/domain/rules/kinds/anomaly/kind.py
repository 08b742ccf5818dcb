"""`anomaly` as the registry knows it: its words, its windows, and how a backtest treats it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from service.domain.detectors.scores import Sensitivity
from service.domain.rules.backtesting import Backtesting, Setting
from service.domain.rules.kind import BACK_TO_NORMAL, KindWords, Lookback, RuleKind
from service.domain.rules.kinds.anomaly.band import judged_buckets
from service.domain.rules.kinds.anomaly.calm import LEAST_OPEN
from service.domain.rules.kinds.anomaly.glance import HourGlimpses, dimensions, may_fire
from service.domain.rules.kinds.anomaly.ground import LEARNING_HOURS
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity, observe
from service.domain.rules.kinds.anomaly.rule import validate as check_parameters
from service.domain.rules.rule import Gates, Rule
from service.domain.rules.view import LEARNING_DAYS
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.scopes import tells_spenders


def lookback(params: Anomaly) -> Lookback:
    return Lookback(hours=0 if params.granularity is AnomalyGranularity.DAYS else LEARNING_HOURS)


def validate(rule: Rule[Anomaly]) -> None:
    """Raises Invalid."""
    check_parameters(rule)
    told = rule.scope.grain.union(rule.params.levels, [rule.for_each] if rule.for_each else [])
    if rule.params.granularity is AnomalyGranularity.HOURS and tells_spenders(told):
        raise Invalid("actors and products are known by whole days", "/params/granularity")


def sensitivities(rule: Rule[Anomaly]) -> Iterable[Setting]:
    """The sweep: every sensitivity of the detector."""
    for sensitivity in (Sensitivity.HIGH, Sensitivity.NORMAL, Sensitivity.LOW):
        changed = replace(rule, params=replace(rule.params, sensitivity=sensitivity))
        yield Setting(f"sensitivity {sensitivity.name.lower()}", sensitivity is rule.params.sensitivity, changed)


KIND = RuleKind(
    name="anomaly",
    title="Unusual spend",
    description="A day or an hour is unlike what the organisation, or a part of it, usually spends.",
    params=Anomaly,
    observe=observe,
    validate=validate,
    lookback=lookback,
    words=KindWords(over=BACK_TO_NORMAL),
    calibrated=True,
    backfill_days=LEARNING_DAYS,  # it judges a short history by coarser means
    backtesting=Backtesting(
        sweep=sensitivities, dimensions=dimensions, may_fire=may_fire, hours=HourGlimpses, least_open=LEAST_OPEN
    ),
    gates=Gates(min_amount=Money(Decimal(1))),
    band=judged_buckets,
    levels=lambda params: params.levels,
    expects_planned=True,
)
"""Its own gate follows the organisation's day. `min_amount` is what a person asks for beyond that, of an hour in that
hour: days find slower losses."""
