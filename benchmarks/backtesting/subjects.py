"""The rules and budgets that are replayed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from backtesting.numbers import NOW, SOURCE
from service.domain.backtest.backtest import Subject
from service.domain.budgets.budget import Budget, Threshold
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope
from service.domain.values.severity import Severity


def subjects() -> Mapping[str, Subject]:
    change = Change(Against.TRAILING_MEDIAN)
    return {
        "anomaly by day, organisation and workspaces": rule("anomaly", Anomaly(AnomalyGranularity.DAYS)),
        "the same, by day and by hour": rule("anomaly", Anomaly()),
        "change, of the organisation": rule("change", change),
        "change, for each workspace": rule("change", change, Dimension.WORKSPACE),
        "change, for each API key": rule("change", change, Dimension.API_KEY),
        "budget, monthly": budget("250000.00"),
        "budget, monthly, for each API key": budget("1250.00", Dimension.API_KEY),
    }


def rule(kind: str, params: object, for_each: Dimension | None = None) -> Resource[Rule[object]]:
    spec: Rule[object] = Rule(SOURCE, kind, params, for_each=for_each, gates=KINDS[kind].gates)
    return Resource("", kind, 0, NOW, NOW, {}, spec)


def budget(dollars: str, for_each: Dimension | None = None) -> Resource[Budget]:
    thresholds = (Threshold(Severity.WARNING, percent=Decimal(80)), Threshold(Severity.CRITICAL, percent=Decimal(100)))
    spec = Budget(SOURCE, Scope(), Money.of(dollars), PeriodSpec(PeriodKind.MONTHLY), thresholds, for_each)
    return Resource("", "budget", 0, NOW, NOW, {}, spec)
