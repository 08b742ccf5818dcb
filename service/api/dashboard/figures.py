"""Shows figures on pages: dollars to the cent with the exact amount behind them, and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.domain.spend.best_known import Basis
from service.domain.spend.questions import Figure
from service.domain.values.money import ZERO, Money
from service.domain.values.plain_text import percentage, short_day

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class ShownMoney:
    """`shown` is to the cent, `exact` what stands behind it."""

    shown: str
    exact: str


def dollars(amount: Money) -> ShownMoney:
    return ShownMoney(amount.display(), amount.in_full())


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day of a chart of 100 by 100: `x` and `width` along it, `height` of it. `words` say all of it."""

    x: str
    width: str
    y: str
    height: str
    words: str
    is_estimate: bool


def day_bars(days: Sequence[tuple[datetime, Figure]]) -> list[DayBar]:
    """Returns a bar a day, the largest as high as the chart; a credit has none."""
    highest = max((figure.spend.total for _, figure in days), default=ZERO)
    step = HUNDRED / max(1, len(days))
    bars = []
    for place, (day, figure) in enumerate(days):
        amount = figure.spend.total
        height = amount.ratio_to(highest) * HUNDRED if amount > ZERO else Decimal(0)
        is_estimate = figure.spend.basis is not Basis.BILLED
        words = f"{short_day(day.date())}: {amount.display()}, {figure.spend.basis}"
        at, wide = _number(step * place), _number(step * Decimal("0.8"))
        bars.append(DayBar(at, wide, _number(HUNDRED - height), _number(height), words, is_estimate))
    return bars


@dataclass(frozen=True, slots=True)
class ShareBar:
    """A bar of 100: how far it is filled, and where its mark stands. `words` say both."""

    filled: str
    mark: str
    words: str
    is_over: bool


def share_bar(percent: Decimal | None, passed: Decimal) -> ShareBar:
    """Returns the bar of a budget: the part of its amount that is spent, and the part of its period that is over."""
    filled = HUNDRED if percent is None else min(HUNDRED, max(Decimal(0), percent))
    spent = "nothing may be spent" if percent is None else f"{percentage(percent)} spent"
    words = f"{spent}; {percentage(passed)} of the period is over"
    return ShareBar(_number(filled), _number(min(HUNDRED, passed)), words, percent is None or percent >= HUNDRED)


def _number(value: Decimal) -> str:
    return f"{value:.2f}"
