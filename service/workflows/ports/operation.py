"""Late work, as the database knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Behind:
    """A piece of work that is late: what it is of, by name or id, and since when it waits."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Arrears:
    """Work of one kind that is late: how many pieces, and the `first` of them, the latest first."""

    count: int
    first: tuple[Behind, ...]


class Punctuality(Protocol):
    """Asks for what is late, never for everything. Each question is one statement and gives at most `limit` names."""

    async def polls(self, due_before: datetime, limit: int) -> Arrears:
        """Enabled sources that were due before that, and that nobody has begun to poll."""
        ...

    async def failing_sources(self, failures: int, since: datetime, limit: int) -> Arrears:
        """Enabled sources that failed that often in a row, or have failed since that or longer."""
        ...

    async def evaluations(self, before: datetime, limit: int) -> Arrears:
        """Enabled sources that were last evaluated before that; created before it where they never were."""
        ...

    async def notifications(self, due_before: datetime, limit: int) -> Arrears:
        """Notifications that are the next of their alert in their channel, were due before that, and are not sent.

        `count` ends at `MOST_COUNTED`.
        """
        ...


MOST_COUNTED = 1000
