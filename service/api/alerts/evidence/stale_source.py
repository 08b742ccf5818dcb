"""A stale source's evidence in an answer."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from service.domain.alerts.evidence import StaleEvidence


class StaleEvidenceOut(BaseModel):
    """Evidence of a source that has gone blind."""

    source: str
    failures: int
    failing_since: datetime
    last_success_at: datetime | None
    error: str


def show_stale_evidence(evidence: StaleEvidence) -> StaleEvidenceOut:
    return StaleEvidenceOut(
        source=evidence.source_name,
        failures=evidence.failures,
        failing_since=evidence.failing_since,
        last_success_at=evidence.last_success_at,
        error=evidence.error,
    )
