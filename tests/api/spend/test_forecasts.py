"""Where spend is heading, in a budget's status and for any scope and period."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.domain.spend.best_known import Spend, SpendDay
from service.domain.spend.rows import Bucket, CostRow
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import utc_day
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.spend import Stamp
from tests.api.stand import BUDGET, ENG, SOURCE, TODAY, Stand, answered, pointers

MARKETING = Cell("wrkspc_marketing", "claude-haiku-4-5", "apikey_site")
FORECAST = {"basis": "forecast", "percent": 100, "severity": "warning"}
DAY = timedelta(days=1)


async def steady(stand: Stand, days: int = 40, **dollars: str) -> None:
    """What each cell spent on every day before today, all of it billed; today half of it."""
    cells = {"eng": ENG, "marketing": MARKETING}
    spent = {cells[name]: Money.of(amount) for name, amount in (dollars or {"eng": "10.00"}).items()}
    rollup = {TODAY - number * DAY: spend_of(spent) for number in range(1, days + 1)}
    rollup[TODAY] = spend_of({cell: amount * Decimal("0.5") for cell, amount in spent.items()})
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        await uow.facts.store_days(Stamp(source.id, "poll_1", stand.clock()), rollup)
        await uow.directory.note_cells(source.id, list(spent), stand.clock())
        whole = Window(utc_day(min(rollup)).start, utc_day(TODAY).end)
        await stand.ports.storage.make_room(whole)
        state = await uow.polling_states.get(source.id)
        await uow.polling_states.save(replace(state, cost_read_at=stand.clock()))
        empty: list[Bucket[CostRow]] = [Bucket(utc_day(day), ()) for day in rollup]
        await uow.facts.replace_cost(Stamp(source.id, "poll_1", stand.clock()), empty)


def spend_of(spent: dict[Cell, Money]) -> dict[Cell, SpendDay]:
    return {cell: SpendDay(Spend(billed=amount)) for cell, amount in spent.items()}


async def open_status(stand: Stand, budget_id: str) -> dict[str, Any]:
    items = answered(await stand.viewer.get(f"/v1/budgets/{budget_id}/status"))["items"]
    (only,) = [item for item in items if item["period"]["phase"] == "open"]
    return dict(only)


# ------------------------------------------------------------------------------------------ budgets


async def test_a_threshold_on_forecast_is_taken_and_shown(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET | {"thresholds": [{"percent": 80}, FORECAST]})
    assert made["thresholds"][1] == FORECAST | {"amount": None}


async def test_the_status_of_many_scopes_comes_in_parts_that_say_the_same(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET | {"for_each": "workspace"})
    await steady(stand, eng="10.00", marketing="3.00")
    path = f"/v1/budgets/{made['id']}/status"
    whole = answered(await stand.viewer.get(path))
    first = answered(await stand.viewer.get(path, params={"limit": 1}))
    rest = answered(await stand.viewer.get(path, params={"limit": 500, "cursor": first["next"]}))
    assert (len(first["items"]), rest["next"], whole["next"]) == (1, None, None)
    assert first["items"] + rest["items"] == whole["items"]
    mids = {status["scope"]: status["forecast"]["mid"] for status in whole["items"] if status["forecast"]}
    assert mids.keys() == {"workspace:wrkspc_eng", "workspace:wrkspc_marketing"}
    assert len(set(mids.values())) == 2


async def test_the_same_level_may_ring_on_spend_and_on_forecast(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET | {"thresholds": [{"percent": 100}, FORECAST]})
    answer = await stand.admin.post("/v1/budgets", json=BUDGET | {"name": "b", "thresholds": [FORECAST, FORECAST]})
    assert pointers(answer) == ["/thresholds/1"]


async def test_a_rolling_period_has_no_end_to_forecast(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    rolling = BUDGET | {"period": {"kind": "rolling", "days": 7}}
    answer = await stand.admin.post("/v1/budgets", json=rolling | {"thresholds": [{"percent": 80}, FORECAST]})
    assert pointers(answer) == ["/thresholds/1/basis"]
    made = await stand.create("/budgets", rolling)
    await steady(stand)
    status = await open_status(stand, made["id"])
    assert (status["forecast"], status["forecast_reason"], status["exhausted_at"]) == (None, "no_end", None)


async def test_the_status_says_where_it_is_heading_and_when_it_is_used_up(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET | {"amount": "200.00"})
    await steady(stand)
    status = await open_status(stand, made["id"])
    low, mid, high = (Decimal(status["forecast"][name]) for name in ("low", "mid", "high"))
    assert Decimal(status["spent"]) < low < mid < high
    assert abs(mid - 300) < 1
    assert status["forecast_reason"] is None
    assert status["exhausted_at"].startswith("2026-11-2")
    richer = await stand.create("/budgets", BUDGET | {"name": "rich", "amount": "2000.00"})
    status = await open_status(stand, richer["id"])
    assert status["forecast"] is not None
    assert status["exhausted_at"] is None


@pytest.mark.parametrize(("days", "reason"), [(0, "no_spend"), (6, "short_history"), (7, None)])
async def test_without_a_week_s_history_the_status_says_why_there_is_none(
    stand: Stand, days: int, reason: str | None
) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET)
    if days:
        await steady(stand, days)
    status = await open_status(stand, made["id"])
    assert status["forecast_reason"] == reason
    assert (status["forecast"] is None) is (reason is not None)


async def test_a_period_that_is_over_has_no_forecast(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET | {"period": {"kind": "daily"}})
    await steady(stand)
    items = answered(await stand.viewer.get(f"/v1/budgets/{made['id']}/status"))["items"]
    reasons = {item["period"]["phase"]: item["forecast_reason"] for item in items}
    assert reasons == {"open": None, "closing": "period_over"}


async def test_each_member_has_a_forecast_of_its_own(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET | {"for_each": "workspace"})
    await steady(stand, eng="10.00", marketing="1.00")
    items = answered(await stand.viewer.get(f"/v1/budgets/{made['id']}/status"))["items"]
    mids = {item["scope"]: round(Decimal(item["forecast"]["mid"])) for item in items}
    assert mids == {"workspace:wrkspc_eng": 300, "workspace:wrkspc_marketing": 30}


async def test_an_alert_on_forecast_shows_its_range_and_the_status_when_it_was_crossed(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "console"}]}))
    made = await stand.create("/budgets", BUDGET | {"amount": "200.00", "thresholds": [{"percent": 100}, FORECAST]})
    await steady(stand)
    assert await run_evaluation(stand.ports, source["id"]) == []
    stand.clock.advance(DAY)
    (event,) = await run_evaluation(stand.ports, source["id"])
    alert = answered(await stand.viewer.get(f"/v1/alerts/{event.alert.id}"))
    assert alert["severity"] == "warning"
    assert "will probably be exceeded: $" in alert["summary"]
    assert alert["evidence"]["threshold"] == "forecast:100%"
    shown = alert["evidence"]["forecast"]
    assert Decimal(shown["low"]) < Decimal(shown["mid"]) < Decimal(shown["high"])
    assert shown["method"] == "weekday_level"
    assert shown["history_days"] == 40
    assert shown["exhausted_at"].startswith("2026-11-2")
    status = await open_status(stand, made["id"])
    assert [one["crossed_at"] for one in status["thresholds"]] == [None, "2026-11-17T12:00:00Z"]


# ------------------------------------------------------------------------------------------ any scope


async def ask(stand: Stand, query: str = "") -> dict[str, Any]:
    return dict(answered(await stand.viewer.get(f"/v1/forecasts{query}")))


async def test_a_forecast_of_everything_this_month(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await steady(stand, eng="10.00", marketing="1.00")
    made = await ask(stand)
    assert (made["source"], made["scope"], made["period"]["label"]) == ("production", ["org"], "November 2026")
    assert (made["spent"], made["method"], made["history_days"]) == ("170.50", "weekday_level", 40)
    assert abs(Decimal(made["mid"]) - 330) < 1
    assert (made["amount"], made["exhausted_at"], made["forecast_reason"]) == (None, None, None)


COLUMBUS_DAY, VETERANS_DAY = date(2026, 10, 12), date(2026, 11, 11)


async def test_the_forecast_of_an_office_expects_a_holiday_of_its_country_to_be_quiet(stand: Stand) -> None:
    made = await stand.create("/sources", SOURCE)
    await steady(stand, days=70)
    async with stand.ports.uow() as uow:
        last = [TODAY - number * DAY for number in range(1, 71)]
        resting = [day for day in last if day.weekday() >= 5 or day in (COLUMBUS_DAY, VETERANS_DAY)]
        quiet = {day: spend_of({ENG: Money.of("1.00")}) for day in resting}
        await uow.facts.store_days(Stamp(made["id"], "poll_2", stand.clock()), quiet)
    budget = await stand.create("/budgets", BUDGET)
    before, status_before = await ask(stand), await open_status(stand, budget["id"])
    answered(await stand.admin.patch(f"/v1/sources/{made['id']}", json={"country": "US"}))
    after, status_after = await ask(stand), await open_status(stand, budget["id"])
    assert (before["quiet_days"], after["quiet_days"]) == ([], ["2026-11-26"])
    assert Decimal(after["mid"]) < Decimal(before["mid"])
    assert status_after["forecast"]["mid"] == after["mid"] != status_before["forecast"]["mid"]


@pytest.mark.parametrize(
    ("scope", "spent"),
    [
        ("scope=workspace:wrkspc_eng", "155.00"),
        ("scope=model:claude-haiku-4-5", "15.50"),
        ("scope=workspace:wrkspc_eng&scope=workspace:wrkspc_marketing", "170.50"),
        ("scope=workspace:wrkspc_eng&scope=model:claude-haiku-4-5", "0.00"),
        ("scope=api_key:apikey_ci", "155.00"),
        ("scope=org", "170.50"),
    ],
)
async def test_a_scope_is_named_as_everywhere(stand: Stand, scope: str, spent: str) -> None:
    await stand.create("/sources", SOURCE)
    await steady(stand, eng="10.00", marketing="1.00")
    made = await ask(stand, f"?{scope}")
    assert made["spent"] == spent
    assert (made["mid"] is None) is (spent == "0.00")


@pytest.mark.parametrize(
    ("period", "end", "mid"),
    [
        ("daily", "2026-11-17T00:00:00Z", 10),
        ("weekly&week_start=sunday", "2026-11-22T00:00:00Z", 70),
        ("monthly&anchor_day=10", "2026-12-10T00:00:00Z", 300),
        ("quarterly", "2027-01-01T00:00:00Z", 920),
        ("monthly&timezone=Europe/Berlin", "2026-11-30T23:00:00Z", 300),
        ("custom&start=2026-11-10&end=2026-11-20", "2026-11-20T00:00:00Z", 100),
    ],
)
async def test_every_period_that_has_an_end_can_be_asked_for(stand: Stand, period: str, end: str, mid: int) -> None:
    await stand.create("/sources", SOURCE)
    await steady(stand, days=60)
    made = await ask(stand, f"?period={period}")
    assert made["period"]["end"] == end
    assert abs(Decimal(made["mid"]) - mid) < 1


async def test_when_an_amount_is_used_up(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await steady(stand)
    made = await ask(stand, "?amount=200.00")
    at = datetime.fromisoformat(made["exhausted_at"])
    assert at.date() in (date(2026, 11, 20), date(2026, 11, 21))
    assert at.tzinfo == UTC
    assert (await ask(stand, "?amount=900.00"))["exhausted_at"] is None


async def test_a_year_that_ends_too_far_away_is_not_forecast(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await steady(stand)
    made = await ask(stand, "?period=custom&start=2026-01-01&end=2090-01-01")
    assert (made["mid"], made["forecast_reason"]) == (None, "too_far")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("scope=team:eng", "/scope"),
        ("scope=workspace:nobody", "/scope"),
        ("period=rolling", "/period"),
        ("period=custom", "/start"),
        ("period=custom&start=2026-11-20&end=2026-11-10", "/end"),
        ("period=custom&start=2027-11-20&end=2027-12-10", "/start"),
        ("timezone=Mars", "/timezone"),
        ("anchor_day=32", "/anchor_day"),
        ("amount=-1", "/amount"),
        ("source=nowhere", "/source"),
        ("workspace=eng", "/workspace"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_a_pointer(stand: Stand, query: str, pointer: str) -> None:
    await stand.create("/sources", SOURCE)
    assert pointers(await stand.viewer.get(f"/v1/forecasts?{query}")) == [pointer]
