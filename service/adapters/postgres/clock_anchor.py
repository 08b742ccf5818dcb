"""The start of business time, so that every process and every restart agrees on it."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Float, Table, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.losses import losses_are_unavailability
from service.adapters.postgres.metadata import metadata
from service.domain.values.clocks import BusinessClock

clock_anchors = Table(
    "clock_anchors",
    metadata,
    Column("setting", Text, primary_key=True),
    Column("real", DateTime(timezone=True), nullable=False),
    Column("business", DateTime(timezone=True), nullable=False),
    Column("speed", Float, nullable=False),
)


async def anchor_clock(engine: AsyncEngine, setting: str, wanted: BusinessClock) -> BusinessClock:
    """Returns the clock that the first process with this setting started; stores `wanted` where there is none."""
    row = {"setting": setting, "real": wanted.real, "business": wanted.business, "speed": wanted.speed}
    with losses_are_unavailability():
        async with engine.begin() as connection:
            await connection.execute(insert(clock_anchors).values(row).on_conflict_do_nothing())
            kept = (await connection.execute(select(clock_anchors).where(clock_anchors.c.setting == setting))).one()
    return BusinessClock(kept.real, kept.business, kept.speed)
