"""What the schedule sees to besides polling."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from service.domain.alerts.snooze import SnoozeRequest
from service.domain.budgets.budget import Budget
from service.domain.digests.digest import DigestPlan
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.scopes import Dimension
from service.workflows.alerts.attend import snooze_alert
from service.workflows.budgets.statuses import status_part
from service.workflows.configuration.notify import Digests
from service.workflows.digests.deliver import run_due_digests
from service.workflows.operation.upkeep import run_minute, run_retention
from service.workflows.ports.channels import DeliveryError
from tests.factories import budget, percent, utc
from tests.workflows.budgets.test_finding import make_unreadable, put_zone
from tests.workflows.yard import HOUR, MINUTE, Yard, billed, caller

BUSY = DeliveryError("busy")


async def waiting(yard: Yard) -> list[str]:
    async with yard.engine.connect() as connection:
        rows = await connection.execute(text("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo'"))
        return sorted(rows.scalars())


async def test_a_minute_queues_one_evaluation_of_every_source_however_often_it_comes(yard: Yard) -> None:
    await yard.settle()
    await yard.add_source("other")
    for _ in range(3):
        await run_minute(yard.ports)
    assert await waiting(yard) == ["evaluate", "evaluate"]


async def test_a_message_whose_own_job_was_lost_is_sent_by_the_next_minute(yard: Yard) -> None:
    await yard.add_budget("eng", budget("10.00", percent(100)))
    yard.reader.bill(date(2026, 11, 16), billed("12.00"))
    yard.channels.refusals["console"] = BUSY
    await yard.poll()
    await yard.settle()
    yard.channels.refusals.clear()
    async with yard.engine.begin() as connection:
        await connection.execute(text("DELETE FROM procrastinate_jobs"))
    yard.clock.advance(MINUTE)
    await yard.minute()
    assert len(yard.channels.sent) == 1


async def test_retention_forgets_old_minutes_and_months_and_keeps_daily_spend(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-09-30T12:00"))
    old, recent = yard.clock() - 49 * HOUR, yard.clock() - 1 * HOUR
    yard.reader.bill(date(2026, 8, 28), billed("3.00"))
    yard.reader.use(Width.MINUTE, recent, (caller(), {Measure.OUTPUT: 1}))
    await yard.poll()
    yard.clock.move_to(old)
    yard.reader.use(Width.MINUTE, old, (caller(), {Measure.OUTPUT: 1}))
    await yard.poll()
    yard.clock.move_to(utc("2026-09-30T12:00"))
    assert len(await yard.rows("usage_minutes")) == 2

    await run_retention(yard.ports, keep=timedelta(days=30))  # until 31 August
    assert len(await yard.rows("usage_minutes")) == 1
    assert len(await yard.rows("cost_points")) == 1
    await run_retention(yard.ports, keep=timedelta(days=29))
    assert await yard.rows("cost_points") == set()
    assert await yard.spent(date(2026, 8, 28)) == Money.of("3.00")


def counting(kind: PeriodKind, zone: str = "UTC", for_each: Dimension | None = None, days: int | None = None) -> Budget:
    return budget("1000.00", percent(100), period=PeriodSpec(kind, zone, days=days), for_each=for_each)


@pytest.mark.parametrize(
    ("spec", "at"),
    [
        (counting(PeriodKind.YEARLY, for_each=Dimension.PRODUCT), "2026-12-20T12:00"),
        (counting(PeriodKind.QUARTERLY, for_each=Dimension.PRODUCT), "2027-01-02T12:00"),
        (counting(PeriodKind.ROLLING, for_each=Dimension.PRODUCT, days=90), "2026-12-20T12:00"),
        (counting(PeriodKind.QUARTERLY, "Europe/Berlin"), "2026-12-20T12:00"),
    ],
)
async def test_retention_changes_nothing_that_a_budget_counts(yard: Yard, spec: Budget, at: str) -> None:
    """A period is longer than facts are kept: what tells products apart, and a day's hours, is facts."""
    yard.clock.move_to(utc("2026-10-02T12:00"))
    row = billed("600.00")
    product = replace(row, dimensions=replace(row.dimensions, extra=(("product", "claude_code"),)))
    for day in (date(2026, 9, 30), date(2026, 10, 1)):
        yard.reader.bill(day, product)
        yard.reader.use(Width.HOUR, utc(f"{day}T09:00"), (caller(), {Measure.OUTPUT: 1_000_000}))
    await yard.poll()
    stored = await yard.add_budget("kept", spec)

    async def spent() -> list[Money]:
        async with yard.ports.uow() as uow:
            return [one.spent.total for one in (await status_part(uow, stored, yard.clock(), 0, 10)).statuses]

    yard.clock.move_to(utc(at))
    before = await spent()
    assert Money.total(before) >= Money.of("600.00")
    await run_retention(yard.ports, keep=timedelta(days=62))
    assert await spent() == before


