"""An unpriced model's alert: it is used, and what that costs is in no figure until it is billed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from service.domain.alerts.evidence.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpricedEvidence(Evidence):
    """Tokens of a model without a known price, on UTC days whose bill is not settled; `last_day` is the newest."""

    kind: Literal["unpriced"] = "unpriced"
    source_name: str
    model: str
    tokens: int
    last_day: date

    calls: ClassVar[bool] = False
