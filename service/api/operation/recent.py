"""An answer that costs a lot and may be some seconds old: made once, however many ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps what was made last for `keep` of real time. Who asks meanwhile waits for it, and makes nothing."""

    def __init__(self, keep: timedelta) -> None:
        self._keep, self._lock = keep.total_seconds(), asyncio.Lock()
        self._made: tuple[float, T] | None = None

    async def get(self, make: Callable[[], Awaitable[T]]) -> T:
        """Returns the kept answer, or makes it. Nothing is kept of a failure, which goes to whoever waited for it."""
        asked_at = monotonic()
        async with self._lock:
            if self._made is None or asked_at - self._made[0] >= self._keep:
                made = await make()
                self._made = monotonic(), made
            return self._made[1]
