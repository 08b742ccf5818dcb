"""The outbox: claimed by one, in order, and recorded once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.alerts.alert import AlertEvent, Command, Reason
from service.domain.notify.notification import Action, Notification, NotificationState, Receipt, after_failure
from service.domain.notify.notification import after_success as sent
from service.domain.values.errors import NotFound
from service.workflows.ports.notify import DueNotification, NotificationFilter
from service.workflows.ports.unit_of_work import UnitOfWork, UowFactory
from tests.sample_alerts import ALERT, OPENED

NOW = OPENED + timedelta(minutes=1)
LEASE = timedelta(minutes=2)
EVENT = AlertEvent(ALERT, OPENED, Command.OPEN, "tocsin", Reason.FIRST)
RAISED = replace(EVENT, alert=replace(ALERT, version=2), command=Command.RAISE, reason=Reason.RAISED)
FIRST = Notification(
    id="ntf_1",
    alert_id=ALERT.id,
    alert_version=1,
    receiver_id="rcv_1",
    channel="slack_bot:0123",
    action=Action.OPEN,
    reason=Reason.FIRST,
    level="actual:80%",
    state=NotificationState.QUEUED,
    created_at=OPENED,
    due_at=OPENED,
)
SECOND = replace(FIRST, id="ntf_0", alert_version=2, action=Action.RAISE, level="actual:100%")
"""Its id sorts before the first one's: within a millisecond ids have no order, versions have."""


async def add(uow: UowFactory, *notifications: Notification) -> None:
    async with uow() as unit:
        await unit.alerts.save(EVENT)
        await unit.alerts.save(RAISED)
        for notification in notifications:
            assert await unit.notifications.add(notification)


async def claim(unit: UnitOfWork, *, lease: timedelta = LEASE) -> list[DueNotification]:
    return await unit.notifications.claim(now=NOW, limit=50, lease=lease)


async def claimed_ids(uow: UowFactory, *, lease: timedelta = LEASE) -> list[str]:
    async with uow() as unit:
        return [claimed.notification.id for claimed in await claim(unit, lease=lease)]


def many(count: int) -> list[Notification]:
    return [replace(FIRST, id=f"ntf_{n:02}", channel=f"email:{n}") for n in range(count)]


async def test_a_claim_brings_the_notification_its_event_and_no_post_yet(uow: UowFactory) -> None:
    await add(uow, FIRST)
    async with uow() as unit:
        assert await claim(unit) == [DueNotification(FIRST, EVENT, None)]


async def test_the_same_message_is_put_down_once(uow: UowFactory) -> None:
    await add(uow, FIRST)
    async with uow() as unit:
        assert not await unit.notifications.add(replace(FIRST, id="ntf_2"))
        for other in (
            replace(FIRST, id="ntf_3", step=1),
            replace(FIRST, id="ntf_4", round=1),
            replace(FIRST, id="ntf_5", channel="email:9"),
            replace(FIRST, id="ntf_6", action=Action.AMEND),
            replace(FIRST, id="ntf_7", level="actual:100%"),
        ):
            assert await unit.notifications.add(other)


async def test_claimers_at_once_share_the_due_ones_without_overlap(uow: UowFactory) -> None:
    await add(uow, *many(12))
    everybody_claimed = asyncio.Barrier(3)

    async def take() -> list[str]:
        async with uow() as unit:
            found = await unit.notifications.claim(now=NOW, limit=4, lease=LEASE)
            await everybody_claimed.wait()
            return [claimed.notification.id for claimed in found]

    async with asyncio.timeout(20):
        claims = await asyncio.gather(take(), take(), take())
    assert [len(ids) for ids in claims] == [4, 4, 4]
    assert len({id for ids in claims for id in ids}) == 12


async def test_what_is_leased_is_not_claimed_again_and_counts_as_nothing_due(uow: UowFactory) -> None:
    await add(uow, FIRST)
    assert await claimed_ids(uow) == ["ntf_1"]
    assert await claimed_ids(uow) == []
    async with uow() as unit:
        assert await unit.notifications.next_due() is None


async def test_a_lease_that_ran_out_in_real_time_is_taken_over(uow: UowFactory) -> None:
    await add(uow, FIRST)
    assert await claimed_ids(uow, lease=timedelta(seconds=-1)) == ["ntf_1"]
    assert await claimed_ids(uow) == ["ntf_1"]


