"""What succeeds and cannot be all closes no day, is told where it lasts, and ends when it is read whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from service.domain.alerts.alert import AlertState
from service.domain.sources.poll import Notice
from service.domain.sources.pricing import Measure
from service.domain.sources.source import ReportName
from service.domain.spend.completeness import NOTHING_KNOWN, BucketState, state_of
from service.domain.spend.flaws import FlawKind
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.severity import Severity
from service.workflows.ports.sources import SourceError
from service.workflows.sources.backfill import request_backfill
from service.workflows.spend import buckets, days_lacking
from tests.factories import utc
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed, caller

FRIDAY, SATURDAY, SUNDAY = date(2026, 11, 13), date(2026, 11, 14), date(2026, 11, 15)
MILLION = {Measure.OUTPUT: 1_000_000}
"""Of Sonnet 4.5: $15."""


async def said(yard: Yard, report: ReportName = ReportName.COST) -> tuple[Notice, ...]:
    (outcome,) = [one for one in (await yard.poll()).reports if one.report is report]
    return outcome.notices


async def flaws(yard: Yard) -> set[tuple[FlawKind, date]]:
    async with yard.ports.uow() as uow:
        return {(one.kind, one.day) for one in await uow.completeness.flaws(yard.source.id)}


async def is_settled(yard: Yard, day: date) -> bool:
    async with yard.ports.uow() as uow:
        inputs = await uow.facts.day_inputs(yard.source.id, [day])
    return inputs[day].settled


async def work(yard: Yard) -> None:
    """A bill for Friday and Sunday, and usage on all three days; it is Monday, noon."""
    for day in (FRIDAY, SATURDAY, SUNDAY):
        yard.reader.use(Width.HOUR, yard.at(day) + 10 * HOUR, (caller(), MILLION))
    yard.reader.bill(FRIDAY, billed("15.00"))
    yard.reader.bill(SUNDAY, billed("14.00"))


async def test_an_empty_bill_behind_a_full_one_closes_no_day_and_fires_if_it_lasts(yard: Yard) -> None:
    await work(yard)
    await yard.poll()
    yard.clock.advance(5 * MINUTE)
    await yard.poll()
    await yard.settle()
    assert (await is_settled(yard, FRIDAY), await is_settled(yard, SATURDAY)) == (True, False)
    assert (await yard.spent(SATURDAY), await yard.alerts()) == (Money.of("15.00"), [])
    yard.clock.advance(3 * HOUR)
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    assert (alert.kind, alert.severity) == ("incomplete", Severity.WARNING)
    assert await yard.spent(SATURDAY) == Money.of("15.00")


async def test_bills_that_stay_empty_for_a_week_close_none_of_its_days(yard: Yard) -> None:
    """Polls read three days: the first suspect day is behind them long before the last one is due."""
    week = [FRIDAY + number * DAY for number in range(8)]
    for day in week:
        yard.reader.use(Width.HOUR, yard.at(day) + 10 * HOUR, (caller(), MILLION))
    yard.reader.bill(FRIDAY, billed("15.00"))
    for _ in range(13):
        await yard.poll()
        yard.clock.advance(12 * HOUR)
    assert [await is_settled(yard, day) for day in week] == [True, *[False] * 7]
    assert [await yard.spent(day) for day in week] == [Money.of("15.00")] * 8
    assert {day for kind, day in await flaws(yard) if kind is FlawKind.EMPTY_BILL} == set(week[1:])


async def test_an_idle_day_is_believed_as_soon_as_its_usage_says_so(yard: Yard) -> None:
    await work(yard)
    yard.reader.use(Width.HOUR, yard.at(SATURDAY) + 10 * HOUR)
    await yard.poll()
    yard.clock.advance(5 * MINUTE)
    await yard.poll()
    assert (await is_settled(yard, SATURDAY), await flaws(yard)) == (True, set())


async def test_a_bill_that_was_known_and_comes_back_empty_stands(yard: Yard) -> None:
    await work(yard)
    yard.reader.bill(SATURDAY, billed("15.00"))
    await yard.poll()
    assert await is_settled(yard, SATURDAY)
    yard.reader.bill(SATURDAY)
    yard.clock.advance(5 * MINUTE)
    await yard.poll()
    await yard.settle()
    assert (await yard.spent(SATURDAY), await yard.alerts()) == (Money.of("15.00"), [])
    assert await flaws(yard) == {(FlawKind.EMPTY_BILL, SATURDAY)}

    yard.clock.advance(3 * HOUR)
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    (message,) = [delivery.message for _, delivery in yard.channels.sent]
    assert message.headline == "No bill from source claude for Sat 14 Nov: it came back empty, which is not believed"
    assert "does not settle at $0.00" in message.summary

    yard.reader.bill(SATURDAY, billed("16.00"))
    yard.clock.advance(5 * MINUTE)
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    assert (alert.state, await flaws(yard)) == (AlertState.RESOLVED, set())
    assert await yard.spent(SATURDAY) == Money.of("16.00")


async def test_usage_that_was_known_and_comes_back_empty_stands(yard: Yard) -> None:
    await work(yard)
    await yard.poll()
    yard.reader.use(Width.HOUR, yard.at(SUNDAY) + 10 * HOUR)
    yard.clock.advance(5 * MINUTE)
    await yard.poll()
    assert (FlawKind.EMPTY_USAGE, SUNDAY) in await flaws(yard)
    assert await yard.spent(SUNDAY) == Money.of("15.00")  # the estimate, above the bill of $14


async def test_groups_that_do_not_add_up_to_their_total_are_told_if_it_lasts(yard: Yard) -> None:
    await work(yard)
    yard.reader.totals[FRIDAY] = Money.of("21.00")
    for _ in range(3):
        await yard.poll()
        await yard.settle()
        yard.clock.advance(40 * MINUTE)
    (alert,) = await yard.alerts()
    (message,) = [delivery.message for _, delivery in yard.channels.sent]
    assert message.headline == "The bill from source claude for Fri 13 Nov is not the sum of its groups"
    assert "The groups add up to $15.00, the total says $21.00." in message.summary
    assert await yard.spent(FRIDAY) == Money.of("15.00")
    yard.reader.totals.clear()
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    assert alert.state is AlertState.RESOLVED


async def test_the_running_day_is_not_compared_and_a_cent_is_rounding(yard: Yard) -> None:
    await work(yard)
    yard.reader.totals = {date(2026, 11, 16): Money.of("5.00"), FRIDAY: Money.of("15.01")}
    await yard.poll()
    assert (FlawKind.TOTAL_DIFFERS, FRIDAY) not in await flaws(yard)
    assert (FlawKind.TOTAL_DIFFERS, date(2026, 11, 16)) not in await flaws(yard)


async def test_a_report_that_lacks_days_keeps_what_they_had_and_says_so(yard: Yard) -> None:
    """An endpoint's default that answers with one day of four would else pass for three days of nothing."""
    await work(yard)
    await yard.poll()
    yard.reader.lacks = {FRIDAY, SATURDAY}
    (notice,) = await said(yard)
    assert notice.text.startswith("the report lacks days or hours that were asked for, from 2026-11-13 00:00")
    assert notice.rows == 2
    assert await yard.spent(FRIDAY) == Money.of("15.00")


