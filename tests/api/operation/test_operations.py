"""What stands outside `/v1`, and what happens at its border with the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Message, Receive, Scope, Send

from service.adapters.postgres.engine import create_engine, obstacle
from service.api.app import create_app
from service.domain.notify.circuits import Concern
from service.domain.sources.poll import Notice, Poll, PollKind, PollState, ReportOutcome
from service.domain.sources.source import ReportName
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.unit_of_work import UnitOfWork
from tests.api.alerts.test_alerts import rung
from tests.api.stand import BUDGET, ENG, SOURCE, Stand, answered, client, problem


async def schema_is_behind() -> str | None:
    return "the schema is behind: run tocsin migrate"


async def test_the_process_says_that_it_lives_and_can_work(stand: Stand) -> None:
    assert answered(await stand.stranger.get("/healthz")) == {"status": "ok"}
    assert answered(await stand.stranger.get("/readyz")) == {"status": "ok", "late": []}


async def test_a_process_that_cannot_work_lives_and_says_why(stand: Stand) -> None:
    async with client(create_app(stand.ports, ready=schema_is_behind)) as visitor:
        answered(await visitor.get("/healthz"))
        assert "tocsin migrate" in problem(await visitor.get("/readyz"), 503)["detail"]


async def test_without_its_database_a_process_lives_and_is_not_ready(stand: Stand) -> None:
    nowhere = create_engine("postgresql://postgres@127.0.0.1:1/none")
    async with client(create_app(stand.ports, ready=lambda: obstacle(nowhere))) as visitor:
        answered(await visitor.get("/healthz"))
        assert "cannot be reached" in problem(await visitor.get("/readyz"), 503)["detail"]
    await nowhere.dispose()


async def test_a_ready_process_has_a_database_of_this_release(stand: Stand, engine: AsyncEngine) -> None:
    assert await obstacle(engine) is None


async def test_metrics_name_nobody_and_no_money_to_a_stranger(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    await stand.spend(ENG, "12.25")
    shown = (await stand.stranger.get("/metrics")).text
    assert "tocsin_sources 1.0" in shown
    assert 'tocsin_http_requests_total{method="POST",route="/v1/budgets",status="201"} 1.0' in shown
    for hidden in ("production", "eng", "dollars", "12.25"):
        assert hidden not in shown


async def test_metrics_say_how_many_messages_were_given_up_and_how_long_the_oldest_waits(stand: Stand) -> None:
    await rung(stand)
    stand.channels.refusals["console"] = DeliveryError("busy")
    await run_delivery(stand.ports)
    stand.clock.advance(timedelta(minutes=7))
    shown = (await stand.stranger.get("/metrics")).text
    assert "tocsin_notifications_unsent_oldest_seconds 420.0" in shown
    assert "tocsin_notifications_dead 0.0" in shown
    stand.channels.refusals["console"] = DeliveryError("too long", Concern.MESSAGE)
    await run_delivery(stand.ports)
    shown = (await stand.stranger.get("/metrics")).text
    assert "tocsin_notifications_unsent_oldest_seconds 0.0" in shown
    given_up = answered(await stand.viewer.get("/v1/notifications?state=dead"))["items"]
    assert given_up
    assert f"tocsin_notifications_dead {len(given_up)}.0" in shown


async def test_metrics_say_how_many_jobs_of_a_kind_wait(stand: Stand) -> None:
    async with stand.ports.uow() as uow:
        await uow.jobs.backtest("bt_1")
    shown = (await stand.stranger.get("/metrics")).text
    assert 'tocsin_jobs_due{kind="backtest"} 1.0' in shown
    assert 'tocsin_jobs_due{kind="digest"} 0.0' in shown
    assert 'tocsin_jobs_due_oldest_seconds{kind="digest"} 0.0' in shown


async def test_metrics_show_budgets_to_a_viewer(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    await stand.spend(ENG, "12.25")
    shown = (await stand.viewer.get("/metrics")).text
    line = 'tocsin_budget_spent_dollars{budget="eng monthly",period_start="2026-11-01T00:00:00+00:00",'
    assert line + 'scope="org"} 12.25' in shown


async def test_metrics_refuse_an_unknown_token(stand: Stand) -> None:
    problem(await stand.stranger.get("/metrics", headers={"Authorization": "Bearer tcn_FAKE"}), 401)


async def test_the_docs_load_everything_from_here(stand: Stand) -> None:
    page = (await stand.stranger.get("/docs")).text
    assert "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/docs/assets/{asset}" in page
        assert (await stand.stranger.get(f"/docs/assets/{asset}")).status_code == 200


async def test_the_openapi_document_is_complete_enough_to_be_a_first_client(stand: Stand) -> None:
    document = answered(await stand.stranger.get("/openapi.json"))
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            place = f"{method} {path}"
            assert operation["summary"], place
            assert operation["tags"], place
            assert ("security" in operation) == path.startswith("/v1") or path in ("/metrics", "/readyz"), place
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert content["examples"], place


async def test_the_examples_of_the_document_are_accepted(stand: Stand, described: dict[str, Any]) -> None:
    paths = described["paths"]
    for path in ("/v1/sources", "/v1/budgets", "/v1/receivers", "/v1/prices", "/v1/tokens"):
        (example,) = paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"].values()
        made = await stand.create(path.removeprefix("/v1"), example["value"])
        if patched := paths.get(f"{path}/{{id}}", {}).get("patch"):
            (patch,) = patched["requestBody"]["content"]["application/json"]["examples"].values()
            answered(await stand.admin.patch(f"{path}/{made['id']}", json=patch["value"]))


async def test_the_commit_precedes_the_answer(stand: Stand) -> None:
    order: list[str] = []

    @asynccontextmanager
    async def watched() -> AsyncIterator[UnitOfWork]:
        async with stand.ports.uow() as uow:
            yield uow
        order.append("commit")

    app = create_app(replace(stand.ports, uow=watched), ready=schema_is_behind)

    async def watching(scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            order.append(message["type"])
            await send(message)

        await app(scope, receive, note)

    stand.admin._transport.app = watching  # type: ignore[attr-defined]
    answered(await stand.admin.post("/v1/sources", json=SOURCE), 201)
    assert order == ["commit", "commit", "http.response.start", "http.response.body"]


async def test_a_commit_that_fails_is_no_201(stand: Stand) -> None:
    @asynccontextmanager
    async def failing() -> AsyncIterator[UnitOfWork]:
        async with stand.ports.uow() as uow:
            yield uow
            if await uow.sources.all():
                raise RuntimeError("no commit")

    app = create_app(replace(stand.ports, uow=failing), ready=schema_is_behind)
    stand.admin._transport.app = app  # type: ignore[attr-defined]
    problem(await stand.admin.post("/v1/sources", json=SOURCE), 500)
    assert answered(await stand.viewer.get("/v1/sources"))["items"] == []


async def test_no_transaction_is_open_while_a_channel_is_tried(stand: Stand) -> None:
    open_now: list[int] = []
    seen: list[int] = []

    @asynccontextmanager
    async def counted() -> AsyncIterator[UnitOfWork]:
        open_now.append(1)
        try:
            async with stand.ports.uow() as uow:
                yield uow
        finally:
            open_now.pop()

    class Watching:
        def open(self, config: object) -> object:
            seen.append(len(open_now))
            return stand.channels.open(config)  # type: ignore[arg-type]

    ports = replace(stand.ports, uow=counted, channels=Watching())  # type: ignore[arg-type]
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    stand.admin._transport.app = create_app(ports, ready=schema_is_behind)  # type: ignore[attr-defined]
    answered(await stand.admin.post("/v1/receivers/eng/test", headers={"Idempotency-Key": "k"}))
    assert seen == [0]


async def test_notices_of_the_newest_finished_polls_are_counted(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    polls = [("poll_1", 5, True), ("poll_2", 2, True), ("poll_3", 9, False)]
    async with stand.ports.uow() as uow:
        for id, count, is_over in polls:
            notices = tuple(Notice(f"notice {number}", rows=1) for number in range(count))
            outcome = ReportOutcome(ReportName.COST, notices=notices)
            at = stand.clock()
            over = at if is_over else None
            poll = Poll(id, source["id"], PollKind.SCHEDULED, PollState.RUNNING, at, at, over, reports=(outcome,))
            await uow.polls.add(poll)
    assert "tocsin_report_notices 2.0" in (await stand.viewer.get("/metrics")).text
