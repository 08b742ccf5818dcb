"""A made-up organisation: API keys in workspaces, 140 days of spend and 30 days of hours, a few of them unusual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from storing.table import DAY, HOUR, NOW

from service.domain.alerts.crossings import ThresholdBasis
from service.domain.budgets.budget import Budget, Threshold
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Rule
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource, Sealed
from service.domain.values.scopes import Dimension, Scope
from service.domain.values.severity import Severity
from service.workflows.ports.unit_of_work import UowFactory

DAYS, HOUR_DAYS = 140, 31
NOON = NOW + 12 * HOUR
T = TypeVar("T")

KEYED = ", 'wrkspc_' || k / 10, 'claude-model-' || k % 4, 'apikey_' || k"
SPEND = (
    "INSERT INTO spend_days SELECT :source, d::date" + KEYED + ", amount, 0, amount, 0, 0, 90000, 40000, 5000"
    " FROM generate_series(CAST(:first AS timestamptz), CAST(:last AS timestamptz), '1 day') d,"
    " generate_series(0, :keys - 1) k,"
    " LATERAL (SELECT round(CAST((5 + k % 50) * (0.9 + extract(isodow FROM d) / 50)"
    " * (0.9 + 0.2 * abs(hashint8extended(k + 7919 * extract(epoch FROM d)::bigint, 1) % 1000) / 1000.0)"
    " * (CASE WHEN k % 997 = 5 AND d >= :last THEN 30 WHEN d >= :last THEN 0.5 ELSE 1 END) AS numeric), 6) AS amount) a"
)
PROFILES = (
    "INSERT INTO usage_day_profiles SELECT :source, d::date" + KEYED + ", hours"
    " FROM generate_series(CAST(:first AS timestamptz), CAST(:last AS timestamptz), '1 day') d,"
    " generate_series(0, :keys - 1) k,"
    " LATERAL (SELECT array_agg(CASE WHEN d >= :last AND h >= 12 THEN 0 ELSE (5 + k % 50) / 24.0"
    " * (0.8 + 0.4 * abs(hashint8extended(k + 7919 * (extract(epoch FROM d)::bigint + h), 1) % 1000) / 1000.0)"
    " * (CASE WHEN k % 997 = 5 AND d >= :last AND h >= 9 THEN 60 ELSE 1 END) END ORDER BY h) AS hours"
    " FROM generate_series(0, 23) h) a"
)
KNOWN_DAYS = (
    "INSERT INTO known_buckets (source_id, width, bucket, complete, known_at, complete_at)"
    " SELECT :source, '1d', d, d < :last, d + interval '1 day', d + interval '2 days'"
    " FROM generate_series(CAST(:first AS timestamptz), CAST(:last AS timestamptz), '1 day') d"
)
KNOWN_HOURS = (
    "INSERT INTO known_buckets (source_id, width, bucket, complete, known_at, complete_at)"
    " SELECT :source, '1h', h, true, h + interval '1 hour', h + interval '1 hour'"
    " FROM generate_series(CAST(:first AS timestamptz), CAST(:last AS timestamptz), '1 hour') h"
)
VERSIONS = (
    "INSERT INTO day_versions SELECT :source, d::date, d::date, false, d < :last"
    " FROM generate_series(CAST(:first AS timestamptz), CAST(:last AS timestamptz), '1 day') d"
)


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of judging: the rules or budgets that a source has for it."""

    name: str
    rules: tuple[Rule[object], ...] = ()
    budgets: tuple[Budget, ...] = ()
    hours: bool = False


def works(source: str) -> dict[str, Work]:
    days = Anomaly(AnomalyGranularity.DAYS)
    hours = Anomaly(AnomalyGranularity.BOTH)
    mean = Change(Against.TRAILING_MEAN, days=7)
    month = PeriodSpec(PeriodKind.MONTHLY)
    percent = (Threshold(Severity.WARNING, percent=Decimal(80)), Threshold(Severity.CRITICAL, percent=Decimal(100)))
    forecast = (*percent, Threshold(Severity.WARNING, ThresholdBasis.FORECAST, percent=Decimal(100)))
    amount = Money.of("20000.00")
    listed = (
        Work("nothing"),
        Work("anomaly by day", (Rule(source, "anomaly", days),)),
        Work("anomaly by hour and day", (Rule(source, "anomaly", hours),), hours=True),
        Work("change, mean of 7 days", (Rule(source, "change", mean, for_each=Dimension.API_KEY),)),
        Work("budget for each key", budgets=(Budget(source, Scope(), amount, month, percent, Dimension.API_KEY),)),
        Work("the same with forecast", budgets=(Budget(source, Scope(), amount, month, forecast, Dimension.API_KEY),)),
    )
    return {work.name: work for work in listed}


async def furnish(engine: AsyncEngine, uow: UowFactory, source: str, keys: int, work: Work) -> None:
    """Stores the source, its spend, and what it is judged by."""
    last, first = NOW, NOW - (DAYS - 1) * DAY
    values = {"source": source, "keys": keys, "first": first, "last": last}
    async with engine.begin() as connection:
        await connection.execute(text(SPEND), values)
        await connection.execute(text(KNOWN_DAYS), values)
        await connection.execute(text(VERSIONS), values)
        if work.hours:
            since = NOW - HOUR_DAYS * DAY
            await connection.execute(text(PROFILES), values | {"first": since})
            await connection.execute(text(KNOWN_HOURS), values | {"first": since, "last": NOON - HOUR})
    sealed = Sealed("not a real ciphertext", "...fake", "0123456789abcdef")
    async with uow() as unit:
        await unit.sources.add(_named(source, Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", sealed)))
        await unit.polling_states.add(
            SourceState(source, fence=0, next_poll_at=NOON, cost_read_at=NOON, usage_read_at=NOON)
        )
        for number, rule in enumerate(work.rules):
            await unit.rules.add(_named(f"rul_{source}_{number}", rule))
        for number, budget in enumerate(work.budgets):
            await unit.budgets.add(_named(f"bud_{source}_{number}", budget))
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))


def _named(id: str, spec: T) -> Resource[T]:
    return Resource(id, id, 1, NOW - timedelta(days=1), NOW - timedelta(days=1), {}, spec)
