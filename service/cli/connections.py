"""The API's connections: so many at once, and each only for as long as its caller does something.

uvicorn bounds neither: its limit answers 503 yet keeps every socket, and it waits for a request's head for ever.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import h11
import structlog
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from service.api.http.problems import problem
from service.cli.strict_heads import StrictConnection

log = structlog.get_logger(__name__)

BACKLOG = 128
"""Connections that asyncio accepts in one go, and log lines that it writes in one go when it cannot."""
RESERVED = 700
"""File descriptors that are never a caller's: the database's, outgoing calls', files', the simulator's, a backlog's."""
LONGEST_HEAD = 65_536
"""Bytes of a request's head."""
WANTED = 65_536
FEWEST = 16
ROOM_AGAIN = 0.5
"""The part of the bound below which a rush is over."""
_REFUSAL = bytes(problem(503, "Too many connections at once").body)
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_REFUSAL), _REFUSAL)
)


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """How many connections there may be, and how long one waits for its caller.

    A request's `head` has so long to arrive, from the connection or the last answer on; an answer, to be read.
    """

    most: int = 500
    head: timedelta = timedelta(seconds=10)
    reading: timedelta = timedelta(minutes=2)


def descriptors_for(wanted: int) -> int:
    """Returns how many of the wanted connections this process has descriptors for, after raising its soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < WANTED:
        soft = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    granted = wanted if soft == resource.RLIM_INFINITY else min(wanted, max(soft - RESERVED, FEWEST))
    if granted < wanted:
        log.warning("connections_lowered", wanted=wanted, granted=granted, open_files=soft)
    return granted


class Door:
    """Admits connections up to a bound. A newcomer takes the place of the caller who has been silent longest."""

    def __init__(self, bounds: ConnectionBounds) -> None:
        self.bounds = bounds
        self._inside: set[BoundedConnection] = set()
        self._silent: dict[BoundedConnection, None] = {}
        """The longest silent one first."""
        self._displaced = 0
        """How many had to go or stay out since there was room last."""

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> BoundedConnection:
        """Makes a connection's protocol, as uvicorn asks for it."""
        connection = BoundedConnection(config, server_state, app_state, _loop)
        connection.door = self
        return connection

    @property
    def protocol(self) -> type[asyncio.Protocol]:
        """Returns itself, for the class of the protocols: uvicorn only ever calls it."""
        return cast("type[asyncio.Protocol]", self)

    def admit(self, connection: BoundedConnection) -> bool:
        if len(self._inside) >= self.bounds.most:
            self._note_displaced()
            if not self._silent:
                return False
            longest = next(iter(self._silent))
            self.forget(longest)
            longest.transport.abort()
        self._inside.add(connection)
        return True

    def forget(self, connection: BoundedConnection) -> None:
        self._inside.discard(connection)
        self._silent.pop(connection, None)
        if self._displaced and len(self._inside) <= self.bounds.most * ROOM_AGAIN:
            log.warning("connections_left_again", most=self.bounds.most, displaced=self._displaced)
            self._displaced = 0

    def _note_displaced(self) -> None:
        if not self._displaced:
            log.warning("connections_exhausted", most=self.bounds.most, silent=len(self._silent))
        self._displaced += 1

    def note_silent(self, connection: BoundedConnection) -> None:
        if connection in self._inside:
            self._silent.setdefault(connection)

    def note_busy(self, connection: BoundedConnection) -> None:
        self._silent.pop(connection, None)


class BoundedConnection(H11Protocol):
    """A connection that is closed when its caller neither completes a head nor reads an answer."""

    door: Door
    _timer: asyncio.TimerHandle | None = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = StrictConnection(h11.SERVER, LONGEST_HEAD)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.door.admit(self):
            self._note()
        else:
            transport.write(FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self.door.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._note()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._note()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._note()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._note()

    def _note(self) -> None:
        """Starts to wait for the caller, goes on waiting, or stops, as things stand."""
        if self.cycle is None or self.cycle.response_complete:
            self.door.note_silent(self)
            self._start_timer()
        elif self.flow.write_paused:
            self._start_timer()
        else:
            self.door.note_busy(self)
            self._stop_timer()

    def _start_timer(self) -> None:
        if self._timer is None:
            bounds, unread = self.door.bounds, self.transport.get_write_buffer_size()
            patience = bounds.reading if unread else bounds.head
            # Not close, which would wait until all is read.
            self._timer = self.loop.call_later(patience.total_seconds(), self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
