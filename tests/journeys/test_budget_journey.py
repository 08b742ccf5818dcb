"""Row in, message out: a budget of $10, a bill of 1234.5678 cents, and everything that may happen to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.adapters.charts import PNG, ChildCharts
from service.domain.alerts.alert import AlertState, Command, Reason
from service.domain.alerts.evidence import StaleEvidence
from service.domain.notify.notification import NotificationState
from service.domain.sources.poll import PollState
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.severity import Severity
from service.simulator.protocol.faults import Fault
from tests.factories import budget, percent, utc
from tests.journeys.stage import CHANNEL, PERSON, Stage, restarted

pytestmark = pytest.mark.slow

EXACT = "$12.34, billed"


@pytest.mark.parametrize("charts", [pytest.param(ChildCharts(), id="drawn")])
async def test_the_life_of_a_budget_alert(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00", percent(100), percent(150, Severity.CRITICAL)))
    stage.bill("2026-10-19", "1000.0000", "234.5678")
    await stage.poll()

    # It rings once in Slack and once by mail, with exactly that amount.
    (post,) = stage.slack.messages(CHANNEL)
    assert "exceeded: $12.34 of $10.00" in post.shown
    (chart,) = stage.slack.files.values()
    assert chart.content.startswith(PNG)
    assert EXACT in chart.comment  # in the thread
    assert "<!subteam^S0FAKE>" in post.pings
    (mail,) = stage.smtp.mails
    assert EXACT in mail.text
    assert EXACT in mail.html
    assert EXACT in stage.terminal.getvalue()

    # It stays silent on the next 50 polls.
    for _ in range(50):
        stage.clock.advance(timedelta(minutes=5))
        assert (await stage.poll()).state is PollState.DONE
    assert len(stage.slack.messages(CHANNEL)) == 1
    assert post.edits == 0
    assert len(stage.smtp.mails) == 1

    # Raised: the parent is edited, and a broadcast reply in its thread mentions people; mail comes in the thread.
    stage.bill("2026-10-20", "300.00")
    await stage.poll()
    assert post.edits == 1
    assert "$15.34" in post.shown
    (reply,) = stage.slack.replies(post)
    assert reply.broadcast
    assert "<!subteam^S0FAKE>" in reply.pings
    assert len(stage.smtp.mails) == 2
    assert stage.smtp.mails[1].message["In-Reply-To"] == stage.smtp.mails[0].message["Message-ID"]

    # Restated below the level: amended, not resolved, and nobody is called.
    stage.bill("2026-10-20", "10.00")
    stage.bill("2026-10-19", "970.00")
    await stage.poll()
    assert post.edits == 2
    assert "$9.80" in post.shown
    assert "98%" in post.shown
    assert (await stage.alert()).state is AlertState.FIRING
    assert len(stage.slack.replies(post)) == 1
    assert len(stage.smtp.mails) == 2

    # Climbing back: amended again, no second ring.
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    assert post.edits == 3
    assert len(stage.slack.replies(post)) == 1
    assert len(stage.smtp.mails) == 2

    # The period is closed three days after its end: resolved in the thread, plainly.
    for day in ("2026-11-01", "2026-11-02", "2026-11-03"):
        await stage.advance(f"{day}T12:00")
        await stage.poll()
        assert (await stage.alert()).state is AlertState.FIRING
    await stage.advance("2026-11-04T00:01")
    for _ in range(2):  # the first bill of the fourth day may still ring late; the next finds October closed
        await stage.poll()
    alert = await stage.alert()
    assert alert.state is AlertState.RESOLVED
    replies = stage.slack.replies(post)
    assert len(replies) == 2
    assert not replies[1].broadcast
    assert not replies[1].pings
    reasons = [(n.action.value, n.reason) for n in await stage.notifications() if n.channel.startswith("slack")]
    assert reasons == [
        ("open", Reason.FIRST),
        ("raise", Reason.RAISED),
        ("amend", Reason.RESTATED),
        ("amend", Reason.GREW),
        ("amend", Reason.NOT_CONFIRMED),  # $15.34 had raised it: the settled bill says $12.34
        ("resolve", Reason.PERIOD_CLOSED),
    ]


async def test_a_restart_neither_forgets_nor_repeats(database_url: str, stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00"))
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    stage.clock.advance(timedelta(hours=1))
    async with restarted(stage, database_url) as again:
        await again.minute()
        await again.poll()
        assert len(await again.alerts()) == 1
    assert len(stage.slack.messages(CHANNEL)) == 1
    assert len(stage.smtp.mails) == 1


async def test_the_last_day_of_october_billed_on_2_november_rings_late(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00"))
    await stage.advance("2026-11-01T06:00")
    await stage.poll()
    assert not await stage.alerts()
    stage.bill("2026-10-31", "1234.5678")
    await stage.advance("2026-11-02T09:00")
    await stage.poll()
    (post,) = stage.slack.messages(CHANNEL)
    assert "Late for October 2026: eng monthly crossed 100% ($12.34 of $10.00) when Sat 31 Oct was billed" in post.shown
    assert "The bill for Sat 31 Oct came on Mon 2 Nov." in post.shown
    assert EXACT in next(iter(stage.slack.files.values())).comment
    # November itself has begun on time, with nothing spent.
    assert (await stage.alert()).fingerprint.endswith("2026-10-01T00:00:00+00:00")


async def test_a_second_month_rings_again(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    await stage.advance("2026-11-10T12:00")
    stage.bill("2026-11-09", "1500.00")
    for _ in range(2):  # the first bill after so long may still ring for October
        await stage.poll()
    assert [alert.state for alert in await stage.alerts()] == [AlertState.RESOLVED, AlertState.FIRING]
    assert len(stage.slack.messages(CHANNEL)) == 2


async def test_a_person_who_resolves_is_not_called_for_that_level_again_but_for_a_higher_one(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00", percent(100), percent(150)))
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    await stage.answer(await stage.alert(), Command.RESOLVE)
    for _ in range(5):
        stage.clock.advance(timedelta(minutes=5))
        await stage.poll()
    assert len(stage.slack.messages(CHANNEL)) == 1
    stage.bill("2026-10-20", "300.00")
    await stage.poll()
    assert len(stage.slack.messages(CHANNEL)) == 2
    assert [alert.state for alert in await stage.alerts()] == [AlertState.RESOLVED, AlertState.FIRING]


async def test_acknowledging_shows_who_did_it_in_the_parent_and_rings_nowhere(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00"))
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    await stage.answer(await stage.alert(), Command.ACKNOWLEDGE)
    (post,) = stage.slack.messages(CHANNEL)
    assert post.edits == 1
    assert PERSON.removeprefix("token:") in post.shown
    assert not stage.slack.replies(post)
    assert len(stage.smtp.mails) == 1


async def test_a_deleted_budget_resolves_its_alert(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00"))
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    await stage.remove("eng monthly")
    assert (await stage.alert()).state is AlertState.RESOLVED


async def test_a_larger_amount_that_is_not_reached_resolves_the_alert(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00"))
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    await stage.configure("eng monthly", budget("100.00"))
    assert (await stage.alert()).state is AlertState.RESOLVED


async def test_slack_down_delays_slack_alone_and_is_made_good(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00"))
    stage.slack.limit_rate("chat.postMessage", seconds=40, times=1)
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    assert not stage.slack.messages(CHANNEL)
    assert len(stage.smtp.mails) == 1
    (waiting,) = [n for n in await stage.notifications() if n.state is NotificationState.QUEUED]
    assert waiting.due_at >= stage.clock() + timedelta(seconds=40)
    stage.clock.advance(timedelta(seconds=60))
    await stage.minute()
    assert len(stage.slack.messages(CHANNEL)) == 1
    assert len(stage.smtp.mails) == 1


async def test_a_channel_that_refuses_rests_with_what_it_missed_and_its_fallback_is_told(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00"))
    stage.slack.refuse("chat.postMessage", "channel_not_found")
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    (refused,) = [
        n for n in await stage.notifications() if "channel_not_found" in "".join(one.detail for one in n.attempts)
    ]
    assert refused.state is NotificationState.QUEUED  # it leaves when the channel takes messages again
    assert len(stage.smtp.mails) == 1


async def test_a_source_that_fails_rings_once_backs_off_and_recovers(stage: Stage) -> None:
    await stage.configure("eng monthly", budget("10.00"))
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    stage.faults.inject("cost_report", Fault.HTML_BODY, times=None)
    for number in range(1, 6):
        stage.clock.advance(timedelta(minutes=5))
        poll = await stage.poll()
        assert poll.state is PollState.FAILED
        assert len(await stage.alerts()) == (1 if number < 3 else 2)
    async with stage.ports.uow() as uow:
        state = await uow.polling_states.get(stage.source.id)
    assert state.last_error
    assert state.next_poll_at > stage.clock() + timedelta(minutes=30)
    budget_alert, stale = await stage.alerts()
    assert budget_alert.state is AlertState.FIRING
    assert len(stage.slack.messages(CHANNEL)) == 2
    stage.faults.clear()
    await stage.poll()
    assert [alert.state for alert in await stage.alerts()] == [AlertState.FIRING, AlertState.RESOLVED]
    assert stale.id == (await stage.alerts())[1].id


async def test_one_refused_report_leaves_the_others_and_the_stored_facts_alone(stage: Stage) -> None:
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    stage.faults.inject("cost_report", Fault.FOREIGN_CURRENCY, times=1)
    stage.bill("2026-10-19", "9999")
    poll = await stage.poll()
    errors = {outcome.report.value: outcome.error for outcome in poll.reports}
    assert "EUR" in (errors["cost"] or "")
    assert errors["usage_hours"] is None
    day = Window(utc("2026-10-19"), utc("2026-10-20"))
    async with stage.ports.uow() as uow:
        days = await uow.facts.days(stage.source.id, day)
    assert Money.total(known.spend.total for _, _, known in days) == Money.of("12.345678")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        pytest.param("sk-ant-api03-FAKE-workspace-key", "workspace", id="a workspace key"),
        pytest.param("sk-ant-admin01-FAKE\nsecond line", "key", id="a key that cannot even be sent"),
    ],
)
async def test_a_key_of_no_use_is_said_in_words_and_rings_after_three_polls(stage: Stage, key: str, words: str) -> None:
    await stage.use_key(key)
    for _ in range(3):
        assert not await stage.alerts()
        stage.clock.advance(timedelta(minutes=5))
        poll = await stage.poll()
    assert all(words in (outcome.error or "") for outcome in poll.reports), poll.reports
    evidence = (await stage.alert()).evidence
    assert isinstance(evidence, StaleEvidence)
    assert words in evidence.error
    assert words in stage.slack.messages(CHANNEL)[0].shown
