"""Links to pictures that need no login: what they say, and for how long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

VALID_FOR = timedelta(days=7)
_TEXT = re.compile(r"(?P<alert>[a-z]+_[0-9a-f]{32})-(?P<version>[0-9]{1,9})-(?P<until>[0-9]{1,11})")


@dataclass(frozen=True, slots=True)
class ChartLink:
    """One alert's picture as of one of its versions. `until` is aware UTC, to the second."""

    alert_id: str
    version: int
    until: datetime

    def __str__(self) -> str:
        return f"{self.alert_id}-{self.version}-{int(self.until.timestamp())}"

    @classmethod
    def parse(cls, text: str) -> ChartLink | None:
        """None for anything that `str` does not make."""
        read = _TEXT.fullmatch(text)
        if read is None:
            return None
        return cls(read["alert"], int(read["version"]), datetime.fromtimestamp(int(read["until"]), UTC))

    def holds(self, now: datetime) -> bool:
        return now < self.until
