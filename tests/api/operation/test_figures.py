from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from service.api.operation.figures import MOST_LINES
from service.domain.notify.circuits import Concern, FailingChannel
from service.domain.sources.poll import Poll, PollKind, PollState, ReportOutcome
from service.domain.sources.source import ReportName, SourceState
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.delivery.deliver import run_delivery
from tests.api.alerts.test_alerts import rung
from tests.api.stand import BUDGET, ENG, SOURCE, Stand
from tests.factories import claude_source, resource
from tests.statements import counted

MINUTE = timedelta(minutes=1)


async def shown(stand: Stand) -> str:
    return (await stand.stranger.get("/metrics")).text


def value(text: str, line: str) -> float:
    """The value of the only line that begins so."""
    (found,) = [one for one in text.splitlines() if one.startswith(f"{line} ")]
    return float(found.rpartition(" ")[2])


async def add_sources(stand: Stand, count: int) -> None:
    async with stand.ports.uow() as uow:
        for number in range(count):
            source = resource(f"src_{number}", claude_source(), name=f"source {number:04}")
            await uow.sources.add(source)
            await uow.polling_states.add(SourceState(source.id, 0, stand.clock(), last_success_at=stand.clock()))


async def test_two_hundred_sources_cost_as_many_statements_as_one(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    for reader in (stand.stranger, stand.viewer):
        await reader.get("/metrics")
    with counted(stand.engine) as for_one:
        await stand.stranger.get("/metrics")
        await stand.viewer.get("/metrics")
    await add_sources(stand, 200)
    async with stand.ports.uow() as uow:
        budget = await uow.budgets.get("eng monthly")
        for number in range(200):
            other = replace(budget.spec, source_id=f"src_{number}")
            await uow.budgets.add(replace(budget, id=f"bud_{number}", name=f"budget {number}", spec=other))
    with counted(stand.engine) as for_many:
        await stand.stranger.get("/metrics")
        await stand.viewer.get("/metrics")
    assert for_many == for_one
    text = (await stand.viewer.get("/metrics")).text
    assert value(text, "tocsin_sources") == 201
    assert text.count("tocsin_budget_amount_dollars{") == 201


async def test_a_name_has_a_thousand_lines_at_most_and_the_rest_is_counted(stand: Stand) -> None:
    await add_sources(stand, MOST_LINES + 5)
    text = (await stand.viewer.get("/metrics")).text
    assert text.count("tocsin_source_poll_lag_seconds{") == MOST_LINES
    assert value(text, 'tocsin_lines_left_out{metric="tocsin_source_poll_lag_seconds"}') == 5


async def test_late_polls_and_the_age_and_duration_of_evaluations(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await run_evaluation(stand.ports, source["id"])
    stand.clock.advance(6 * MINUTE)
    text = await shown(stand)
    assert value(text, "tocsin_polls_late") == 1
    assert value(text, "tocsin_evaluation_age_seconds") == 360
    assert 0 < value(text, "tocsin_evaluation_seconds") < 60


async def test_rows_of_the_newest_polls_by_report(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    at = stand.clock()
    reports = (
        ReportOutcome(ReportName.COST, added=3, gone=1, seconds=1.5),
        ReportOutcome(ReportName.USAGE_HOURS, changed=7, seconds=4.25),
    )
    async with stand.ports.uow() as uow:
        await uow.polls.add(
            Poll("poll_1", source["id"], PollKind.SCHEDULED, PollState.DONE, at, at, at, reports=reports)
        )
    text = await shown(stand)
    assert value(text, 'tocsin_poll_rows{change="added",report="cost"}') == 3
    assert value(text, 'tocsin_poll_rows{change="changed",report="usage_hours"}') == 7
    assert value(text, 'tocsin_poll_report_seconds{report="usage_hours"}') == 4.25


async def test_the_lag_of_delivery_and_the_time_from_due_to_sent(stand: Stand) -> None:
    await rung(stand)
    stand.clock.advance(7 * MINUTE)
    text = await shown(stand)
    assert value(text, "tocsin_delivery_lag_seconds") == 420
    assert 'tocsin_delivery_seconds{quantile="1"}' not in text
    await run_delivery(stand.ports)
    text = await shown(stand)
    assert value(text, "tocsin_delivery_lag_seconds") == 0
    assert value(text, 'tocsin_delivery_seconds{quantile="1"}') == 420
    stand.clock.advance(11 * MINUTE)
    assert 'tocsin_delivery_seconds{quantile="1"}' not in await shown(stand)


async def test_open_circuits_by_kind_of_channel(stand: Stand) -> None:
    now = stand.clock()
    resting = FailingChannel("rec_1", "slack_bot:#eng:1", now, "revoked", 0, Concern.CREDENTIAL, 1, now + MINUTE)
    async with stand.ports.uow() as uow:
        await uow.channel_health.keep(resting)
        await uow.channel_health.keep(replace(resting, channel="slack_bot:#ops:2"))
        await uow.channel_health.keep(replace(resting, channel="email:a", next_try=None))
    text = await shown(stand)
    assert value(text, 'tocsin_circuits_open{channel="slack_bot"}') == 2
    assert value(text, 'tocsin_circuits_open{channel="email"}') == 0


async def test_budgets_that_are_fullest_come_first(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    await stand.create("/budgets", {"name": "tight", "amount": "20.00"})
    await stand.spend(ENG, "12.25")
    text = (await stand.viewer.get("/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith("tocsin_budget_spent_dollars{")]
    assert ["tight" in line for line in lines] == [True, False]


async def test_viewers_see_the_month_s_spend_by_workspace_and_model_and_strangers_do_not(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "80.00", date(2026, 11, 3))
    await stand.spend(ENG, "99.00", date(2026, 10, 31))
    text = (await stand.viewer.get("/metrics")).text
    line = 'tocsin_spend_month_dollars{model="claude-sonnet-4-5",source="production",workspace="wrkspc_eng"}'
    assert value(text, line) == 80
    assert "tocsin_spend_month_dollars" not in await shown(stand)
