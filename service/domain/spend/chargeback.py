"""Who pays which part of a month: cents that add up to the whole, and what belongs to nobody as a line of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from service.domain.spend.questions import Figure
from service.domain.values.money import Money
from service.domain.values.scopes import ScopeKey

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ChargebackLine:
    """`cents` is what is charged: whole cents, near the exact amount of `figure`."""

    key: ScopeKey
    figure: Figure
    cents: Money


@dataclass(frozen=True, slots=True)
class Chargeback:
    """`lines` are of who can be named, the largest first; `nobody` is the part without a name, if there is any."""

    lines: tuple[ChargebackLine, ...]
    nobody: ChargebackLine | None
    total: Money


def charge_back(groups: Iterable[tuple[ScopeKey, Figure]]) -> Chargeback:
    """Divides a month: each line in whole cents, which add up to the whole in cents."""
    ordered = sorted(groups, key=lambda one: (-one[1].spend.total.usd, one[0].id))
    cents = to_the_cent([figure.spend.total for _, figure in ordered])
    lines = [ChargebackLine(key, figure, part) for (key, figure), part in zip(ordered, cents, strict=True)]
    return Chargeback(
        lines=tuple(line for line in lines if line.key.id),
        nobody=next((line for line in lines if not line.key.id), None),
        total=Money.total(cents),
    )


def to_the_cent(amounts: Sequence[Money]) -> list[Money]:
    """Rounds each to a cent so that they add up to their sum in cents, each less than a cent from exact.

    All are rounded down, and the cents that are left over go to the largest remainders (Hamilton's method).
    """
    whole = Money.total(amounts).usd.quantize(_CENT, ROUND_HALF_EVEN)
    floors = [amount.usd.quantize(_CENT, ROUND_FLOOR) for amount in amounts]
    left = int((whole - sum(floors, Decimal(0))) / _CENT)
    favoured = _largest_remainders({place: amount.usd - floors[place] for place, amount in enumerate(amounts)}, left)
    return [Money(floor + _CENT if place in favoured else floor) for place, floor in enumerate(floors)]


def _largest_remainders(remainders: Mapping[int, Decimal], number: int) -> set[int]:
    return set(sorted(remainders, key=lambda place: (-remainders[place], place))[:number])
