"""Histories for tests: days that became known one way and perhaps another way later. Day 1 is 1 September 2026."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from service.domain.backtest.history import Recorded
from service.domain.rules.backtesting import Setting
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.registry import KINDS, kind_of
from service.domain.rules.rule import Rule
from service.domain.spend.best_known import DayVersion, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell

CELL = Cell("wrkspc_eng", "claude-sonnet-4-5", "apikey_ci")
FIRST = date(2026, 9, 1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
USUAL = "50.00"


def day(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def version(number: int, dollars: str, *, known: int | None = None, assumed: bool = False) -> DayVersion:
    """What day `number` was known to be at the end of day `known`: its own, where nothing is said."""
    cells = {CELL: SpendDay(Spend(billed=Money.of(dollars)))} if dollars != "0" else {}
    return DayVersion(day(number), day(known or number), assumed, settled=False, cells=cells)


def past(days: int, *others: DayVersion, special: Mapping[int, str] | None = None) -> Recorded:
    """So many days at the usual price but for the special ones, each known at its end; `others` replace or restate."""
    replaced = {(one.day, one.known_on) for one in others}
    usual = [version(number, (special or {}).get(number, USUAL)) for number in range(1, days + 1)]
    kept = [one for one in usual if (one.day, one.known_on) not in replaced]
    return Recorded("src_1", sorted([*kept, *others], key=lambda one: (one.known_on, one.day)), {})


def rule(params: object | None = None, kind: str = "change") -> Resource[Rule[object]]:
    params = params or Change(against=Against.TRAILING_MEDIAN)
    spec: Rule[object] = Rule("src_1", kind, params, gates=KINDS[kind].gates)
    return Resource("rule_1", "unusual", 1, LONG_AGO, LONG_AGO, {}, spec)


def settings_of(rule: Rule[object]) -> tuple[Setting, ...]:
    return tuple(kind_of(rule).backtesting.sweep(rule))
