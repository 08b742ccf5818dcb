"""The recipe of ARCHITECTURE.md for a rule kind: its module and its line in the registry make all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.domain.alerts.alert import Command
from service.domain.alerts.evidence.rule import RuleEvidence
from service.domain.messages.message import compose
from service.domain.notify.notification import Action
from service.domain.rules.rule import Rule
from service.domain.spend.rows import Bucket, Dimensions, UsageFact, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.utc import DAY, HOUR, midnight
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.backtest import run_backtest
from service.workflows.ports.spend import Stamp
from service.workflows.rules.view import load_view, load_view_at
from tests.api.rules.watched import know
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered, pointers
from tests.domain.rules.made_up import KIND, Pace, registered

RULE = {"name": "pace", "kind": KIND.name}
YESTERDAY = TODAY - DAY
LONG, SHORT = 300, 6
LONGEST_AGO = [TODAY - ago * DAY for ago in range(LONG, LONG // 2, -1)]
"""The older half of the 300 days: all of their spend, $48.00 a day, which is $1.00 an hour of the whole."""
LATELY = [TODAY - ago * DAY for ago in range(LONG // 2, 0, -1)]


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    with registered(KIND):
        yield


async def spend(stand: Stand) -> str:
    """A source whose last six hours cost $10.00 each, on both days; the hours before them cost more, today."""
    source = await stand.create("/sources", SOURCE)
    id = str(source["id"])
    await know(stand, id, {day: {ENG: "48.00"} for day in LONGEST_AGO} | {day: {} for day in LATELY})
    await know(stand, id, {TODAY: {ENG: "0.01"}})
    for day in (YESTERDAY, TODAY):
        for hour in range(12):
            before = "99.00" if day == TODAY else "0"
            await use(stand, id, midnight(day) + hour * HOUR, "10.00" if hour >= 12 - SHORT else before)
    return id


async def use(stand: Stand, source_id: str, start: datetime, dollars: str) -> None:
    """An hour of usage, read five minutes after its end."""
    about = Dimensions(ENG.workspace, ENG.model, token_type="output_tokens", api_key=ENG.api_key)
    hour = Bucket(Window(start, start + HOUR), (UsageFact(about, 1000, Money.of(dollars)),))
    stamp = Stamp(source_id, "poll_1", start + HOUR + timedelta(minutes=5))
    async with stand.ports.uow() as uow:
        await uow.facts.replace_usage(stamp, Width.HOUR, [hour])


async def stored(stand: Stand) -> Resource[Rule[object]]:
    async with stand.ports.uow() as uow:
        return await uow.rules.get("pace")


async def test_it_is_listed_with_the_schema_of_its_parameters(stand: Stand) -> None:
    listed = answered(await stand.viewer.get("/v1/rule-kinds"))["items"]
    made_up = next(item for item in listed if item["kind"] == KIND.name)
    assert (made_up["title"], made_up["for_each"]) == (
        KIND.title,
        ["workspace", "model", "api_key", "actor", "product"],
    )
    properties = made_up["params"]["properties"]
    assert {name: about["default"] for name, about in properties.items()} == {"long_days": LONG, "short_hours": SHORT}
    assert KIND.name in stand.app.openapi()["components"]["schemas"]["RuleIn"]["properties"]["kind"]["enum"]


async def test_its_rules_are_kept_shown_and_refused_by_its_own_check(stand: Stand) -> None:
    await spend(stand)
    made = await stand.create("/rules", RULE | {"params": {"short_hours": 7}})
    assert made["params"] == {"long_days": LONG, "short_hours": 7}
    assert (await stored(stand)).spec.params == Pace(short_hours=7)
    for params, pointer in (
        ({"long_days": 0}, "/params/long_days"),
        ({"short_hours": 0}, "/params/short_hours"),
        ({"long_days": LONG + 1}, "/params/long_days"),  # longer than the history
        ({"days": 7}, "/params/days"),
    ):
        refused = await stand.admin.post("/v1/rules", json=RULE | {"name": "other", "params": params})
        assert pointers(refused) == [pointer]


async def test_the_product_reads_300_days_and_6_hours_for_it(stand: Stand) -> None:
    source_id = await spend(stand)
    await stand.create("/rules", RULE)
    rule, now = await stored(stand), stand.clock()
    async with stand.ports.uow() as uow:
        source = await uow.sources.get(source_id)
        views = [await load_view(uow, source, [rule], now), await load_view_at(uow, source, [rule], now)]
    for view in views:
        assert view.days[0] <= TODAY - LONG * DAY
        assert view.hours is not None
        assert (view.hours.first, len(view.hours.known)) == (now - SHORT * HOUR, SHORT)


async def test_it_is_evaluated_and_its_alert_has_its_words(stand: Stand) -> None:
    source_id = await spend(stand)
    await stand.create("/rules", RULE)
    await stand.create("/rules", {"name": "other", "kind": "anomaly"})  # reads 768 hours, which this one must not see
    opened = [
        event
        for event in await run_evaluation(stand.ports, source_id)
        if isinstance(event.alert.evidence, RuleEvidence) and event.alert.evidence.rule_kind == KIND.name
    ]
    (event,) = opened
    assert event.command is Command.OPEN
    said = compose(event, Action.OPEN, stand.ports.public_url)
    cause = "The organisation spent $60.00 in 6 hours; $6.00 is its pace of 300 days."
    assert dict(said.facts)["How this was judged"] == cause
    assert "rule pace" in said.small_print
    assert said.headline.startswith("Organisation spends faster than ever: $60.00 on ")
    shown = answered(await stand.viewer.get(f"/v1/alerts/{event.alert.id}"))
    assert (shown["rule"], shown["evidence"]["kind"]) == ("pace", KIND.name)
    explained = answered(await stand.viewer.get("/v1/explanations", params={"rule": "pace"}))
    assert explained["items"][0]["cause"] == cause


async def test_it_is_previewed(stand: Stand) -> None:
    await spend(stand)
    found = answered(await stand.viewer.post("/v1/rules/preview", json={"kind": KIND.name}))
    (incident,) = found["rings"]
    assert (incident["actual"], incident["expected"]) == ("60.00", "6.00")


async def test_it_is_backtested_by_the_hour(stand: Stand) -> None:
    await spend(stand)
    await stand.create("/rules", RULE)
    since = {"rule": "pace", "since": YESTERDAY.isoformat()}
    asked: dict[str, Any] = answered(await stand.operator.post("/v1/backtests", json=since), 202)
    await run_backtest(stand.ports, asked["id"])
    found = answered(await stand.viewer.get(f"/v1/backtests/{asked['id']}"))
    assert (found["state"], found["steps"]) == ("done", 24)
    assert [row["setting"] for row in found["sweep"]] == [f"min_percent {level}" for level in (15, 30, 45, 60)]
    first = found["firings"][0]
    assert (first["at"], first["expected"]) == ("2026-11-15T09:05:00Z", "6.00")
    assert first["cause"] == "The organisation spent $30.00 in 6 hours; $6.00 is its pace of 300 days."
