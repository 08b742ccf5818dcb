"""One departure a group, whoever asks; one claim of all that leaves with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.domain.alerts.alert import Command
from service.domain.notify.notification import Action, Notification, NotificationState, Receipt, after_success
from service.domain.notify.routing.groups import Group
from service.workflows.ports.notify import Summary, SummaryListing
from service.workflows.ports.unit_of_work import UnitOfWork, UowFactory
from tests.adapters.postgres.notify.test_notifications import EVENT, FIRST, LEASE, NOW, RAISED
from tests.sample_alerts import ALERT, OPENED

GROUP = Group("key_1", timedelta(seconds=30), timedelta(minutes=5))
MINUTE = timedelta(minutes=1)
GROUPED = replace(FIRST, group_key="key_1")


def collected(count: int, channel: str = FIRST.channel) -> list[Notification]:
    return [replace(GROUPED, id=f"{channel}_{n:02}", alert_id=f"alrt_{n:02}", channel=channel) for n in range(count)]


async def add(uow: UowFactory, notifications: Sequence[Notification]) -> None:
    async with uow() as unit:
        for id in sorted({one.alert_id for one in notifications}):
            await unit.alerts.save(replace(EVENT, alert=replace(ALERT, id=id, fingerprint=id)))
        for one in notifications:
            await unit.notifications.add(one)


async def claimed(uow: UowFactory, *, limit: int = 50, now: datetime = NOW) -> list[str]:
    async with uow() as unit:
        found = await unit.notifications.claim(now=now, limit=limit, lease=LEASE)
        return [one.notification.id for one in found]


async def joined(unit: UnitOfWork, group: Group, now: datetime) -> datetime:
    return (await unit.groups.join([group], now))[group.key]


async def test_those_who_join_at_once_have_one_departure(uow: UowFactory) -> None:
    async def join(second: int) -> datetime:
        async with uow() as unit:
            return await joined(unit, GROUP, NOW + timedelta(seconds=second))

    due = await asyncio.gather(*(join(second) for second in range(8)))
    assert len(set(due)) == 1
    assert NOW + timedelta(seconds=30) <= due[0] < NOW + timedelta(seconds=38)


async def test_whoever_comes_after_a_departure_keeps_the_interval(uow: UowFactory) -> None:
    async with uow() as unit:
        first = await joined(unit, GROUP, NOW)
    async with uow() as unit:
        assert await joined(unit, GROUP, first + MINUTE) == first + 5 * MINUTE
        assert await joined(unit, GROUP, first + 2 * MINUTE) == first + 5 * MINUTE
        other = await joined(unit, replace(GROUP, key="key_2"), first + MINUTE)
    assert other == first + MINUTE + timedelta(seconds=30)


async def test_a_group_that_has_been_quiet_is_forgotten(uow: UowFactory) -> None:
    async with uow() as unit:
        first = await joined(unit, GROUP, NOW)
        await unit.groups.forget(first)
        assert await joined(unit, GROUP, first + MINUTE) == first + 5 * MINUTE
        await unit.groups.forget(first + 6 * MINUTE)
        assert await joined(unit, GROUP, first + 6 * MINUTE) == first + 6.5 * MINUTE


async def test_a_claim_takes_all_of_a_group_and_channel_beyond_its_limit(uow: UowFactory) -> None:
    await add(uow, [*collected(7, "email:1"), *collected(3, "email:2")])
    assert sorted(await claimed(uow, limit=1)) == [one.id for one in collected(7, "email:1")]
    assert sorted(await claimed(uow, limit=1)) == [one.id for one in collected(3, "email:2")]


async def test_claimers_at_once_do_not_share_a_group(uow: UowFactory) -> None:
    await add(uow, collected(12))
    claims = await asyncio.gather(*(claimed(uow, limit=4) for _ in range(4)))
    assert sorted(map(len, claims)) == [0, 0, 0, 12]


async def test_what_is_not_due_with_its_group_stays(uow: UowFactory) -> None:
    first, second, third = collected(3)
    await add(uow, [first, replace(second, due_at=NOW + MINUTE), third])
    assert sorted(await claimed(uow)) == [first.id, third.id]
    assert await claimed(uow, now=NOW + MINUTE) == [second.id]


async def test_a_raise_takes_its_opening_out_of_the_group_unless_that_is_on_its_way(uow: UowFactory) -> None:
    raised = replace(GROUPED, id="ntf_9", alert_version=2, action=Action.RAISE, group_key=None)
    waiting = replace(GROUPED, due_at=NOW + MINUTE)
    async with uow() as unit:
        await unit.alerts.save(EVENT)
        await unit.alerts.save(RAISED)
        await unit.notifications.add(waiting)
        await unit.notifications.add(replace(waiting, id="ntf_2", channel="email:1", due_at=NOW))
        (under_way,) = await unit.notifications.claim(now=NOW, limit=1, lease=LEASE)
        for channel in (FIRST.channel, "email:1"):
            await unit.notifications.add(replace(raised, id=f"ntf_9{channel}", channel=channel, due_at=NOW))
        hurried = await unit.notifications.get(FIRST.id)
        assert (hurried.group_key, hurried.due_at) == (None, NOW)
        assert (await unit.notifications.get(under_way.notification.id)).group_key == "key_1"


async def test_a_claim_after_a_lease_ran_out_says_so(uow: UowFactory) -> None:
    await add(uow, [GROUPED])
    async with uow() as unit:
        (first,) = await unit.notifications.claim(now=NOW, limit=1, lease=timedelta(seconds=-1))
        (second,) = await unit.notifications.claim(now=NOW, limit=1, lease=LEASE)
    assert (first.retaken, second.retaken) == (False, True)


async def test_a_summary_keeps_its_own_reference_and_is_found_from_each_of_its_alerts(uow: UowFactory) -> None:
    first, second = collected(2)
    await add(uow, [first, second])
    later = [replace(one, id=f"z{one.id}", action=Action.ACKNOWLEDGE, group_key=None) for one in (first, second)]
    async with uow() as unit:
        for one in (first, second):
            done = replace(after_success(one, Receipt("ts_1", "ok"), NOW), sent_with=first.id)
            await unit.notifications.save(done, post="ts_1")
        assert await unit.groups.members(first.id) == ["alrt_00", "alrt_01"]
        assert await unit.groups.listings(["alrt_01"]) == {
            "alrt_01": [SummaryListing(first.receiver_id, first.channel, False)]
        }
        for one in later:
            await unit.notifications.add(one)
        found = await unit.notifications.claim(now=NOW, limit=9, lease=LEASE)
    assert [(one.post, one.summary, one.notified_alone) for one in found] == [
        (None, Summary(first.id, "ts_1"), False)
    ] * 2


async def test_an_alert_that_was_rung_by_itself_too_is_known_by_that(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.alerts.save(EVENT)
        await unit.alerts.save(RAISED)
        await unit.notifications.add(GROUPED)
        await unit.notifications.save(replace(GROUPED, state=NotificationState.SENT, sent_with="ntf_1"), post="a")
        raised = replace(FIRST, id="ntf_2", alert_version=2, action=Action.RAISE)
        await unit.notifications.add(raised)
        await unit.notifications.save(replace(raised, state=NotificationState.SENT), post="b")
        assert await unit.groups.listings([ALERT.id]) == {
            ALERT.id: [SummaryListing(FIRST.receiver_id, FIRST.channel, True)]
        }


async def test_what_waits_behind_shares_the_outcome_up_to_a_version_and_not_past_a_raise(uow: UowFactory) -> None:
    amended = replace(RAISED, command=Command.AMEND)
    behind = replace(FIRST, id="ntf_2", alert_version=2, action=Action.AMEND, level="2")
    done = replace(after_success(GROUPED, Receipt(None, "ok"), NOW), sent_with=GROUPED.id)
    async with uow() as unit:
        await unit.alerts.save(EVENT)
        await unit.alerts.save(amended)
        for one in (GROUPED, behind, replace(behind, id="ntf_3", channel="email:1")):
            await unit.notifications.add(one)
        await unit.groups.settle_behind(done, version=1)
        assert (await unit.notifications.get("ntf_2")).state is NotificationState.QUEUED
        await unit.groups.settle_behind(done, version=2)
        settled = await unit.notifications.get("ntf_2")
        assert (settled.state, settled.sent_with) == (NotificationState.SENT, GROUPED.id)
        assert (await unit.notifications.get("ntf_3")).state is NotificationState.QUEUED
        await unit.notifications.add(replace(behind, id="ntf_4", level="4"))
        await unit.notifications.add(replace(behind, id="ntf_5", level="5", action=Action.RAISE))
        await unit.groups.settle_behind(done, version=2)
        assert (await unit.notifications.get("ntf_4")).state is NotificationState.QUEUED


async def test_the_present_is_the_newest_event_of_each_alert(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.alerts.save(EVENT)
        await unit.alerts.save(RAISED)
        assert await unit.groups.present([ALERT.id, "alrt_none"]) == [RAISED]
        assert RAISED.at == OPENED
