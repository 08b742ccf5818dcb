"""Keeping to a channel's rate, and to the quiet that it asked for: what may not leave now is due later. None sleep.

A raise never waits: in a channel that asked for quiet it is tried once all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from service.domain.notify.channels.registry import traits_of
from service.domain.notify.channels.traits import Rate
from service.workflows.ports.notify import DueNotification
from service.workflows.ports.unit_of_work import UnitOfWork


async def keep_pace(uow: UnitOfWork, claims: Sequence[DueNotification], now: datetime) -> list[DueNotification]:
    """Those that may leave now, in their order. All workers share a channel's turns, so that none can exceed it."""
    # One order for all workers: each waits for a turn while it holds others.
    by_channel = sorted(claims, key=lambda claim: claim.notification.channel)
    held = await uow.channel_health.held({claim.notification.channel for claim in claims}, now)
    leaving: set[str] = set()
    for channel, group in groupby(by_channel, key=lambda claim: claim.notification.channel):
        of_channel = sorted(group, key=lambda claim: claim.notification.due_at)
        if channel in held:
            of_channel = await _put_off(uow, of_channel, held[channel])
        rate = traits_of(channel).rate
        granted = len(of_channel) if rate is None else await _take_turn(uow, channel, rate, of_channel, now)
        leaving |= {claim.notification.id for claim in of_channel[:granted]}
    return [claim for claim in claims if claim.notification.id in leaving]


async def _put_off(uow: UnitOfWork, claims: Sequence[DueNotification], until: datetime) -> list[DueNotification]:
    """What does not wait. The rest has not failed: it was not tried."""
    urged = await uow.notifications.urged({claim.notification.id for claim in claims})
    for claim in claims:
        if claim.notification.id not in urged:
            await uow.notifications.save(replace(claim.notification, due_at=until), post=None)
    await uow.jobs.deliver(until)
    return [claim for claim in claims if claim.notification.id in urged]


async def _take_turn(
    uow: UnitOfWork, channel: str, rate: Rate, claims: Sequence[DueNotification], now: datetime
) -> int:
    granted, next_turn = await uow.channel_health.take_turn(channel, rate, len(claims), now)
    for position, claim in enumerate(claims[granted:]):
        due = next_turn + rate.turn * (position // rate.messages)
        await uow.notifications.save(replace(claim.notification, due_at=due), post=None)
        await uow.jobs.deliver(due)
    return granted