async def test_a_claim_that_rolls_back_leases_nothing(uow: UowFactory) -> None:
    await add(uow, FIRST)

    async def claim_and_fail() -> None:
        async with uow() as unit:
            assert len(await claim(unit)) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await claim_and_fail()
    assert await claimed_ids(uow) == ["ntf_1"]


async def test_a_message_does_not_overtake_an_older_one_of_its_alert_and_channel(uow: UowFactory) -> None:
    await add(uow, FIRST, SECOND, replace(SECOND, id="ntf_9", channel="email:9"))
    assert await claimed_ids(uow) == ["ntf_1", "ntf_9"]
    assert await claimed_ids(uow) == []
    async with uow() as unit:
        await unit.notifications.save(sent(FIRST, Receipt("ts_1", "ok"), NOW), post="ts_1")
    async with uow() as unit:
        assert await claim(unit) == [DueNotification(SECOND, RAISED, "ts_1")]


async def test_a_dead_message_lets_the_next_one_through(uow: UowFactory) -> None:
    await add(uow, FIRST, SECOND)
    dead = after_failure(FIRST, reason="no such channel", permanent=True, retry_after=None, now=NOW)
    async with uow() as unit:
        await unit.notifications.save(dead, post=None)
        assert await unit.notifications.get("ntf_1") == dead
    assert await claimed_ids(uow) == ["ntf_0"]


async def test_a_message_to_be_retried_holds_back_the_next_one_and_is_next_due_itself(uow: UowFactory) -> None:
    await add(uow, FIRST, SECOND)
    later = after_failure(FIRST, reason="503", permanent=False, retry_after=None, now=NOW)
    async with uow() as unit:
        await claim(unit)
        await unit.notifications.save(later, post=None)
        assert await unit.notifications.next_due() == later.due_at
    assert later.due_at > NOW
    assert await claimed_ids(uow) == []


async def test_what_is_not_due_yet_is_left_alone(uow: UowFactory) -> None:
    await add(uow, replace(FIRST, due_at=NOW + timedelta(microseconds=1)))
    assert await claimed_ids(uow) == []


async def test_a_late_failure_does_not_undo_what_was_sent(uow: UowFactory) -> None:
    await add(uow, FIRST)
    done = sent(FIRST, Receipt("ts_1", "ok"), NOW)
    failed = after_failure(FIRST, reason="timeout", permanent=False, retry_after=None, now=NOW)
    async with uow() as unit:
        await unit.notifications.save(done, post="ts_1")
        await unit.notifications.save(failed, post=None)
        assert await unit.notifications.get("ntf_1") == done


async def test_a_dead_message_can_be_queued_again(uow: UowFactory) -> None:
    await add(uow, replace(FIRST, state=NotificationState.DEAD))
    async with uow() as unit:
        await unit.notifications.save(FIRST, post=None)
    assert await claimed_ids(uow) == ["ntf_1"]


async def test_the_channel_s_newest_reference_is_kept_per_alert_and_channel(uow: UowFactory) -> None:
    await add(uow, FIRST, SECOND)
    async with uow() as unit:
        await unit.notifications.save(sent(FIRST, Receipt("a", ""), NOW), post="a")
        await unit.notifications.save(sent(FIRST, Receipt("b", ""), NOW), post="b")
        assert [found.post for found in await claim(unit)] == ["b"]


async def test_notifications_are_listed_newest_first_by_alert_and_state(uow: UowFactory) -> None:
    await add(uow, *many(3), replace(FIRST, id="ntf_99", state=NotificationState.DEAD))
    async with uow() as unit:
        queued = NotificationFilter(alert_ids=(ALERT.id,), states=(NotificationState.QUEUED,))
        first = await unit.notifications.page(queued, limit=2, cursor=None)
        second = await unit.notifications.page(queued, limit=2, cursor=first.next)
        nothing = NotificationFilter(alert_ids=("alrt_other",))
        assert (await unit.notifications.page(nothing, limit=2, cursor=None)).items == ()
    assert [item.id for item in (*first.items, *second.items)] == ["ntf_02", "ntf_01", "ntf_00"]


async def test_an_unknown_notification_is_not_found(uow: UowFactory) -> None:
    async with uow() as unit:
        with pytest.raises(NotFound):
            await unit.notifications.get("ntf_9")
        with pytest.raises(NotFound):
            await unit.notifications.save(FIRST, post=None)
