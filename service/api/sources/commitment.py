"""The commitment to the Priority Tier of a month, and what was used of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from service.api.http.fields import Dollars, Strict, Usd
from service.domain.sources.commitment import PriorityCommitment, PriorityUse

_FOUR_PLACES = Decimal("0.0001")
Tokens = Annotated[int, Field(strict=True, ge=1, le=10**15)]


class CommitmentIn(Strict):
    """The Priority Tier's commitment of a calendar month (UTC): either tokens, input and output alike, or dollars."""

    tokens: Tokens | None = None
    usd: Dollars | None = None


class CommitmentOut(BaseModel):
    tokens: int | None
    usd: Usd | None


class PriorityUseOut(BaseModel):
    """The use of the month that runs. `left` is negative beyond the commitment, null in the other unit."""

    since: datetime
    until: datetime
    tokens: int
    estimate: Usd = Field(description="at list prices or your own; the Priority Tier is in no bill")
    used_share: str = Field(description="1 at the end of the commitment", examples=["0.6200"])
    tokens_left: int | None
    usd_left: Usd | None


def read_commitment(document: CommitmentIn | None) -> PriorityCommitment | None:
    return None if document is None else PriorityCommitment(document.tokens, document.usd)


def show_commitment(commitment: PriorityCommitment | None) -> CommitmentOut | None:
    if commitment is None:
        return None
    return CommitmentOut(tokens=commitment.tokens, usd=None if commitment.usd is None else str(commitment.usd))


def show_priority(use: PriorityUse | None) -> PriorityUseOut | None:
    if use is None or use.used_share is None:
        return None
    return PriorityUseOut(
        since=use.month.start,
        until=use.month.end,
        tokens=use.tokens,
        estimate=str(use.estimate),
        used_share=str(use.used_share.quantize(_FOUR_PLACES)),
        tokens_left=use.tokens_left,
        usd_left=None if use.usd_left is None else str(use.usd_left),
    )
