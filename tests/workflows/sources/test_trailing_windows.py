"""What a poll reads again: bills come late and are revised, and asking for everything costs too much."""

from __future__ import annotations

from datetime import timedelta

from service.domain.sources.source import ReportName
from service.domain.values.periods import Window
from service.workflows.ports.sources import SourceError, WorkspaceName
from tests.factories import utc
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard

AWAY = SourceError("away", retryable=True)
SECOND = timedelta(seconds=1)


async def test_the_first_poll_reads_35_days_and_the_next_ones_three(yard: Yard) -> None:
    await yard.poll()
    yard.clock.advance(5 * MINUTE)
    await yard.poll()
    tomorrow = utc("2026-11-17")
    assert yard.reader.windows(ReportName.COST) == [
        Window(utc("2026-10-12"), tomorrow),
        Window(utc("2026-11-13"), tomorrow),
    ]


async def test_hours_are_read_up_to_the_running_one_and_as_far_back_as_the_bill(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-11-16T12:34"))
    await yard.poll()
    await yard.poll()
    until = utc("2026-11-16T13:00")
    assert yard.reader.windows(ReportName.USAGE_HOURS) == [
        Window(utc("2026-10-12"), until),
        Window(utc("2026-11-13"), until),
    ]


async def test_every_poll_reads_the_minutes_of_the_last_three_hours(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-11-16T00:10") + 30 * SECOND)
    for _ in range(2):
        await yard.poll()
    past_midnight = Window(utc("2026-11-15T21:10"), utc("2026-11-16T00:11"))
    assert yard.reader.windows(ReportName.USAGE_MINUTES) == [past_midnight] * 2


async def test_35_days_are_read_again_a_day_later(yard: Yard) -> None:
    began = yard.clock()
    for waited in (timedelta(), DAY - SECOND, DAY, DAY + 5 * MINUTE):
        yard.clock.move_to(began + waited)
        await yard.poll()
    lengths = [window.end - window.start for window in yard.reader.windows(ReportName.COST)]
    assert lengths == [36 * DAY, 5 * DAY, 36 * DAY, 4 * DAY]


async def test_after_an_outage_it_reads_on_from_where_it_stopped(yard: Yard) -> None:
    """Three days before the last bill, be that beyond the 35 days; a year at most."""
    for away, since in ((40 * DAY, utc("2026-11-13")), (400 * DAY, utc("2028-01-30") - 366 * DAY)):
        await yard.poll()
        yard.clock.advance(away)
        await yard.poll()
        assert yard.reader.windows(ReportName.COST)[-1].start == since


async def test_a_long_read_without_a_bill_is_repeated_by_the_next_poll(yard: Yard) -> None:
    yard.reader.refusals[ReportName.COST] = AWAY
    await yard.poll()
    yard.reader.refusals.clear()
    await yard.poll()
    await yard.poll()
    lengths = [window.end - window.start for window in yard.reader.windows(ReportName.COST)]
    assert lengths == [36 * DAY, 36 * DAY, 4 * DAY]


async def test_usage_that_was_refused_beside_the_bill_is_read_back_to_where_it_stopped(yard: Yard) -> None:
    """The bill was read deeply: without the hours no key has its share of it."""
    yard.reader.refusals[ReportName.USAGE_HOURS] = AWAY
    await yard.poll()
    yard.reader.refusals.clear()
    for _ in range(2):
        await yard.poll()
    yard.reader.refusals[ReportName.USAGE_HOURS] = AWAY
    for _ in range(6):
        yard.clock.advance(DAY - HOUR)
        await yard.poll()
    yard.reader.refusals.clear()
    await yard.poll()
    starts = [window.start for window in yard.reader.windows(ReportName.USAGE_HOURS)]
    assert starts[:3] == [utc("2026-10-12"), utc("2026-10-12"), utc("2026-11-13")]
    assert starts[-1] <= utc("2026-11-13")


async def test_the_directory_is_read_hourly_and_before_the_bill(yard: Yard) -> None:
    began = yard.clock()
    for waited in (timedelta(), 5 * MINUTE, HOUR - SECOND, HOUR):
        yard.clock.move_to(began + waited)
        await yard.poll()
    reports = [report for report, _ in yard.reader.reads]
    assert reports.count(ReportName.DIRECTORY) == 2
    assert reports[:2] == [ReportName.DIRECTORY, ReportName.COST]


async def test_a_directory_that_was_refused_is_asked_for_again_at_once(yard: Yard) -> None:
    yard.reader.workspaces.append(WorkspaceName("wrkspc_a", "Research"))
    yard.reader.refusals[ReportName.DIRECTORY] = AWAY
    await yard.poll()
    yard.reader.refusals.clear()
    await yard.poll()
    await yard.poll()
    assert [report for report, _ in yard.reader.reads].count(ReportName.DIRECTORY) == 2
    async with yard.ports.uow() as uow:
        names = {seen.id: seen.name for seen in await uow.directory.workspaces(yard.source.id)}
    assert names == {"default": "Default", "wrkspc_a": "Research"}
