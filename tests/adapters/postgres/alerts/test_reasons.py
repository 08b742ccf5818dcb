"""Two releases share events and notifications: the previous one reads every reason that this one writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.alerts.reasons import exact_reason, reason_columns
from service.adapters.postgres.notify.tables import notifications
from service.domain.alerts.alert import AlertEvent, Command, Reason, apply
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres.notify.test_notifications import FIRST, RAISED, add
from tests.adapters.postgres.release_0_3_0 import REASONS

NEW = [Reason.CALM, Reason.RETURNED, Reason.NOT_CONFIRMED, Reason.ACCEPTED, Reason.CORRECTED]


@pytest.mark.parametrize("reason", Reason)
def test_every_stored_reason_is_a_word_of_the_previous_release_and_is_read_as_it_was_meant(reason: Reason) -> None:
    stored = reason_columns(reason)
    assert stored["reason"] in REASONS
    assert exact_reason(stored["reason"], stored["exact_reason"]) is reason


async def words(engine: AsyncEngine, table: str) -> list[tuple[str, str | None]]:
    async with engine.connect() as connection:
        rows = await connection.execute(text(f"SELECT reason, exact_reason FROM {table} WHERE exact_reason <> ''"))
        return [(reason, exact) for reason, exact in rows]


@pytest.mark.parametrize("reason", NEW)
async def test_a_new_reason_is_stored_beside_a_known_one_in_events_and_notifications(
    uow: UowFactory, engine: AsyncEngine, reason: Reason
) -> None:
    held = replace(FIRST, reason=reason)
    await add(uow, held)
    moved = apply(RAISED.alert, Command.AMEND, actor="tocsin", reason=reason, now=RAISED.at + timedelta(hours=1))
    async with uow() as unit:
        await unit.alerts.save(moved)
    known = reason_columns(reason)["reason"]
    assert await words(engine, "alert_events") == await words(engine, "notifications") == [(known, reason)]
    async with uow() as unit:
        newest: AlertEvent = (await unit.alerts.events(moved.alert.id))[-1]
        assert newest.reason is reason
        assert (await unit.notifications.get(held.id)).reason is reason


async def test_a_reason_that_the_previous_release_writes_over_a_new_one_counts(
    uow: UowFactory, engine: AsyncEngine
) -> None:
    await add(uow, replace(FIRST, reason=Reason.CALM))
    async with engine.begin() as connection:
        await connection.execute(update(notifications).values(reason=Reason.SILENCED))
    async with uow() as unit:
        assert (await unit.notifications.get(FIRST.id)).reason is Reason.SILENCED
