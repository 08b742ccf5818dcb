"""A first budget for an organisation of which only its last days are known."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

from service.domain.values.money import ZERO, Money

HEADROOM = Decimal("1.2")
"""Spend may grow by a fifth before the budget is used up."""


def suggested_amount(last_month: Money) -> Money | None:
    """Returns a monthly amount above what the last 30 days cost: two digits and zeros. None where nothing was spent."""
    wanted = last_month.usd * HEADROOM
    if last_month <= ZERO:
        return None
    unit = Decimal(1).scaleb(max(wanted.adjusted() - 1, 0))
    return Money((wanted / unit).quantize(Decimal(1), ROUND_UP) * unit)
