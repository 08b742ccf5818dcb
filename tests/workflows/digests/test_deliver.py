"""Digests on a real database and queue: each occurrence once, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from service.domain.alerts.alert import Command
from service.domain.backtest.calibration import CalibratedSetting, Calibration
from service.domain.charts.chart import Series
from service.domain.digests.digest import DigestPlan
from service.domain.digests.periods import DigestPeriod
from service.domain.digests.runs import DigestFailure, DigestRun, RunState
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Delivery
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.resources import Resource
from service.workflows.alerts.attend import move_alert
from service.workflows.configuration.notify import Digests, Receivers
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Sources
from service.workflows.digests.deliver import run_digest, run_due_digests, send_now
from service.workflows.operation.upkeep import run_retention
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import ChartError
from service.workflows.ports.rules import CalibrationTurn
from tests.factories import budget, percent, utc
from tests.fakes.ports import FakeCharts
from tests.workflows.alerts.test_evaluate import forget_jobs
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed

BUSY = DeliveryError("busy")
HOPELESS = DeliveryError("gone", Concern.MESSAGE)


async def plan(
    yard: Yard,
    cron: str = "0 13 * * *",
    timezone: str = "UTC",
    name: str = "daily spend",
    period: DigestPeriod | None = DigestPeriod.SINCE_PREVIOUS,
) -> Resource[DigestPlan]:
    """Made at noon of Monday, 16 November 2026."""
    return await yard.create(
        Digests(), name, DigestPlan(yard.source.id, yard.receiver.id, cron, timezone, period=period)
    )


async def tick(yard: Yard) -> None:
    await run_due_digests(yard.ports)
    await yard.settle()


async def last_run(yard: Yard, digest: Resource[DigestPlan]) -> DigestRun:
    async with yard.ports.uow() as uow:
        run = await uow.digest_runs.latest(digest.id)
    assert run is not None
    return run


def sent(yard: Yard) -> list[Delivery]:
    return [delivery for _, delivery in yard.channels.sent if delivery.message.alert_id.startswith("dgr_")]


async def test_a_digest_is_sent_once_at_its_time_and_not_before(yard: Yard) -> None:
    yard.reader.bill(date(2026, 11, 15), billed("7.00", workspace="wrkspc_eng"))
    await yard.poll()
    digest = await plan(yard)
    await tick(yard)
    assert sent(yard) == []
    yard.clock.advance(HOUR)
    await tick(yard)
    await tick(yard)
    (delivery,) = sent(yard)
    assert delivery.message.headline.startswith("15 Nov 13:00 to 16 Nov 13:00: $")
    run = await last_run(yard, digest)
    assert (run.occurrence, run.state, run.asked_by) == (utc("2026-11-16T13:00"), RunState.SENT, "")
    assert (run.window.start, run.window.end) == (utc("2026-11-15T13:00"), utc("2026-11-16T13:00"))
    assert (run.before.start, run.before.end) == (utc("2026-11-14T13:00"), utc("2026-11-15T13:00"))


async def test_a_digest_names_the_rules_that_give_too_many_false_alerts_as_they_are_now(yard: Yard) -> None:
    spec: Rule[object] = Rule(yard.source.id, "anomaly", Anomaly(), gates=KINDS["anomaly"].gates)
    settings = tuple(
        CalibratedSetting(f"sensitivity {name}", name == "normal", alerts, 0, 0)
        for name, alerts in (("normal", 40), ("low", 5))
    )
    made = Calibration(1, yard.clock(), date(2026, 8, 17), date(2026, 11, 15), settings)
    for name, version in (("loud", 1), ("edited since", 7), ("off", 1)):
        rule = await yard.create(Rules(), name, replace(spec, enabled=name != "off"))
        async with yard.ports.uow() as uow:
            await uow.calibrations.take(rule.id, None, CalibrationTurn(version, yard.clock()))
            await uow.calibrations.save(rule.id, replace(made, rule_version=version), yard.clock() + DAY)
    await plan(yard)
    yard.clock.advance(HOUR)
    await tick(yard)
    (delivery,) = sent(yard)
    assert dict(delivery.message.facts)["Rules to adjust"] == (
        "loud: up to 40 false alerts a quarter, 0 of them critical; sensitivity low would give fewer"
    )


async def test_two_ticks_at_once_send_it_once(yard: Yard) -> None:
    await plan(yard)
    yard.clock.advance(HOUR)
    await asyncio.gather(*(run_due_digests(yard.ports) for _ in range(4)))
    await yard.settle()
    assert len(sent(yard)) == 1


async def test_two_workers_at_once_send_a_run_once(yard: Yard) -> None:
    digest = await plan(yard)
    yard.clock.advance(HOUR)
    await run_due_digests(yard.ports)
    run = await last_run(yard, digest)
    await asyncio.gather(*(run_digest(yard.ports, run.id) for _ in range(4)))
    assert len(sent(yard)) == 1


async def test_a_run_whose_worker_died_between_two_channels_goes_on_with_the_other(yard: Yard) -> None:
    await yard.receive_with(Console(), Email(("finance@example.com",)))
    digest = await plan(yard)
    yard.clock.advance(HOUR)
    await run_due_digests(yard.ports)

    async def die(config: ChannelConfig) -> None:
        if config.kind == "email":
            raise asyncio.CancelledError

    yard.channels.meanwhile = die
    with pytest.raises(asyncio.CancelledError):
        await run_digest(yard.ports, (await last_run(yard, digest)).id)
    yard.channels.meanwhile = None
    await tick(yard)
    assert [config.kind for config, _ in yard.channels.sent] == ["console"]
    yard.clock.advance(10 * HOUR)  # however fast business time runs, a lease is real time
    await tick(yard)
    assert [config.kind for config, _ in yard.channels.sent] == ["console"]
    await outlive_lease(yard)
    await tick(yard)
    assert [config.kind for config, _ in yard.channels.sent] == ["console", "email"]


async def outlive_lease(yard: Yard) -> None:
    async with yard.engine.begin() as connection:
        await connection.execute(text("UPDATE digest_runs SET leased_until = leased_until - interval '5 minutes'"))


async def test_a_run_is_sent_once_at_any_speed_of_the_clock(yard: Yard) -> None:
    digest = await plan(yard)
    yard.clock.advance(HOUR)

    async def meanwhile(config: ChannelConfig) -> None:
        yard.channels.meanwhile = None
        yard.clock.advance(6 * HOUR)
        await run_due_digests(yard.ports)
        await run_digest(yard.ports, (await last_run(yard, digest)).id)

    yard.channels.meanwhile = meanwhile
    await tick(yard)
    await tick(yard)
    assert len(sent(yard)) == 1


@pytest.mark.parametrize(
    ("cron", "sent_at", "start", "end"),
    [
        ("0 9 1 * *", "2026-12-01T08:00", "2026-10-31T23:00", "2026-11-30T23:00"),
        ("0 17 15 * *", "2026-12-15T16:00", "2026-10-31T23:00", "2026-11-30T23:00"),
        ("0 9 * * 3", "2026-11-18T08:00", "2026-11-08T23:00", "2026-11-15T23:00"),
        ("0 9 * * *", "2026-11-17T08:00", "2026-11-15T23:00", "2026-11-16T23:00"),
        ("0 9 1 1,4,7,10 *", "2027-01-01T08:00", "2026-09-30T22:00", "2026-12-31T23:00"),
    ],
)
async def test_a_period_is_the_calendars_in_the_digests_zone_whenever_it_is_sent(
    yard: Yard, cron: str, sent_at: str, start: str, end: str
) -> None:
    digest = await plan(yard, cron, "Europe/Berlin", period=None)
    yard.clock.move_to(utc(sent_at))
    await tick(yard)
    run = await last_run(yard, digest)
    assert (run.occurrence, run.window.start, run.window.end) == (utc(sent_at), utc(start), utc(end))
    assert run.before.end == run.window.start
    yard.clock.advance(2 * HOUR)
    async with yard.ports.uow() as uow:
        again = await send_now(uow, yard.ports.cron, digest, replace(yard.author, at=yard.clock()))
    assert again.window == run.window


async def test_of_what_was_missed_only_the_last_is_sent(yard: Yard) -> None:
    digest = await plan(yard)
    yard.clock.advance(5 * DAY + 2 * HOUR)
    await tick(yard)
    await tick(yard)
    assert len(sent(yard)) == 1
    assert (await last_run(yard, digest)).occurrence == utc("2026-11-21T13:00")


async def test_nothing_is_made_up_for_that_was_due_before_the_digest_was_made_or_edited(yard: Yard) -> None:
    digest = await plan(yard, "0 11 * * *")
    await tick(yard)
    yard.clock.advance(DAY)
    await yard.change(Digests(), digest, replace(digest.spec, cron="0 10 * * *"))
    await tick(yard)
    assert sent(yard) == []


async def test_a_disabled_digest_is_not_sent(yard: Yard) -> None:
    digest = await plan(yard)
    await yard.change(Digests(), digest, replace(digest.spec, enabled=False))
    yard.clock.advance(DAY)
    await tick(yard)
    assert sent(yard) == []


@pytest.mark.parametrize(
    ("made", "occurrence", "before", "hours"),
    [
        ("2026-03-28T12:00", "2026-03-29T07:00", "2026-03-28T08:00", 23),
        ("2026-10-24T12:00", "2026-10-25T08:00", "2026-10-24T07:00", 25),
    ],
)
async def test_the_day_that_clocks_are_changed_is_as_long_as_it_is(
    yard: Yard, made: str, occurrence: str, before: str, hours: int
) -> None:
    yard.clock.move_to(utc(made))
    digest = await plan(yard, "0 9 * * *", "Europe/Berlin")
    yard.clock.move_to(utc(occurrence) - MINUTE)
    await tick(yard)
    assert sent(yard) == []
    yard.clock.advance(MINUTE)
    await tick(yard)
    run = await last_run(yard, digest)
    assert (run.window.start, run.window.end) == (utc(before), utc(occurrence))
    assert run.window.end - run.window.start == hours * HOUR


async def test_a_channel_that_is_busy_is_tried_again_and_the_others_are_not(yard: Yard) -> None:
    await yard.receive_with(Console(), Email(("finance@example.com",)))
    digest = await plan(yard)
    yard.clock.advance(HOUR)
    yard.channels.refusals["email"] = BUSY
    await tick(yard)
    waiting = await last_run(yard, digest)
    assert waiting.state is RunState.QUEUED
    assert {one.channel.partition(":")[0]: one.state for one in waiting.sendings} == {
        "console": RunState.SENT,
        "email": RunState.QUEUED,
    }
    yard.channels.refusals.clear()
    await tick(yard)
    assert len(sent(yard)) == 1  # not before its time
    yard.clock.advance(MINUTE)
    await tick(yard)
    assert [config.kind for config, _ in yard.channels.sent] == ["console", "email"]
    assert (await last_run(yard, digest)).state is RunState.SENT


async def test_a_channel_that_refuses_for_good_is_told_in_the_run(yard: Yard) -> None:
    digest = await plan(yard)
    yard.clock.advance(HOUR)
    yard.channels.refusals["console"] = HOPELESS
    await tick(yard)
    run = await last_run(yard, digest)
    assert run.state is RunState.DEAD
    assert [(one.attempts, one.detail) for one in run.sendings] == [(1, "gone")]
    async with yard.ports.uow() as uow:
        (failing,) = await uow.channel_health.failing()
    assert (failing.receiver_id, failing.error) == (yard.receiver.id, "gone")
    yard.channels.refusals.clear()
    yard.clock.advance(HOUR)
    await tick(yard)
    assert sent(yard) == []


async def test_a_channel_that_stays_busy_is_a_line_when_it_begins_and_one_when_it_takes_the_digest(yard: Yard) -> None:
    await plan(yard)
    yard.clock.advance(HOUR)
    yard.channels.refusals["console"] = BUSY
    with capture_logs() as lines:
        for _ in range(8):
            await tick(yard)
            yard.clock.advance(10 * MINUTE)
        yard.channels.refusals.clear()
        yard.clock.advance(HOUR)
        await tick(yard)
    said = [line["event"] for line in lines if line["event"].startswith(("outage_", "digest_"))]
    assert said == ["outage_begins", "outage_ends", "digest_sent"]


async def test_a_run_whose_job_was_lost_is_sent_by_the_next_tick(yard: Yard) -> None:
    digest = await plan(yard)
    yard.clock.advance(HOUR)
    await run_due_digests(yard.ports)
    await forget_jobs(yard)
    await yard.settle()
    assert sent(yard) == []
    await tick(yard)
    assert len(sent(yard)) == 1
    await run_digest(yard.ports, (await last_run(yard, digest)).id)
    assert len(sent(yard)) == 1


async def test_a_run_whose_digest_was_deleted_ends(yard: Yard) -> None:
    digest = await plan(yard)
    yard.clock.advance(HOUR)
    await run_due_digests(yard.ports)
    await yard.delete(Digests(), digest)
    await yard.settle()
    run = await last_run(yard, digest)
    assert (run.state, sent(yard)) == (RunState.DEAD, [])
    assert "digest" in run.detail


async def test_one_can_be_sent_now_as_often_as_wanted(yard: Yard) -> None:
    digest = await plan(yard)
    for _ in range(2):
        yard.clock.advance(timedelta(seconds=1))
        async with yard.ports.uow() as uow:
            await send_now(uow, yard.ports.cron, digest, yard.author)
        await yard.settle()
    assert len(sent(yard)) == 2
    run = await last_run(yard, digest)
    assert run.asked_by == "token:ann"
    assert (run.window.start, run.window.end) == (utc("2026-11-14T13:00"), utc("2026-11-15T13:00"))


async def test_it_tells_of_spend_budgets_and_alerts(yard: Yard) -> None:
    yard.clock.move_to(utc("2026-11-17T12:00"))
    await yard.add_budget("eng", budget("10.00", percent(100)))
    await plan(yard, "0 0 * * *")
    yard.clock.move_to(utc("2026-11-17T12:30"))
    yard.reader.bill(date(2026, 11, 16), billed("3.00", workspace="wrkspc_ops"))
    yard.reader.bill(date(2026, 11, 17), billed("12.00", workspace="wrkspc_eng"))
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    yard.clock.advance(HOUR)
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.ACKNOWLEDGE, "", yard.author)
    yard.clock.move_to(utc("2026-11-18T00:00"))
    await tick(yard)
    (delivery,) = sent(yard)
    facts = dict(delivery.message.facts)
    assert delivery.message.headline == "Tue 17 Nov: $12.00, up 300% (+$9.00) vs Mon 16 Nov"
    assert facts["Workspaces"] == "wrkspc_eng $12.00 (100%, +$12.00)"
    assert facts["Workspaces down"] == "wrkspc_ops -$3.00"
    assert facts["Budgets at risk"].startswith("eng (")
    assert facts["Alerts"] == "1 opened, 0 resolved"
    assert facts["Alert quality"].startswith("100% acknowledged, after 1 h 0 min (median); 0 dismissed")


async def test_days_that_were_never_read_are_said_and_compared_with_nothing(yard: Yard) -> None:
    """The first poll reads 35 days: of September nothing is known, and of October a part."""
    yard.reader.bill(date(2026, 10, 30), billed("5.00"))
    yard.reader.bill(date(2026, 11, 9), billed("3.00"))
    await yard.poll()
    week = await plan(yard, "0 13 * * 1", name="weekly", period=DigestPeriod.PREVIOUS_WEEK)
    month = await plan(yard, "0 13 1 * *", name="monthly", period=DigestPeriod.PREVIOUS_MONTH)
    for digest in (week, month):
        async with yard.ports.uow() as uow:
            await send_now(uow, yard.ports.cron, digest, yard.author)
        await yard.settle()
    weekly, monthly = (delivery.message for delivery in sent(yard))
    assert "up $3.00" in weekly.headline
    assert monthly.headline == "October: $5.00, not known in full"
    assert "UTC days of October, and of 30 UTC days of September" in dict(monthly.facts)["Not known"]


async def test_a_day_that_has_just_begun_is_compared_before_the_first_poll_of_it(yard: Yard) -> None:
    """From 00:05 to 00:05: each morning it said that the period is not known in full."""
    yard.reader.bill(date(2026, 11, 15), billed("2.00"))
    yard.reader.bill(date(2026, 11, 16), billed("3.00"))
    await plan(yard, "5 0 * * *")
    yard.clock.advance(11 * HOUR + 55 * MINUTE)
    await yard.poll()
    yard.clock.advance(10 * MINUTE)
    await tick(yard)
    (delivery,) = sent(yard)
    assert "not known" not in delivery.message.headline
    assert "Not known" not in dict(delivery.message.facts)


async def test_what_pages_gets_no_digest(yard: Yard) -> None:
    pager = PagerDuty(yard.ports.vault.seal("FAKE-routing-key"))
    await yard.receive_with(pager)
    with pytest.raises(Invalid) as caught:
        await plan(yard)
    assert caught.value.pointer == "/receiver"
    await yard.receive_with(pager, Console())
    await plan(yard)
    yard.clock.advance(HOUR)
    await tick(yard)
    assert [config.kind for config, _ in yard.channels.sent] == ["console"]


async def test_a_receiver_and_a_source_of_a_digest_stay(yard: Yard) -> None:
    await plan(yard)
    with pytest.raises(Conflict, match="digest 'daily spend'"):
        await yard.delete(Receivers(), yard.receiver)
    with pytest.raises(Conflict, match="digest 'daily spend'"):
        await yard.delete(Sources(), yard.source)


# ------------------------------------------------------------------------------------------- retention


async def test_runs_are_forgotten_but_the_newest_so_that_none_is_sent_again(yard: Yard) -> None:
    """A yearly digest's last occurrence may be older than what is kept, and was asked for once more since."""
    yearly = await plan(yard, "0 13 16 11 *")
    yard.clock.advance(HOUR)
    await tick(yard)
    daily = await plan(yard, "0 13 * * *", name="daily")
    for _ in range(3):
        yard.clock.advance(DAY)
        await tick(yard)
    async with yard.ports.uow() as uow:
        await send_now(uow, yard.ports.cron, await uow.digests.get(yearly.id), yard.author)
    await yard.settle()
    assert len(sent(yard)) == 5
    yard.clock.advance(HOUR)
    await run_retention(yard.ports, keep=timedelta())
    assert len(await yard.rows("digest_runs")) == 3
    await tick(yard)
    assert len(sent(yard)) == 5
    assert (await last_run(yard, daily)).occurrence == utc("2026-11-19T13:00")


