"""Scripted incidents, by name: what to play in a demonstration, a drill or a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.simulator.world.incidents import ANY, Effect, ScriptedIncident
from service.simulator.world.records import DAY


def runaway_loop(
    api_key_id: str, starts_at: datetime, ends_at: datetime, factor: str = "30", workspace_id: str | None = ANY
) -> ScriptedIncident:
    """A key's agent calls itself: `factor` times its mean hourly volume on top, night and day alike."""
    return ScriptedIncident(
        "runaway_loop", Effect.LOOP, starts_at, ends_at, workspace_id, api_key_id, factor=Decimal(factor)
    )


def traffic_spike(
    workspace_id: str | None, starts_at: datetime, ends_at: datetime, factor: str = "4"
) -> ScriptedIncident:
    """A workspace's usual volume, multiplied."""
    return ScriptedIncident("traffic_spike", Effect.SCALE, starts_at, ends_at, workspace_id, factor=Decimal(factor))


def silence(workspace_id: str | None, starts_at: datetime, ends_at: datetime) -> ScriptedIncident:
    """A workspace stops calling."""
    return ScriptedIncident("silence", Effect.SCALE, starts_at, ends_at, workspace_id, factor=Decimal(0))


def cache_loss(workspace_id: str | None, starts_at: datetime, ends_at: datetime) -> ScriptedIncident:
    """A changed prompt prefix: what was read from the cache is paid in full, with the same traffic."""
    return ScriptedIncident("cache_loss", Effect.CACHE_LOSS, starts_at, ends_at, workspace_id)


def late_data(starts_at: datetime, ends_at: datetime, lag: timedelta) -> ScriptedIncident:
    """Usage and bill of that time are visible only `lag` later than usual."""
    return ScriptedIncident("late_data", Effect.LATE, starts_at, ends_at, lag=lag)


def restatement(
    workspace_id: str | None, day: datetime, factor: str, known_at: datetime | None = None
) -> ScriptedIncident:
    """The bill of one UTC day becomes `factor` times what it was (below 1: a credit) from `known_at` on."""
    start = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return ScriptedIncident(
        "restatement", Effect.RESTATE, start, start + DAY, workspace_id, factor=Decimal(factor),
        known_at=known_at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """A wish for an incident from now on, as it comes over HTTP; what a scenario does not need is ignored."""

    scenario: str
    now: datetime
    workspace_id: str | None = ANY
    api_key_id: str = ANY
    hours: float = 6.0
    factor: str | None = None

    @property
    def until(self) -> datetime:
        return self.now + timedelta(hours=self.hours)


SCENARIOS: dict[str, Callable[[Order], ScriptedIncident]] = {
    "runaway_loop": lambda order: runaway_loop(
        order.api_key_id, order.now, order.until, order.factor or "30", order.workspace_id
    ),
    "traffic_spike": lambda order: traffic_spike(order.workspace_id, order.now, order.until, order.factor or "4"),
    "silence": lambda order: silence(order.workspace_id, order.now, order.until),
    "cache_loss": lambda order: cache_loss(order.workspace_id, order.now, order.until),
    "late_data": lambda order: late_data(order.now, order.until, timedelta(hours=order.hours)),
    "restatement": lambda order: restatement(order.workspace_id, order.now - DAY, order.factor or "0.8", order.now),
}


def incident(order: Order) -> ScriptedIncident:
    """The ordered incident. Raises ValueError for a scenario of another name or an unusable factor."""
    if order.scenario not in SCENARIOS:
        raise ValueError(f"scenario must be one of {', '.join(SCENARIOS)}")
    if order.factor is not None and not _usable(order.factor):
        raise ValueError(f"factor must be a decimal number from 0 to 1000, not {order.factor!r}")
    return SCENARIOS[order.scenario](order)


def _usable(factor: str) -> bool:
    try:
        value = Decimal(factor)
    except ArithmeticError:
        return False
    return value.is_finite() and 0 <= value <= 1000
