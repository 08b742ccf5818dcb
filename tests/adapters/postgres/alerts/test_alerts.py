"""Alerts and crossings: one open alert a fingerprint, one writer a version, and nothing forgotten."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason, apply
from service.domain.alerts.crossings import Crossing, ThresholdBasis
from service.domain.values.errors import Conflict, NotFound
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, Scope, ScopeKey
from service.domain.values.severity import Severity
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.unit_of_work import UowFactory
from tests.factories import budget, resource, utc
from tests.sample_alerts import ALERT, EVIDENCE, OPENED, STALE_ALERT

CROSSING = Crossing(
    budget_id="bdg_1",
    scope=ScopeKey(Dimension.WORKSPACE, "wrkspc:with:colons"),
    basis=ThresholdBasis.ACTUAL,
    period_start=utc("2026-10-01"),
    threshold="actual:80%",
    terms="10.00 monthly",
    level=Money.of("8.00"),
    spent=Money.of("8.123456789012"),
    crossed_at=OPENED,
    alert_id=ALERT.id,
)


def opened(alert: Alert = ALERT) -> AlertEvent:
    return AlertEvent(alert, OPENED, Command.OPEN, "tocsin", Reason.FIRST)


def moved(alert: Alert, command: Command, actor: str = "Ada") -> AlertEvent:
    return apply(alert, command, actor=actor, reason=Reason.PERSON, now=OPENED + timedelta(hours=1))


def another(id: str, **changes: object) -> Alert:
    return replace(ALERT, **{"id": id, "fingerprint": f"of {id}", **changes})  # type: ignore[arg-type]


async def save(uow: UowFactory, *events: AlertEvent) -> None:
    async with uow() as unit:
        for event in events:
            await unit.alerts.save(event)


async def outcome(uow: UowFactory, event: AlertEvent) -> str:
    try:
        await save(uow, event)
    except Conflict:
        return "conflict"
    return "stored"


async def test_an_alert_and_its_events_come_back_as_they_were(uow: UowFactory) -> None:
    first, second = opened(), moved(ALERT, Command.ACKNOWLEDGE)
    await save(uow, first, second)
    async with uow() as unit:
        assert await unit.alerts.get(ALERT.id) == second.alert
        assert await unit.alerts.events(ALERT.id) == [first, second]


async def test_of_two_moves_of_one_version_at_once_one_is_stored(uow: UowFactory) -> None:
    await save(uow, opened())
    moves = [moved(ALERT, Command.ACKNOWLEDGE), moved(ALERT, Command.RESOLVE)]
    outcomes = await asyncio.gather(*(outcome(uow, move) for move in moves))
    assert sorted(outcomes) == ["conflict", "stored"]
    async with uow() as unit:
        assert len(await unit.alerts.events(ALERT.id)) == 2


async def test_of_two_alerts_opened_at_once_for_one_fingerprint_one_is_stored(uow: UowFactory) -> None:
    twins = [opened(replace(ALERT, id="alrt_a")), opened(replace(ALERT, id="alrt_b"))]
    outcomes = await asyncio.gather(*(outcome(uow, twin) for twin in twins))
    assert sorted(outcomes) == ["conflict", "stored"]


async def test_a_resolved_alert_makes_room_for_another_of_its_fingerprint(uow: UowFactory) -> None:
    await save(uow, opened(), moved(ALERT, Command.RESOLVE))
    await save(uow, opened(replace(ALERT, id="alrt_2")))
    async with uow() as unit:
        assert [alert.id for alert in await unit.alerts.open("src_1")] == ["alrt_2"]
        assert [alert.id for alert in await unit.alerts.latest([ALERT.fingerprint, "never"])] == ["alrt_2"]


async def test_only_open_alerts_of_the_source_are_open(uow: UowFactory) -> None:
    elsewhere = another("alrt_3", source_id="src_2")
    snoozed = another("alrt_4", state=AlertState.SNOOZED)
    await save(uow, opened(), opened(elsewhere), opened(snoozed), moved(ALERT, Command.RESOLVE))
    async with uow() as unit:
        assert await unit.alerts.open("src_1") == [snoozed]


async def test_an_unknown_alert_is_not_found(uow: UowFactory) -> None:
    async with uow() as unit:
        with pytest.raises(NotFound):
            await unit.alerts.get("alrt_9")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (AlertFilter(), ["stale", "org", "alrt_"]),
        (AlertFilter(states=(AlertState.RESOLVED,)), []),
        (AlertFilter(states=(AlertState.RESOLVED, AlertState.FIRING)), ["stale", "org", "alrt_"]),
        (AlertFilter(severities=(Severity.ERROR,)), ["stale"]),
        (AlertFilter(source_ids=("src_2",)), ["org"]),
        (AlertFilter(budget_ids=("bdg_2",)), ["org"]),
        (AlertFilter(since=OPENED + timedelta(seconds=1)), ["org"]),
        (AlertFilter(workspaces=("wrkspc_1",)), ["alrt_"]),
        (AlertFilter(workspaces=("wrkspc_1", "wrkspc_2")), ["org", "alrt_"]),
        (AlertFilter(workspaces=("wrkspc_2",)), ["org"]),
        (AlertFilter(workspaces=("wrkspc_1",), severities=(Severity.ERROR,)), []),
    ],
)
async def test_alerts_are_listed_newest_first_by_every_filter(
    uow: UowFactory, where: AlertFilter, found: list[str]
) -> None:
    org_wide = another(
        "org",
        source_id="src_2",
        scope=ScopeKey(),
        evidence=replace(EVIDENCE, budget_id="bdg_2"),
        opened_at=OPENED + timedelta(days=1),
    )
    stale = replace(STALE_ALERT, id="stale", fingerprint="stale:src_1")
    await save(uow, opened(), opened(org_wide), opened(stale))
    async with uow() as unit:
        scope = Scope(workspaces=("wrkspc_2", "wrkspc_3"))
        await unit.budgets.add(resource("bdg_2", budget(scope=scope)))
        page = await unit.alerts.page(where, limit=10, cursor=None)
    assert [alert.id[:5] for alert in page.items] == found


@pytest.mark.parametrize("statement", ["UPDATE alert_events SET note = 'x'", "DELETE FROM alert_events"])
async def test_what_happened_to_an_alert_can_be_neither_changed_nor_deleted(
    uow: UowFactory, engine: AsyncEngine, statement: str
) -> None:
    await save(uow, opened())
    with pytest.raises(DBAPIError, match="append-only") as refused:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.RestrictViolation)


async def test_a_crossing_comes_back_as_it_was_to_the_last_decimal(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.crossings.add([CROSSING])
        assert await unit.crossings.of(["bdg_1", "bdg_2"]) == [CROSSING]
        assert await unit.crossings.of([]) == []


async def test_a_crossing_is_recorded_once_however_often_it_is_seen(uow: UowFactory) -> None:
    async def cross() -> int:
        async with uow() as unit:
            return await unit.crossings.add([replace(CROSSING, alert_id="alrt_other", spent=Money.of("9"))])

    assert sorted(await asyncio.gather(cross(), cross(), cross())) == [0, 0, 1]


@pytest.mark.parametrize(
    "other",
    [
        replace(CROSSING, scope=ScopeKey()),
        replace(CROSSING, basis=ThresholdBasis.FORECAST),
        replace(CROSSING, period_start=utc("2026-11-01")),
        replace(CROSSING, threshold="actual:100%"),
        replace(CROSSING, terms="20.00 monthly"),
        replace(CROSSING, budget_id="bdg_2"),
    ],
)
async def test_another_scope_basis_period_threshold_or_terms_is_another_crossing(
    uow: UowFactory, other: Crossing
) -> None:
    async with uow() as unit:
        assert await unit.crossings.add([CROSSING, other, CROSSING]) == 2
