"""Business time that may run faster than real time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

FASTEST = 100_000.0
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""The years in which anything may be configured to begin or end."""


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """Where business time starts (None: at the real now) and how many times faster than real time it runs."""

    start: datetime | None
    speed: float


@dataclass(frozen=True, slots=True)
class BusinessClock:
    """Both instants are the same moment: `real` on the wall, `business` in the product. Aware UTC."""

    real: datetime
    business: datetime
    speed: float = 1.0

    def at(self, real: datetime) -> datetime:
        return self.business + (real - self.real) * self.speed

    def real_at(self, business: datetime) -> datetime:
        return self.real + (business - self.business) / self.speed


def parse_clock(text: str) -> ClockSetting:
    """`<start>@<speed>`: an RFC 3339 instant or "now", and a factor of 1 or more. Raises ValueError."""
    start, at, speed = text.partition("@")
    if not at:
        raise ValueError("write <start>@<speed>, such as now@60 or 2026-10-30T00:00:00Z@3600")
    factor = float(speed)
    if not math.isfinite(factor) or not 1 <= factor <= FASTEST:
        raise ValueError(f"the speed must lie between 1 and {FASTEST:.0f}, not {speed}")
    if start == "now":
        return ClockSetting(None, factor)
    instant = datetime.fromisoformat(start)
    if instant.utcoffset() != timedelta():
        raise ValueError("the start must be in UTC: end it with Z")
    if not FIRST_YEAR <= instant.year < LAST_YEAR:
        raise ValueError(f"the start must lie in the years {FIRST_YEAR} to {LAST_YEAR - 1}, as all that is configured")
    return ClockSetting(instant, factor)
