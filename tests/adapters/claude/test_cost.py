"""The cost report: what is asked for, and how its rows and buckets are read."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from service import __version__
from service.domain.sources.poll import Notice
from service.domain.spend.rows import Bucket, CostRow, Dimensions
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.workflows.ports.sources import SourceError
from tests.adapters.claude.scripted_admin_api import (
    CONTACT,
    Answer,
    ScriptedAdminApi,
    answer,
    connected,
    cost,
    day,
    page,
    refusal,
    scripted_admin_api,
    without,
)

OCTOBER = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture
async def api() -> AsyncIterator[ScriptedAdminApi]:
    async with scripted_admin_api() as running:
        yield running


async def read(api: ScriptedAdminApi, window: Window = OCTOBER) -> tuple[Bucket[CostRow], ...]:
    async with connected(api.url) as source:
        return (await source.cost(window)).buckets


async def read_row(api: ScriptedAdminApi, row: object) -> CostRow:
    api.will(answer(page(day(1, row))))
    (only,) = await read(api)
    (parsed,) = only.rows
    return parsed


async def refused(api: ScriptedAdminApi, body: object) -> SourceError:
    api.will(answer(body))
    with pytest.raises(SourceError) as caught:
        await read(api)
    return caught.value


def _times(start: str, end: str) -> dict[str, object]:
    return {"starting_at": start, "ending_at": end}


# ---------------------------------------------------------------------------------- what is asked for


async def test_the_request_names_its_range_at_midnight_its_groups_and_the_largest_page(
    api: ScriptedAdminApi,
) -> None:
    api.will(answer(page()))
    await read(api)
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("GET", "/v1/organizations/cost_report")
    assert asked.query == [
        ("starting_at", "2026-10-01T00:00:00Z"),
        ("ending_at", "2026-11-01T00:00:00Z"),
        ("bucket_width", "1d"),
        ("group_by[]", "workspace_id"),
        ("group_by[]", "description"),
        ("limit", "31"),
    ]


async def test_a_window_off_midnight_asks_for_the_whole_days_that_it_touches(api: ScriptedAdminApi) -> None:
    api.will(answer(page(day(1), day(2))))
    noon = Window(datetime(2026, 10, 1, 12, tzinfo=UTC), datetime(2026, 10, 2, 0, 0, 1, tzinfo=UTC))
    assert len(await read(api, noon)) == 2
    assert api.asked[0].values("starting_at") == ["2026-10-01T00:00:00Z"]
    assert api.asked[0].values("ending_at") == ["2026-10-03T00:00:00Z"]


async def test_the_request_carries_the_key_the_api_version_and_who_asks(api: ScriptedAdminApi) -> None:
    api.will(answer(page()))
    await read(api)
    headers = api.asked[0].headers
    assert headers["x-api-key"].startswith("sk-ant-admin01-FAKE")
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["user-agent"] == f"Tocsin/{__version__} ({CONTACT})"
    assert "authorization" not in headers


# ---------------------------------------------------------------------------------- amounts


@pytest.mark.parametrize(
    ("amount", "dollars"),
    [
        pytest.param("83391.52823", "833.9152823", id="recorded ungrouped day, 2025-09-17"),
        pytest.param("776.257875", "7.76257875", id="recorded cache writes, 2025-10-16"),
        pytest.param("1.000000", "0.01", id="recorded web search with its trailing zeros"),
        pytest.param("123.45", "1.2345", id="the documentation's example is cents"),
        pytest.param("1500", "15", id="an integer without a point"),
        pytest.param("1e-7", "0.000000001", id="an exponent"),
        pytest.param("-250.5", "-2.505", id="a late adjustment downwards"),
        pytest.param("0", "0", id="nothing"),
        pytest.param("0.0000000001", "0.000000000001", id="ten decimals of a cent"),
        pytest.param("1.00000000000000000000", "0.01", id="zeros beyond the tenth decimal"),
        pytest.param("99999999999999.9999999999", "999999999999.999999999999", id="the largest amount"),
    ],
)
async def test_an_amount_in_cents_becomes_exact_dollars(api: ScriptedAdminApi, amount: str, dollars: str) -> None:
    assert (await read_row(api, cost(amount))).amount == Money(Decimal(dollars))


@pytest.mark.parametrize(
    ("literal", "dollars"),
    [
        ("83391.52823", "833.9152823"),
        ("0.1", "0.001"),
        ("1e-7", "0.000000001"),
        ("-3", "-0.03"),
        ("12345678901234.1234567891", "123456789012.341234567891"),
    ],
)
async def test_an_amount_that_is_a_json_number_is_exact_too(api: ScriptedAdminApi, literal: str, dollars: str) -> None:
    body = answer(page(day(1, cost("AMOUNT")))).body.replace(b'"AMOUNT"', literal.encode())
    api.will(Answer(body))
    (only,) = await read(api)
    assert only.rows[0].amount == Money(Decimal(dollars))


@pytest.mark.parametrize(
    "amount",
    [
        "n/a", "", " 5", "1,000.00", "1_000", "$5", "NaN", "Infinity", "0x10", "٣", "1e", "--1",
        None, True, [], {"value": "5"}, "1e9999999999", "1e-9999999999",
        "100000000000000", "1e400", "1" * 60,
    ],
)  # fmt: skip
async def test_an_amount_that_is_no_exact_number_of_cents_is_refused_and_is_not_zero(
    api: ScriptedAdminApi, amount: object
) -> None:
    error = await refused(api, page(day(1, cost(amount))))
    assert "amount" in str(error)
    assert "row 1" in str(error)
    assert not error.retryable


@pytest.mark.parametrize(
    ("amount", "dollars"),
    [
        pytest.param("900.30000000000007", "9.003", id="a float's noise, to be rounded"),
        pytest.param("9.003000000000000007e2", "9.003", id="the same with an exponent"),
        pytest.param("0.00000000001", "0", id="less than can be stored"),
        pytest.param("-0.00000000025", "-0.000000000002", id="half, to even"),
    ],
)
async def test_an_amount_finer_than_can_be_stored_is_rounded_with_a_notice(
    api: ScriptedAdminApi, amount: str, dollars: str
) -> None:
    api.will(answer(page(day(1, cost(amount), cost("5", model="other")), day(2, cost(amount)))))
    async with connected(api.url) as source:
        report = await source.cost(OCTOBER)
    assert report.buckets[0].rows[0].amount == Money(Decimal(dollars))
    assert report.notices == (Notice("amount has more than ten decimals of a cent and was rounded", 2),)


async def test_a_report_as_documented_has_no_notice(api: ScriptedAdminApi) -> None:
    api.will(answer(page(day(1, cost("900.3")))))
    async with connected(api.url) as source:
        assert (await source.cost(OCTOBER)).notices == ()


async def test_notices_of_a_report_that_is_read_twice_count_once(api: ScriptedAdminApi) -> None:
    """A page token expires after the first page: the report is read again from its start."""
    first = page(day(1, cost("0.00000000001")), has_more=True, next_page="page_FAKE")
    api.will(answer(first), refusal(410), answer(first), answer(page(day(2))))
    async with connected(api.url) as source:
        (notice,) = (await source.cost(OCTOBER)).notices
    assert notice.rows == 1


@pytest.mark.parametrize("name", ["workspace_id", "model", "description", "speed", "x" * 3000])
async def test_a_text_beyond_its_bound_is_refused_with_its_beginning_only(api: ScriptedAdminApi, name: str) -> None:
    error = str(await refused(api, page(day(1, cost(**{name: "w" * 3000})))))
    assert "is longer than 500 bytes: '" in error
    assert len(error) < 300


async def test_the_bound_of_a_text_counts_bytes(api: ScriptedAdminApi) -> None:
    assert (await read_row(api, cost(workspace_id="w" * 500))).dimensions.workspace == "w" * 500
    assert "longer than 500 bytes" in str(await refused(api, page(day(1, cost(workspace_id="\u20ac" * 200)))))


async def test_a_currency_is_quoted_no_longer_than_its_beginning(api: ScriptedAdminApi) -> None:
    assert len(str(await refused(api, page(day(1, cost(currency="E" * 100_000)))))) < 300


@pytest.mark.parametrize("doubled", ['"amount": "1", ', '"currency": "EUR", ', '"workspace_id": "wrkspc_OTHER", '])
async def test_a_key_that_stands_twice_in_a_row_is_refused(api: ScriptedAdminApi, doubled: str) -> None:
    body = answer(page(day(1, cost()))).body.replace(b'"amount"', doubled.encode() + b'"amount"', 1)
    api.will(Answer(body))
    with pytest.raises(SourceError, match="twice in one object"):
        await read(api)


async def test_rows_that_add_up_to_more_than_can_be_stored_are_refused(api: ScriptedAdminApi) -> None:
    error = await refused(api, page(day(1, cost("99999999999999"), cost("99999999999999"))))
    assert "too large" in str(error)


@pytest.mark.parametrize("currency", ["EUR", "usd", None, ""])
async def test_any_currency_but_us_dollars_is_refused(api: ScriptedAdminApi, currency: object) -> None:
    error = await refused(api, page(day(1, cost(currency=currency))))
    assert "currency" in str(error)


@pytest.mark.parametrize("name", ["amount", "currency", "workspace_id"])
async def test_a_row_without_a_required_field_is_refused(api: ScriptedAdminApi, name: str) -> None:
    assert f"{name} is missing" in str(await refused(api, page(day(1, without(cost(), name)))))


# ---------------------------------------------------------------------------------- dimensions


async def test_a_row_keeps_every_dimension(api: ScriptedAdminApi) -> None:
    assert (await read_row(api, cost())).dimensions == Dimensions(
        workspace="wrkspc_FAKE01",
        model="claude-sonnet-4-5-20250929",
        description="Claude Sonnet 4.5 Usage - Input Tokens, Cache Write",
        cost_type="tokens",
        token_type="cache_creation.ephemeral_5m_input_tokens",
        service_tier="standard",
        context_window="0-200k",
        inference_geo="global",
    )


async def test_the_null_workspace_is_the_default_one_and_neither_dropped_nor_a_total(
    api: ScriptedAdminApi,
) -> None:
    api.will(answer(page(day(1, cost("100", workspace_id=None), cost("20")))))
    (only,) = await read(api)
    assert {row.dimensions.workspace: row.amount for row in only.rows} == {
        "default": Money.of("1"),
        "wrkspc_FAKE01": Money.of("0.2"),
    }


async def test_a_web_search_row_has_no_model_and_a_recording_of_2025_no_geography(
    api: ScriptedAdminApi,
) -> None:
    row = cost(
        "1.000000", description="Web Search Usage", cost_type="web_search",
        model=None, token_type=None, service_tier=None, context_window=None,
    )  # fmt: skip
    dimensions = (await read_row(api, without(row, "inference_geo"))).dimensions
    assert dimensions == Dimensions("wrkspc_FAKE01", description="Web Search Usage", cost_type="web_search")


async def test_values_that_no_document_lists_are_kept(api: ScriptedAdminApi) -> None:
    row = cost(cost_type="moon_shot", token_type="dream_tokens", service_tier="flex", inference_geo="eu")
    dimensions = (await read_row(api, row)).dimensions
    assert (dimensions.cost_type, dimensions.token_type) == ("moon_shot", "dream_tokens")
    assert (dimensions.service_tier, dimensions.inference_geo) == ("flex", "eu")


async def test_unknown_texts_are_kept_as_dimensions_so_that_fast_and_standard_do_not_collapse(
    api: ScriptedAdminApi,
) -> None:
    api.will(answer(page(day(1, cost("1", speed="fast", region="x"), cost("2", speed="standard")))))
    (only,) = await read(api)
    assert [row.dimensions.extra for row in only.rows] == [
        (("region", "x"), ("speed", "fast")),
        (("speed", "standard"),),
    ]


async def test_unknown_measurements_are_not_dimensions(api: ScriptedAdminApi) -> None:
    row = cost(list_amount="120.5", requests=7, nested={"a": "b"}, flag=True, nothing=None, blank="")
    assert (await read_row(api, row)).dimensions.extra == ()


async def test_rows_of_equal_dimensions_are_added_up(api: ScriptedAdminApi) -> None:
    api.will(answer(page(day(1, cost("0.1"), cost("0.2"), cost("5", model="claude-opus-5")))))
    (only,) = await read(api)
    assert [row.amount for row in only.rows] == [Money.of("0.003"), Money.of("0.05")]


@pytest.mark.parametrize("value", [5, ["a"], {"id": "a"}, False])
async def test_a_dimension_that_is_not_a_text_is_refused(api: ScriptedAdminApi, value: object) -> None:
    assert "model is not a text" in str(await refused(api, page(day(1, cost(model=value)))))


@pytest.mark.parametrize("value", ["a\x00b", "\ud800"])
async def test_a_text_that_postgres_cannot_hold_is_refused(api: ScriptedAdminApi, value: str) -> None:
    assert "cannot be stored" in str(await refused(api, page(day(1, cost(description=value)))))


# ---------------------------------------------------------------------------------- buckets


async def test_a_day_without_rows_says_zero_and_a_day_left_out_says_nothing(api: ScriptedAdminApi) -> None:
    api.will(answer(page(day(1, cost()), day(3))))
    first, third = await read(api)
    assert (first.window.start.day, len(first.rows)) == (1, 1)
    assert (third.window.start.day, third.rows) == (3, ())


async def test_no_buckets_at_all_are_no_error(api: ScriptedAdminApi) -> None:
    api.will(answer(page()))
    assert await read(api) == ()


@pytest.mark.parametrize(
    "today",
    [
        pytest.param([], id="missing"),
        pytest.param([day(31)], id="empty"),
        pytest.param([day(31, cost("3"))], id="partial"),
    ],
)
async def test_today_may_be_missing_empty_or_partial(api: ScriptedAdminApi, today: list[object]) -> None:
    api.will(answer(page(day(30, cost()), *today)))
    assert len(await read(api)) == 1 + len(today)


async def test_days_come_oldest_first_whatever_the_order_of_the_answer(api: ScriptedAdminApi) -> None:
    api.will(answer(page(day(3), day(1), day(2))))
    assert [only.window.start.day for only in await read(api)] == [1, 2, 3]


async def test_times_with_an_offset_or_fractions_are_read_as_utc(api: ScriptedAdminApi) -> None:
    written = {"starting_at": "2026-10-01T02:00:00+02:00", "ending_at": "2026-10-02T00:00:00.000Z"}
    api.will(answer(page(day(1) | written)))
    (only,) = await read(api)
    assert only.window == Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_times("2026-09-30T00:00:00Z", "2026-10-01T00:00:00Z"), id="before"),
        pytest.param(_times("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"), id="after"),
        pytest.param(_times("2026-10-01T00:00:00Z", "2026-10-03T00:00:00Z"), id="two days long"),
        pytest.param(_times("2026-10-01T00:00:00Z", "2026-10-01T13:37:00Z"), id="ends at noon"),
        pytest.param(_times("2026-10-01T12:00:00Z", "2026-10-02T12:00:00Z"), id="off midnight"),
        pytest.param(_times("2026-10-01", "2026-10-02"), id="without a zone"),
        pytest.param({"starting_at": "yesterday"}, id="no time"),
        pytest.param({"starting_at": None}, id="null"),
        pytest.param({"results": None}, id="null results"),
        pytest.param({"results": {}}, id="results no list"),
        pytest.param({"results": ["row"]}, id="a row that is no object"),
    ],
)
async def test_a_bucket_that_was_not_asked_for_or_has_no_shape_is_refused(
    api: ScriptedAdminApi, change: dict[str, object]
) -> None:
    error = await refused(api, page(day(1) | change))
    assert "not as documented" in str(error)
    assert "req_FAKE0001" in str(error)


@pytest.mark.parametrize("name", ["starting_at", "ending_at", "results"])
async def test_a_bucket_without_a_required_field_is_refused(api: ScriptedAdminApi, name: str) -> None:
    assert f"{name} is missing" in str(await refused(api, page(without(day(1), name))))


@pytest.mark.parametrize(
    "body",
    [
        {}, [], None, "ok", {"type": "error", "error": {"type": "api_error", "message": "soft failure"}},
        {"data": None, "has_more": False}, {"data": []}, {"data": [], "has_more": "false"},
        {"data": [], "has_more": None},
    ],
)  # fmt: skip
async def test_a_body_of_another_shape_is_an_error_and_not_a_month_without_cost(
    api: ScriptedAdminApi, body: object
) -> None:
    api.will(*[answer(body)] * 3)
    with pytest.raises(SourceError):
        await read(api)
