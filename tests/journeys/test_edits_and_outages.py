"""What people change while an alert is open, and what the alarm does after having been blind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.domain.alerts.alert import AlertState, Command
from service.domain.notify.notification import NotificationState
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.simulator.protocol.faults import Fault
from tests.factories import budget, percent
from tests.journeys.stage import CHANNEL, Stage

pytestmark = pytest.mark.slow


async def test_a_long_weekend_off_over_the_month_s_end_still_rings_for_the_old_month(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100)))
    await stage.poll()
    await stage.advance("2026-10-30T18:00")
    await stage.poll()
    stage.bill("2026-10-31", "5000")
    await stage.advance("2026-11-05T09:00")
    await stage.poll()
    (post,) = stage.slack.messages(CHANNEL)
    assert "Late for October 2026: eng crossed 100% ($50.00 of $10.00)" in post.shown
    assert "billed" not in post.shown  # nobody knows when the bill came: it was not read for days
    await stage.advance("2026-11-06T10:00")  # a late alert stays for a day
    await stage.poll()
    assert (await stage.alert()).state is AlertState.RESOLVED


async def test_an_edit_that_is_taken_back_rings_anew(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "5000")
    await stage.poll()
    await stage.configure("eng", budget("100.00", percent(100)))
    assert (await stage.alert()).state is AlertState.RESOLVED
    await stage.configure("eng", budget("10.00", percent(100)))
    assert [alert.state for alert in await stage.alerts()] == [AlertState.RESOLVED, AlertState.FIRING]


async def test_a_budget_that_was_off_for_a_while_rings_when_it_is_on_again(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "5000")
    await stage.poll()
    await stage.configure("eng", budget("10.00", percent(100), enabled=False))
    await stage.configure("eng", budget("10.00", percent(100)))
    assert [alert.state for alert in await stage.alerts()] == [AlertState.RESOLVED, AlertState.FIRING]


async def test_a_source_that_goes_on_failing_rings_again_a_day_after_somebody_resolved_it(stage: Stage) -> None:
    stage.faults.inject("cost_report", Fault.HTML_BODY, times=None)
    for _ in range(4):
        stage.clock.advance(timedelta(minutes=10))
        await stage.poll()
    await stage.answer(await stage.alert(), Command.RESOLVE)
    await stage.minute()
    assert len(await stage.alerts()) == 1
    stage.clock.advance(timedelta(days=1))
    await stage.minute()
    states = [(alert.kind, alert.state) for alert in await stage.alerts()]
    assert states == [("stale_source", AlertState.RESOLVED), ("stale_source", AlertState.FIRING)]


async def test_a_report_without_any_day_is_a_failure(stage: Stage) -> None:
    stage.faults.inject("cost_report", Fault.EMPTY_DATA, times=None)
    poll = await stage.poll()
    errors = {outcome.report.value: outcome.error for outcome in poll.reports}
    assert "none of the days" in (errors["cost"] or "")


async def test_a_clock_that_was_set_back_does_not_stop_the_polls(stage: Stage) -> None:
    await stage.minute()
    async with stage.ports.uow() as uow:
        state = await uow.polling_states.get(stage.source.id)
    stage.clock.advance(state.next_poll_at - stage.clock() - timedelta(days=30))
    async with stage.ports.uow() as uow:
        assert await uow.polling_states.claim_due(stage.clock()) == [stage.source.id]


async def test_a_message_waits_out_the_repair_of_its_channel(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100)))
    stage.slack.limit_rate("chat.postMessage", seconds=30, times=1)
    stage.bill("2026-10-19", "5000")
    await stage.poll()
    await stage.rename_slack_channel(stage.slack.channel_ids[CHANNEL])
    stage.clock.advance(timedelta(minutes=2))
    await stage.minute()
    assert len(stage.slack.messages(CHANNEL)) == 1
    assert all(notification.state is NotificationState.SENT for notification in await stage.notifications())


async def test_a_raise_does_not_wait_behind_an_older_message_that_is_backing_off(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100), percent(500)))
    stage.slack.limit_rate("chat.postMessage", seconds=1800, times=1)
    stage.bill("2026-10-19", "1200")
    await stage.poll()
    assert not stage.slack.messages(CHANNEL)
    stage.bill("2026-10-19", "9000")
    await stage.poll()
    assert "$90.00" in stage.slack.messages(CHANNEL)[0].shown


async def test_the_end_is_told_where_the_beginning_was_though_the_route_leads_elsewhere_now(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "5000")
    await stage.poll()
    await stage.route_to_the_terminal()
    await stage.remove("eng")
    (post,) = stage.slack.messages(CHANNEL)
    assert post.edits == 1
    assert "RESOLVED" in post.shown.upper()


async def test_a_yearly_budget_reads_the_year_it_has_not_seen(stage: Stage) -> None:
    stage.bill("2026-03-03", "90000")
    await stage.poll()
    yearly = PeriodSpec(PeriodKind.YEARLY)
    await stage.configure("year", budget("500.00", percent(100), period=yearly))
    assert "exceeded: $900 of $500" in stage.slack.messages(CHANNEL)[0].shown


async def test_an_outage_of_two_months_leaves_no_gap(stage: Stage) -> None:
    await stage.configure("year", budget("500.00", percent(100), period=PeriodSpec(PeriodKind.YEARLY)))
    await stage.poll()
    stage.bill("2026-11-01", "90000")
    await stage.advance("2026-12-30T12:00")
    await stage.poll()
    assert "exceeded: $900 of $500" in stage.slack.messages(CHANNEL)[0].shown


async def test_a_mail_address_that_was_added_between_two_rings_hears_the_end_once(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100), percent(500)))
    stage.bill("2026-10-19", "1200")
    await stage.poll()
    await stage.send_mail_to("finops@example.com", "cfo@example.com")
    stage.bill("2026-10-19", "9000")
    await stage.poll()
    await stage.remove("eng")
    subjects = [mail.subject for mail in stage.smtp.mails]
    assert [subject.split(" ")[0] for subject in subjects] == ["Budget", "Now", "Resolved:"]
    assert len({str(mail.message["Message-ID"]) for mail in stage.smtp.mails}) == 3
