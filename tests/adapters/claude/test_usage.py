"""The usage report: what is asked for, and how its rows and buckets are read."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.sources.poll import Notice
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Bucket, Dimensions, UsageRow, Width
from service.domain.values.periods import Window
from service.workflows.ports.sources import SourceError
from tests.adapters.claude.scripted_admin_api import (
    Answer,
    ScriptedAdminApi,
    answer,
    bucket,
    connected,
    page,
    scripted_admin_api,
    usage,
    without,
)

START = datetime(2026, 10, 1, tzinfo=UTC)
TWO_DAYS = Window(START, START + timedelta(days=2))
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def api() -> AsyncIterator[ScriptedAdminApi]:
    async with scripted_admin_api() as running:
        yield running


async def read(
    api: ScriptedAdminApi, window: Window = TWO_DAYS, width: Width = Width.HOUR
) -> tuple[Bucket[UsageRow], ...]:
    async with connected(api.url) as source:
        return (await source.usage(window, width)).buckets


async def refused(api: ScriptedAdminApi, row: object) -> SourceError:
    api.will(answer(page(bucket(START, HOUR, row))))
    with pytest.raises(SourceError) as caught:
        await read(api)
    return caught.value


@pytest.mark.parametrize(("width", "limit"), [(Width.HOUR, "168"), (Width.MINUTE, "1440")])
async def test_the_request_names_its_range_all_groups_and_the_largest_page(
    api: ScriptedAdminApi, width: Width, limit: str
) -> None:
    api.will(answer(page()))
    await read(api, width=width)
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("GET", "/v1/organizations/usage_report/messages")
    assert asked.values("starting_at") == ["2026-10-01T00:00:00Z"]
    assert asked.values("ending_at") == ["2026-10-03T00:00:00Z"]
    assert asked.values("bucket_width") == [width.value]
    assert asked.values("limit") == [limit]
    assert asked.values("group_by[]") == [
        "api_key_id", "context_window", "inference_geo", "model", "service_tier", "workspace_id",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("width", "start", "end"),
    [
        (Width.HOUR, "2026-10-01T09:00:00Z", "2026-10-01T11:00:00Z"),
        (Width.MINUTE, "2026-10-01T09:12:00Z", "2026-10-01T10:34:00Z"),
    ],
)
async def test_a_window_between_boundaries_asks_for_the_whole_buckets_that_it_touches(
    api: ScriptedAdminApi, width: Width, start: str, end: str
) -> None:
    api.will(answer(page()))
    window = Window(START.replace(hour=9, minute=12, second=30), START.replace(hour=10, minute=33, second=1))
    await read(api, window, width)
    assert (api.asked[0].values("starting_at"), api.asked[0].values("ending_at")) == ([start], [end])


async def test_a_row_keeps_its_dimensions_and_every_count_the_nested_cache_writes_included(
    api: ScriptedAdminApi,
) -> None:
    api.will(answer(page(bucket(START, HOUR, usage()))))
    (only,) = await read(api)
    assert only.window == Window(START, START + HOUR)
    assert only.rows == (
        UsageRow(
            Dimensions(
                workspace="wrkspc_FAKE01",
                model="claude-sonnet-4-5-20250929",
                service_tier="standard",
                context_window="0-200k",
                inference_geo="not_available",
                api_key="apikey_FAKE01",
            ),
            {
                Measure.UNCACHED_INPUT: 1500,
                Measure.OUTPUT: 500,
                Measure.CACHE_READ: 200,
                Measure.CACHE_WRITE_5M: 500,
                Measure.CACHE_WRITE_1H: 1000,
                Measure.WEB_SEARCH: 10,
            },
        ),
    )


async def test_console_use_has_no_key_and_the_null_workspace_is_the_default_one(
    api: ScriptedAdminApi,
) -> None:
    api.will(answer(page(bucket(START, HOUR, usage(api_key_id=None, workspace_id=None)))))
    (only,) = await read(api)
    assert (only.rows[0].dimensions.api_key, only.rows[0].dimensions.workspace) == ("", "default")


async def test_standard_batch_and_priority_tokens_do_not_collapse_into_one_row(
    api: ScriptedAdminApi,
) -> None:
    tiers = ["standard", "batch", "priority", "priority_on_demand", "tier_of_tomorrow"]
    api.will(answer(page(bucket(START, HOUR, *(usage(service_tier=tier) for tier in tiers)))))
    (only,) = await read(api)
    assert [row.dimensions.service_tier for row in only.rows] == tiers


async def test_rows_of_equal_dimensions_are_added_up_measure_by_measure(api: ScriptedAdminApi) -> None:
    api.will(answer(page(bucket(START, HOUR, usage(output_tokens=1), usage(output_tokens=2)))))
    (only,) = await read(api)
    (row,) = only.rows
    assert row.quantities[Measure.OUTPUT] == 3
    assert row.quantities[Measure.CACHE_WRITE_1H] == 2000


@pytest.mark.parametrize("number", [-1, 1.5, 2.0, "5", None, True, 2**63, {}])
@pytest.mark.parametrize("name", ["uncached_input_tokens", "output_tokens", "cache_read_input_tokens"])
async def test_a_count_that_is_no_whole_number_of_tokens_is_refused(
    api: ScriptedAdminApi, name: str, number: object
) -> None:
    assert name in str(await refused(api, usage(**{name: number})))


@pytest.mark.parametrize(
    "cache",
    [
        5, [], {}, {"ephemeral_5m_input_tokens": 1}, {"ephemeral_1h_input_tokens": 1},
        {"ephemeral_5m_input_tokens": -1, "ephemeral_1h_input_tokens": 1},
    ],
)  # fmt: skip
async def test_cache_writes_that_cannot_be_read_are_refused_and_are_not_zero(
    api: ScriptedAdminApi, cache: object
) -> None:
    error = await refused(api, usage(cache_creation=cache))
    assert "cache_creation" in str(error) or "ephemeral" in str(error)


@pytest.mark.parametrize("name", ["cache_creation", "server_tool_use"])
async def test_a_null_object_is_zeros_with_a_notice(api: ScriptedAdminApi, name: str) -> None:
    api.will(answer(page(bucket(START, HOUR, usage(**{name: None}), usage(model="other")))))
    async with connected(api.url) as source:
        report = await source.usage(TWO_DAYS, Width.HOUR)
    assert report.notices == (Notice(f"{name} is null and counts as zero", 1),)
    quantities = report.buckets[0].rows[0].quantities
    zeros = {measure for measure, number in quantities.items() if number == 0}
    caches = {Measure.CACHE_WRITE_5M, Measure.CACHE_WRITE_1H}
    assert zeros == (caches if name == "cache_creation" else {Measure.WEB_SEARCH})
    assert quantities[Measure.OUTPUT] == 500


async def test_rows_that_add_up_to_more_than_can_be_stored_are_refused(api: ScriptedAdminApi) -> None:
    api.will(answer(page(bucket(START, HOUR, *[usage(output_tokens=2**63 - 1)] * 2))))
    with pytest.raises(SourceError, match="out of range"):
        await read(api)


@pytest.mark.parametrize(
    "name",
    [
        "uncached_input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation",
        "server_tool_use", "api_key_id", "model", "workspace_id",
    ],
)  # fmt: skip
async def test_a_row_without_a_required_field_is_refused(api: ScriptedAdminApi, name: str) -> None:
    assert f"{name} is missing" in str(await refused(api, without(usage(), name)))


async def test_a_flat_cache_creation_field_does_not_stand_in_for_the_nested_one(
    api: ScriptedAdminApi,
) -> None:
    row = without(usage(cache_creation_input_tokens=1500), "cache_creation")
    assert "cache_creation is missing" in str(await refused(api, row))


@pytest.mark.parametrize("step", [MINUTE, timedelta(days=1), timedelta(minutes=59)])
async def test_a_bucket_of_another_width_than_asked_for_is_refused(api: ScriptedAdminApi, step: timedelta) -> None:
    api.will(answer(page(bucket(START, step, usage()))))
    with pytest.raises(SourceError, match="not one 1h on its boundary"):
        await read(api)


async def test_minutes_are_read_like_hours_and_an_empty_minute_has_no_rows(api: ScriptedAdminApi) -> None:
    api.will(answer(page(bucket(START, MINUTE, usage()), bucket(START + MINUTE, MINUTE))))
    first, second = await read(api, width=Width.MINUTE)
    assert (len(first.rows), second.window, second.rows) == (
        1,
        Window(START + MINUTE, START + 2 * MINUTE),
        (),
    )


async def test_a_count_written_with_thousands_of_digits_is_an_error_and_no_crash(
    api: ScriptedAdminApi,
) -> None:
    body = answer(page(bucket(START, HOUR, usage(output_tokens=777)))).body.replace(b"777", b"7" * 5000)
    api.will(*[Answer(body)] * 3)
    with pytest.raises(SourceError):
        await read(api)
