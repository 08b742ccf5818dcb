"""Failing requests: which are sent again, after how long, and what the operator is told."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType

import httpx
import pytest
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from service.adapters.claude.client import STANDARD_LIMITS, Limits, open_client
from service.adapters.claude.credentials import AdminKey
from service.adapters.claude.failures import asked_wait
from service.adapters.egress.guard import Guard
from service.adapters.egress.httpx_transport import open_transport
from service.domain.sources.concerns import SourceConcern
from service.domain.values.periods import Window
from service.workflows.ports.sources import CostSource, SourceError
from tests.adapters.claude.scripted_admin_api import (
    KEY,
    QUICK,
    WORKSPACE_KEY,
    Answer,
    Reset,
    ScriptedAdminApi,
    Silence,
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
GOOD = answer(page(day(1, cost())))
HTML = Answer(b"<!doctype html><h1>Sign in</h1>", headers={"content-type": "text/html; charset=utf-8"})
LONG_DATE = "Wed, 18 Nov 2026 12:00:00 GMT"


@pytest.fixture
async def api() -> AsyncIterator[ScriptedAdminApi]:
    async with scripted_admin_api() as running:
        yield running


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """The seconds waited before each retry."""
    recorded: list[float] = []

    def note(details: RetryDetails) -> None:
        recorded.append(details.wait_for)

    set_on_retry_hooks([note])
    yield recorded
    set_on_retry_hooks(None)


async def read(source: CostSource) -> int:
    return len((await source.cost(OCTOBER)).buckets)


async def refused(api: ScriptedAdminApi, *steps: Step, key: str = KEY, limits: Limits = QUICK) -> SourceError:
    api.will(*steps)
    async with connected(api.url, limits=limits, key=key) as source:
        with pytest.raises(SourceError) as caught:
            await read(source)
    return caught.value


# ---------------------------------------------------------------------------------- what is sent again


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(refusal(408), id="408"),
        pytest.param(refusal(409, "conflict_error"), id="409"),
        pytest.param(refusal(429, "rate_limit_error"), id="429 without retry-after"),
        pytest.param(refusal(429, "rate_limit_error", retry_after="0.01"), id="429 with retry-after"),
        pytest.param(refusal(429, "rate_limit_error", retry_after_ms="5"), id="429 with retry-after-ms"),
        pytest.param(refusal(500), id="500"),
        pytest.param(replace(HTML, status=502), id="502 with a web page"),
        pytest.param(refusal(504, "timeout_error"), id="504"),
        pytest.param(refusal(529, "overloaded_error"), id="529"),
        pytest.param(refusal(400, x_should_retry="true"), id="x-should-retry says so"),
        pytest.param(Reset(), id="connection reset"),
        pytest.param(Answer(GOOD.body[:40], promised=len(GOOD.body)), id="connection closed in mid-body"),
        pytest.param(Answer(GOOD.body[:40]), id="truncated JSON"),
        pytest.param(Answer(b""), id="empty body"),
        pytest.param(Answer(b'{"data": [NaN], "has_more": false}'), id="a number that JSON does not have"),
        pytest.param(Answer(b"not gzip", headers={"content-encoding": "gzip"}), id="undecodable body"),
    ],
)
async def test_a_passing_failure_is_asked_again_and_leaves_no_trace(api: ScriptedAdminApi, step: Step) -> None:
    api.will(step, GOOD)
    async with connected(api.url) as source:
        assert await read(source) == 1
    assert len(api.asked) == 2
    assert api.asked[0].query == api.asked[1].query


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(refusal(status), id=str(status)) for status in (400, 401, 402, 403, 404, 413, 418)
    ] + [
        pytest.param(refusal(500, x_should_retry="false"), id="x-should-retry says no"),
        pytest.param(refusal(429, "rate_limit_error", code="enforced_spend_limit_reached"), id="spend cap"),
        pytest.param(HTML, id="a web page with 200"),
        pytest.param(replace(HTML, headers={}), id="a web page that calls itself JSON"),
        pytest.param(Answer(b"", 204), id="204"),
    ],
)  # fmt: skip
async def test_a_lasting_failure_is_not_asked_again(api: ScriptedAdminApi, step: Step) -> None:
    error = await refused(api, step, GOOD)
    assert not error.retryable
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "step",
    [refusal(429), refusal(500), refusal(529), Reset(), Answer(GOOD.body[:40])],
    ids=["429", "500", "529", "reset", "truncated"],
)
async def test_a_failure_that_lasts_longer_than_patience_says_that_asking_later_can_help(
    api: ScriptedAdminApi, step: Step
) -> None:
    error = await refused(api, step, step, step, GOOD)
    assert error.retryable
    assert len(api.asked) == QUICK.attempts


async def test_every_page_has_patience_of_its_own(api: ScriptedAdminApi) -> None:
    api.will(
        refusal(529), refusal(529), answer(page(day(1), has_more=True, next_page="page_2")),
        refusal(529), refusal(529), answer(page(day(2))),
    )  # fmt: skip
    async with connected(api.url) as source:
        assert await read(source) == 2
    assert [asked.values("page") for asked in api.asked] == [[], [], [], *[["page_2"]] * 3]


# ---------------------------------------------------------------------------------- how long it waits


async def test_the_wait_is_the_one_the_server_asks_for(api: ScriptedAdminApi, waits: list[float]) -> None:
    api.will(refusal(429, retry_after="0.03"), refusal(529, retry_after="9", retry_after_ms="20"), GOOD)
    async with connected(api.url) as source:
        await read(source)
    assert waits == pytest.approx([0.03, 0.02])


async def test_the_wait_backs_off_when_the_server_names_none(api: ScriptedAdminApi, waits: list[float]) -> None:
    api.will(refusal(500), refusal(529, retry_after="0"), GOOD)
    async with connected(api.url) as source:
        await read(source)
    assert 0.001 <= waits[0] <= 0.0015
    assert waits[1] == pytest.approx(0.002)


async def test_a_limit_that_names_no_wait_is_waited_for_until_its_minute_is_over(
    api: ScriptedAdminApi, waits: list[float]
) -> None:
    """Seconds of backing off end within the same minute, and a year's backfill asks without a pause."""
    api.will(refusal(429), refusal(429, retry_after="0"), GOOD)
    async with connected(api.url) as source:
        await read(source)
    assert waits == pytest.approx([0.003, 0.003])
    assert STANDARD_LIMITS.limited_wait * (STANDARD_LIMITS.attempts - 1) > timedelta(minutes=1)
    assert STANDARD_LIMITS.limited_wait * (STANDARD_LIMITS.attempts - 1) < STANDARD_LIMITS.deadline


