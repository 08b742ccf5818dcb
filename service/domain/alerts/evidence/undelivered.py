"""A channel's alert: it takes no messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.domain.alerts.evidence.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeliveredEvidence(Evidence):
    """A channel when its alert last changed: `count` messages are dead or wait since `undelivered_since`.

    `channel` is the key that notifications know it by, `channel_error` what it last answered, in words. `place`
    is what people call it, a Slack channel or addresses of a mail; empty where only a secret address is known.
    """

    kind: Literal["undelivered"] = "undelivered"
    receiver_id: str
    receiver_name: str
    channel: str
    channel_error: str
    count: int
    undelivered_since: datetime
    place: str = ""
