"""Schedules as cron writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Cron(Protocol):
    """Five fields on a wall clock in an IANA time zone.

    What falls into an hour that clocks skip comes right after it; what falls into one that they repeat comes once.
    """

    def require_sound(self, cron: str, timezone: str) -> None:
        """Raises Invalid, with a pointer, for what is no schedule, or comes more than hourly or less than yearly."""
        ...

    def latest(self, cron: str, timezone: str, at: datetime) -> datetime:
        """The last occurrence up to, and including, an instant: aware UTC."""
        ...