async def test_a_wait_beyond_the_deadline_is_not_begun(api: ScriptedAdminApi, waits: list[float]) -> None:
    error = await refused(api, refusal(429, "rate_limit_error", retry_after="3600"), GOOD)
    assert "asks to wait 3600 seconds" in str(error)
    assert error.retryable
    assert (waits, len(api.asked)) == ([], 1)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "30", "retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2),
        ({"retry-after": LONG_DATE, "date": "Wed, 18 Nov 2026 11:59:15 GMT"}, 45),
        ({"retry-after": LONG_DATE, "date": "Wed, 18 Nov 2026 12:00:01 GMT"}, None),
        ({"retry-after": LONG_DATE}, None),
        ({"retry-after": LONG_DATE, "date": "today"}, None),
        ({"retry-after": "Wed, 18 Nov 2026 12:00:00 -0000", "date": "Wed, 18 Nov 2026 11:59:59 GMT"}, 1),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e300"}, 86_400),
        ({"retry-after": "later"}, None),
    ],
)
def test_how_long_the_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert asked_wait(httpx.Headers(headers)) == expected


# ---------------------------------------------------------------------------------- the deadline


async def test_the_deadline_ends_a_report_that_hangs(api: ScriptedAdminApi) -> None:
    error = await refused(api, Silence(), limits=replace(QUICK, deadline=timedelta(milliseconds=60)))
    assert "could not be read within 0.06 seconds" in str(error)
    assert error.retryable


async def test_the_deadline_covers_all_pages_and_its_error_names_the_last_failure(
    api: ScriptedAdminApi,
) -> None:
    limits = replace(QUICK, deadline=timedelta(milliseconds=200))
    first = answer(page(day(1), has_more=True, next_page="page_2"))
    error = await refused(api, first, refusal(529, "overloaded_error"), Silence(), limits=limits)
    assert "could not be read within" in str(error)
    assert "overloaded (529)" in str(error)


async def test_an_answer_that_does_not_come_is_given_up_and_asked_for_again(api: ScriptedAdminApi) -> None:
    api.will(Silence(), GOOD)
    limits = replace(QUICK, read=timedelta(milliseconds=50))
    async with connected(api.url, limits=limits) as source:
        assert await read(source) == 1