async def test_a_day_that_no_report_ever_had_is_missing_and_one_without_its_bill_is_late(yard: Yard) -> None:
    await work(yard)
    yard.reader.lacks = {FRIDAY, SATURDAY}
    yard.reader.refusals[ReportName.USAGE_HOURS] = SourceError("away", retryable=True)
    await yard.poll()
    async with yard.ports.uow() as uow:
        found = await days_lacking(uow, yard.source.id, yard.clock())
    assert found[BucketState.MISSING] == [FRIDAY, SATURDAY]
    yard.reader.refusals.clear()
    await yard.poll()
    async with yard.ports.uow() as uow:
        found = await days_lacking(uow, yard.source.id, yard.clock())
    assert (found[BucketState.MISSING], found[BucketState.LATE]) == ([], [FRIDAY, SATURDAY])  # usage is known


async def test_a_bill_that_changes_on_a_day_that_only_deep_polls_read_is_noticed(yard: Yard) -> None:
    long_ago = date(2026, 11, 1)
    yard.reader.bill(long_ago, billed("5.00"))
    assert await said(yard) == ()
    yard.clock.advance(DAY)
    yard.reader.bill(long_ago, billed("7.00"))
    (notice,) = await said(yard)
    assert notice.text.endswith("which are read once a day only: the oldest is 2026-11-01")
    assert await yard.spent(long_ago) == Money.of("7.00")


async def test_an_hour_that_is_over_is_not_zero_before_its_usage_can_be_there(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-11-16T12:02"))
    await yard.poll()
    window = Window(utc("2026-11-16T10:00"), utc("2026-11-16T14:00"))
    async with yard.ports.uow() as uow:
        known = await uow.completeness.knowledge(yard.source.id, window, Width.HOUR)
    now = yard.clock()
    states = [
        state_of(Width.HOUR, hour, known.get(hour.start, NOTHING_KNOWN), now, spent=False)
        for hour in buckets(window, Width.HOUR)
    ]
    assert states == [BucketState.EMPTY, BucketState.OPEN, BucketState.OPEN, BucketState.AHEAD]


async def test_a_bill_that_cannot_be_read_settles_nothing(yard: Yard) -> None:
    """A day later than it is due: a failed query is no bill of $0."""
    yard.reader.use(Width.HOUR, yard.at(SUNDAY) + 10 * HOUR, (caller(), MILLION))
    yard.clock.move_to(utc("2026-11-18T12:00"))
    yard.reader.refusals[ReportName.COST] = SourceError("the answer is cut off", retryable=True)
    await yard.poll()
    assert (await is_settled(yard, SUNDAY), await yard.spent(SUNDAY)) == (False, Money.of("15.00"))


async def test_a_row_that_gains_a_dimension_is_the_same_money(yard: Yard) -> None:
    """The API adds fields: the old series goes as the new one comes, and neither is lost or counted twice."""
    row = billed("15.00")
    yard.reader.bill(SUNDAY, row)
    await yard.poll()
    yard.reader.bill(SUNDAY, replace(row, dimensions=replace(row.dimensions, extra=(("speed", "fast"),))))
    await yard.poll()
    assert await yard.spent(SUNDAY) == Money.of("15.00")


async def test_an_older_part_of_the_past_moves_no_watermark_back(yard: Yard) -> None:
    """What is known is the newest that was ever read, not the last."""
    await work(yard)
    await yard.poll()
    async with yard.ports.uow() as uow:
        before = await uow.facts.billed_until(yard.source.id), await uow.facts.estimated_until(yard.source.id)
        await request_backfill(uow, yard.source.id, utc("2026-09-01"), yard.clock())
    await yard.settle()
    async with yard.ports.uow() as uow:
        after = await uow.facts.billed_until(yard.source.id), await uow.facts.estimated_until(yard.source.id)
    assert before == after