# ------------------------------------------------------------------------------------------- charts


async def test_mails_get_a_chart_whose_pieces_add_up_and_the_terminal_gets_none(yard: Yard) -> None:
    await yard.receive_with(Email(("finance@example.com",)), Console())
    for day in range(2, 16):
        yard.reader.bill(date(2026, 11, day), billed("7.00" if day > 8 else "3.00"))
    await yard.poll()
    yard.clock.advance(-12 * HOUR)  # an occurrence is at midnight, and days are whole
    digest = await plan(yard, cron="0 0 * * 1", name="weekly spend")
    async with yard.ports.uow() as uow:
        await send_now(uow, yard.ports.cron, digest, replace(yard.author, at=utc("2026-11-16T00:00")))
    await yard.settle()
    pictures = {config.kind: one.picture for config, one in yard.channels.sent if one.message.alert_id[:4] == "dgr_"}
    assert pictures["console"] is None
    assert pictures["email"] is not None
    assert "$49.00, up 133% (+$28.00)" in pictures["email"].alt
    (drawn,) = charts(yard).drawn
    bars = [row["amount"] for row in values(drawn, Series.ACTUAL)]
    ticks = [row["amount"] for row in values(drawn, Series.BEFORE)]
    assert (bars, ticks) == ([7.0] * 7, [3.0] * 7)


