"""Limits of a rule's numbers. Each check raises Invalid with a pointer into the request body."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from service.domain.rules.rule import Gates
from service.domain.values.errors import Invalid
from service.domain.values.money import ZERO, Money

LONGEST_WINDOW = 400
LONGEST_WAIT = timedelta(days=30)
MOST_PERCENT = Decimal(100_000)


def window(days: int, pointer: str) -> None:
    """A stretch of whole days."""
    if not 1 <= days <= LONGEST_WINDOW:
        raise Invalid(f"a window has 1 to {LONGEST_WINDOW} days, not {days}", pointer)


def points(value: Decimal, pointer: str) -> None:
    """A share, or a distance between two shares, in percent: above 0, 100 at most."""
    if not value.is_finite() or not 0 < value <= 100:
        raise Invalid(f"a share lies above 0 and is 100 at most, not {value}", pointer)


def count(value: int, pointer: str) -> None:
    if value < 1:
        raise Invalid(f"must be 1 or more, not {value}", pointer)


def above_zero(amount: Money, pointer: str) -> None:
    if amount <= ZERO:
        raise Invalid(f"must be above $0, not {amount.in_full()}", pointer)


def check_gates(gates: Gates) -> None:
    """Raises Invalid for gates that nothing can pass or that mean nothing."""
    if gates.min_amount < ZERO:
        raise Invalid("must not be negative", "/gates/min_amount")
    _percent(gates.min_percent, "/gates/min_percent")
    if not 0 <= gates.min_active_days <= LONGEST_WINDOW:
        raise Invalid(f"must be 0 to {LONGEST_WINDOW} days", "/gates/min_active_days")
    for duration, name in ((gates.pending_for, "pending_for"), (gates.keep_firing_for, "keep_firing_for")):
        if not timedelta() <= duration <= LONGEST_WAIT:
            raise Invalid(f"must be 0 to {LONGEST_WAIT.days} days", f"/gates/{name}")
    _check_resolve(gates)


def _check_resolve(gates: Gates) -> None:
    if gates.resolve_percent is None:
        return
    _percent(gates.resolve_percent, "/gates/resolve_percent")
    if gates.resolve_percent > gates.min_percent:
        raise Invalid("an alert must not end above the percentage at which it opens", "/gates/resolve_percent")


def _percent(value: Decimal, pointer: str) -> None:
    if not value.is_finite() or not 0 <= value <= MOST_PERCENT:
        raise Invalid(f"must be 0 to {MOST_PERCENT}, not {value}", pointer)
