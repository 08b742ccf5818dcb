"""An incomplete source's alert: its reports succeed, and what they say cannot be all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal

from service.domain.alerts.evidence.evidence import Evidence
from service.domain.spend.flaws import FlawKind
from service.domain.values.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class IncompleteEvidence(Evidence):
    """A flaw of a source's reports that lasts: on which UTC days, since when it was found at every poll.

    `known` is what is stored of those days and `total` what the organisation's own totals say, where that was asked.
    """

    kind: Literal["incomplete"] = "incomplete"
    source_name: str
    flaw: FlawKind
    days: tuple[date, ...]
    since: datetime
    known: Money | None = None
    total: Money | None = None

    calls: ClassVar[bool] = False