async def test_a_digest_goes_out_without_a_chart_that_cannot_be_drawn_which_is_counted(yard: Yard) -> None:
    await yard.receive_with(Email(("finance@example.com",)))
    charts(yard).refusal = ChartError("no picture within 8 s")
    await plan(yard)
    yard.clock.advance(HOUR)
    await tick(yard)
    (delivery,) = sent(yard)
    assert delivery.picture is None
    async with yard.ports.uow() as uow:
        assert await uow.chart_failures.count() == 1


def charts(yard: Yard) -> FakeCharts:
    assert isinstance(yard.ports.charts, FakeCharts)
    return yard.ports.charts


def values(drawn: Mapping[str, object], series: Series) -> list[dict[str, object]]:
    """The rows of a specification's layer."""
    layers: Any = drawn["layer"]
    (found,) = [one for one in layers if one["encoding"]["color"] == {"datum": series.value}]
    rows: list[dict[str, object]] = found["data"]["values"]
    return rows


# ----------------------------------------------------------------------------------------------- defects


async def put(yard: Yard, kind: str, name: str, path: str, zone: str = "Mars/Olympus_Mons") -> None:
    """What an update of the machine's time zones does to a stored resource: its zone is known no more."""
    changed = f"UPDATE resources SET spec = jsonb_set(spec, '{path}', '\"{zone}\"')"
    async with yard.engine.begin() as connection:
        await connection.execute(
            text(f"{changed} WHERE kind = :kind AND name = :name").bindparams(kind=kind, name=name)
        )


