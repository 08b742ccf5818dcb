"""What users of other systems complain of, one test each, in the order of the list in docs/budgets.md."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.alerts.alert import AlertState
from service.domain.values.periods import PeriodKind, PeriodSpec, Weekday
from service.domain.values.scopes import Dimension, Scope
from service.simulator.world.records import Quantities, Stream
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.outages import StorageUnavailable
from tests.factories import budget, percent, utc
from tests.fakes.fixed_world import UsageEvent, token_cost
from tests.journeys.stage import CHANNEL, Stage, restarted

pytestmark = pytest.mark.slow

SONNET = "claude-sonnet-5-5"
"""$2 for a million input tokens."""


def used(at: str, dollars: int, workspace: str | None = None, key: str = "apikey_1") -> UsageEvent:
    return UsageEvent(utc(at), Stream(workspace, key, SONNET), Quantities(uncached_input=dollars * 500_000))


def rung(stage: Stage) -> int:
    """How often people were called in Slack: first posts and broadcast replies."""
    posts = stage.slack.messages(CHANNEL)
    return sum(1 for post in posts if post.thread_ts is None or post.broadcast)


async def test_1_a_crossing_is_told_once_however_much_more_is_spent(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100)))
    for cents in ("1000", "1100", "1250", "1900"):
        stage.bill("2026-10-19", cents)
        await stage.poll()
    assert rung(stage) == 1


async def test_2_one_team_crossing_is_one_alert_not_one_for_each_key(stage: Stage) -> None:
    stage.world.add_workspace("wrkspc_team", "team")
    await stage.configure("team", budget("10.00", percent(100), scope=Scope(workspaces=("wrkspc_team",))))
    for number in range(12):
        stage.world.add_usage(used("2026-10-20T09:10", 1, "wrkspc_team", f"apikey_{number}"))
    await stage.poll()
    assert len(await stage.alerts()) == 1
    assert rung(stage) == 1


async def test_3_replicas_that_evaluate_at_the_same_moment_ring_once(stage: Stage) -> None:
    budget_id = (await stage.configure("eng", budget("10.00", percent(100)))).id
    stage.bill("2026-10-19", "5000")
    await stage.read()
    runs = [run_evaluation(stage.ports, stage.source.id) for _ in range(6)]
    results = await asyncio.gather(*runs)
    assert sum(1 for moved in results if moved) == 1
    await stage.settle()
    assert [alert.fingerprint.split(":")[1] for alert in await stage.alerts()] == [budget_id]
    assert rung(stage) == 1
    assert len(stage.smtp.mails) == 1


async def test_4_a_restart_rings_no_old_level(stage: Stage, database_url: str) -> None:
    await stage.configure("eng", budget("10.00", percent(50), percent(100)))
    stage.bill("2026-10-19", "600")
    await stage.poll()
    stage.bill("2026-10-19", "830")
    async with restarted(stage, database_url) as again:
        await again.poll()
    assert rung(stage) == 1


async def test_5_the_second_period_and_the_second_key_ring_too(stage: Stage) -> None:
    daily = PeriodSpec(PeriodKind.DAILY)
    await stage.configure("each key", budget("10.00", percent(100), period=daily, for_each=Dimension.API_KEY))
    stage.world.add_usage(used("2026-10-20T09:10", 12, key="apikey_1"))
    await stage.poll()
    stage.world.add_usage(used("2026-10-20T10:10", 12, key="apikey_2"))
    await stage.poll()
    await stage.advance("2026-10-21T12:00")
    stage.world.add_usage(used("2026-10-21T09:10", 12, key="apikey_1"))
    await stage.poll()
    scopes = [(str(alert.scope), alert.fingerprint[-25:-15]) for alert in await stage.alerts()]
    assert scopes == [
        ("api_key:apikey_1", "2026-10-20"),
        ("api_key:apikey_2", "2026-10-20"),
        ("api_key:apikey_1", "2026-10-21"),
    ]


@pytest.mark.parametrize("dimension", [Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY])
async def test_6_every_scope_that_has_a_budget_rings(stage: Stage, dimension: Dimension) -> None:
    await stage.configure("each", budget("10.00", percent(100), for_each=dimension))
    stage.world.add_usage(used("2026-10-20T09:10", 11))
    await stage.poll()
    assert (await stage.alert()).scope.dimension is dimension


async def test_7_a_period_starts_on_the_calendar_not_with_the_first_spend(stage: Stage) -> None:
    await stage.configure("weekly", budget("10.00", percent(100), period=PeriodSpec(PeriodKind.WEEKLY)))
    stage.bill("2026-10-18", "900")  # a Sunday
    stage.bill("2026-10-19", "900")  # a Monday
    await stage.poll()
    assert not await stage.alerts()


async def test_8_a_day_in_tokyo_ends_at_tokyos_midnight(stage: Stage) -> None:
    tokyo = PeriodSpec(PeriodKind.DAILY, "Asia/Tokyo")
    await stage.configure("daily", budget("10.00", percent(100), period=tokyo))
    await stage.advance("2026-10-20T15:40")
    stage.world.add_usage(used("2026-10-20T14:10", 6), used("2026-10-20T15:10", 6))
    await stage.poll()
    # $12 on this UTC day, but $6 on either side of 15:00Z, where Tokyo's 21 October begins.
    assert not await stage.alerts()
    stage.world.add_usage(used("2026-10-20T15:20", 4))
    await stage.poll()
    assert "2026-10-20T15:00:00+00:00" in (await stage.alert()).fingerprint


async def test_9_a_week_starts_on_the_chosen_day_and_a_month_on_the_chosen_date(stage: Stage) -> None:
    sundays = PeriodSpec(PeriodKind.WEEKLY, week_start=Weekday.SUNDAY)
    fifteenths = PeriodSpec(PeriodKind.MONTHLY, anchor_day=15)
    await stage.configure("weekly", budget("10.00", percent(100), period=sundays))
    await stage.configure("monthly", budget("20.00", percent(100), period=fifteenths))
    stage.bill("2026-10-10", "5000")
    stage.bill("2026-10-18", "600")
    stage.bill("2026-10-19", "600")
    await stage.poll()
    assert [alert.fingerprint[-25:-15] for alert in await stage.alerts()] == ["2026-10-18"]


async def test_10_a_new_period_counts_from_zero_without_anybody_resetting_it(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "5000")
    await stage.poll()
    await stage.advance("2026-11-05T12:00")
    stage.bill("2026-11-04", "900")
    for _ in range(2):
        await stage.poll()
    assert [alert.state for alert in await stage.alerts()] == [AlertState.RESOLVED]
    assert rung(stage) == 1


async def test_11_without_its_store_it_refuses_to_decide(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100)))
    nowhere = create_async_engine("postgresql+psycopg://postgres@127.0.0.1:1/none")
    blind = uow_factory(nowhere, to_real=lambda instant: instant)
    with pytest.raises(StorageUnavailable):
        async with blind() as uow:
            await uow.budgets.all()
    await nowhere.dispose()
    assert not await stage.alerts()


async def test_12_cents_are_never_taken_for_dollars(stage: Stage) -> None:
    await stage.configure("eng", budget("500.00", percent(80)))
    stage.bill("2026-10-19", "39999.99999")
    await stage.poll()
    assert not await stage.alerts()
    stage.bill("2026-10-19", "40000")
    await stage.poll()
    assert len(await stage.alerts()) == 1


async def test_13_a_day_that_was_revised_long_after_is_read_again(stage: Stage) -> None:
    await stage.configure("eng", budget("10.00", percent(100)))
    await stage.poll()
    stage.clock.advance(timedelta(days=1))
    stage.world.set_cost(utc("2026-10-01").date(), token_cost("1200"))
    await stage.poll()
    assert rung(stage) == 1
