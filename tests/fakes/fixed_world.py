"""A world that a test writes row by row, and rewrites between two polls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from service.domain.sources.pricing import Measure
from service.simulator.world.billing import display_name
from service.simulator.world.records import (
    DEFAULT_WORKSPACE_ID,
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

_FOUNDED = datetime.fromisoformat("2025-01-01T00:00:00Z")


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """So much used by one stream at one instant; hidden until `visible_at` when given."""

    at: datetime
    stream: Stream
    quantities: Quantities
    visible_at: datetime | None = None


def token_cost(
    amount: str,
    workspace_id: str | None = None,
    model: str = "claude-sonnet-5-5",
    measure: Measure = Measure.UNCACHED_INPUT,
    service_tier: str = "standard",
) -> CostLine:
    """A token line of a bill: `amount` in cents, a None workspace is the default one."""
    return CostLine(
        workspace_id=workspace_id,
        description=f"{display_name(model)} Usage - {measure.name.replace('_', ' ').title()}",
        cost_type="tokens",
        amount=Decimal(amount),
        model=model,
        token_type=measure.value,
        service_tier=service_tier,
        context_window="0-200k",
        inference_geo="global",
    )


class FixedWorld:
    """Exactly the rows that were set; nothing is derived, delayed or revised by itself."""

    def __init__(self, organization: SimulatedOrganization | None = None) -> None:
        self.organization = organization or SimulatedOrganization()
        self._workspaces = [Workspace(DEFAULT_WORKSPACE_ID, "Default", _FOUNDED)]
        self._keys: dict[str, ApiKey] = {}
        self._costs: dict[date, tuple[CostLine, ...]] = {}
        self._charges: dict[date, list[Charge]] = {}
        self._events: list[UsageEvent] = []

    def add_workspace(self, workspace_id: str, name: str, tags: dict[str, str] | None = None) -> None:
        self._workspaces.append(Workspace(workspace_id, name, _FOUNDED, tags=tags or {}))

    def add_key(self, key_id: str, name: str, workspace_id: str | None = None) -> None:
        self._keys[key_id] = ApiKey(key_id, name, workspace_id, _FOUNDED)

    def set_cost(self, day: date, *lines: CostLine) -> None:
        """The whole bill of one UTC day from now on; without lines the day is empty."""
        self._costs[day] = lines

    def add_usage(self, *events: UsageEvent) -> None:
        self._events.extend(events)

    def clear_usage(self) -> None:
        self._events.clear()

    def workspaces(self) -> Sequence[Workspace]:
        return tuple(self._workspaces)

    def api_keys(self) -> Sequence[ApiKey]:
        return tuple(self._keys.values())

    def change_key(self, key: ApiKey, now: datetime) -> None:
        if key.id not in self._keys:
            raise KeyError(key.id)
        self._keys[key.id] = key

    def usage(self, start: datetime, end: datetime, now: datetime) -> Sequence[Usage]:
        totals: dict[Stream, Quantities] = {}
        for event in self._events:
            if start <= event.at < end and (event.visible_at or event.at) <= now:
                totals[event.stream] = totals.get(event.stream, NOTHING).plus(event.quantities)
        return [Usage(stream, counts) for stream, counts in totals.items()]

    def cost(self, day: date, now: datetime) -> Sequence[CostLine]:
        return self._costs.get(day, ())

    def charges(self, start: datetime, end: datetime, until: datetime) -> Sequence[Charge]:
        """The lines of a day's bill lie in its first minute, without a key unless `charge_key` was told of the day."""
        midnight = start.replace(hour=0, minute=0)
        if start != midnight or start >= until:
            return ()
        return self._charges.get(start.date()) or [_charge(line) for line in self._costs.get(start.date(), ())]

    def charge_key(self, day: date, amount: str, stream: Stream) -> None:
        """So many cents for output tokens of a stream with a key, of the bill of a UTC day."""
        cents = Decimal(amount)
        self._charges.setdefault(day, []).append(Charge(stream, "tokens", cents, cents, Measure.OUTPUT.value))

    def used(self, start: datetime, end: datetime, until: datetime) -> Sequence[Usage]:
        return self.usage(start, min(end, until), until)


def _charge(line: CostLine) -> Charge:
    stream = Stream(
        line.workspace_id,
        None,
        line.model or "",
        line.service_tier or "",
        line.context_window or "",
        line.inference_geo or "",
    )
    return Charge(stream, line.cost_type, line.amount, line.amount, line.token_type)
