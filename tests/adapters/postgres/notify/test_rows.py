"""Two releases share the notifications: this one knows causes by their names, the previous one by numbers in `step`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.notify.tables import notifications
from service.domain.notify.notification import Notification, NotificationCause, Receipt, after_success
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres.notify.test_notifications import FIRST, NOW, add

CAUSES = [
    pytest.param(NotificationCause.EVENT, 0, 0, 0, id="a route, or the first step of a policy"),
    pytest.param(NotificationCause.HELD_BACK, 0, 0, -1, id="held back"),
    pytest.param(NotificationCause.REPEAT, 0, 3, -2, id="the third repeat"),
    pytest.param(NotificationCause.SUMMARY, 0, 0, -3, id="an update of a summary"),
    pytest.param(NotificationCause.ESCALATION, 2, 0, 2, id="a later step"),
    pytest.param(NotificationCause.ESCALATION, 0, 1, 0, id="the first step of the second round"),
]


def notification(cause: NotificationCause, step: int, round: int) -> Notification:
    return replace(FIRST, cause=cause, step=step, round=round)


async def write_as_before(engine: AsyncEngine, one: Notification, number: int) -> bool:
    """Writes what the previous release would; False where the row is there already."""
    values = {name: value for name, value in shallow(one).items() if name != "cause"} | {"step": number}
    statement = upsert(notifications).values(values).on_conflict_do_nothing().returning(notifications.c.id)
    async with engine.begin() as connection:
        return (await connection.execute(statement)).one_or_none() is not None


async def stored(engine: AsyncEngine) -> tuple[int, int, str | None]:
    """The only row's step, round and cause as they are in the table."""
    async with engine.connect() as connection:
        step, round, cause = (await connection.execute(text("SELECT step, round, cause FROM notifications"))).one()
    return step, round, cause


@pytest.mark.parametrize(("cause", "step", "round", "number"), CAUSES)
async def test_a_row_of_the_previous_release_is_read_with_its_cause(
    uow: UowFactory, engine: AsyncEngine, cause: NotificationCause, step: int, round: int, number: int
) -> None:
    await add(uow)
    one = notification(cause, step, round)
    assert await write_as_before(engine, one, number)
    assert await stored(engine) == (number, round, None)
    async with uow() as unit:
        assert await unit.notifications.get(one.id) == one
        (due,) = await unit.notifications.claim(now=NOW, limit=1, lease=NOW - FIRST.due_at)
        assert due.notification == one


@pytest.mark.parametrize(("cause", "step", "round", "number"), CAUSES)
async def test_a_row_is_written_with_the_number_that_the_previous_release_knows(
    uow: UowFactory, engine: AsyncEngine, cause: NotificationCause, step: int, round: int, number: int
) -> None:
    one = notification(cause, step, round)
    await add(uow, one)
    assert await stored(engine) == (number, round, cause)
    async with uow() as unit:
        assert await unit.notifications.get(one.id) == one


@pytest.mark.parametrize(("cause", "step", "round", "number"), CAUSES)
async def test_what_either_release_has_written_the_other_does_not_write_again(
    uow: UowFactory, engine: AsyncEngine, cause: NotificationCause, step: int, round: int, number: int
) -> None:
    await add(uow)
    ours = notification(cause, step, round)
    theirs = replace(ours, id="ntf_theirs", channel="email:0123")
    assert await write_as_before(engine, theirs, number)
    async with uow() as unit:
        assert await unit.notifications.add(ours)
        assert not await unit.notifications.add(replace(theirs, id="ntf_again"))
    assert not await write_as_before(engine, replace(ours, id="ntf_again"), number)


async def test_causes_are_notifications_of_their_own(uow: UowFactory) -> None:
    causes = [replace(FIRST, id=f"ntf_{cause}", cause=cause) for cause in NotificationCause]
    second_round = replace(FIRST, id="ntf_round", cause=NotificationCause.REPEAT, round=1)
    different = [replace(one, step=1) if one.cause is NotificationCause.ESCALATION else one for one in causes]
    await add(uow, *different, second_round)
    assert len({one.call for one in [*different, second_round]}) == len(NotificationCause) + 1


async def test_a_row_of_the_previous_release_gets_its_cause_when_its_outcome_is_recorded(
    uow: UowFactory, engine: AsyncEngine
) -> None:
    await add(uow)
    one = notification(NotificationCause.REPEAT, 0, 1)
    await write_as_before(engine, one, -2)
    async with uow() as unit:
        await unit.notifications.save(after_success(one, Receipt("ts_1", "ok"), NOW), post="ts_1")
    assert await stored(engine) == (-2, 1, NotificationCause.REPEAT)


async def test_the_previous_release_s_record_of_an_outcome_leaves_the_cause(
    uow: UowFactory, engine: AsyncEngine
) -> None:
    one = notification(NotificationCause.SUMMARY, 0, 0)
    await add(uow, one)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE notifications SET step = -3, round = 0, state = 'sent'"))
    async with uow() as unit:
        assert (await unit.notifications.get(one.id)).cause is NotificationCause.SUMMARY
