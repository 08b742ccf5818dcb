"""The control routes of a local simulator: it plays an incident, and takes it back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from service.api.sources.kinds import ShownKind
from service.api.sources.sources import SourceOut
from service.bootstrap.errors import StartError

Answer = TypeVar("Answer", bound=BaseModel)

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
TIMES = 10
"""How many times as much as usual the workspace spends."""
LONGEST = timedelta(hours=4)
"""When an incident ends that nobody takes back: the command was killed."""
TIMEOUT = 30.0
"""Seconds: the simulator answers one caller at a time."""


class PlayedIncident(BaseModel):
    """`reported_at` is when the usage report shows the first of it."""

    number: int
    starts_at: datetime
    ends_at: datetime
    reported_at: datetime


class _Key(BaseModel):
    workspace_id: str | None


class _World(BaseModel):
    workspaces: dict[str, str]
    api_keys: dict[str, _Key]


@dataclass(frozen=True, slots=True)
class SimulatedWorkspace:
    """A workspace of the simulated organisation, and its API keys, by id."""

    id: str
    name: str
    keys: Collection[str]

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that an alert about it names."""
        return frozenset((f"workspace:{self.id}", *(f"api_key:{key}" for key in self.keys)))


class Simulator:
    """A simulator at an address. All methods raise StartError where none answers."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(timeout=TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def spenders(self) -> dict[str, SimulatedWorkspace]:
        """Returns its workspaces by id."""
        world = self._ask(_World, "GET", "world")
        keys = {id: key.workspace_id for id, key in world.api_keys.items()}
        return {
            id: SimulatedWorkspace(id, name, [key for key, owner in keys.items() if owner == id])
            for id, name in world.workspaces.items()
        }

    def play(self, spender: SimulatedWorkspace) -> PlayedIncident:
        """Lets a workspace spend ten times as much from now on, at night as by day."""
        order = {
            "scenario": "runaway_loop",
            "workspace_id": spender.id,
            "factor": str(TIMES - 1),  # on top of what is usual
            "hours": LONGEST / timedelta(hours=1),
        }
        return self._ask(PlayedIncident, "POST", "incidents", order)

    def take_back(self, incident: PlayedIncident) -> PlayedIncident:
        """Ends an incident now."""
        return self._ask(PlayedIncident, "DELETE", f"incidents/{incident.number}")

    def _ask(self, answer: type[Answer], method: str, path: str, body: dict[str, object] | None = None) -> Answer:
        address = f"{self._url}/_simulator/{path}"
        try:
            return answer.model_validate_json(self._http.request(method, address, json=body).raise_for_status().content)
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError) as error:
            raise StartError(
                f"no simulator of this release answers at {self._url}: give this command on the machine that runs"
                " `tocsin up` or `tocsin simulate`, while it runs"
            ) from error


def simulator_of(source: SourceOut) -> Simulator:
    """Returns the simulator that a source reads. Raises StartError for a real organisation."""
    host = urlsplit(source.base_url).hostname
    if source.kind is not ShownKind.SIMULATOR and host not in LOOPBACK:
        raise StartError(
            f"the source {source.name!r} reads a real organisation at {host}, where no incident can be played:"
            " `tocsin drill` without --incident rehearses its alerts. To see an incident, run `tocsin up` without"
            " ANTHROPIC_ADMIN_KEY, with a TOCSIN_DATA_DIR and a TOCSIN_PORT of its own"
        )
    return Simulator(source.base_url)
