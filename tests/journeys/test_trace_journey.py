"""One row as one trace at a collector: its poll, its evaluation, its messages, each a job of its own in the queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.otel import open_otel
from service.adapters.postgres.queue.queue import Queue
from service.adapters.postgres.unit_of_work import uow_factory
from service.api.app import create_app
from service.domain.sources.poll import PollKind
from service.worker import JobHandlers
from service.workflows.operation.upkeep import run_retention
from service.workflows.sources.ingest import request_poll
from tests.factories import budget, percent
from tests.fakes.clock import real_time_of
from tests.fakes.collector import Collector, collecting
from tests.journeys.stage import Stage

pytestmark = pytest.mark.slow


async def ready() -> None:
    return None


@asynccontextmanager
async def traced(stage: Stage, url: str, engine: AsyncEngine, collector: Collector) -> AsyncIterator[Stage]:
    """The same stage as a process that sends its spans to the collector; they have arrived when the block is left."""
    async with open_otel(collector.url) as spans:
        uow = uow_factory(engine, to_real=real_time_of(stage.clock), spans=spans)
        ports = replace(stage.ports, uow=uow, spans=spans)
        async with Queue.open(url, JobHandlers(ports), spans=spans) as queue:
            yield replace(stage, ports=ports, queue=queue)


async def traces_kept(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return len((await connection.execute(text("SELECT job_id FROM job_traces"))).all())


async def queue_a_poll(stage: Stage) -> str:
    async with stage.ports.uow() as uow:
        return (await request_poll(uow, stage.source.id, PollKind.REQUESTED, stage.clock())).id


async def test_a_row_is_one_trace_from_its_request_to_its_messages(
    stage: Stage, database_url: str, engine: AsyncEngine
) -> None:
    await stage.configure("eng monthly", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "1234.5678")
    with collecting() as collector:
        async with traced(stage, database_url, engine, collector) as process:
            with process.ports.spans.span("request", {}):
                poll_id = await queue_a_poll(process)
            assert await traces_kept(engine) == 1
            await process.queue.drain()
    assert await traces_kept(engine) == 0

    assert collector.services == {"tocsin"}
    (request,) = collector.named("request")
    (poll,) = collector.named("poll", poll_id=poll_id)
    reports = {one.ids["tocsin.report"] for one in collector.named("report") if one.parent == poll.id}
    assert {"cost", "usage_hours"} <= reports
    (evaluation,) = collector.named("evaluation", poll_id=poll_id)
    alert = await stage.alert()
    assert evaluation.ids["tocsin.alert_ids"] == alert.id
    delivery = next(one for one in collector.named("delivery") if one.parent == evaluation.id)
    messages = collector.named("message", alert_id=alert.id, outcome="sent")
    assert {one.parent for one in messages} == {delivery.id}
    assert {one.ids["tocsin.notification_id"] for one in messages} == {one.id for one in await stage.notifications()}
    assert (poll.parent, evaluation.parent) == (request.id, poll.id)
    assert len({one.trace for one in (request, poll, evaluation, delivery, *messages)}) == 1
    assert "finops@example.com" not in str(collector.spans)


async def test_a_worker_that_collects_nothing_stores_nothing_and_runs_the_jobs_of_one_that_does(
    stage: Stage, database_url: str, engine: AsyncEngine
) -> None:
    with collecting() as collector:
        async with traced(stage, database_url, engine, collector) as process:
            with process.ports.spans.span("request", {}):
                await queue_a_poll(process)
        await stage.queue.drain()
    assert [one.name for one in collector.spans] == ["request"]
    assert await traces_kept(engine) == 1
    await run_retention(stage.ports, timedelta(days=800))
    assert await traces_kept(engine) == 0
    await queue_a_poll(stage)
    assert await traces_kept(engine) == 0


async def test_a_request_is_a_span_by_its_route(stage: Stage) -> None:
    with collecting() as collector:
        async with open_otel(collector.url) as spans:
            app = create_app(replace(stage.ports, spans=spans), ready=ready)
            async with AsyncClient(transport=ASGITransport(app), base_url="http://tocsin.example") as client:
                await client.get("/v1/alerts/alert_1")
                await client.get("/healthz")
    (request,) = [one for one in collector.spans if one.name == "request"]
    assert request.ids["http.route"] == "/v1/alerts/{id}"
    assert request.ids["http.response.status_code"] == "401"
