"""Stores of alerts and of crossings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.domain.alerts.alert import Alert, AlertEvent, AlertState
from service.domain.alerts.crossings import Crossing
from service.domain.alerts.evidence import Evidence
from service.domain.budgets.places import BudgetScope
from service.domain.forecasts.watch import Watch, WatchKey
from service.domain.sources.source import SourceState
from service.domain.values.periods import Window
from service.domain.values.resources import Page
from service.domain.values.scopes import ScopeKey
from service.domain.values.severity import Severity


class Crossings(Protocol):
    async def of(self, budget_ids: Iterable[str]) -> list[Crossing]: ...

    async def release(self, crossings: Sequence[Crossing]) -> None:
        """Forgets these crossings."""
        ...

    async def release_all(self, alert_ids: Collection[str]) -> None:
        """Forgets the crossings of alerts that ended by neither the spend's nor a person's doing."""
        ...

    async def add(self, crossings: Sequence[Crossing]) -> int:
        """Returns how many of them were not on record yet."""
        ...


class Watches(Protocol):
    """How thresholds on forecast stand; what is below its level has no entry."""

    async def of(self, budget_ids: Iterable[str]) -> dict[WatchKey, Watch]: ...

    async def replace(self, before: Mapping[WatchKey, Watch], after: Mapping[WatchKey, Watch]) -> None:
        """Stores what differs, and forgets what `after` lacks."""
        ...

    async def forget_orphans(self) -> None:
        """Retention: drops those of budgets that are gone."""
        ...


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts: any value of each field that has some, of every such field."""

    states: tuple[AlertState, ...] = ()
    severities: tuple[Severity, ...] = ()
    source_ids: tuple[str, ...] = ()
    budget_ids: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """The part of a firing alert that decides whether its notification may be repeated."""

    id: str
    kind: str
    severity: Severity


class Alerts(Protocol):
    async def open(self, source_id: str) -> list[Alert]: ...

    async def firing(self) -> list[FiringAlert]:
        """Those of all sources, oldest first."""
        ...

    async def overdue(self, now: datetime) -> list[str]:
        """Ids of the snoozed alerts whose time has come."""
        ...

    async def latest(self, fingerprints: Sequence[str]) -> list[Alert]:
        """The newest alert of each of these, open or resolved."""
        ...

    async def get(self, alert_id: str) -> Alert: ...

    async def lock(self, alert_id: str) -> Alert:
        """The alert as it is, which nobody else moves until the transaction ends. Raises NotFound."""
        ...

    async def save(self, event: AlertEvent) -> None:
        """Appends the event and stores its alert over version n-1. Raises Conflict where somebody moved first."""
        ...

    async def save_all(self, events: Sequence[AlertEvent]) -> list[AlertEvent]:
        """Does the same for the events of different alerts; leaves out those whose alert somebody moved first, or
        opened. Returns what was stored."""
        ...

    async def note_latest(self, found: Mapping[str, Evidence]) -> None:
        """Keeps what was found of open alerts, by their ids, beside what was notified. No move: versions stay."""
        ...

    async def events(self, alert_id: str) -> list[AlertEvent]: ...

    async def events_of(self, alert_ids: Iterable[str]) -> dict[str, list[AlertEvent]]:
        """The events of each alert, in the order of their versions."""
        ...

    async def moves(self, source_id: str, window: Window) -> list[AlertEvent]:
        """The events of a source's alerts in a window, each alert's events in their order."""
        ...

    async def page(self, where: AlertFilter, *, limit: int, cursor: str | None) -> Page[Alert]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class BudgetFailure:
    """A scope of a budget that a defect kept from being assessed: how often, and what it said last.

    `since` is when it last began to fail. ORGANISATION is the whole budget.
    """

    budget_id: str
    scope: ScopeKey
    count: int
    since: datetime
    last_at: datetime
    error: str


class BudgetFailures(Protocol):
    async def note(self, state: SourceState, failed: Mapping[BudgetScope, str], at: datetime) -> None:
        """Counts what failed in an evaluation, which is the state's newest."""
        ...

    async def all(self) -> list[BudgetFailure]: ...

    async def failing(self, budget_id: str, *, most: int) -> list[BudgetFailure]:
        """Those of a budget that failed in the newest evaluation, the whole budget first."""
        ...