async def test_the_next_report_has_a_deadline_of_its_own(api: ScriptedAdminApi) -> None:
    api.will(Silence(), GOOD)
    async with connected(api.url, limits=replace(QUICK, deadline=timedelta(seconds=1))) as source:
        with pytest.raises(SourceError, match="within"):
            await read(source)
        assert await read(source) == 1


def test_the_standard_limits_leave_a_report_time_to_use_its_patience() -> None:
    waits = [STANDARD_LIMITS.first_wait * 2**number for number in range(STANDARD_LIMITS.attempts - 1)]
    assert sum(waits, timedelta()) < STANDARD_LIMITS.deadline
    assert STANDARD_LIMITS.read < STANDARD_LIMITS.deadline


# ---------------------------------------------------------------------------------- what the operator reads


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (refusal(401, "authentication_error", "invalid x-api-key"), ["wrong, expired or revoked", "(401)"]),
        (refusal(403, "permission_error"), ["needs an admin key", "(403)"]),
        (refusal(404, "not_found_error"), ["base_url", "(404)"]),
        (refusal(402, "billing_error"), ["billing problem", "(402)"]),
        (refusal(429, "rate_limit_error"), ["fewer requests", "(429)"]),
        (refusal(529, "overloaded_error"), ["overloaded", "(529)"]),
        (refusal(503), ["a fault of its own", "(503)"]),
        (refusal(418), ["nobody expected", "(418)"]),
        (HTML, ["web page", "base_url"]),
        (replace(HTML, status=403), ["web page", "proxy or firewall", "(403)"]),
        (replace(HTML, status=404), ["web page", "(404)"]),
        (Answer(b"[]"), ["not an object"]),
        (Answer(GOOD.body[:40]), ["cut off"]),
        (Reset(), ["connection to 127.0.0.1 failed"]),
    ],
)
async def test_the_error_is_in_words_for_the_operator(api: ScriptedAdminApi, step: Step, words: list[str]) -> None:
    error = str(await refused(api, *[step] * 3))
    assert [word for word in words if word not in error] == [], error


async def test_a_failure_says_what_it_is_about(api: ScriptedAdminApi) -> None:
    assert (await refused(api, refusal(401))).concerns is SourceConcern.KEY
    assert (await refused(api, refusal(403))).concerns is SourceConcern.KEY
    assert (await refused(api, refusal(404))).concerns is SourceConcern.ADDRESS
    assert (await refused(api, HTML)).concerns is SourceConcern.ADDRESS
    assert (await refused(api, *[refusal(529)] * 3)).concerns is SourceConcern.MOMENT
    assert (await refused(api, *[Reset()] * 3)).concerns is SourceConcern.NETWORK


async def test_an_address_that_this_installation_forbids_itself_is_no_matter_of_the_key(api: ScriptedAdminApi) -> None:
    transport = open_transport(Guard(), None)
    async with open_client(api.url, AdminKey(KEY), transport=transport) as client:
        with pytest.raises(SourceError, match="may not be read") as caught:
            async with client.report("cost report") as report:
                await report.get("/v1/organizations/me")
    assert caught.value.concerns is SourceConcern.EGRESS


@pytest.mark.parametrize("status", [401, 403])
async def test_a_workspace_key_is_called_one(api: ScriptedAdminApi, status: int) -> None:
    error = str(await refused(api, refusal(status), key=WORKSPACE_KEY))
    assert "keys of workspaces" in error
    assert "sk-ant-admin" in error


async def test_a_key_of_another_kind_is_tried_since_the_api_takes_more_than_admin_keys(
    api: ScriptedAdminApi,
) -> None:
    api.will(GOOD)
    async with connected(api.url, key=WORKSPACE_KEY) as source:
        assert await read(source) == 1


async def test_the_error_keeps_the_vendors_words_on_one_line_and_the_request_id(
    api: ScriptedAdminApi,
) -> None:
    message = "Invalid date range:\r\n ending date\x1b[31m must be after starting date"
    error = str(await refused(api, refusal(400, "invalid_request_error", message)))
    assert "Invalid date range: ending date [31m must be after starting date" in error
    assert "[request-id req_FAKE0001]" in error


async def test_the_request_id_is_taken_from_the_body_when_no_header_has_it(api: ScriptedAdminApi) -> None:
    step = answer({"type": "error", "error": {}, "request_id": "req_FAKEBODY"}, 500, request_id="")
    assert "req_FAKEBODY" in str(await refused(api, *[step] * 3))


