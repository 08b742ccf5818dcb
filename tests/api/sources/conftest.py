from __future__ import annotations

import pytest

from tests.api.stand import ENG, SOURCE, Stand


@pytest.fixture
async def spent(stand: Stand) -> Stand:
    """A source in which one key of one workspace has spent $5."""
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "eng", "channels": [{"kind": "console"}]})
    await stand.spend(ENG, "5.00")
    return stand
