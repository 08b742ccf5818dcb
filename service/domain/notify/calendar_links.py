"""Links to calendars, for programs that can only be given an address: which rota's, and which link of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

_TEXT = re.compile(r"calendar-(?P<rota>rota_[0-9a-f]{32})-(?P<nonce>[0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Feed:
    """A rota's link as it is now: it holds while its nonce is this one. `since` is aware UTC."""

    nonce: str = field(repr=False)
    since: datetime


@dataclass(frozen=True, slots=True)
class CalendarLink:
    """The text of a link; without its signature it opens nothing."""

    rota_id: str
    nonce: str

    def __str__(self) -> str:
        return f"calendar-{self.rota_id}-{self.nonce}"

    @classmethod
    def parse(cls, text: str) -> CalendarLink | None:
        """None for anything that `str` does not make."""
        read = _TEXT.fullmatch(text)
        return cls(read["rota"], read["nonce"]) if read else None
