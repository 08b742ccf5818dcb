"""How rules write dollars, days and shares in the sentences that people check by hand."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from functools import lru_cache

from service.domain.rules.view import SpendView
from service.domain.values.money import Money
from service.domain.values.names import describe_scope
from service.domain.values.plain_text import clean, percentage
from service.domain.values.scopes import Scope, ScopeKey

MOST_PERCENT = 9999
SUBJECT_LENGTH = 200
"""The longest that a sentence calls a scope."""


@lru_cache(maxsize=4096)
def dollars(usd: float) -> str:
    """ "$1,234.50", as messages write it; "unknown" for NaN. What an incident cost is told at every look at it."""
    return approximate(usd).display() if math.isfinite(usd) else "unknown"


@lru_cache(maxsize=4096)
def approximate(usd: float) -> Money:
    """A float copy as an amount to show: to a millionth of a dollar, since a float is no exacter than that."""
    return Money(Decimal(f"{usd:.6f}"))


def percent(value: float) -> str:
    """ "30%", rounded towards zero; above 9,999% nobody reads the digits."""
    if math.isnan(value):
        return "unknown"
    if math.isinf(value) or value > MOST_PERCENT:
        return f"over {MOST_PERCENT:,}%"
    return percentage(Decimal(str(round(value, 6))))


def day(value: date) -> str:
    """ "20 November 2026"."""
    return f"{value.day} {value:%B %Y}"


def days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def about(view: SpendView, scope: Scope, key: ScopeKey) -> str:
    """The subject of a figure, made harmless: "workspace eng", "3 models in workspace eng"."""
    return clean(describe_scope(scope, key, view.names), SUBJECT_LENGTH)


def subject(view: SpendView, scope: Scope, key: ScopeKey) -> str:
    """The same at the beginning of a sentence: "Workspace eng"."""
    words = about(view, scope, key)
    return words[:1].upper() + words[1:]
