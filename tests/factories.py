"""Domain values for tests, with everything a test does not speak of filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from service.domain.alerts.crossings import ThresholdBasis
from service.domain.budgets.budget import Budget, Threshold
from service.domain.sources.source import Source, SourceKind
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource, Sealed
from service.domain.values.scopes import Cell, Dimension, Scope
from service.domain.values.severity import Severity

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
SEALED = Sealed("not a real ciphertext", "...fake", "0123456789abcdef")

Spec = TypeVar("Spec")


def utc(text: str) -> datetime:
    """An aware UTC instant from "2026-10-31" or "2026-10-31T12:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def resource(id: str, spec: Spec, *, name: str | None = None, version: int = 1) -> Resource[Spec]:
    labels: Mapping[str, str] = {}
    return Resource(id, name or id, version, LONG_AGO, LONG_AGO, labels, spec)


def percent(level: int, severity: Severity = Severity.WARNING) -> Threshold:
    return Threshold(severity, percent=Decimal(level))


def forecast_percent(level: int, severity: Severity = Severity.WARNING) -> Threshold:
    return Threshold(severity, ThresholdBasis.FORECAST, percent=Decimal(level))


def amount(dollars: str, severity: Severity = Severity.WARNING) -> Threshold:
    return Threshold(severity, amount=Money.of(dollars))


MONTHLY = PeriodSpec(PeriodKind.MONTHLY)


def budget(
    dollars: str = "10.00",
    *thresholds: Threshold,
    period: PeriodSpec = MONTHLY,
    scope: Scope | None = None,
    for_each: Dimension | None = None,
    enabled: bool = True,
    source_id: str = "src_1",
) -> Budget:
    return Budget(
        source_id=source_id,
        scope=scope or Scope(),
        amount=Money.of(dollars),
        period=period,
        thresholds=thresholds or (percent(80), percent(100, Severity.CRITICAL)),
        for_each=for_each,
        enabled=enabled,
    )


def cell(workspace: str = "default", model: str = "claude-sonnet-5", api_key: str = "apikey_1") -> Cell:
    return Cell(workspace, model, api_key)


def billed(dollars: str) -> Spend:
    return Spend(billed=Money.of(dollars))


def claude_source() -> Source:
    return Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", SEALED)
