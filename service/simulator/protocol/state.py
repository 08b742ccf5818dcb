"""State that the handlers of one simulated API share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import Faults
from service.simulator.protocol.limits import RateLimiter
from service.simulator.protocol.paging import ListedRows, PageTokens
from service.simulator.world.records import World

Clock = Callable[[], datetime]
Json = dict[str, object]


@dataclass(slots=True)
class State:
    """`lock` is held while the world is asked or changed: both happen in threads."""

    world: World
    clock: Clock
    faults: Faults = field(default_factory=Faults)
    behaviour: Behaviour = field(default_factory=Behaviour)
    tokens: PageTokens = field(default_factory=PageTokens)
    limiter: RateLimiter = field(default_factory=RateLimiter)
    listed: ListedRows = field(default_factory=ListedRows)
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request: header names in lower case, `body` empty for a GET."""

    headers: Mapping[str, str]
    pairs: list[tuple[str, str]]
    path: Mapping[str, str]
    body: Json
    now: datetime


Handler = Callable[[Call, State], Json]
