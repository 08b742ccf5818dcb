"""What is stored about digests besides their configuration."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from service.domain.digests.runs import DigestRun


class DigestRuns(Protocol):
    async def add(self, run: DigestRun) -> bool:
        """False where the digest's occurrence is on record already."""
        ...

    async def claim(self, run_id: str, *, now: datetime, until: datetime) -> DigestRun | None:
        """Takes a run that is due, which is due again at `until`; None for one that is not."""
        ...

    async def save(self, run: DigestRun) -> None: ...

    async def due(self, now: datetime) -> list[DigestRun]:
        """What is queued and should have been tried by now, oldest first."""
        ...

    async def forget(self, before: datetime) -> None:
        """Retention: drops what is over and was asked for before that. Each digest's newest stay."""
        ...

    async def latest(self, digest_id: str) -> DigestRun | None:
        """The one that was asked for last."""
        ...
