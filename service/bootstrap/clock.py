"""The only place that reads the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from service.domain.values.clocks import BusinessClock, ClockSetting, parse_clock
from service.settings import Settings
from service.workflows.ports.platform import Clock

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


def wall_clock() -> datetime:
    return datetime.now(UTC)


async def business_clock(settings: Settings, engine: AsyncEngine) -> BusinessClock:
    """Returns the business time that every process of the installation reads, also after a restart."""
    now = wall_clock()
    if settings.clock is None:
        return BusinessClock(now, now)
    from service.adapters.postgres.clock_anchor import anchor_clock

    setting = parse_clock(settings.clock)
    wanted = BusinessClock(now, setting.start or now, setting.speed)
    return await anchor_clock(engine, settings.clock, wanted)


def process_clock(settings: Settings) -> Clock:
    """Returns business time for a process without a database: it begins at the process's start."""
    now = wall_clock()
    setting = parse_clock(settings.clock) if settings.clock else ClockSetting(None, 1.0)
    clock = BusinessClock(now, setting.start or now, setting.speed)
    return lambda: clock.at(wall_clock())
