"""So many requests in any minute, for the whole organisation."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta

from service.simulator.protocol.errors import ApiError

_WINDOW = timedelta(minutes=1)


class RateLimiter:
    """Remembers the last minute's requests by the simulation's clock."""

    def __init__(self) -> None:
        self._admitted: deque[datetime] = deque()

    def admit(self, now: datetime, per_minute: int) -> None:
        """Raises ApiError 429, saying when to come back, once the minute is full."""
        while self._admitted and self._admitted[0] <= now - _WINDOW:
            self._admitted.popleft()
        if len(self._admitted) >= per_minute:
            wait = self._admitted[0] + _WINDOW - now if self._admitted else _WINDOW
            seconds = max(1, math.ceil(wait.total_seconds()))
            raise ApiError(429, "This request would exceed your organization's rate limit", seconds)
        self._admitted.append(now)
