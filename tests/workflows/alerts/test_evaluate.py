"""Time alone moves things, sources come and go, and two who move an alert at once do not both win."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from service.domain.alerts.alert import Alert, AlertState, Command, Reason, apply
from service.domain.alerts.evidence import BudgetEvidence, StaleEvidence
from service.domain.budgets.budget import Budget
from service.domain.sources.poll import PollState
from service.domain.sources.source import ReportName, Source
from service.domain.values.errors import Conflict
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.spend import Budgets, Sources
from service.workflows.ports.sources import SourceError
from service.workflows.sources.backfill import request_backfill
from service.workflows.sources.ingest import run_due_polls
from tests.factories import budget, percent, utc
from tests.workflows.yard import DAY, MINUTE, Yard, billed

AWAY = SourceError("away", retryable=True)
LATE_OCTOBER = date(2026, 10, 20)
SECOND = timedelta(seconds=1)


async def ring(yard: Yard, spec: Budget | None = None, spent: str = "12.00") -> tuple[Resource[Budget], Alert]:
    """A budget of $10 that today's bill has just overrun, and its alert."""
    stored = await yard.add_budget("eng", spec or budget("10.00", percent(100)))
    yard.reader.bill(yard.clock().date(), billed(spent))
    await yard.poll()
    (event,) = await run_evaluation(yard.ports, yard.source.id)
    return stored, event.alert


async def go_blind(yard: Yard, *, polls: int = 3) -> None:
    """Polls that bring no bill, five minutes apart."""
    yard.reader.refusals[ReportName.COST] = AWAY
    for _ in range(polls):
        yard.clock.advance(5 * MINUTE)
        await yard.poll()


async def disable(yard: Yard) -> Resource[Source]:
    return await yard.change(Sources(), yard.source, replace(yard.source.spec, enabled=False))


async def forget_jobs(yard: Yard) -> None:
    """What was queued is lost."""
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM procrastinate_jobs")


async def failed_jobs(yard: Yard) -> list[str]:
    """Jobs that ended with a traceback in the log."""
    async with yard.engine.connect() as connection:
        failed = await connection.exec_driver_sql("SELECT task_name FROM procrastinate_jobs WHERE status = 'failed'")
        return list(failed.scalars())


async def endings(yard: Yard) -> dict[str, Reason]:
    """Why each alert was resolved."""
    async with yard.ports.uow() as uow:
        last = [(await uow.alerts.events(alert.id))[-1] for alert in await yard.alerts()]
    return {event.alert.kind: event.reason for event in last if event.command is Command.RESOLVE}


# ------------------------------------------------------------------------------------- time alone


async def test_a_period_is_closed_by_the_minute_s_tick_alone(yard: Yard) -> None:
    """The bill was read after the closing days; from then on only the clock moves."""
    yard.clock.move_to(utc("2026-10-20T12:00"))
    await ring(yard)
    yard.clock.move_to(utc("2026-11-04T00:01"))
    await yard.poll()
    await yard.settle()
    polls = len(yard.reader.reads)
    yard.clock.move_to(utc("2026-11-04T00:02"))
    await yard.minute()
    assert await endings(yard) == {"budget": Reason.PERIOD_CLOSED}
    assert len(yard.reader.reads) == polls
    assert [delivery.action.value for _, delivery in yard.channels.sent] == ["open", "resolve"]


