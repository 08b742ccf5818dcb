"""`/v1/cache`: what caching saves, by day and by member."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Bucket, Dimensions, UsageFact, Width
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import HOUR, midnight
from service.workflows import spend
from service.workflows.ports.spend import Stamp
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered, pointers, problem

SITE = Cell("wrkspc_marketing", "claude-sonnet-4-5", "apikey_site")
NOVEL = Cell("wrkspc_marketing", "claude-novel", "apikey_site")
YESTERDAY = TODAY - timedelta(days=1)
DAYS = {"since": "2026-11-14", "until": "2026-11-17"}
M = 1_000_000


async def used(stand: Stand) -> None:
    """Engineering reads its cache; marketing writes one for nobody, and tries a model without a price."""
    source = await stand.create("/sources", SOURCE)
    await stand.ports.storage.make_room(Window(midnight(YESTERDAY), midnight(TODAY) + 24 * HOUR))
    eng = [(ENG, Measure.UNCACHED_INPUT, M), (ENG, Measure.CACHE_READ, 3 * M)]
    site = [(SITE, Measure.CACHE_WRITE_1H, 2 * M), (NOVEL, Measure.CACHE_READ, 10)]
    await store(stand, source["id"], midnight(YESTERDAY) + 5 * HOUR, eng)
    await store(stand, source["id"], midnight(TODAY) + 5 * HOUR, site)


async def store(stand: Stand, source_id: str, start: datetime, usage: list[tuple[Cell, Measure, int]]) -> None:
    facts = tuple(
        UsageFact(Dimensions(cell.workspace, cell.model, token_type=way.value, api_key=cell.api_key), tokens, None)
        for cell, way, tokens in usage
    )
    async with stand.ports.uow() as uow:
        stamp = Stamp(source_id, "poll_1", start + HOUR)
        await uow.facts.replace_usage(stamp, Width.HOUR, [Bucket(Window(start, start + HOUR), facts)])
        await uow.directory.note_cells(source_id, [cell for cell, _, _ in usage], stand.clock())


async def test_days_say_what_was_saved(stand: Stand) -> None:
    await used(stand)
    series = answered(await stand.viewer.get("/v1/cache", params=DAYS))
    assert [(day["start"][:10], day["hit_share"], day["saved"]) for day in series["items"]] == [
        ("2026-11-14", None, "0.00"),
        ("2026-11-15", "0.7500", "8.10"),
        ("2026-11-16", "0.0000", "-6.00"),
    ]
    assert (series["items"][2]["unread_1h"], series["items"][2]["unpriced_tokens"]) == ("6.00", 10)
    assert (series["total"]["saved"], series["total"]["written_1h_tokens"]) == ("2.10", 2 * M)


async def test_a_breakdown_says_who_writes_for_nobody(stand: Stand) -> None:
    await used(stand)
    first = answered(await stand.viewer.get("/v1/cache/breakdown", params=DAYS | {"limit": "1"}))
    rest = answered(await stand.viewer.get("/v1/cache/breakdown", params=DAYS | {"cursor": first["next"]}))
    assert [(group["id"], group["saved"], group["unread_1h"]) for group in first["items"] + rest["items"]] == [
        ("wrkspc_eng", "8.10", "0.00"),
        ("wrkspc_marketing", "-6.00", "6.00"),
    ]
    assert (rest["next"], rest["total"], rest["group_by"]) == (None, first["total"], "workspace")


@pytest.mark.parametrize("path", ["/v1/cache", "/v1/cache/breakdown"])
async def test_filters_hold_and_unknown_members_are_refused(stand: Stand, path: str) -> None:
    await used(stand)
    total = answered(await stand.viewer.get(path, params=DAYS | {"api_key": "apikey_ci"}))["total"]
    assert (total["read_tokens"], total["written_1h_tokens"]) == (3 * M, 0)
    assert pointers(await stand.viewer.get(path, params={"workspace": "nobody"})) == ["/workspace"]
    assert pointers(await stand.viewer.get(path, params={"granularity": "1h"})) == ["/granularity"]


@pytest.mark.parametrize("path", ["/v1/cache", "/v1/cache/breakdown"])
async def test_a_question_over_too_many_hours_is_refused(
    stand: Stand, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await used(stand)
    monkeypatch.setattr(spend, "MOST_ROWS", 0)
    assert "ask for fewer days" in str(problem(await stand.viewer.get(path, params=DAYS), 422)["errors"])


async def test_a_cursor_of_another_listing_is_refused(stand: Stand) -> None:
    await used(stand)
    first = answered(await stand.viewer.get("/v1/cache/breakdown", params=DAYS | {"limit": "1"}))
    asked = DAYS | {"group_by": "model", "cursor": first["next"]}
    assert pointers(await stand.viewer.get("/v1/cache/breakdown", params=asked)) == ["/cursor"]
