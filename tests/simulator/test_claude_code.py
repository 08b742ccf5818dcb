"""The Claude Code report: pages of people's days, whose dollars are those of the bill's product."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from service.adapters.prices import list_price_book
from service.simulator.protocol.analytics import BETA
from service.simulator.world.demo import create_world
from tests.simulator.client import HEADERS, NOW, Simulation, day, span

PATH = "/v1/organizations/usage_report/claude_code"


async def records(simulation: Simulation, *pairs: tuple[str, str]) -> dict[str, Any]:
    response = await simulation.get(PATH, [("starting_at", "2026-11-17"), *pairs])
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_the_estimates_are_the_list_prices_of_what_the_bill_calls_claude_code() -> None:
    demo = Simulation(create_world(7, list_price_book(), NOW))
    whole = await records(demo)
    grouped = [("group_by[]", "product"), ("group_by[]", "actor"), ("group_by[]", "model")]
    billed = await demo.get(
        "/v1/organizations/analytics/cost",
        span(day(17), day(18), *grouped, ("time_bucket_width", "1d"), ("limit", "1000")),
        HEADERS | {"anthropic-beta": BETA},
    )
    by_mail = {
        (row["group"]["actor"]["email_address"], row["group"]["model"]): Decimal(row["cost"]["list_amount"])
        for row in billed.json()["data"]
        if row["group"]["product"] == "claude_code"
    }
    assert {
        (record["actor"]["email_address"], use["model"]): use["estimated_cost"]["amount"]
        for record in whole["data"]
        for use in record["model_breakdown"]
    } == {key: round(cents) for key, cents in by_mail.items()}
    assert len(by_mail) == 2
    first = await records(demo, ("limit", "1"))
    rest = await records(demo, ("limit", "1"), ("page", first["next_page"]))
    assert (first["data"] + rest["data"], rest["has_more"]) == (whole["data"], False)


async def test_one_day_is_asked_for_and_a_time_of_day_is_refused() -> None:
    demo = Simulation(create_world(7, list_price_book(), NOW))
    response = await demo.get(PATH, [("starting_at", "2026-11-17T09:00:00Z")])
    assert response.status_code == 400
