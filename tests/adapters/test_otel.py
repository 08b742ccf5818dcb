from __future__ import annotations

import pytest

from service.adapters.otel import open_otel
from tests.fakes.collector import collecting


async def test_of_what_is_thrown_only_the_type_is_kept() -> None:
    async def fail(url: str) -> None:
        async with open_otel(url) as spans:
            with spans.span("poll", {"poll_id": "poll_1"}):
                raise RuntimeError("sk-ant-admin01-FAKE was refused")

    with collecting() as collector, pytest.raises(RuntimeError):
        await fail(collector.url)
    (span,) = collector.named("poll", poll_id="poll_1")
    assert span.failure == "RuntimeError"
    assert "FAKE" not in str(collector.spans)


async def test_a_collector_that_is_away_costs_its_spans_and_nothing_else() -> None:
    async with open_otel("http://127.0.0.1:1") as spans:
        with spans.span("poll", {}) as note:
            note({"poll_id": "poll_1"})
