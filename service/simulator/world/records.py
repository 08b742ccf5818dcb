"""Records of a simulated organisation, and the one Protocol that the HTTP side needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DEFAULT_WORKSPACE_ID = "wrkspc_default"  # the reports show it as null, the directory by this id


class Quantities(NamedTuple):
    """Counts of one bucket; container and session time in hundredths of an hour, so that bills are exact."""

    uncached_input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    execution_centihours: int = 0
    session_centihours: int = 0

    def plus(self, other: Quantities) -> Quantities:
        return Quantities(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def times(self, factor: float) -> Quantities:
        return Quantities(*(round(count * factor) for count in self))


NOTHING = Quantities()


@dataclass(frozen=True, slots=True)
class Stream:
    """One steady caller: every dimension that a usage row can have. A None workspace is the default one.

    `person` is whose usage it is, though a key makes the calls; `product` the surface, where it is not that of the key.
    Neither is part of what the stream's chances are drawn by.
    """

    workspace_id: str | None
    api_key_id: str | None
    model: str
    service_tier: str = "standard"
    context_window: str = "0-200k"
    inference_geo: str = "global"
    speed: str = "standard"
    account_id: str | None = None
    service_account_id: str | None = None
    person: str | None = field(default=None, repr=False)
    product: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of one stream in one bucket."""

    stream: Stream
    quantities: Quantities


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of a day's bill; the amount is in cents."""

    workspace_id: str | None
    description: str
    cost_type: str
    amount: Decimal
    model: str | None = None
    token_type: str | None = None
    service_tier: str | None = None
    context_window: str | None = None
    inference_geo: str | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """The cost of one kind of a stream's usage, in cents: as billed, and at list price."""

    stream: Stream
    cost_type: str
    amount: Decimal
    list_amount: Decimal
    token_type: str | None = None


@dataclass(frozen=True, slots=True)
class SimulatedOrganization:
    id: str = "org_00000000-0000-4000-8000-000000000001"
    name: str = "Simulated Ltd"


@dataclass(frozen=True, slots=True)
class Workspace:
    id: str
    name: str
    created_at: datetime
    archived_at: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_default(self) -> bool:
        return self.id == DEFAULT_WORKSPACE_ID


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    name: str
    workspace_id: str | None
    created_at: datetime
    status: str = "active"


class World(Protocol):
    """Everything the simulated API can be asked, as it is known at `now` (aware UTC)."""

    @property
    def organization(self) -> SimulatedOrganization: ...

    def workspaces(self) -> Sequence[Workspace]:
        """All of them: archived ones and the default one too."""

    def api_keys(self) -> Sequence[ApiKey]: ...

    def change_key(self, key: ApiKey, now: datetime) -> None:
        """Store a renamed key or another status; a key that is not active stops using tokens from `now` on.

        Raises KeyError when there is no key of that id.
        """

    def usage(self, start: datetime, end: datetime, now: datetime) -> Sequence[Usage]:
        """Usage of [start, end), a whole minute, hour or day, as far as it is visible at `now`."""

    def cost(self, day: date, now: datetime) -> Sequence[CostLine]:
        """The bill of one UTC day as it stands at `now`: lags usage, may be revised."""

    def charges(self, start: datetime, end: datetime, until: datetime) -> Sequence[Charge]:
        """The cost of the usage of [start, end), which lies inside one UTC day: as far as it happened before `until`,
        and as it was restated by then. For days that are visible in full they add up to the bill."""

    def used(self, start: datetime, end: datetime, until: datetime) -> Sequence[Usage]:
        """The usage of [start, end) as far as it happened before `until`, without the lag of the usage report."""