async def test_a_budget_that_cannot_be_told_is_left_out_and_the_digest_goes_out(yard: Yard) -> None:
    yard.reader.bill(date(2026, 11, 15), billed("7.00", workspace="wrkspc_eng"))
    await yard.poll()
    await yard.add_budget("poison", budget("1.00", percent(100)))
    await yard.add_budget("sound", budget("1.00", percent(100)))
    await put(yard, "budget", "poison", "{period,timezone}")
    await plan(yard)
    yard.clock.advance(HOUR)
    await tick(yard)
    (delivery,) = sent(yard)
    assert "sound" in str(delivery.message)
    assert "poison" not in str(delivery.message)


async def test_a_digest_whose_times_cannot_be_told_keeps_no_other_from_being_sent(yard: Yard) -> None:
    await plan(yard, name="poison")
    await plan(yard, name="sound")
    await put(yard, "digest", "poison", "{timezone}")
    yard.clock.advance(HOUR)
    with capture_logs() as lines:
        await tick(yard)
        await tick(yard)
    assert len(sent(yard)) == 1
    assert [line["event"] for line in lines].count("digest_failed") == 1
    failing = await failing_since(yard, "poison")
    assert failing is not None
    assert failing.error.startswith("ZoneInfoNotFoundError")
    await put(yard, "digest", "poison", "{timezone}", "UTC")
    await tick(yard)
    assert len(sent(yard)) == 2
    assert await failing_since(yard, "poison") is None


