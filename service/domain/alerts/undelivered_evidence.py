"""What an alert about a channel that takes no messages knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UndeliveredEvidence:
    """A channel as it was when its alert last changed: `count` messages are dead or wait since `undelivered_since`.

    `channel` is the key that notifications know it by, `channel_error` what it last answered, in words.
    """

    receiver_id: str
    receiver_name: str
    channel: str
    channel_error: str
    count: int
    undelivered_since: datetime
