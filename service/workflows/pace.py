"""Keeping to a channel's rate: what would be too much now is due later. Nobody sleeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from service.domain.rates import Rate, rate_of
from service.workflows.ports import Claimed, UnitOfWork


async def keep_pace(uow: UnitOfWork, claims: Sequence[Claimed], now: datetime) -> list[Claimed]:
    """Those that may leave now, in their order. All workers share a channel's turns, so that none can exceed it."""
    # One order for all workers: each waits for a turn while it holds others.
    by_channel = sorted(claims, key=lambda claim: claim.notification.channel)
    leaving: set[str] = set()
    for channel, group in groupby(by_channel, key=lambda claim: claim.notification.channel):
        of_channel = sorted(group, key=lambda claim: claim.notification.due_at)
        rate = rate_of(channel)
        granted = len(of_channel) if rate is None else await _take_turn(uow, channel, rate, of_channel, now)
        leaving |= {claim.notification.id for claim in of_channel[:granted]}
    return [claim for claim in claims if claim.notification.id in leaving]


async def _take_turn(uow: UnitOfWork, channel: str, rate: Rate, claims: Sequence[Claimed], now: datetime) -> int:
    granted, next_turn = await uow.channel_health.take_turn(channel, rate, len(claims), now)
    for position, claim in enumerate(claims[granted:]):
        due = next_turn + rate.turn * (position // rate.messages)
        await uow.notifications.save(replace(claim.notification, due_at=due), post=None)
        await uow.jobs.deliver(due)
    return granted