async def failing_since(yard: Yard, name: str) -> DigestFailure | None:
    async with yard.ports.uow() as uow:
        return await uow.digest_runs.failing((await uow.digests.get(name)).id)


async def test_a_digest_that_cannot_be_composed_is_a_failed_attempt_and_holds_up_no_other(yard: Yard) -> None:
    poison = await plan(yard, name="poison")
    await plan(yard, name="sound")
    yard.clock.advance(HOUR)
    await run_due_digests(yard.ports)
    await put(yard, "digest", "poison", "{timezone}")
    await yard.settle()
    assert len(sent(yard)) == 1
    run = await last_run(yard, poison)
    assert (run.state, [one.attempts for one in run.sendings]) == (RunState.QUEUED, [1])
    assert "ZoneInfoNotFoundError" in run.sendings[0].detail
    await put(yard, "digest", "poison", "{timezone}", "UTC")
    yard.clock.advance(HOUR)
    await tick(yard)
    assert len(sent(yard)) == 2
    assert (await last_run(yard, poison)).state is RunState.SENT


async def test_a_run_whose_receiver_cannot_be_read_says_so_and_goes_out_once_it_can(yard: Yard) -> None:
    digest = await plan(yard)
    yard.clock.advance(HOUR)
    await run_due_digests(yard.ports)
    await spoil(yard, "|| '{\"channels\"\\: 7}'")
    await yard.settle()
    run = await last_run(yard, digest)
    assert (run.state, run.sendings) == (RunState.QUEUED, ())
    assert "cannot read" in run.detail
    await spoil(yard, '|| \'{"channels"\\: [{"kind"\\: "console"}]}\'')
    yard.clock.advance(HOUR)
    await tick(yard)
    run = await last_run(yard, digest)
    assert (run.state, run.detail) == (RunState.SENT, "")


async def spoil(yard: Yard, change: str) -> None:
    async with yard.engine.begin() as connection:
        await connection.execute(text(f"UPDATE resources SET spec = spec {change} WHERE kind = 'receiver'"))
