"""Collecting openings: each leaves with the next message of its group, and that message is kept current."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.notify.channels.registry import traits_of
from service.domain.notify.notification import SUMMARY_STEP, Action, Notification, NotificationState
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.routing.groups import Gathering
from service.domain.notify.routing.pipeline import Plan
from service.workflows.ports.unit_of_work import UnitOfWork

RINGING = frozenset({Command.OPEN, Command.RAISE, Command.WAKE})


async def gather(
    uow: UnitOfWork, plan: Plan, notifications: Iterable[Notification], now: datetime
) -> list[Notification]:
    """The same notifications; openings in channels that collect are due when their group's next message leaves."""
    return [await _gathered(uow, plan.gatherings.get(one.channel), one, now) for one in notifications]


async def _gathered(uow: UnitOfWork, gathering: Gathering | None, one: Notification, now: datetime) -> Notification:
    if gathering is None or one.action is not Action.OPEN or one.state is not NotificationState.QUEUED:
        return one
    return replace(one, group_key=gathering.key, due_at=await uow.groups.join(gathering, now))


async def places_to_mend(uow: UnitOfWork, event: AlertEvent) -> set[tuple[str, str]]:
    """The (receiver id, channel key) of the summaries that nothing else brings up to date with a move.

    An alert without a message of its own needs none: what follows its opening edits the summary.
    """
    if event.command is Command.OPEN:
        return set()
    return {
        (one.receiver_id, one.channel)
        for one in await uow.groups.listings(event.alert.id)
        if traits_of(one.channel).kept_current and (one.notified_alone or event.command in RINGING)
    }


def mends(event: AlertEvent, addresses: Iterable[Address], places: set[tuple[str, str]]) -> list[Notification]:
    """An end is said in a summary's thread, too; of all else an edit is enough."""
    command = Command.RESOLVE if event.command is Command.RESOLVE else Command.AMEND
    there = [one for one in addresses if (one.receiver_id, one.key) in places]
    return plan_notifications(replace(event, command=command), there, step=SUMMARY_STEP)
