"""A silence's alert: it ends soon, while alerts that it holds back still fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from service.domain.alerts.evidence.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceEndsEvidence(Evidence):
    """A silence an hour before its end: `count` alerts fire behind it, of which `behind` are the first headlines.

    `author` is the actor who made the silence, `author_name` the name of somebody in Slack.
    """

    kind: Literal["silence_ends"] = "silence_ends"
    silence_id: str
    silence_name: str
    author: str
    ends_at: datetime
    behind: tuple[str, ...]
    count: int
    author_name: str = ""

    calls: ClassVar[bool] = False

    @property
    def labels(self) -> Mapping[str, str]:
        return {"silence": self.silence_id}

    def may_be_silenced_by(self, silence_id: str) -> bool:
        return silence_id != self.silence_id
