"""A world of streams: any past instant can be asked, nothing is kept but what has been asked before.

Volumes come from a pure function of (stream, hour). On top of it lie the incidents, the API keys that
were switched off, and the lags after which usage and bill become visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import reduce

from service.domain.sources.pricing import PriceBook
from service.simulator.world.billing import FREE_EXECUTION_CENTIHOURS, bill, charges
from service.simulator.world.chance import chance
from service.simulator.world.incidents import Effect, ScriptedIncident
from service.simulator.world.records import (
    DAY,
    HOUR,
    NOTHING,
    ApiKey,
    Charge,
    CostLine,
    Quantities,
    SimulatedOrganization,
    Stream,
    Usage,
    Workspace,
)
from service.simulator.world.volume import Volume, split

MINUTE = timedelta(minutes=1)
_AT_ONCE = timedelta()
_CACHE_LIMIT = 200_000
_CENT_PLACES = 10  # finer than any list price; only a restatement's factor can go beyond


@dataclass(frozen=True, slots=True)
class Lags:
    """After which time an event is visible in the usage report and on the bill."""

    usage: timedelta = timedelta(minutes=5)
    bill: timedelta = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is in the world."""

    workspaces: tuple[Workspace, ...]
    api_keys: tuple[ApiKey, ...]
    streams: tuple[Stream, ...]
    organization: SimulatedOrganization = field(default_factory=SimulatedOrganization)


