"""Things that go wrong on purpose, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from service.simulator.world.records import Stream

ANY = "*"


class Effect(StrEnum):
    """The effect of an incident on its scope between its start and its end."""

    LOOP = "loop"  # adds `factor` times the usual hourly volume, day and night alike
    SCALE = "scale"  # multiplies the volume; 0 silences it
    CACHE_LOSS = "cache_loss"  # cached prompts are read uncached
    LATE = "late"  # nothing that happens meanwhile is visible before `lag` has passed
    RESTATE = "restate"  # the bill of the days in between changes by `factor`, known from `known_at` on


@dataclass(frozen=True, slots=True)
class ScriptedIncident:
    """One effect on one scope: a workspace (None: the default one, "*": any) or an API key ("*": any)."""

    name: str
    effect: Effect
    starts_at: datetime
    ends_at: datetime
    workspace_id: str | None = ANY
    api_key_id: str = ANY
    factor: Decimal = Decimal(1)
    lag: timedelta = timedelta()
    known_at: datetime | None = None

    def concerns(self, stream: Stream) -> bool:
        return self.workspace_id in {ANY, stream.workspace_id} and self.api_key_id in {ANY, stream.api_key_id}

    def overlaps(self, start: datetime, end: datetime) -> bool:
        return self.starts_at < end and start < self.ends_at

    def covers(self, instant: datetime) -> bool:
        return self.starts_at <= instant < self.ends_at

    def restates(self, workspace_id: str | None, day: date, now: datetime) -> bool:
        """Whether the bill of that workspace and day is a changed one at `now`."""
        return (
            self.effect is Effect.RESTATE
            and self.workspace_id in {ANY, workspace_id}
            and self.covers(datetime.combine(day, time(), UTC))
            and (self.known_at is None or self.known_at <= now)
        )
