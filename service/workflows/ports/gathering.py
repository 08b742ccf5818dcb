"""What is stored about groups of alerts, and about the messages that told of several."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.domain.alerts.alert import AlertEvent
from service.domain.notify.notification import Notification
from service.domain.notify.routing.groups import Gathering


@dataclass(frozen=True, slots=True)
class Summary:
    """A message that told of several alerts, and what its channel answered to refer to it later."""

    id: str
    post: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A channel whose summary tells of an alert, or will. `rung_alone`: it was rung for this alert by itself, too."""

    receiver_id: str
    channel: str
    rung_alone: bool


class Groups(Protocol):
    async def join(self, gathering: Gathering, now: datetime) -> datetime:
        """When the group's next message leaves, the same for all who join it."""
        ...

    async def listings(self, alert_id: str) -> list[Listing]: ...

    async def members(self, summary_id: str) -> list[str]:
        """Ids of the alerts that a summary tells of, oldest first."""
        ...

    async def present(self, alert_ids: Collection[str]) -> list[AlertEvent]:
        """The newest event of each alert, oldest alert first."""
        ...

    async def settle_behind(self, said: Notification, *, version: int) -> None:
        """What waits behind it in its channel, and tells of the alert's events up to this one, shares its outcome.

        Nothing is settled where a raise waits there: that one is said, and then its end is, too.
        """
        ...

    async def forget(self, due_before: datetime) -> None:
        """Drops groups that have been quiet since."""
        ...
