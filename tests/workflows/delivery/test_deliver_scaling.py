"""The cost of a delivery for the database grows with what is due, and with nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from service.domain.notify.channels.webhook import Webhook
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.unit_of_work import UnitOfWork
from tests.factories import SEALED
from tests.statements import counted
from tests.workflows.delivery.sending import open_alert
from tests.workflows.yard import Yard

HOOK = Webhook("https://hook.example/", SEALED)
COPIES = (
    """
    INSERT INTO alerts SELECT copy.* FROM alerts AS model, generate_series(1, :count) AS number,
        jsonb_populate_record(model, jsonb_build_object(
            'id', 'past_' || number, 'fingerprint', 'past_' || number, 'state', 'resolved')) AS copy
    WHERE model.id = 'alrt_0'
    """,
    """
    INSERT INTO alert_events SELECT copy.* FROM alert_events AS model, generate_series(1, :count) AS number,
        jsonb_populate_record(model, jsonb_build_object('alert_id', 'past_' || number)) AS copy
    WHERE model.alert_id = 'alrt_0'
    """,
    """
    INSERT INTO notifications SELECT copy.* FROM notifications AS model, generate_series(1, :count) AS number,
        jsonb_populate_record(model, jsonb_build_object('id', 'ntf_' || number, 'alert_id', 'past_' || number)) AS copy
    WHERE model.alert_id = 'alrt_0'
    """,
)


async def cost_of(yard: Yard, first: int, count: int) -> float:
    """Statements for each of so many notifications."""
    for number in range(first, first + count):
        await open_alert(yard, number)
    with counted(yard.engine) as statements:
        assert await run_delivery(yard.ports) == count
    return statements.total() / count


async def test_many_notifications_cost_no_more_statements_each_than_few(yard: Yard) -> None:
    await yard.receive_with(HOOK)
    few, many = await cost_of(yard, 0, 10), await cost_of(yard, 10, 200)
    assert many <= few
    assert many < 2


@pytest.mark.parametrize("finished", [1_000, 10_000])
async def test_a_claim_touches_no_notification_that_is_over(yard: Yard, finished: int) -> None:
    """The rows that its plan reads, whatever else is stored."""
    await yard.receive_with(HOOK)
    await open_alert(yard, 0)
    assert await run_delivery(yard.ports) == 1
    async with yard.engine.begin() as connection:
        for copies in COPIES:
            await connection.execute(text(copies), {"count": finished})
        await connection.execute(text("ANALYZE notifications"))
    await open_alert(yard, 1)
    assert await rows_read(yard) <= 20


async def rows_read(yard: Yard) -> int:
    """Rows of notifications that a claim and the look for the next one fetch, as the server counts them."""
    async with yard.ports.uow() as uow:
        before = await _rows_read_so_far(uow)
        await uow.notifications.claim(now=yard.clock(), limit=50, lease=timedelta(minutes=2))
        await uow.notifications.next_due()
        return await _rows_read_so_far(uow) - before


async def _rows_read_so_far(uow: UnitOfWork) -> int:
    """The session's: it reports to the server's statistics once a second."""
    count = text(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'notifications'"
    )
    connection = uow.notifications._connection  # type: ignore[attr-defined]
    return int(await connection.scalar(count))