async def test_a_flood_of_words_is_cut(api: ScriptedAdminApi) -> None:
    assert len(str(await refused(api, refusal(400, message="no " * 10_000)))) < 700


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'{"error": "no"}', b'{"error": {"message": 5, "details": []}}', b"\xff\xfe"],
)
async def test_an_error_body_of_any_shape_is_borne(api: ScriptedAdminApi, body: bytes) -> None:
    assert "(400)" in str(await refused(api, Answer(body, 400)))


async def test_an_answer_without_end_is_cut_off(api: ScriptedAdminApi) -> None:
    limits = replace(QUICK, answer_bytes=1_000)
    error = await refused(api, *[Answer(b" " * 5_000 + GOOD.body)] * 9, limits=limits)
    assert "longer than 1,000 bytes" in str(error)
    assert not error.retryable
    assert [asked.values("limit") for asked in api.asked] == [["31"], ["3"], ["1"]]


async def test_a_report_with_pages_too_long_is_read_from_its_start_in_smaller_pages(
    api: ScriptedAdminApi,
) -> None:
    first = answer(page(day(1, cost()), has_more=True, next_page="page_2"))
    api.will(first, Answer(b" " * 5_000), first, answer(page(day(2, cost()))))
    async with connected(api.url, limits=replace(QUICK, answer_bytes=1_000)) as source:
        assert await read(source) == 2
    assert [(asked.values("limit"), asked.values("page")) for asked in api.asked] == [
        (["31"], []), (["31"], ["page_2"]), (["3"], []), (["3"], ["page_2"]),
    ]  # fmt: skip


async def test_json_nested_without_end_is_an_error_and_no_crash(api: ScriptedAdminApi) -> None:
    error = await refused(api, *[Answer(b"[" * 200_000)] * 3)
    assert "cut off or is not JSON" in str(error)


# ---------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(api: ScriptedAdminApi, status: int) -> None:
    async with scripted_admin_api() as elsewhere:
        elsewhere.will(GOOD)
        target = f"{elsewhere.url}/take/the/key?token=FAKE"
        error = await refused(api, answer({}, status, location=target))
        assert elsewhere.asked == []
    assert "redirects to 127.0.0.1" in str(error)
    assert "token=FAKE" not in str(error)
    assert not error.retryable


async def test_nobody_listening_is_a_failure_to_try_again(api: ScriptedAdminApi) -> None:
    async with scripted_admin_api() as gone:
        url = gone.url
    async with connected(url) as source:
        with pytest.raises(SourceError, match=r"connection to 127\.0\.0\.1 failed") as caught:
            await read(source)
    assert caught.value.retryable


@pytest.mark.parametrize("base_url", ["", "api.example.test", "ftp://127.0.0.1", "http://", "http://[", "://"])
async def test_a_base_url_that_is_no_address_is_a_source_error(base_url: str) -> None:
    with pytest.raises(SourceError) as caught:
        async with connected(base_url) as source:
            await read(source)
    assert not caught.value.retryable


async def test_a_base_url_may_hold_a_path_and_end_in_a_slash(api: ScriptedAdminApi) -> None:
    api.will(GOOD)
    async with connected(f"{api.url}/gateway/") as source:
        await read(source)
    assert api.asked[0].path == "/gateway/v1/organizations/cost_report"


async def test_proxies_of_the_environment_are_ignored(api: ScriptedAdminApi, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_admin_api() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        api.will(GOOD)
        async with connected(api.url) as source:
            assert await read(source) == 1
        assert proxy.asked == []


async def test_the_configured_proxy_is_used() -> None:
    async with scripted_admin_api() as proxy:
        proxy.will(GOOD)
        async with connected("http://admin-api.test", proxy=proxy.url) as source:
            assert await read(source) == 1
        assert proxy.asked[0].headers["host"] == "admin-api.test"


class CountedTransport(httpx.AsyncHTTPTransport):
    """Counts requests and closings."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        return await super().handle_async_request(request)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.closed += 1
        await super().__aexit__(exc_type, exc_value, traceback)


@asynccontextmanager
async def counted_transport() -> AsyncIterator[CountedTransport]:
    transport = CountedTransport()
    yield transport
    await transport.aclose()


async def test_a_transport_that_is_handed_in_is_used_and_stays_open_for_the_next_source(
    api: ScriptedAdminApi,
) -> None:
    api.will(GOOD, GOOD)
    async with counted_transport() as transport:
        for _ in range(2):
            async with connected(api.url, transport=transport) as source:
                await read(source)
        assert (transport.sent, transport.closed) == (2, 0)
