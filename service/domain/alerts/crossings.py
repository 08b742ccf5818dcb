"""Crossings: the durable record that a threshold has fired in a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.values.money import Money
from service.domain.values.scopes import ScopeKey


class ThresholdBasis(StrEnum):
    ACTUAL = "actual"
    FORECAST = "forecast"


@dataclass(frozen=True, slots=True)
class Crossing:
    """One threshold crossed in one period. Unique but for `level`, `crossed_at`, `spent` and `alert_id`.

    `terms` names the budget's amount and period: changing them starts new crossings. `level` and `spent` are the
    dollars at the crossing.
    """

    budget_id: str
    scope: ScopeKey
    basis: ThresholdBasis
    period_start: datetime
    threshold: str
    terms: str
    level: Money
    spent: Money
    crossed_at: datetime
    alert_id: str