async def test_a_late_crossing_keeps_the_days_that_were_billed_late_for_as_long_as_it_is_open(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-10-31T06:00"))
    await yard.add_budget("eng", budget("10.00", percent(100)))
    yard.reader.bill(LATE_OCTOBER, billed("6.00"))
    await yard.poll()
    yard.clock.move_to(utc("2026-11-02T09:00"))
    yard.reader.bill(date(2026, 10, 31), billed("6.00"))
    await yard.poll()
    (opened,) = await run_evaluation(yard.ports, yard.source.id)
    yard.reader.bill(date(2026, 10, 31), billed("9.00"))
    yard.clock.move_to(utc("2026-11-03T09:00"))
    await yard.poll()
    (amended,) = await run_evaluation(yard.ports, yard.source.id)
    for event in (opened, amended):
        assert isinstance(event.alert.evidence, BudgetEvidence)
        assert event.alert.evidence.billed_days == (date(2026, 10, 31),)
        assert event.alert.evidence.billed_on == date(2026, 11, 2)
    assert (opened.reason, amended.reason) == (Reason.LATE, Reason.GREW)


async def test_a_crossing_in_time_is_not_called_late_when_it_is_amended_after_the_end(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-10-31T12:00"))
    await yard.add_budget("eng", budget("10.00", percent(100)))
    yard.reader.bill(LATE_OCTOBER, billed("12.00"))
    await yard.poll()
    await run_evaluation(yard.ports, yard.source.id)
    yard.clock.move_to(utc("2026-11-02T09:00"))
    yard.reader.bill(date(2026, 10, 31), billed("6.00"))
    await yard.poll()
    (amended,) = await run_evaluation(yard.ports, yard.source.id)
    assert isinstance(amended.alert.evidence, BudgetEvidence)
    assert not amended.alert.evidence.late


async def test_a_period_does_not_close_before_its_late_bills_could_be_read(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-10-20T12:00"))
    await ring(yard)
    yard.clock.move_to(utc("2026-11-03T23:59"))
    await yard.poll()
    yard.clock.move_to(utc("2026-11-04T00:02"))
    await yard.minute()
    assert not await endings(yard)
    await yard.poll()
    await yard.settle()
    await yard.minute()
    assert await endings(yard) == {"budget": Reason.PERIOD_CLOSED}


async def test_a_period_that_nobody_could_bill_stays_open_a_month_longer_and_no_more(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-10-31T12:00"))
    await ring(yard)
    closing = utc("2026-11-04T00:00") + 31 * DAY
    yard.clock.move_to(closing - SECOND)
    await yard.minute()
    assert not await endings(yard)
    yard.clock.move_to(closing)
    await yard.minute()
    assert await endings(yard) == {"budget": Reason.PERIOD_CLOSED}


async def test_spend_that_leaves_a_rolling_window_ends_the_alert_without_a_poll(yard: Yard) -> None:
    rolling = budget("10.00", percent(100), period=PeriodSpec(PeriodKind.ROLLING, days=7))
    await ring(yard, rolling)
    yard.clock.advance(6 * DAY)
    await yard.minute()
    assert not await endings(yard)
    yard.clock.advance(2 * DAY)
    await yard.minute()
    assert await endings(yard) == {"budget": Reason.RECOVERED}


async def test_the_next_period_begins_by_the_tick_alone(yard: Yard) -> None:
    """A day's bill without usage is split by the time that has passed: the new day's part grows as it goes on."""
    daily = PeriodSpec(PeriodKind.DAILY, "Pacific/Auckland")  # the 17th begins at 11:00 UTC on the 16th
    await yard.add_budget("day", budget("10.00", percent(100), period=daily))
    yard.reader.bill(date(2026, 11, 16), billed("40.00"))
    yard.clock.move_to(utc("2026-11-16T10:59"))
    await yard.poll()
    starts = []
    for now in ("10:59", "11:00", "15:00"):  # of the 15 hours 4 are the new day's: $10.67
        yard.clock.move_to(utc(f"2026-11-16T{now}"))
        await yard.minute()
        starts.append([alert.fingerprint[-25:] for alert in await yard.alerts()])
    old, new = "2026-11-15T11:00:00+00:00", "2026-11-16T11:00:00+00:00"
    assert starts == [[old], [old], [old, new]]


async def test_a_tick_without_news_says_nothing(yard: Yard) -> None:
    await ring(yard)
    await yard.settle()
    for _ in range(10):
        yard.clock.advance(MINUTE)
        await yard.minute()
    assert len(await yard.alerts()) == 1
    assert len(yard.channels.sent) == 1


# ------------------------------------------------------------------------------ sources in trouble


async def test_before_the_first_poll_there_is_nothing_to_say(yard: Yard) -> None:
    await yard.add_budget("eng", budget("10.00"))
    assert await run_evaluation(yard.ports, yard.source.id) == []


async def test_a_source_that_never_brought_a_bill_rings_and_its_budgets_do_not(yard: Yard) -> None:
    await yard.add_budget("eng", budget("10.00"))
    await go_blind(yard, polls=2)
    assert await run_evaluation(yard.ports, yard.source.id) == []
    await go_blind(yard, polls=1)
    (event,) = await run_evaluation(yard.ports, yard.source.id)
    assert isinstance(event.alert.evidence, StaleEvidence)
    assert (event.alert.evidence.failures, event.alert.evidence.last_success_at) == (3, None)
    assert await run_evaluation(yard.ports, yard.source.id) == []


async def test_half_an_hour_of_blindness_rings_without_a_third_poll(yard: Yard) -> None:
    began = yard.clock() + 5 * MINUTE
    await go_blind(yard, polls=1)
    yard.clock.move_to(began + timedelta(minutes=30) - SECOND)
    await yard.minute()
    assert await yard.alerts() == []
    yard.clock.advance(SECOND)
    await yard.minute()
    (alert,) = await yard.alerts()
    assert alert.kind == "stale_source"


async def test_a_source_that_is_disabled_is_nobody_s_trouble_any_more(yard: Yard) -> None:
    await go_blind(yard)
    await yard.settle()
    await disable(yard)
    await yard.settle()
    assert await endings(yard) == {"stale_source": Reason.SOURCE_DISABLED}
    yard.clock.advance(DAY)
    await yard.minute()
    assert len(await yard.alerts()) == 1
    assert await run_due_polls(yard.ports) == 0


async def test_a_disabled_source_s_budget_alerts_stay_until_their_period_ends(yard: Yard) -> None:
    await ring(yard)
    await disable(yard)
    await yard.settle()
    assert not await endings(yard)


async def test_a_deleted_source_ends_its_alerts(yard: Yard) -> None:
    stored, _ = await ring(yard)
    await go_blind(yard)
    await yard.settle()
    assert {alert.state for alert in await yard.alerts()} == {AlertState.FIRING}
    await yard.delete(Budgets(), stored)
    await yard.delete(Sources(), yard.source)
    await yard.settle()
    assert await endings(yard) == {
        "budget": Reason.BUDGET_GONE,
        "stale_source": Reason.SOURCE_GONE,
    }


async def test_a_source_that_was_deleted_while_its_job_was_lost_is_ended_by_the_tick(yard: Yard) -> None:
    await go_blind(yard)
    await yard.settle()
    await yard.delete(Sources(), yard.source)
    await forget_jobs(yard)
    await yard.minute()
    assert await endings(yard) == {"stale_source": Reason.SOURCE_GONE}


async def test_a_poll_that_was_queued_before_its_source_was_deleted_does_not_bring_it_back(yard: Yard) -> None:
    yard.reader.bill(LATE_OCTOBER, billed("3.00"))
    poll = await yard.request()
    await yard.delete(Sources(), yard.source)
    await yard.settle()
    assert not yard.reader.reads
    assert await yard.rows("cost_points") == set()
    assert poll.id in {one.id for one in await yard.polls()}


async def test_polls_and_backfills_of_a_deleted_source_end_without_a_failed_job(yard: Yard) -> None:
    poll = await yard.request()
    async with yard.ports.uow() as uow:
        backfill = await request_backfill(uow, yard.source.id, yard.clock() - 40 * DAY, yard.clock())
    await yard.delete(Sources(), yard.source)
    await yard.settle()
    assert {(await yard.see(one)).state for one in (poll, backfill)} == {PollState.FAILED}
    assert await failed_jobs(yard) == []


async def test_a_source_may_be_deleted_while_it_is_read(yard: Yard) -> None:
    async with yard.ports.uow() as uow:
        backfill = await request_backfill(uow, yard.source.id, yard.clock() - 100 * DAY, yard.clock())

    async def delete_it(report: ReportName) -> None:
        if report is ReportName.COST and len(yard.reader.windows(report)) == 1:
            await yard.delete(Sources(), yard.source)

    yard.reader.meanwhile = delete_it
    await yard.settle()
    assert len(yard.reader.windows(ReportName.COST)) == 1
    assert (await yard.see(backfill)).state is PollState.FAILED
    assert await failed_jobs(yard) == []


# ------------------------------------------------------------------------------------------ races


async def test_two_evaluations_at_once_open_one_alert_and_say_it_once(yard: Yard) -> None:
    await yard.add_budget("eng", budget("10.00", percent(100)))
    yard.reader.bill(LATE_OCTOBER, billed("1.00"))
    yard.reader.bill(date(2026, 11, 16), billed("12.00"))
    await yard.poll()
    both = [run_evaluation(yard.ports, yard.source.id) for _ in range(2)]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert all(isinstance(result, list | Conflict) for result in results)
    (alert,) = await yard.alerts()
    assert alert.version == 1
    assert len(await yard.notifications()) == 1


async def test_an_evaluation_that_a_person_forestalled_changes_nothing_and_the_next_one_does(yard: Yard) -> None:
    """The person acknowledges after the evaluation has read the alert and before it writes."""
    _, alert = await ring(yard, budget("10.00", percent(100), percent(150)))
    yard.reader.bill(date(2026, 11, 16), billed("16.00"))
    await yard.poll()
    async with yard.engine.begin() as connection:
        await connection.execute(text("DELETE FROM procrastinate_jobs"))
    async with yard.ports.uow() as uow:
        event = apply(alert, Command.ACKNOWLEDGE, actor="token:ann", reason=Reason.PERSON, now=yard.clock())
        await uow.alerts.save(event)
        evaluation = asyncio.create_task(run_evaluation(yard.ports, yard.source.id))
        _, waits = await asyncio.wait({evaluation}, timeout=0.5)
        assert waits  # it does not see the acknowledgement, and waits for the row
    assert await evaluation == []
    (stored,) = await yard.alerts()
    assert (stored.state, stored.version) == (AlertState.ACKNOWLEDGED, 2)
    assert len(await yard.notifications()) == 1

    await yard.settle()
    (stored,) = await yard.alerts()
    assert (stored.state, stored.version) == (AlertState.FIRING, 3), "the next evaluation was queued"


async def test_a_person_whom_an_evaluation_forestalled_is_told_to_read_again(yard: Yard) -> None:
    _, alert = await ring(yard, budget("10.00", percent(100), percent(150)))
    yard.reader.bill(date(2026, 11, 16), billed("16.00"))
    await yard.poll()
    await run_evaluation(yard.ports, yard.source.id)
    event = apply(alert, Command.ACKNOWLEDGE, actor="token:ann", reason=Reason.PERSON, now=yard.clock())
    with pytest.raises(Conflict):
        async with yard.ports.uow() as uow:
            await uow.alerts.save(event)
    (stored,) = await yard.alerts()
    assert (stored.state, stored.version) == (AlertState.FIRING, 2)
