"""Spend by owner and tag: whose it is, and that nothing is lost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from service.domain.sources.ownership import OwnedMember, Ownership
from service.domain.spend.attribution import by_tag
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from tests.api.stand import SOURCE, TODAY, Stand, answered, pointers

MODEL = "claude-sonnet-4-5"
CELLS = {
    Cell("wrkspc_eng", MODEL, "apikey_ci"): "1.111111",
    Cell("wrkspc_eng", MODEL, "apikey_other"): "2.222222",
    Cell("wrkspc_eng", MODEL, ""): "3.333333",
    Cell("wrkspc_ops", MODEL, "apikey_ops"): "4.444444",
}


@pytest.fixture
async def tagged(stand: Stand) -> Stand:
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "ann", "channels": [{"kind": "console"}]})
    for days, (cell, amount) in enumerate(CELLS.items()):
        await stand.spend(cell, amount, day=TODAY.replace(day=TODAY.day - days))
    items = [
        {"member": "workspace:wrkspc_eng", "owner": "ann", "tags": {"team": "eng"}},
        {"member": "api_key:apikey_ci", "tags": {"team": "platform"}},
    ]
    answered(await stand.admin.patch("/v1/owners", json={"items": items}))
    return stand


async def test_a_month_is_charged_to_teams_and_adds_up_with_what_is_nobody_s(tagged: Stand) -> None:
    found = answered(await tagged.viewer.get("/v1/chargeback?month=2026-11&group_by=tag:team"))
    assert [(one["name"], one["exact"]) for one in found["items"]] == [("eng", "5.555555"), ("platform", "1.111111")]
    assert (found["not_attributable"]["exact"], found["total"]) == ("4.444444", "11.11")
    cents = [one["amount"] for one in (*found["items"], found["not_attributable"])]
    assert sum(map(Decimal, cents)) == Decimal("11.11")


async def test_a_month_is_charged_to_owners_by_name(tagged: Stand) -> None:
    answer = await tagged.viewer.get("/v1/chargeback?month=2026-11&group_by=owner&format=csv")
    assert answer.headers["content-disposition"].endswith('"tocsin-chargeback-2026-11-owner.csv"')
    lines = [line.split(",") for line in answer.text.splitlines()[1:]]
    assert [(line[3], line[4]) for line in lines] == [("ann", "6.67"), ("not attributable", "4.44")]


async def test_the_database_attributes_as_the_domain_does(tagged: Stand) -> None:
    eng, ci = ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"), ScopeKey(Dimension.API_KEY, "apikey_ci")
    owners = Ownership(
        (OwnedMember("src", eng, tags={"team": "eng"}), OwnedMember("src", ci, tags={"team": "platform"}))
    )
    attribution = by_tag(owners.of_source("src"), "team")
    expected: dict[str, Decimal] = {}
    for cell, amount in CELLS.items():
        expected[attribution.of(cell)] = expected.get(attribution.of(cell), Decimal(0)) + Decimal(amount)
    found = answered(await tagged.viewer.get("/v1/spend/breakdown?since=2026-11-01&group_by=tag:team"))
    assert {one["id"]: Decimal(one["amount"]) for one in found["items"]} == expected
    assert found["items"][1]["name"] == "no team"


async def test_a_series_by_owner_is_filtered_as_any_other(tagged: Stand) -> None:
    query = "/v1/spend?since=2026-11-15&until=2026-11-17&group_by=owner&api_key=apikey_other"
    found = answered(await tagged.viewer.get(query))
    assert [[one["name"] for one in day["groups"]] for day in found["items"]] == [["ann"], []]


async def test_a_tag_that_nothing_has_is_refused_with_the_nearest(tagged: Stand) -> None:
    for path in ("/v1/chargeback?month=2026-11&", "/v1/spend/breakdown?", "/v1/spend?"):
        refused = await tagged.viewer.get(f"{path}group_by=tag:taem")
        assert pointers(refused) == ["/group_by"]
        assert "the nearest: team" in refused.text
    assert pointers(await tagged.viewer.get("/v1/spend/breakdown?group_by=team")) == ["/group_by"]
