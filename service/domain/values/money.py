"""US dollars, exact."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, localcontext
from itertools import accumulate, pairwise

PLACES = 12
_QUANTUM = Decimal(1).scaleb(-PLACES)
_CENT = Decimal("0.01")
_MILLIONTH = Decimal("0.000001")
_NO_CENTS_FROM = Decimal(100)
_LIMIT = Decimal(10) ** 12
# Python's default of 28 digits would round a sum of large amounts; NUMERIC(24,12) needs 24, products more.
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN)
# Short enough to be read without rounding; no infinity, no underscores, no digits of other scripts.
_TEXT = re.compile(r"[-+]?[0-9]{1,20}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """US dollars, exact to twelve decimal places, below a trillion. Never built from a float.

    Raises ValueError for an amount that is not finite, too large, or finer than twelve places.
    """

    usd: Decimal

    def __post_init__(self) -> None:
        if not isinstance(self.usd, Decimal):
            raise TypeError(f"Money takes a Decimal, not {type(self.usd).__name__}")
        if not self.usd.is_finite() or abs(self.usd) >= _LIMIT:
            raise ValueError(f"not an amount of money: {self.usd}")
        if not self.usd.same_quantum(_QUANTUM) and _is_finer(self.usd):
            raise ValueError(f"finer than {PLACES} decimal places of a dollar: {self.usd}")

    @classmethod
    def of(cls, text: str) -> Money:
        """Dollars from decimal text, such as "5000.00"."""
        return cls(_decimal(text))

    @classmethod
    def rounded(cls, usd: Decimal) -> Money:
        """A computed amount (a share, tokens times a rate), rounded half-even to twelve places."""
        try:
            return cls(_quantize(usd))
        except InvalidOperation as error:
            raise ValueError(f"not an amount of money: {usd}") from error

    @classmethod
    def total(cls, amounts: Iterable[Money]) -> Money:
        """The sum, in the order given. Only it must be an amount of money, not what it has passed on the way."""
        usd, add = Decimal(0), _CONTEXT.add
        for amount in amounts:
            usd = add(usd, amount.usd)
        return _sum(usd)

    def __add__(self, other: Money) -> Money:
        return _sum(_CONTEXT.add(self.usd, other.usd))

    def __sub__(self, other: Money) -> Money:
        return _sum(_CONTEXT.subtract(self.usd, other.usd))

    def __neg__(self) -> Money:
        return _sum(-self.usd)

    def __mul__(self, factor: Decimal) -> Money:
        if not isinstance(factor, Decimal):
            raise TypeError("Money is scaled by a Decimal")
        return Money.rounded(_CONTEXT.multiply(self.usd, factor))

    def __bool__(self) -> bool:
        return self.usd != 0

    def ratio_to(self, other: Money) -> Decimal:
        """This amount as a share of another. Raises ZeroDivisionError when the other is zero."""
        if not other:
            raise ZeroDivisionError("no ratio to $0")
        return _CONTEXT.divide(self.usd, other.usd)

    def split(self, weights: list[Decimal]) -> list[Money]:
        """Shares proportional to `weights`, each within 1e-12 of exact; they add up exactly.

        The running sum is rounded, not each share: so no share gathers the others' rounding or changes sign.
        """
        with localcontext(_CONTEXT):
            sums = list(accumulate(weights, initial=Decimal(0)))
            if sums[-1] <= 0 or min(weights) < 0:
                raise ValueError("weights must be non-negative and not all zero")
            marks = [Money.rounded(self.usd * reached / sums[-1]) for reached in sums]
        return [after - before for before, after in pairwise(marks)]

    def __str__(self) -> str:
        """Plain decimal text with at least two decimals and no exponent: "12.345678"."""
        plain = format(self.usd.normalize(_CONTEXT) if self.usd else Decimal(0), "f")  # zero has no sign
        whole, _, fraction = plain.partition(".")
        return f"{whole}.{fraction.ljust(2, '0')}"

    def in_full(self) -> str:
        """For people, unrounded: "$1,234.50", "$12.345678"."""
        sign = "-" if self.usd < 0 else ""
        whole, _, fraction = str(abs(self)).partition(".")
        return f"{sign}${int(whole):,}.{fraction}"

    def display(self) -> str:
        """For people, to the cent, rounded towards zero so that it never overstates: "$1,234.50", "under $0.01"."""
        cents = self._down_to(_CENT)
        if cents:
            return f"{'-' if cents < 0 else ''}${abs(cents):,f}"
        return "under $0.01" if self.usd >= _MILLIONTH else "$0.00"

    def brief(self) -> str:
        """For messages: whole dollars from $100 on, else as `display`. Rounded towards zero, too."""
        whole = self._down_to(Decimal(1))
        return f"{'-' if whole < 0 else ''}${abs(whole):,f}" if abs(whole) >= _NO_CENTS_FROM else self.display()

    def _down_to(self, step: Decimal) -> Decimal:
        """A millionth more or less is the noise of floats: $54.69999999 is $54.70."""
        settled = self.usd.quantize(_MILLIONTH, rounding=ROUND_HALF_EVEN, context=_CONTEXT)
        return settled.quantize(step, rounding=ROUND_DOWN, context=_CONTEXT)

    def __abs__(self) -> Money:
        return Money(abs(self.usd))


def _sum(usd: Decimal) -> Money:
    """A sum is as fine as its amounts, so that only its size is looked at. Raises ValueError."""
    if not -_LIMIT < usd < _LIMIT:
        raise ValueError(f"not an amount of money: {usd}")
    made = object.__new__(Money)
    object.__setattr__(made, "usd", usd)
    return made


def _decimal(text: str) -> Decimal:
    if _TEXT.fullmatch(text) is None:
        raise ValueError(f"not an amount of money: {text!r}")
    return Decimal(text)


def _is_finer(usd: Decimal) -> bool:
    exponent = usd.as_tuple().exponent
    return isinstance(exponent, int) and exponent < -PLACES and usd != _quantize(usd)


def _quantize(usd: Decimal) -> Decimal:
    return usd.quantize(_QUANTUM, rounding=ROUND_HALF_EVEN, context=_CONTEXT)


ZERO = Money(Decimal(0))