async def test_nothing_is_forgotten_while_it_cannot_be_told_what_a_budget_counts_by(yard: Yard) -> None:
    yard.reader.bill(date(2026, 8, 28), billed("3.00"))
    yard.clock.move_to(utc("2026-09-30T12:00"))
    await yard.poll()
    await yard.add_budget("poison", budget("10.00", percent(100)))
    await put_zone(yard, "poison", "Mars/Olympus_Mons")
    with capture_logs() as logged:
        await run_retention(yard.ports, keep=timedelta(days=29))
    assert len(await yard.rows("cost_points")) == 1
    (line,) = [line for line in logged if line["event"] == "facts_kept_for_budget"]
    assert "Mars/Olympus_Mons" in line["reason"]
    await put_zone(yard, "poison", "UTC")
    await run_retention(yard.ports, keep=timedelta(days=29))
    assert await yard.rows("cost_points") == set()


async def test_nothing_is_forgotten_while_a_budget_cannot_be_read(yard: Yard) -> None:
    yard.reader.bill(date(2026, 8, 28), billed("3.00"))
    yard.clock.move_to(utc("2026-09-30T12:00"))
    await yard.poll()
    stored = await yard.add_budget("poison", budget("10.00", percent(100)))
    await make_unreadable(yard, "budget", "poison")
    with capture_logs() as logged:
        await run_retention(yard.ports, keep=timedelta(days=29))
    assert len(await yard.rows("cost_points")) == 1
    assert [line["budget_id"] for line in logged if line["event"] == "facts_kept_for_budget"] == [stored.id]


async def test_retention_makes_room_for_the_month_ahead(yard: Yard) -> None:
    yard.clock.move_to(utc("2031-01-20T00:00"))
    await run_retention(yard.ports, keep=timedelta(days=800))
    async with yard.engine.connect() as connection:
        made = await connection.execute(text("SELECT relname FROM pg_class WHERE relname LIKE 'cost_points_2031%'"))
        assert {"cost_points_2031_01", "cost_points_2031_02", "cost_points_2031_03"} <= set(made.scalars())


async def test_retention_forgets_polls_of_more_than_ninety_days_and_keeps_those_under_way(yard: Yard) -> None:
    await yard.poll()
    waiting = await yard.request()
    yard.clock.advance(timedelta(days=91))
    recent = await yard.poll()
    await run_retention(yard.ports, keep=timedelta(days=800))
    assert [poll.id for poll in await yard.polls()] == [waiting.id, recent.id]


async def test_work_that_waits_already_is_queued_once_whatever_minute_it_is(yard: Yard) -> None:
    """A snooze that is over and a digest, whose own jobs are lost, and which the workers are too busy for."""
    await yard.add_budget("eng", budget("10.00", percent(100)))
    yard.reader.bill(date(2026, 11, 16), billed("12.00"))
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    async with yard.ports.uow() as uow:
        await snooze_alert(uow, alert.id, SnoozeRequest(until=yard.clock() + HOUR), "", yard.author)
    digest = DigestPlan(yard.source.id, yard.receiver.id, "0 13 * * *", "UTC")
    await yard.create(Digests(), "daily", digest)
    yard.clock.advance(HOUR)
    await run_due_digests(yard.ports)
    async with yard.engine.begin() as connection:
        await connection.execute(text("DELETE FROM procrastinate_jobs"))
    for _ in range(3):  # a minute's work of three workers, or of one in three minutes
        await run_due_digests(yard.ports)
        await run_minute(yard.ports)
        yard.clock.advance(MINUTE)
    assert [name for name in await waiting(yard) if name in ("wake", "digest")] == ["digest", "wake"]
