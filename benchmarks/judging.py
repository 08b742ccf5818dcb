"""What judging costs, by the number of API keys: seconds, memory, and how both grow.

    python benchmarks/judging.py                    # some minutes; its own PostgreSQL, gone afterwards
    python benchmarks/judging.py 100 1000           # other numbers of keys

For each size a process of its own evaluates one source, as a worker does, from the first statement to the commit.
"first": of a worker that has just started. "nothing read": a minute later. "little changed": then a bill has moved 20
keys of today. Memory: the most that the process held. Growth: the exponent b of seconds ~ keys^b. Beside it, where it
is installed, Prometheus compares as many series with the mean and deviation of their eight days of hours (`anchor.py`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta

import structlog
from anchor import measure, missing
from judging_spend.furnishing import NOON, furnish, works
from report import exponent, report, shown
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from storing.table import database

from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.unit_of_work import uow_factory
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.spans import NoSpans
from service.workflows.ports.unit_of_work import Ports, UowFactory

SIZES = (100, 1_000, 10_000)
TARGETS = {
    "anomaly by day": {"first": "< 1 s", "little changed": "< 0.15 s", "memory": "< 400 MB"},
    "anomaly by hour and day": {"first": "< 2.5 s", "memory": "< 600 MB"},
    "change, mean of 7 days": {"first": "< 1 s"},
    "budget for each key": {"first": "< 0.5 s above nothing"},
    "the same with forecast": {"first": "< 1.5 s above nothing"},
}
"""Targets for 10,000 keys."""
MOVED = (
    "UPDATE spend_days SET billed = billed * 1.01 WHERE source_id = :source AND day = :today AND api_key IN"
    " (SELECT 'apikey_' || k FROM generate_series(0, 19) k)",
    "UPDATE day_versions SET settled = false WHERE source_id = :source AND day = :today",
    "UPDATE source_states SET cost_read_at = :now WHERE source_id = :source",
)


async def judge(url: str, source: str) -> dict[str, float]:
    """Evaluates the source three times; the seconds of each, and the peak of memory."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    engine = create_engine(url)
    try:
        return await _judge(engine, source)
    finally:
        await engine.dispose()


async def _judge(engine: AsyncEngine, source: str) -> dict[str, float]:
    uow = uow_factory(engine, to_real=lambda instant: instant)
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    first = await _evaluated(uow, source, NOON)
    quiet = await _evaluated(uow, source, NOON + timedelta(minutes=1))
    async with engine.begin() as connection:
        for statement in MOVED:
            values = {"source": source, "today": NOON.date(), "now": NOON + timedelta(minutes=2)}
            await connection.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})
    little = await _evaluated(uow, source, NOON + timedelta(minutes=3))
    return {"first": first, "nothing read": quiet, "little changed": little, "MB": _megabytes()}


async def _evaluated(uow: UowFactory, source: str, now: datetime) -> float:
    nothing = None
    ports = replace(Ports(*[nothing] * len(fields(Ports))), uow=uow, clock=lambda: now, spans=NoSpans())  # type: ignore[arg-type]
    began = time.perf_counter()
    await run_evaluation(ports, source)
    return time.perf_counter() - began


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _in_a_process(url: str, source: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--judge", url, source]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


async def _anchors(sizes: Sequence[int]) -> dict[int, str]:
    """What Prometheus takes for as many series; nothing where it is not installed."""
    return {} if missing() else {size: f"Prometheus {shown(await measure(size))} s" for size in sizes}


async def main(sizes: Sequence[int]) -> None:
    anchors = await _anchors(sizes)
    async with database() as (url, engine):
        uow = uow_factory(engine, to_real=lambda instant: instant)
        for number, name in enumerate(works("")):
            seconds: dict[int, float] = {}
            for keys in sizes:
                source = f"src_{number}_{keys}"
                await furnish(engine, uow, source, keys, works(source)[name])
                found = _in_a_process(url, source)
                seconds[keys] = found["first"]
                targets = TARGETS.get(name, {}) if keys == SIZES[-1] else {}
                for what in ("first", "nothing read", "little changed"):
                    line, anchor = f"judging {keys:,} keys, {name}: {what}", anchors.get(keys, "")
                    report(line, found[what], "s", anchor=anchor, target=targets.get(what, ""))
                report(f"judging {keys:,} keys, {name}: memory", found["MB"], "MB", target=targets.get("memory", ""))
            if len(seconds) > 1:
                report(f"judging, {name}: growth", exponent(seconds), "exponent")


if __name__ == "__main__":
    if "--judge" in sys.argv:
        print(json.dumps(asyncio.run(judge(*sys.argv[2:]))))
    else:
        asyncio.run(main([int(size) for size in sys.argv[1:]] or SIZES))
