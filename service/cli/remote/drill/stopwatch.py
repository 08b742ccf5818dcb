"""Seconds that pass, and waiting for something with patience."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ASKED_EVERY = 0.25
"""Seconds between two questions."""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """`seconds` only ever grow; `pause` waits."""

    seconds: Callable[[], float]
    pause: Callable[[float], None]

    def until(self, is_over: Callable[[], bool], patience: float) -> float | None:
        """Asks until it is over. Returns the seconds that took, None where it is not over after `patience`."""
        began = self.seconds()
        while not is_over():
            if self.seconds() - began >= patience:
                return None
            self.pause(ASKED_EVERY)
        return self.seconds() - began
