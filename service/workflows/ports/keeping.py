"""What is stored about everything else: configuration, polls, alerts, notifications, access."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from service.domain.access import AuditEvent, KeptAnswer, Token
from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Evidence, Severity
from service.domain.alerts.crossings import Crossing
from service.domain.forecasts.watch import Watch, WatchKey
from service.domain.notify.notification import Notification, NotificationState
from service.domain.sources.poll import Poll, ReportOutcome
from service.domain.sources.source import SourceState
from service.domain.values.periods import Window
from service.domain.values.resources import Lifetime, Page, Resource
from service.workflows.ports.gathering import Summary

Spec = TypeVar("Spec")


class StorageUnavailable(Exception):
    """The database cannot be reached, or not just now. Nothing of the unit of work was kept."""


class Resources(Protocol[Spec]):
    """The stored resources of one kind. Every write keeps the version it replaces."""

    async def get(self, id_or_name: str) -> Resource[Spec]:
        """Raises NotFound."""
        ...

    async def all(self) -> list[Resource[Spec]]: ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[Resource[Spec]]:
        """By id, oldest first."""
        ...

    async def add(self, resource: Resource[Spec]) -> None:
        """Raises Conflict where the name is taken."""
        ...

    async def replace(self, resource: Resource[Spec]) -> None:
        """Stores version n over version n-1. Raises StaleVersion, Conflict, NotFound."""
        ...

    async def delete(self, id: str, *, version: int, now: datetime) -> None:
        """Raises StaleVersion, NotFound. The versions stay."""
        ...

    async def last_write(self) -> datetime | None:
        """When one of this kind was made, changed or deleted last."""
        ...

    async def as_of(self, id: str, at: datetime) -> Resource[Spec] | None:
        """The version that was valid at an instant, None where there was none."""
        ...

    async def all_as_of(self, at: datetime) -> list[Resource[Spec]]:
        """What there was at an instant, as it was then, by id."""
        ...

    async def lifetime(self, id_or_name: str) -> Lifetime:
        """When what has this id, or bore this name last, existed. Raises NotFound where nothing ever did."""
        ...


class FenceLost(Exception):
    """Another poll of the same source has begun since: this one may not write any more."""


class Feeds(Protocol):
    """The polling state of each source."""

    async def get(self, source_id: str) -> SourceState: ...

    async def add(self, state: SourceState) -> None: ...

    async def all_ids(self) -> list[str]:
        """Every source that was ever polled, deleted ones too: their alerts still have to end."""
        ...

    async def save(self, state: SourceState) -> None: ...

    async def hold(self, source_id: str) -> SourceState:
        """The state, locked until the transaction ends: other assessments of it wait. Raises NotFound."""
        ...

    async def start_over(self, source_id: str, now: datetime) -> None:
        """Forgets failures and makes the source due: somebody has changed how it is read. Raises NotFound."""
        ...

    async def note_assessed(self, source_id: str, read_at: datetime | None) -> None:
        """Notes which reading of the bill the budgets have been assessed with."""
        ...

    async def note_rules_assessed(self, source_id: str, at: datetime) -> None:
        """Notes when the source's rules were evaluated."""
        ...

    async def note_evaluated(self, source_id: str, at: datetime) -> None:
        """Notes that budgets and rules were gone through."""
        ...

    async def take_fence(self, source_id: str) -> int:
        """A new fence, larger than all before."""
        ...

    async def hold_fence(self, source_id: str, fence: int) -> None:
        """Locks the source's state until the transaction ends. Raises FenceLost."""
        ...

    async def claim_due(self, now: datetime) -> list[str]:
        """Ids of enabled sources that are due, each moved on to its next poll; skips what others hold."""
        ...


class Polls(Protocol):
    async def add(self, poll: Poll) -> None: ...

    async def get(self, poll_id: str) -> Poll: ...

    async def save(self, poll: Poll) -> None: ...

    async def record(self, poll_id: str, outcome: ReportOutcome) -> None: ...

    async def page(self, source_id: str, *, limit: int, cursor: str | None) -> Page[Poll]:
        """Newest first."""
        ...

    async def last_finished(self, source_id: str, until: datetime) -> datetime | None:
        """When the newest poll that had ended by an instant ended."""
        ...


