"""One row as spans at a collector: its poll, its evaluation, its messages and a request, joined by their ids."""

from __future__ import annotations

from dataclasses import replace

import pytest
from httpx import ASGITransport, AsyncClient

from service.adapters.otel import open_otel
from service.api.app import create_app
from service.domain.sources.poll import Poll, PollKind, PollState
from service.domain.values.resources import new_id
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.delivery.deliver import run_delivery
from service.workflows.sources.ingest import run_ingest
from tests.factories import budget, percent
from tests.fakes.collector import Collector, collecting
from tests.journeys.stage import Stage

pytestmark = pytest.mark.slow


async def ready() -> None:
    return None


async def walk(stage: Stage, collector: Collector) -> str:
    """Returns the id of the poll whose row was followed, once all spans have arrived."""
    async with open_otel(collector.url) as spans:
        ports = replace(stage.ports, spans=spans)
        now = ports.clock()
        poll = Poll(new_id("poll", now), stage.source.id, PollKind.REQUESTED, PollState.QUEUED, created_at=now)
        async with ports.uow() as uow:
            await uow.polls.add(poll)
        await run_ingest(ports, stage.source.id, poll.id)
        await run_evaluation(ports, stage.source.id)
        await run_delivery(ports)
        app = create_app(ports, ready=ready)
        async with AsyncClient(transport=ASGITransport(app), base_url="http://tocsin.example") as client:
            await client.get("/v1/alerts/alert_1")
            await client.get("/healthz")
    return poll.id


async def test_a_row_is_followed_through_the_spans_of_a_collector(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "1234.5678")
    with collecting() as collector:
        poll_id = await walk(stage, collector)

    assert collector.services == {"tocsin"}
    (poll,) = collector.named("poll", poll_id=poll_id)
    reports = {one.ids["tocsin.report"] for one in collector.named("report") if one.parent == poll.id}
    assert {"cost", "usage_hours"} <= reports
    (evaluation,) = collector.named("evaluation", poll_id=poll_id)
    alert = await stage.alert()
    assert evaluation.ids["tocsin.alert_ids"] == alert.id
    (delivery,) = collector.named("delivery")
    messages = collector.named("message", alert_id=alert.id, outcome="sent")
    assert {one.parent for one in messages} == {delivery.id}
    assert {one.ids["tocsin.notification_id"] for one in messages} == {one.id for one in await stage.notifications()}
    (request,) = [one for one in collector.spans if one.name == "request"]
    assert request.ids["http.route"] == "/v1/alerts/{id}"
    assert request.ids["http.response.status_code"] == "401"
    assert "finops@example.com" not in str(collector.spans)
