"""Stopping a process: asked once, it ends in order, within a bound; asked twice, at once, whatever is away."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

BOUND_SECONDS = 20.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)
ENDED_EARLY = 1
"""The exit code of a process that could not end in order."""


class Stop:
    """The wish to stop, by SIGINT (Ctrl-C) or SIGTERM.

    Before there is an event loop a signal raises KeyboardInterrupt, so that what was begun is undone.
    """

    def __init__(self, bound_seconds: float) -> None:
        self._event: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = False
        self._bound = bound_seconds
        self._deadline = threading.Timer(bound_seconds, self._overrun)
        self._deadline.daemon = True

    def event(self) -> asyncio.Event:
        """Returns an event of the running loop that the first signal sets."""
        self._event, self._loop = asyncio.Event(), asyncio.get_running_loop()
        return self._event

    def ask(self, _: int, __: FrameType | None) -> None:
        """Handles a signal."""
        if self._asked:
            _end("stopped at once: asked twice")
        self._asked = True
        self._deadline.start()
        if self._loop is None or self._event is None:
            raise KeyboardInterrupt
        self._loop.call_soon_threadsafe(self._event.set)

    def is_done(self) -> None:
        """Takes the deadline away: everything has ended."""
        self._deadline.cancel()

    def _overrun(self) -> None:
        _end(f"not everything could end within {self._bound:g} s of the signal: stopped all the same")


@contextmanager
def stopping(bound_seconds: float = BOUND_SECONDS) -> Iterator[Stop]:
    """Handles the signals for as long as the block lasts. The block must have ended within the bound after the first.

    Nothing is lost by an early end: jobs that ran go back into the queue, the next start finds an embedded database.
    """
    stop = Stop(bound_seconds)
    before = {number: signal.signal(number, stop.ask) for number in SIGNALS}
    try:
        yield stop
    finally:
        stop.is_done()
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(why: str) -> None:
    """Ends the process without waiting for anything: no thread, no connection, no child."""
    os.write(2, f"tocsin: {why}\n".encode())
    os._exit(ENDED_EARLY)
