"""A business clock that only moves when told to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class FakeClock:
    """A `Clock`: calling it gives the instant that it stands at, aware UTC."""

    def __init__(self, start: datetime = datetime(2026, 11, 16, 12, tzinfo=UTC)) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        self._now += by
        return self._now

    def move_to(self, instant: datetime) -> None:
        self._now = instant


def real_time_of(clock: FakeClock) -> Callable[[datetime], datetime]:
    """For the queue: what is due by the standing clock is due now."""

    def to_real(business: datetime) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=1) + (business - clock())

    return to_real
