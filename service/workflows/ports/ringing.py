"""What is on record about an alert's rings, beside its notifications."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.domain.alerts.alert import Alert, AlertEvent, AlertKind, Severity
from service.domain.notify.notification import Notification


@dataclass(frozen=True, slots=True)
class LastTold:
    """The newest message that a channel took about an alert, and what the channel answered to refer to it later.

    `event` is the one it told of; of an alert that is over, the end, told or not.
    """

    notification: Notification
    event: AlertEvent
    post: str


@dataclass(frozen=True, slots=True)
class Firing:
    """As much of a firing alert as says whether it may ring again."""

    id: str
    kind: AlertKind
    severity: Severity


class Rings(Protocol):
    async def lock(self, alert_id: str) -> Alert:
        """The alert as it is, which nobody else moves until the transaction ends. Raises NotFound."""
        ...

    async def alerts_firing(self) -> list[Firing]:
        """Oldest first."""
        ...

    async def alerts_held_back(self) -> list[str]:
        """Ids of firing alerts from which something is still held back, oldest first."""
        ...

    async def held(self, alert_id: str) -> list[Notification]:
        """What is still held back, oldest first."""
        ...

    async def settle(self, alert_id: str, channels: Collection[str], now: datetime) -> None:
        """Nothing waits in these channels any more: they have been rung since, or no route leads to them."""
        ...

    async def last(self, alert_id: str) -> list[Notification]:
        """The newest ring of each channel that was rung."""
        ...

    async def standing(self, kind: str, *, resolved_after: datetime) -> list[LastTold]:
        """What channels of a kind know of alerts that are open or were resolved after that, by alert."""
        ...
