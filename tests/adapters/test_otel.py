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


async def test_a_trace_is_carried_and_what_is_none_begins_a_new_one() -> None:
    with collecting() as collector:
        async with open_otel(collector.url) as spans:
            assert spans.carried() is None
            with spans.span("request", {}):
                carried = spans.carried()
            assert carried is not None
            assert len(carried) == 55
            with spans.continued(carried), spans.span("poll", {}):
                pass
            with spans.continued("no traceparent"), spans.span("evaluation", {}):
                pass
            assert spans.carried() is None
    (request,), (poll,), (evaluation,) = map(collector.named, ("request", "poll", "evaluation"))
    assert (poll.trace, poll.parent) == (request.trace, request.id)
    assert evaluation.trace != request.trace
    assert not evaluation.parent
