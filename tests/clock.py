"""A business clock that only moves when told to."""

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
