"""Severity of an unusual bucket: the higher of that of its size and that of its speed."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.values.severity import Severity

NOTICEABLE_RATIO = 1.5
ERROR_SCORE = 1.5
LEAST_ERROR, ERROR_SHARE = 250.0, 0.02
LEAST_CRITICAL, CRITICAL_SHARE = 1000.0, 0.10
"""Dollars a day, and shares of the organisation's daily spend."""


@dataclass(frozen=True, slots=True)
class Size:
    """An alerting bucket in dollars. `projected`: the excess of 24 hours at its speed."""

    amount: float
    expected: float
    score: float
    override: bool
    projected: float

    @property
    def excess(self) -> float:
        return self.amount - self.expected


def severity(size: Size, organisation_daily: float) -> Severity:
    """`organisation_daily`: what the organisation usually spends a day, in dollars. A drop is never more than info."""
    if size.excess <= 0:
        return Severity.INFO
    if size.projected >= max(LEAST_CRITICAL, CRITICAL_SHARE * organisation_daily):
        return Severity.CRITICAL
    large = size.excess >= max(LEAST_ERROR, ERROR_SHARE * organisation_daily)
    if large and (size.override or size.score >= ERROR_SCORE):
        return Severity.ERROR
    return Severity.WARNING if size.amount >= NOTICEABLE_RATIO * size.expected else Severity.INFO