class Crossings(Protocol):
    async def of(self, budget_ids: Iterable[str]) -> list[Crossing]: ...

    async def release(self, crossing: Crossing) -> None:
        """Forgets one crossing."""
        ...

    async def release_all(self, alert_id: str) -> None:
        """Forgets the crossings of an alert that ended by neither the spend's nor a person's doing."""
        ...

    async def add(self, crossing: Crossing) -> bool:
        """False where this crossing was on record already."""
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
    state: AlertState | None = None
    severity: Severity | None = None
    source_id: str | None = None
    budget_id: str | None = None
    rule_id: str | None = None
    workspace: str | None = None
    since: datetime | None = None


class Alerts(Protocol):
    async def open(self, source_id: str) -> list[Alert]: ...

    async def overdue(self, now: datetime) -> list[str]:
        """Ids of the snoozed alerts whose time has come."""
        ...

    async def latest(self, fingerprints: Sequence[str]) -> list[Alert]:
        """The newest alert of each of these, open or resolved."""
        ...

    async def get(self, alert_id: str) -> Alert: ...

    async def save(self, event: AlertEvent) -> None:
        """Appends the event and stores its alert over version n-1. Raises Conflict where somebody moved first."""
        ...

    async def note_latest(self, alert_id: str, evidence: Evidence) -> None:
        """Keeps what was found of an open alert beside what it told. No move: its version stays."""
        ...

    async def events(self, alert_id: str) -> list[AlertEvent]: ...

    async def moves(self, source_id: str, window: Window) -> list[AlertEvent]:
        """What happened to a source's alerts in a window, each alert's events in their order."""
        ...

    async def page(self, where: AlertFilter, *, limit: int, cursor: str | None) -> Page[Alert]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notification taken for delivery, with the event it tells of and the channel's earlier post.

    `summary` is the message with others that told this channel of the alert; `rung_alone`: one by itself did, too.
    `retaken`: an earlier sender never came back, and may have said it.
    """

    notification: Notification
    event: AlertEvent
    post: str | None
    summary: Summary | None = None
    rung_alone: bool = False
    retaken: bool = False


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    alert_id: str | None = None
    state: NotificationState | None = None


class Notifications(Protocol):
    async def add(self, notification: Notification) -> bool:
        """False where the same (alert, level, channel, action, step, round) is on record already."""
        ...

    async def claim(self, *, now: datetime, limit: int, lease: timedelta) -> list[Claimed]:
        """Takes due notifications for `lease` of real time, oldest first and only the oldest of (alert, channel).

        Of what is collected, all that is due for a channel is taken together, however much it is.
        """
        ...

    async def urged(self, ids: Collection[str]) -> set[str]:
        """Which of these are raises that were never tried, or what such a raise waits for in its channel."""
        ...

    async def save(self, notification: Notification, *, post: str | None) -> None:
        """Records an attempt's outcome, gives up the lease, and keeps the channel's reference: to the alert's own
        message, or to the summary that the notification was sent with."""
        ...

    async def get(self, notification_id: str) -> Notification: ...

    async def told(self, alert_id: str) -> list[tuple[str, str]]:
        """The (receiver id, channel key) of everybody who was rung for an alert."""
        ...

    async def next_due(self) -> datetime | None: ...

    async def page(self, where: NotificationFilter, *, limit: int, cursor: str | None) -> Page[Notification]:
        """Newest first."""
        ...


class Tokens(Protocol):
    async def add(self, token: Token) -> None: ...

    async def find(self, digest: str) -> Token | None:
        """The live token of a SHA-256 digest."""
        ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[Token]: ...

    async def revoke(self, token_id: str, now: datetime) -> None: ...


class AuditLog(Protocol):
    async def add(self, event: AuditEvent) -> None: ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[AuditEvent]:
        """Newest first."""
        ...


class IdempotencyKeys(Protocol):
    """What a POST answered, kept for a day under (token, key). Never holds secrets."""

    async def find(self, token_id: str, key: str, now: datetime) -> KeptAnswer | None:
        """Locks the key until the transaction ends, so that two equal requests run one after the other."""
        ...

    async def keep(self, token_id: str, key: str, answer: KeptAnswer, now: datetime) -> None: ...
