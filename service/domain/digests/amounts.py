"""How digests write changes of amounts."""

from __future__ import annotations

from service.domain.values.money import ZERO, Money

SMALLEST_MOVE = Money.of("0.01")


def signed(change: Money) -> str:
    """ "+$12.00", "-$835"."""
    return f"{'+' if change > ZERO else '-'}{abs(change).brief()}"