class StreamWorld:
    """A World of steady streams. `revisions` is the share of past days whose bill is restated later on."""

    def __init__(
        self,
        seed: int,
        cast: Cast,
        volume: Volume,
        prices: PriceBook,
        lags: Lags = Lags(),
        revisions: float = 0.0,
    ) -> None:
        self.organization = cast.organization
        self.streams = cast.streams
        self.incidents: list[ScriptedIncident] = []
        self._seed, self._volume, self._prices = seed, volume, prices
        self._lags, self._revisions = lags, revisions
        self._workspaces = cast.workspaces
        self._keys = {key.id: key for key in cast.api_keys}
        self._switched: dict[str, list[tuple[datetime, bool]]] = {}  # key: (instant, active from then on)
        self._forget()

    def add(self, incident: ScriptedIncident) -> None:
        """Let something go wrong; it may lie in the past, which rewrites what was never asked for."""
        self.incidents.append(incident)
        self._forget()

    def end(self, number: int, now: datetime) -> ScriptedIncident:
        """Let an incident be over by now; what it has caused stays. Raises IndexError where there is no such one."""
        incident = self.incidents[number]
        ended = replace(incident, ends_at=max(incident.starts_at, min(incident.ends_at, now)))
        self.incidents[number] = ended
        self._forget()
        return ended

    @property
    def reported_after(self) -> timedelta:
        """How long after a minute began the usage report has all of it."""
        return MINUTE + self._lags.usage

    def workspaces(self) -> Sequence[Workspace]:
        return self._workspaces

    def api_keys(self) -> Sequence[ApiKey]:
        return tuple(self._keys.values())

    def change_key(self, key: ApiKey, now: datetime) -> None:
        if self._keys[key.id].status != key.status:
            self._switched.setdefault(key.id, []).append((now, key.status == "active"))
            self._forget()
        self._keys[key.id] = key

    def usage(self, start: datetime, end: datetime, now: datetime) -> Sequence[Usage]:
        return self._usage(start, end, now, self._lags.usage)

    def cost(self, day: date, now: datetime) -> Sequence[CostLine]:
        start = _midnight(day)
        used = self._usage(start, start + DAY, now, self._lags.bill)
        lines = bill(used, start, self._prices, self._free_execution(start, now, self._lags.bill))
        return [replace(line, amount=self._restated(line.amount, line.workspace_id, day, now)) for line in lines]

    def charges(self, start: datetime, end: datetime, until: datetime) -> Sequence[Charge]:
        day = start.date()
        used = self.used(start, end, until)
        free = self._free_execution(start, until, _AT_ONCE)
        return [
            replace(charge, amount=self._restated(charge.amount, charge.stream.workspace_id, day, until))
            for charge in charges(used, _midnight(day), self._prices, free)
            if charge.amount
        ]

    def used(self, start: datetime, end: datetime, until: datetime) -> Sequence[Usage]:
        return self._usage(start, end, until, _AT_ONCE)

    def _usage(self, start: datetime, end: datetime, now: datetime, lag: timedelta) -> tuple[Usage, ...]:
        longest = max((one.lag for one in self.incidents), default=timedelta())
        final = end + lag + longest <= now
        known = self._spans.get((start, end)) if final else None
        if known is None:
            counted = (Usage(stream, self._counted(stream, start, end, now, lag)) for stream in self.streams)
            known = tuple(usage for usage in counted if any(usage.quantities))
            if final and end - start > MINUTE:
                self._remember(start, end, known)
        return known

    def _counted(self, stream: Stream, start: datetime, end: datetime, now: datetime, lag: timedelta) -> Quantities:
        parts: list[Quantities] = []
        hour = start.replace(minute=0)
        while hour < min(end, now):
            first, last = max(start, hour), min(end, hour + HOUR)
            parts.append(self._counted_within(stream, hour, first, last, now - lag))
            hour += HOUR
        return reduce(Quantities.plus, parts, NOTHING)

    def _counted_within(
        self, stream: Stream, hour: datetime, start: datetime, end: datetime, horizon: datetime
    ) -> Quantities:
        """The usage in [start, end) of an hour that is visible: before `horizon`, late data excepted."""
        late = [one for one in self._concerning(stream, hour) if one.effect is Effect.LATE]
        if end - start == HOUR and end <= horizon and not late and not self._touched(stream, hour):
            return self._volume.hour(stream, hour)
        minutes = self._minutes(stream, hour)
        total = NOTHING
        for index in range((start - hour) // MINUTE, (end - hour) // MINUTE):
            at = hour + index * MINUTE
            hidden = max((one.lag for one in late if one.covers(at)), default=timedelta())
            if at + MINUTE + hidden <= horizon:
                total = total.plus(minutes[index])
        return total

    def _minutes(self, stream: Stream, hour: datetime) -> list[Quantities]:
        """The hour's volume minute by minute, incidents and switched-off keys included."""
        key = (stream, hour)
        if key not in self._hours:
            if len(self._hours) > _CACHE_LIMIT // 60:
                self._hours.clear()
            minutes = split(self._volume.hour(stream, hour), self._seed, stream, hour)
            extra = split(self._volume.mean_hour(stream), self._seed, stream, hour)
            self._hours[key] = [
                self._disturbed(stream, hour + index * MINUTE, usual, extra[index])
                for index, usual in enumerate(minutes)
            ]
        return self._hours[key]

    def _disturbed(self, stream: Stream, at: datetime, usual: Quantities, mean: Quantities) -> Quantities:
        if not self._active(stream, at):
            return NOTHING
        for one in self.incidents:
            if not (one.concerns(stream) and one.covers(at)):
                continue
            if one.effect is Effect.LOOP:
                usual = usual.plus(mean.times(float(one.factor)))
            elif one.effect is Effect.SCALE:
                usual = usual.times(float(one.factor))
            elif one.effect is Effect.CACHE_LOSS:
                usual = usual._replace(uncached_input=usual.uncached_input + usual.cache_read, cache_read=0)
        return usual

    def _touched(self, stream: Stream, hour: datetime) -> bool:
        changes = (Effect.LOOP, Effect.SCALE, Effect.CACHE_LOSS)
        return stream.api_key_id in self._switched or any(
            one.effect in changes for one in self._concerning(stream, hour)
        )

    def _concerning(self, stream: Stream, hour: datetime) -> list[ScriptedIncident]:
        return [one for one in self.incidents if one.overlaps(hour, hour + HOUR) and one.concerns(stream)]

    def _active(self, stream: Stream, at: datetime) -> bool:
        switches = self._switched.get(stream.api_key_id or "", ())
        return next((active for since, active in reversed(switches) if since <= at), True)

    def _free_execution(self, start: datetime, now: datetime, lag: timedelta) -> int:
        """Hundredths of an hour of free container time that the month has left at the start of an hour."""
        if not any(self._volume.mean_hour(stream).execution_centihours for stream in self.streams):
            return FREE_EXECUTION_CENTIHOURS
        midnight = _midnight(start.date())
        days = [midnight.replace(day=number) for number in range(1, midnight.day)]
        hours = [midnight + number * HOUR for number in range((start - midnight) // HOUR)]
        earlier = [(at, at + DAY) for at in days] + [(at, at + HOUR) for at in hours]
        used = sum(usage.quantities.execution_centihours for span in earlier for usage in self._usage(*span, now, lag))
        return max(0, FREE_EXECUTION_CENTIHOURS - used)

    def _restated(self, amount: Decimal, workspace_id: str | None, day: date, now: datetime) -> Decimal:
        amount *= self._routine_revision(workspace_id, day, now)
        for one in self.incidents:
            if one.restates(workspace_id, day, now):
                amount *= one.factor
        return round(amount, _CENT_PLACES)

    def _routine_revision(self, workspace_id: str | None, day: date, now: datetime) -> Decimal:
        """Some workspaces' days are restated by 3 % up or down, six to thirty hours after they ended."""
        drawn = chance(self._seed, "revision", workspace_id, day)
        settled = _midnight(day) + DAY + timedelta(hours=6 + 24 * chance(self._seed, "when", workspace_id, day))
        if drawn >= self._revisions or now < settled:
            return Decimal(1)
        return Decimal("1.03") if drawn < self._revisions / 2 else Decimal("0.97")

    def _remember(self, start: datetime, end: datetime, usage: tuple[Usage, ...]) -> None:
        if len(self._spans) * len(self.streams) > _CACHE_LIMIT:
            self._spans.clear()
        self._spans[(start, end)] = usage

    def _forget(self) -> None:
        self._spans: dict[tuple[datetime, datetime], tuple[Usage, ...]] = {}
        self._hours: dict[tuple[Stream, datetime], list[Quantities]] = {}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
