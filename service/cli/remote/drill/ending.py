"""Signals that end a drill: it cleans up, and knows first what there is to clean up."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object]


@contextmanager
def cleaning_up_when_ended() -> Iterator[None]:
    """Lets SIGINT, SIGTERM and SIGHUP clean up.

    SIGINT also where a shell that began the command in the background ignores it; SIGHUP not where `nohup` does.
    """
    restore = _handle(signal.default_int_handler)
    try:
        yield
    finally:
        restore()


@contextmanager
def postponed() -> Iterator[Callable[[], None]]:
    """Lets these signals wait for a call of what it gives, which raises KeyboardInterrupt if one has come.

    Who is asked meanwhile answers: else it might do what nobody here knows of, and takes back.
    """
    came: list[int] = []
    restore = _handle(lambda number, _: came.append(number))

    def end() -> None:
        restore()
        if came:
            raise KeyboardInterrupt

    try:
        yield end
    finally:
        restore()


def _handle(handler: Handler) -> Callable[[], None]:
    """Returns what puts the handlers of before back."""
    hangup = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    before = {one: signal.signal(one, handler) for one in (signal.SIGINT, signal.SIGTERM, *hangup)}

    def restore() -> None:
        while before:
            signal.signal(*before.popitem())

    return restore
