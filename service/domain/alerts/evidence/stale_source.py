"""A stale source's alert: its bill cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.domain.alerts.evidence.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleEvidence(Evidence):
    """A source's failures when its alert last changed."""

    kind: Literal["stale_source"] = "stale_source"
    source_name: str
    failures: int
    failing_since: datetime
    last_success_at: datetime | None
    error: str
