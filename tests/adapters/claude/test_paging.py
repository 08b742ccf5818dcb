"""Reports and lists of many pages: read whole, or not at all."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from service.adapters.claude import paging
from service.domain.spend.rows import Bucket, CostRow, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.workflows.ports.sources import SourceError
from tests.adapters.claude.scripted_admin_api import (
    ScriptedAdminApi,
    Step,
    answer,
    bucket,
    connected,
    cost,
    day,
    page,
    refusal,
    scripted_admin_api,
    usage,
)

START = datetime(2026, 10, 1, tzinfo=UTC)
OCTOBER = Window(START, datetime(2026, 11, 1, tzinfo=UTC))
RECORDED_TOKEN = "page_MjAyNS0wOS0yNFQwMDowMDowMFo="


@pytest.fixture
async def api() -> AsyncIterator[ScriptedAdminApi]:
    async with scripted_admin_api() as running:
        yield running


async def read(api: ScriptedAdminApi, window: Window = OCTOBER) -> tuple[Bucket[CostRow], ...]:
    async with connected(api.url) as source:
        return (await source.cost(window)).buckets


async def refused(api: ScriptedAdminApi, *steps: Step) -> SourceError:
    api.will(*steps)
    with pytest.raises(SourceError) as caught:
        await read(api)
    return caught.value


async def test_a_server_that_pages_by_its_default_of_seven_days_is_still_read_whole(
    api: ScriptedAdminApi,
) -> None:
    days = [day(number, cost("100")) for number in range(1, 32)]
    pages = [days[start : start + 7] for start in range(0, 31, 7)]
    for number, part in enumerate(pages, start=1):
        last = number == len(pages)
        api.will(answer(page(*part, has_more=not last, next_page=None if last else f"page_{number}")))
    buckets = await read(api)
    assert len(buckets) == 31
    assert Money.total(row.amount for one in buckets for row in one.rows) == Money.of("31")
    assert len(api.asked) == 5


async def test_the_page_token_goes_back_verbatim_and_every_other_parameter_stays(
    api: ScriptedAdminApi,
) -> None:
    api.will(answer(page(day(1), has_more=True, next_page=RECORDED_TOKEN)), answer(page(day(2))))
    await read(api)
    first, second = api.asked
    assert second.query == [*first.query, ("page", RECORDED_TOKEN)]


async def test_a_long_window_of_hours_goes_on_in_pages_of_a_week(api: ScriptedAdminApi) -> None:
    hour = timedelta(hours=1)
    hours = [bucket(START + number * hour, hour, usage()) for number in range(200)]
    api.will(
        answer(page(*hours[:168], has_more=True, next_page="page_2")),
        answer(page(*hours[168:])),
    )
    async with connected(api.url) as source:
        buckets = (await source.usage(Window(START, START + 200 * hour), Width.HOUR)).buckets
    assert [one.window.start for one in buckets] == [START + number * hour for number in range(200)]
    assert [asked.values("limit") for asked in api.asked] == [["168"], ["168"]]


async def test_only_has_more_ends_a_report_and_a_left_over_token_does_not_prolong_it(
    api: ScriptedAdminApi,
) -> None:
    api.will(answer(page(day(1), has_more=False, next_page="page_2")))
    assert len(await read(api)) == 1
    assert len(api.asked) == 1


async def test_an_empty_page_in_the_middle_does_not_end_a_report(api: ScriptedAdminApi) -> None:
    api.will(
        answer(page(day(1), has_more=True, next_page="page_2")),
        answer(page(has_more=True, next_page="page_3")),
        answer(page(day(2))),
    )
    assert len(await read(api)) == 2


@pytest.mark.parametrize("token", [None, "", 7])
async def test_more_pages_without_a_token_fail_the_whole_report(api: ScriptedAdminApi, token: object) -> None:
    error = await refused(api, answer({"data": [day(1, cost())], "has_more": True, "next_page": token}))
    assert "next_page" in str(error)


async def test_more_pages_without_even_the_field_fail_the_whole_report(api: ScriptedAdminApi) -> None:
    error = await refused(api, answer({"data": [day(1, cost())], "has_more": True}))
    assert "next_page is empty" in str(error)
    assert error.retryable


async def test_a_repeated_token_fails_the_whole_report_instead_of_going_round(api: ScriptedAdminApi) -> None:
    error = await refused(
        api,
        answer(page(day(1), has_more=True, next_page="page_2")),
        answer(page(day(2), has_more=True, next_page="page_3")),
        answer(page(day(3), has_more=True, next_page="page_2")),
    )
    assert "circle" in str(error)
    assert len(api.asked) == 3


async def test_a_duplicate_page_under_a_new_token_fails_the_whole_report_and_counts_nothing_twice(
    api: ScriptedAdminApi,
) -> None:
    error = await refused(
        api,
        answer(page(day(1, cost()), has_more=True, next_page="page_2")),
        answer(page(day(1, cost()), has_more=True, next_page="page_3")),
    )
    assert "2026-10-01" in str(error)
    assert "came twice" in str(error)


async def test_the_same_day_twice_on_one_page_fails_the_whole_report(api: ScriptedAdminApi) -> None:
    assert "came twice" in str(await refused(api, answer(page(day(1, cost()), day(1, cost())))))


@pytest.mark.slow
async def test_endless_empty_pages_come_to_an_end(api: ScriptedAdminApi) -> None:
    pages = [answer(page(has_more=True, next_page=f"page_{n}")) for n in range(paging.MOST_PAGES)]
    assert "does not end" in str(await refused(api, *pages))


async def test_a_failure_on_a_later_page_fails_the_whole_report(api: ScriptedAdminApi) -> None:
    error = await refused(api, answer(page(day(1, cost()), has_more=True, next_page="page_2")), refusal(403))
    assert "(403)" in str(error)


async def test_a_token_of_other_parameters_is_refused_by_the_api_and_that_fails_the_report(
    api: ScriptedAdminApi,
) -> None:
    stale = refusal(400, "invalid_request_error", "page token does not match the query")
    error = await refused(api, answer(page(day(1), has_more=True, next_page="page_2")), stale)
    assert "page token does not match" in str(error)
    assert not error.retryable
    assert len(api.asked) == 2


async def test_a_token_that_expires_on_the_way_starts_the_report_again_from_its_first_page(
    api: ScriptedAdminApi,
) -> None:
    api.will(
        answer(page(day(1, cost("100")), has_more=True, next_page="page_2")),
        refusal(410),
        answer(page(day(1, cost("300")), has_more=True, next_page="page_2b")),
        answer(page(day(2, cost("400")))),
    )
    assert [one.rows[0].amount for one in await read(api)] == [Money.of("3"), Money.of("4")]
    assert [asked.values("page") for asked in api.asked] == [[], ["page_2"], [], ["page_2b"]]


async def test_tokens_that_keep_expiring_fail_the_report(api: ScriptedAdminApi) -> None:
    first = answer(page(day(1), has_more=True, next_page="page_2"))
    assert "(410)" in str(await refused(api, first, refusal(410), first, refusal(410)))
    assert len(api.asked) == 4
