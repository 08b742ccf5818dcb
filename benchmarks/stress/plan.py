"""What a run of chaos is made of, and its two times."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, tzinfo=UTC)
"""Business time at which the product is set up; early in a year, so that a yearly budget stays open."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CLOSING = 3 * DAY
"""How long the product says that a period stays open for late bills (docs/budgets.md)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` of real time hold the `days`. `lease` is the real time after which work of the dead is taken.

    Both are of a quiet machine. `share` is what this process gets of a core: on a busy one they are longer.
    """

    seed: int
    days: int
    seconds: float
    kills: int
    crashes: int
    workers: int
    apis: int
    organisations: int
    lease: float
    share: float

    @property
    def speed(self) -> float:
        return round(self.days * DAY.total_seconds() / self.seconds * self.share)

    @property
    def clock(self) -> str:
        return f"{START:%Y-%m-%dT%H:%M:%SZ}@{self.speed:.0f}"

    @property
    def real_lease(self) -> float:
        return self.lease / self.share

    @property
    def longest(self) -> float:
        """Real seconds after which the run gives up."""
        return (2 * self.seconds + 300) / self.share

    def slowed(self, seconds: float) -> timedelta:
        """Business time that holds so many real seconds of a quiet machine."""
        return timedelta(seconds=seconds / self.share * self.speed)

    def midnight_after(self, instant: datetime) -> datetime:
        return (instant + DAY).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Times:
    """Business time of this process, as the product's processes read it."""

    real: datetime
    speed: float

    def now(self) -> datetime:
        return START + (datetime.now(UTC) - self.real) * self.speed

    def until(self, business: datetime) -> float:
        """Real seconds until then; 0 where it has passed."""
        return max(0.0, (business - self.now()).total_seconds() / self.speed)


def stopwatch() -> float:
    """Real seconds, to compare what happened when."""
    return time.monotonic()
