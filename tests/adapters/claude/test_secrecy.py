"""The admin key is in the request and nowhere else."""

import gc
import logging
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from service.adapters.claude.connector import ClaudeConnector
from service.adapters.claude.credentials import AdminKey
from service.adapters.egress.httpx_transport import open_transport
from service.domain.sources.source import Source, SourceKind
from service.domain.values.periods import Window
from service.workflows.ports.sources import SourceError
from tests.adapters.claude.scripted_admin_api import (
    KEY,
    LOOPBACK,
    QUICK,
    Answer,
    OpenVault,
    Reset,
    ScriptedAdminApi,
    Step,
    answer,
    connected,
    cost,
    day,
    page,
    refusal,
    scripted_admin_api,
)

OCTOBER = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture
async def api() -> AsyncIterator[ScriptedAdminApi]:
    async with scripted_admin_api() as running:
        yield running


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(refusal(401, message=f"invalid x-api-key: {KEY}"), id="echoed in a message"),
        pytest.param(refusal(429, message="x" * 290 + KEY), id="echoed where the message is cut"),
        pytest.param(refusal(500, request_id=KEY), id="echoed as the request id"),
        pytest.param(answer({}, 302, location=f"http://{KEY}/"), id="echoed in a redirect"),
        pytest.param(answer(page(day(1, cost(currency=KEY)))), id="echoed in a row"),
        pytest.param(answer(page(day(1, cost(KEY)))), id="echoed as an amount"),
        pytest.param(answer(page(day(1) | {"starting_at": KEY})), id="echoed as a time"),
        pytest.param(Answer(b"not json"), id="no JSON"),
        pytest.param(Reset(), id="connection reset"),
    ],
)
async def test_the_key_is_in_no_error_traceback_or_log(
    api: ScriptedAdminApi,
    step: Step,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    api.will(*[step] * 3)
    # httpcore's debug log holds response headers, though never those of a request.
    caplog.set_level(logging.INFO if _in_headers(step) else logging.DEBUG)
    async with connected(api.url) as source:
        with pytest.raises(SourceError) as caught:
            await source.cost(OCTOBER)
    logging.getLogger("tests").error("poll failed", exc_info=caught.value)
    printed = capfd.readouterr()
    shown = [
        str(caught.value),
        repr(caught.value),
        *traceback.format_exception(caught.value),
        caplog.text,
        printed.out,
        printed.err,
    ]
    assert api.asked[0].headers["x-api-key"] == KEY
    assert [text for text in shown if KEY[:20].lower() in text.lower()] == []


def _in_headers(step: Step) -> bool:
    return isinstance(step, Answer) and any(KEY in value for value in step.headers.values())


async def test_the_key_is_in_no_representation(api: ScriptedAdminApi) -> None:
    vault = OpenVault()
    source = Source(SourceKind.CLAUDE_ADMIN, api.url, vault.seal(KEY))
    api.will(answer(page()))
    async with open_transport(LOOPBACK, proxy=None) as transport:
        connector = ClaudeConnector(vault, transport, limits=QUICK)
        async with connector.connect(source) as cost_source:
            await cost_source.cost(OCTOBER)
            clients = [found for found in gc.get_objects() if isinstance(found, httpx.AsyncClient)]
            shown = [repr(connector), repr(cost_source), repr(AdminKey(KEY)), str(vars(AdminKey(KEY)).keys())]
            shown += [repr(client.headers) for client in clients]
    assert len(clients) >= 1
    assert [text for text in shown if KEY in text] == []


@pytest.mark.parametrize("key", ["", "  ", "sk-ant-admin01-FAKE two", "sk-ant-admin01-FAKE\nx: y", "sk-ant-ädmin"])
async def test_a_key_that_cannot_be_sent_is_refused_before_a_request_and_not_quoted(
    api: ScriptedAdminApi, key: str
) -> None:
    with pytest.raises(SourceError, match="copy it again") as caught:
        async with connected(api.url, key=key):
            pass
    assert not key.strip() or key not in "".join(traceback.format_exception(caught.value))
    assert api.asked == []


async def test_a_key_pasted_with_a_line_break_at_its_end_is_sent_without_it(api: ScriptedAdminApi) -> None:
    api.will(answer(page()))
    async with connected(api.url, key=f" {KEY}\n") as source:
        await source.cost(OCTOBER)
    assert api.asked[0].headers["x-api-key"] == KEY
