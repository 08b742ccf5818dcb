"""Ten dollars a day against a monthly budget: the bell before the money is gone, once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import cycle, islice

import pytest

from service.domain.alerts.alert import AlertState, Reason
from service.domain.alerts.crossings import ThresholdBasis
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.notify.notification import Action
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.severity import Severity
from tests.factories import budget, forecast_percent, percent
from tests.journeys.stage import CHANNEL, Stage, restarted

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
STEADY = "1000.00"
NOISE = ("1200", "800", "1130", "910", "1010", "840", "1190", "960", "1070", "820")
"""Cents of a day: 20 % around ten dollars."""


async def history(stage: Stage, first: str, last: str) -> None:
    """Bills of ten dollars a day, and a poll at noon of the last of these days."""
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        stage.bill(day.isoformat(), STEADY)
        day += DAY
    await stage.advance(f"{last}T12:00")
    await stage.poll()


async def live(stage: Stage, bills: Iterable[str]) -> None:
    """Day by day from tomorrow on: a bill, and polls in the morning and in the evening."""
    for cents in bills:
        day = stage.clock().date() + DAY
        for hour, share in ((8, 1 / 3), (20, 5 / 6)):
            await stage.advance(f"{day}T{hour:02}:00")
            stage.bill(day.isoformat(), f"{float(cents) * share:.2f}")
            await stage.poll()
        stage.bill(day.isoformat(), cents)


async def rings(stage: Stage) -> list[tuple[str, Reason]]:
    """What called people in Slack."""
    return [
        (one.action.value, one.reason)
        for one in await stage.notifications()
        if one.channel.startswith("slack") and one.action in (Action.OPEN, Action.RAISE)
    ]


async def test_a_forecast_rings_once_is_quiet_through_noise_and_gives_way_to_the_spend_itself(stage: Stage) -> None:
    await history(stage, "2026-10-01", "2026-11-05")
    await stage.configure("eng monthly", budget("200.00", percent(100, Severity.CRITICAL), forecast_percent(100)))
    assert await stage.alerts() == []  # one day above the level is no crossing yet

    await live(stage, [STEADY])
    forecast = await stage.alert()
    assert forecast.severity is Severity.WARNING
    (post,) = stage.slack.messages(CHANNEL)
    assert "Budget eng monthly will probably be exceeded: $300 by 30 Nov" in post.shown
    assert "Used up Sat 21 Nov at this pace." in post.shown
    assert "from 36 days of history" in next(iter(stage.slack.files.values())).comment
    (mail,) = stage.smtp.mails
    assert "will probably be exceeded: $300 by 30 Nov" in mail.text
    assert isinstance(forecast.evidence, BudgetEvidence)
    assert forecast.evidence.forecast is not None
    assert forecast.evidence.forecast.low <= forecast.evidence.forecast.mid <= forecast.evidence.forecast.high

    await live(stage, islice(cycle(NOISE), 12))
    assert await rings(stage) == [("open", Reason.FIRST)]
    assert len(stage.smtp.mails) == 1
    assert (await stage.alert()).state is AlertState.FIRING

    await live(stage, islice(cycle(NOISE), 4))
    ahead, spent = await stage.alerts()
    assert (ahead.id, ahead.state) == (forecast.id, AlertState.RESOLVED)
    assert (spent.severity, spent.state) == (Severity.CRITICAL, AlertState.FIRING)
    assert await rings(stage) == [("open", Reason.FIRST), ("open", Reason.FIRST)]
    assert "has its own alert" in stage.slack.replies(post)[-1].shown
    assert "At this pace: $297 by 30 Nov" in stage.slack.messages(CHANNEL)[1].shown

    await live(stage, islice(cycle(NOISE), 6))
    assert len(await rings(stage)) == 2


async def test_a_forecast_about_the_level_rings_at_most_once_in_twenty_noisy_days(stage: Stage) -> None:
    await history(stage, "2026-10-01", "2026-11-05")
    await stage.configure("eng monthly", budget("300.00", forecast_percent(100)))
    await live(stage, islice(cycle(NOISE), 20))
    assert len(await rings(stage)) <= 1


async def test_a_restart_between_the_two_days_forgets_nothing(database_url: str, stage: Stage) -> None:
    await history(stage, "2026-10-01", "2026-11-05")
    await stage.configure("eng monthly", budget("200.00", forecast_percent(100)))
    async with restarted(stage, database_url) as again:
        await live(again, [STEADY])
    assert await rings(stage) == [("open", Reason.FIRST)]


async def test_too_little_history_is_no_forecast(stage: Stage) -> None:
    await history(stage, "2026-10-15", "2026-10-20")
    await stage.configure("eng monthly", budget("12.00", forecast_percent(1000)))
    await live(stage, [STEADY])
    assert await stage.alerts() == []
    async with stage.ports.uow() as uow:
        assert await uow.watches.of([stage.budgets["eng monthly"].id]) == {}
    await live(stage, [STEADY] * 2)  # seven complete days, and a day more to be sure
    assert [basis(one.fingerprint) for one in await stage.alerts()] == [ThresholdBasis.FORECAST]


async def test_a_falling_forecast_amends_and_the_end_of_the_period_resolves(stage: Stage) -> None:
    await history(stage, "2026-10-01", "2026-11-05")
    await stage.configure("eng monthly", budget("250.00", forecast_percent(100)))
    await live(stage, [STEADY])
    (post,) = stage.slack.messages(CHANNEL)
    await live(stage, ["1"] * 12)
    assert post.edits >= 1
    assert "fell below the threshold" in post.shown
    assert (await stage.alert()).state is AlertState.FIRING
    await stage.advance("2026-12-04T00:01")
    await stage.poll()
    await stage.poll()
    async with stage.ports.uow() as uow:
        last = (await uow.alerts.events((await stage.alert()).id))[-1]
        assert await uow.watches.of([stage.budgets["eng monthly"].id]) == {}
    assert last.reason is Reason.PERIOD_CLOSED
    assert len(await rings(stage)) == 1


def basis(fingerprint: str) -> str:
    return fingerprint.split(":")[2]


async def test_local_days_are_those_of_the_budget_s_zone(stage: Stage) -> None:
    await history(stage, "2026-10-01", "2026-11-05")
    period = PeriodSpec(PeriodKind.MONTHLY, "Asia/Tokyo")
    await stage.configure("tokyo", budget("200.00", forecast_percent(100), period=period))
    await live(stage, [STEADY])
    (post,) = stage.slack.messages(CHANNEL)
    assert "will probably be exceeded: $30" in post.shown
