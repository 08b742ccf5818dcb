"""A failing channel's evidence in an answer."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from service.domain.alerts.evidence import UndeliveredEvidence


class UndeliveredEvidenceOut(BaseModel):
    """A channel that takes no messages."""

    receiver: str
    channel: str = Field(examples=["slack_bot:1f2e3d4c5b6a"])
    channel_error: str
    count: int
    undelivered_since: datetime


def show_undelivered_evidence(evidence: UndeliveredEvidence) -> UndeliveredEvidenceOut:
    return UndeliveredEvidenceOut(
        receiver=evidence.receiver_name,
        channel=evidence.channel,
        channel_error=evidence.channel_error,
        count=evidence.count,
        undelivered_since=evidence.undelivered_since,
    )
