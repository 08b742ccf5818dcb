"""What a message waits for its chart: the band that an anomaly was judged by, of a source of 300 keys and 140 days.

    python benchmarks/chart.py         # two minutes, most of them to make the past; its own PostgreSQL, gone afterwards

Each line is one scope's chart as `GET /v1/alerts/{id}/chart` makes it: seconds in all, and of this process's own time.
The picture's drawing, in a process of its own, comes on top. The target is one second beside the drawing.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import datetime, timedelta
from decimal import Decimal

from storing.table import HOUR, NOW, database

from service.adapters.charts import ChildCharts
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import RuleEvidence
from service.domain.charts.chart import Theme
from service.domain.charts.specification import specification
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.rule import DOLLARS_A_DAY, DOLLARS_AN_HOUR, Rule
from service.domain.sources.pricing import Measure
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.spend.rows import Bucket, Dimensions, UsageFact, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.resources import Resource, Sealed
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, ScopeKey
from service.domain.values.severity import Severity
from service.workflows.charts.chart import chart_of
from service.workflows.ports.spend import Stamp
from service.workflows.ports.unit_of_work import UowFactory

DAYS, HOURS, KEYS = 140, 30 * 24, 300
DAY = timedelta(days=1)
SOURCE, TARGET = "src_chart", 1.0
CELLS = [Cell(f"wrkspc_{n % 8}", f"claude-model-{n % 4}", f"apikey_{n}") for n in range(KEYS)]
SCOPES = (ORGANISATION, ScopeKey(Dimension.WORKSPACE, "wrkspc_3"), ScopeKey(Dimension.API_KEY, "apikey_3"))
RULE: Rule[object] = Rule(SOURCE, "anomaly", Anomaly())


async def furnish(uow: UowFactory, storage: PostgresStorage) -> None:
    await storage.make_room(Window(NOW - DAYS * DAY, NOW))
    drawn, began = random.Random(20261122), NOW - (DAYS + 1) * DAY
    secret = Sealed("not a real ciphertext", "...fake", "0123456789abcdef")
    async with uow() as unit:
        spec = Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", secret)
        await unit.sources.add(Resource(SOURCE, SOURCE, 1, began, began, {}, spec))
        await unit.polling_states.add(SourceState(SOURCE, fence=0, next_poll_at=NOW))
        await unit.rules.add(Resource("rule_1", "unusual spend", 1, began, began, {}, RULE))
    for ago in range(DAYS, 0, -1):
        start = NOW - ago * DAY
        async with uow() as unit:
            stamp = Stamp(SOURCE, "poll", start + DAY)
            if ago * 24 <= HOURS:
                buckets = [hour(start + offset * HOUR, drawn) for offset in range(24)]
                await unit.facts.replace_usage(stamp, Width.HOUR, buckets)
            await unit.facts.store_days(stamp, {start.date(): {cell: day(drawn) for cell in CELLS}})


def day(drawn: random.Random) -> SpendDay:
    return SpendDay(Spend(billed=Money(Decimal(f"{24 * drawn.lognormvariate(0, 0.15):.4f}"))))


def hour(start: datetime, drawn: random.Random) -> Bucket[UsageFact]:
    facts = (
        UsageFact(
            Dimensions(cell.workspace, cell.model, token_type=Measure.OUTPUT, api_key=cell.api_key),
            1000,
            Money(Decimal(f"{drawn.lognormvariate(0, 0.15):.4f}")),
        )
        for cell in CELLS
    )
    return Bucket(Window(start, start + HOUR), tuple(facts))


def event(scope: ScopeKey, unit: str) -> AlertEvent:
    expected, actual = Money.of("24.00"), Money.of("240.00")
    judged = (NOW - DAY).date()
    evidence = RuleEvidence(
        rule_id="rule_1",
        rule_name="unusual spend",
        rule_kind="anomaly",
        scope_name=str(scope),
        actual=actual,
        expected=expected,
        unit=unit,
        cause="made up",
        inputs=(),
        days=(judged,),
    )
    alert = Alert(
        *("alert_1", 1, "fingerprint", "rule", SOURCE, scope, Severity.WARNING, AlertState.FIRING),
        *(NOW, NOW, evidence),
    )
    return AlertEvent(alert, NOW, Command.OPEN, "system", Reason.FIRST)


async def main() -> None:
    async with database() as (_, engine):
        uow = uow_factory(engine, to_real=lambda instant: instant)
        await furnish(uow, PostgresStorage(engine))
        print(f"Charts of {KEYS} keys, {DAYS} days and {HOURS} hours, target {TARGET:.0f} s each")
        for unit in (DOLLARS_A_DAY, DOLLARS_AN_HOUR):
            for scope in SCOPES:
                await measure(uow, scope, unit)


async def measure(uow: UowFactory, scope: ScopeKey, unit: str) -> None:
    began, own = time.perf_counter(), time.process_time()
    async with uow() as open_uow:
        chart = await chart_of(open_uow, event(scope, unit))
    seconds, cpu = time.perf_counter() - began, time.process_time() - own
    assert chart is not None
    assert len(chart.limits) >= 20
    began = time.perf_counter()
    await ChildCharts(time_limit=60).png(specification(chart, Theme.LIGHT))
    drawing = time.perf_counter() - began
    verdict = "MET" if seconds < TARGET else "MISSED"
    print(f"  {unit:<18} {scope!s:<20} {seconds:5.2f} s, {cpu:4.2f} s of it here  {verdict}  drawing {drawing:4.1f} s")


if __name__ == "__main__":
    asyncio.run(main())
