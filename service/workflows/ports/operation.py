"""Late work, and figures of the whole installation, as the database knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from service.domain.alerts.alert import AlertState
from service.domain.sources.poll import ReportOutcome
from service.domain.sources.source import SourceState
from service.domain.values.severity import Severity


@dataclass(frozen=True, slots=True)
class Behind:
    """A piece of work that is late: what it is of, by name or id, and since when it waits."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Arrears:
    """Work of one kind that is late: how many pieces, and the `first` of them, the latest first."""

    count: int
    first: tuple[Behind, ...]


class Punctuality(Protocol):
    """Asks for what is late, never for everything. Each question is one statement and gives at most `limit` names."""

    async def polls(self, due_before: datetime, limit: int) -> Arrears:
        """Enabled sources that were due before that, and that nobody has begun to poll."""
        ...

    async def failing_sources(self, failures: int, since: datetime, limit: int) -> Arrears:
        """Enabled sources that failed that often in a row, or have failed since that or longer."""
        ...

    async def evaluations(self, before: datetime, limit: int) -> Arrears:
        """Enabled sources that were last evaluated before that; created before it where they never were."""
        ...

    async def failing_budgets(self, since: datetime, limit: int) -> Arrears:
        """Budgets that the newest evaluation could not assess, wholly or in part, and none did since that."""
        ...

    async def failing_rules(self, since: datetime, limit: int) -> Arrears:
        """Rules that could not judge some scope when they were last judged, and that has lasted since that."""
        ...

    async def notifications(self, due_before: datetime, limit: int) -> Arrears:
        """Notifications that are the next of their alert in their channel, were due before that, and are not sent.

        `count` ends at `MOST_COUNTED`.
        """
        ...


MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class EnabledSource:
    """`evaluation_took` is the real time of its last evaluation that ended; None before the first one."""

    name: str
    state: SourceState
    evaluation_took: timedelta | None


@dataclass(frozen=True, slots=True)
class WaitsToSend:
    """How long notifications took from being due to being sent: half of them, 99 of 100, and all."""

    half: timedelta
    most: timedelta
    longest: timedelta


class Measures(Protocol):
    """Figures of the whole installation: each is one statement, however many sources there are."""

    async def enabled_sources(self) -> list[EnabledSource]:
        """Sorted by name."""
        ...

    async def workspace_names(self) -> dict[tuple[str, str], str]:
        """The names that workspaces have, by the ids of their source and of themselves."""
        ...

    async def newest_polls(self) -> list[tuple[ReportOutcome, ...]]:
        """The reports of each source's newest finished poll."""
        ...

    async def open_alerts(self) -> dict[tuple[Severity, AlertState], int]: ...

    async def waits_to_send(self, since: datetime) -> WaitsToSend | None:
        """Looks at those of the newest thousand notifications that were sent since that; None where none was."""
        ...

    async def open_circuits(self) -> dict[str, int]:
        """How many channels rest because they refuse messages, by kind of channel."""
        ...


class Diagnostics(Protocol):
    """Questions that only a person asks, and seldom: each may look at much."""

    async def real_now(self) -> datetime:
        """The time of the database's own clock."""
        ...

    async def deliveries(self) -> dict[tuple[str, str], datetime]:
        """When each channel, by its receiver's id and its key, last took a message or a test; none that never did."""
        ...
