"""What is stored about channels besides their configuration."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from service.domain.notify.rates import Rate
from service.domain.notify.undelivered import Backlog, FailingChannel


class ChannelHealth(Protocol):
    """Channels are known by their receiver's id and their key."""

    async def failing(self) -> list[FailingChannel]: ...

    async def note_dead(
        self, receiver_id: str, channel: str, error: str, *, at: datetime, disabled_at: datetime | None
    ) -> None:
        """A message was given up. `disabled_at`: nothing more is to be sent there, from then on."""
        ...

    async def note_well(self, receiver_id: str, channel: str) -> None:
        """The channel took a message: it is no failing one any more."""
        ...

    async def forget(self, receiver_id: str) -> None:
        """A receiver was edited: its channels are tried anew."""
        ...

    async def waiting(self, written_before: datetime) -> list[Backlog]:
        """What is queued longer than that and was tried in vain, by channel."""
        ...

    async def take_turn(self, channel: str, rate: Rate, wanted: int, now: datetime) -> tuple[int, datetime]:
        """How many of the `wanted` messages may leave now, and when the next ones may. Shared by all workers."""
        ...

    async def hold(self, channel: str, *, now: datetime, until: datetime) -> None:
        """The channel has asked for quiet until then: its last word counts."""
        ...

    async def held(self, channels: Collection[str], now: datetime) -> dict[str, datetime]:
        """Those of the channels that want quiet, and until when."""
        ...

    async def dead_and_oldest(self) -> tuple[int, datetime | None]:
        """How many messages are dead, and when the oldest was written that still waits."""
        ...


class HeartbeatError(Exception):
    """The watcher could not be told that all is well. The text holds no address."""


class Heartbeat(Protocol):
    async def beat(self) -> None:
        """Raises HeartbeatError."""
        ...
