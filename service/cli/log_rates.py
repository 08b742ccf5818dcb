"""Log lines of one kind are limited in rate: whoever causes them, a stranger or a fault, fills no disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from structlog import DropEvent
from structlog.typing import EventDict, WrappedLogger

WINDOW_SECONDS = 60.0
MOST_WARNINGS, MOST_NOTICES = 20, 1000
"""Lines of one kind in a window: warnings and worse, and what only says what happened."""
MOST_KINDS = 1000
LEFT_OUT, LAST = "left_out", "further_left_out_for_seconds"


@dataclass(slots=True)
class _Window:
    begun: float
    lines: int = 0
    left_out: int = 0


class LineRates:
    """Counts lines by kind. The first line after a silence says how many were left out."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._windows = now, dict[str, _Window]()

    def admit(self, kind: str, most: int) -> dict[str, int] | None:
        """Returns what the line also says, None for a line that is left out."""
        now = self._now()
        window = self._windows.get(kind)
        if window is None or now - window.begun >= WINDOW_SECONDS:
            left_out = window.left_out if window else 0
            self._begin(kind, now)
            return {LEFT_OUT: left_out} if left_out else {}
        window.lines += 1
        if window.lines > most:
            window.left_out += 1
            return None
        return {LAST: round(WINDOW_SECONDS - (now - window.begun))} if window.lines == most else {}

    def _begin(self, kind: str, now: float) -> None:
        if len(self._windows) >= MOST_KINDS:
            self._windows.clear()
        self._windows[kind] = _Window(now, lines=1)


class OwnLines:
    """A processor of structlog's. Our lines are of one kind when they have one event."""

    def __init__(self, rates: LineRates) -> None:
        self._rates = rates

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        level = logging.getLevelNamesMapping().get(str(event.get("level", "info")).upper(), logging.INFO)
        said = self._rates.admit(str(event.get("event", "")), _most(level))
        if said is None:
            raise DropEvent
        event.update(said)
        return event


class LibrariesLines(logging.Filter):
    """A filter of a handler's. A library's lines are of one kind when one line of its code writes them."""

    def __init__(self, rates: LineRates) -> None:
        super().__init__()
        self._rates = rates

    def filter(self, record: logging.LogRecord) -> bool:
        said = self._rates.admit(f"{record.pathname}:{record.lineno}", _most(record.levelno))
        if said is None:
            return False
        record.__dict__.update(said)
        return True


def _most(level: int) -> int:
    return MOST_WARNINGS if level >= logging.WARNING else MOST_NOTICES
