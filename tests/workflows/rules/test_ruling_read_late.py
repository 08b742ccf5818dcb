"""A day that ended while the source could not be read is judged once it is read: one alert, of that day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.domain.alerts.alert import Alert, Command
from service.domain.alerts.evidence import RuleEvidence
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.change import Against, Change, Direction
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates, Rule
from service.domain.sources.source import ReportName
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.engine import Author
from service.workflows.configuration.rules import Rules
from service.workflows.explain.explain import ask_rule, explain_rule_at
from service.workflows.ports.sources import SourceError
from service.workflows.rules.ruling import preview
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed

ENG = ScopeKey(Dimension.WORKSPACE, "wrkspc_eng")
GATES = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3)


async def watch(yard: Yard, direction: Direction = Direction.UP) -> date:
    """A rule that has read ten usual days; today, which is a usual one, too."""
    today = yard.clock().date()
    for ago in range(11):
        spend(yard, today - ago * DAY, "100.00")
    params = Change(Against.PREVIOUS_DAY, direction=direction)
    spec: Rule[object] = Rule(yard.source.id, "change", params, for_each=Dimension.WORKSPACE, gates=GATES)
    await yard.create(Rules(), "jump", spec)
    assert await read(yard) == []
    yard.clock.advance(DAY)
    spend(yard, today + DAY, "10.00")
    assert await read(yard) == []
    return today + DAY


def spend(yard: Yard, on: date, amount: str) -> None:
    yard.reader.bill(on, billed(amount, workspace=ENG.id))


async def read(yard: Yard, after: timedelta = 5 * MINUTE) -> list[tuple[str, str]]:
    """A poll and what follows: (command, reason) of every move of the rule's alerts."""
    yard.clock.advance(after)
    await yard.poll()
    events = await run_evaluation(yard.ports, yard.source.id)
    return [
        (event.command.value, event.reason.value) for event in events if isinstance(event.alert.evidence, RuleEvidence)
    ]


async def cut_off(yard: Yard, days: int) -> None:
    """An outage of so many days, in which polls are tried and the rules are evaluated."""
    yard.reader.refusals = {name: SourceError("away", retryable=True) for name in ReportName}
    for _ in range(days * 2):
        assert await read(yard, 12 * HOUR) == []
    yard.reader.refusals = {}


async def alerts(yard: Yard) -> list[Alert]:
    return [alert for alert in await yard.alerts() if isinstance(alert.evidence, RuleEvidence)]


def rule_id(fired: Sequence[Alert]) -> str:
    assert isinstance(fired[0].evidence, RuleEvidence)
    return fired[0].evidence.rule_id


def told(alert: Alert) -> tuple[date, ...]:
    assert isinstance(alert.evidence, RuleEvidence)
    return alert.evidence.days


@pytest.mark.parametrize("days", [2, 3, 5])
async def test_a_spike_of_the_day_an_outage_began_is_told_once_when_it_is_over(yard: Yard, days: int) -> None:
    began = await watch(yard)
    spend(yard, began, "900.00")
    for later in range(1, days + 1):
        spend(yard, began + later * DAY, "100.00")
    await cut_off(yard, days)
    assert await read(yard) == [("open", "first")]
    assert [await read(yard, 3 * HOUR) for _ in range(6)] == [[]] * 6
    (alert,) = await alerts(yard)
    assert (told(alert), alert.is_open) == ((began,), True)
    assert isinstance(alert.evidence, RuleEvidence)
    assert "spent $900.00 on 17 November 2026, 800% more" in alert.evidence.cause
    assert await read(yard, 7 * HOUR) == [("resolve", "recovered")]
    assert [await read(yard, 12 * HOUR) for _ in range(4)] == [[]] * 4


async def test_the_first_day_of_seven_stays_for_a_day_though_midnight_follows(yard: Yard) -> None:
    began = await watch(yard)
    spend(yard, began, "900.00")
    for later in range(1, 9):
        spend(yard, began + later * DAY, "100.00")
    await cut_off(yard, 6)
    assert await read(yard, yard.at(began + 7 * DAY) + 22 * HOUR - yard.clock()) == [("open", "first")]
    assert [await read(yard, 3 * HOUR) for _ in range(7)] == [[]] * 7
    assert await read(yard, 3 * HOUR) == [("resolve", "recovered")]


async def watch_for_anomalies(yard: Yard) -> Resource[Rule[object]]:
    """A rule that has read 35 usual days; today is a spike, which is read when the six days after it are."""
    began = yard.clock().date()
    for ago in range(36):
        spend(yard, began - ago * DAY, "100.00" if ago else "10.00")
    rule: Rule[object] = Rule(yard.source.id, "anomaly", Anomaly(AnomalyGranularity.DAYS), gates=KINDS["anomaly"].gates)
    stored = await yard.create(Rules(), "unusual", rule)
    assert await read(yard) == []
    for later in range(7):
        spend(yard, began + later * DAY, "900.00" if later == 0 else "100.00")
    return stored


async def test_an_anomaly_of_the_day_an_outage_of_five_days_began_is_told_once(yard: Yard) -> None:
    began = yard.clock().date()
    await watch_for_anomalies(yard)
    await cut_off(yard, 5)
    assert await read(yard) == [("open", "first")]
    (alert,) = await alerts(yard)
    assert told(alert) == (began,)
    moves = [move for _ in range(5) for move in await read(yard, 12 * HOUR)]
    assert [move for move in moves if move[0] != "amend"] == [("resolve", "recovered")]


async def test_a_rule_that_is_switched_on_again_tells_no_part_of_what_was_told_of_the_whole(yard: Yard) -> None:
    stored = await watch_for_anomalies(yard)
    await cut_off(yard, 5)
    assert await read(yard) == [("open", "first")]
    off = await yard.change(Rules(), stored, replace(stored.spec, enabled=False))
    assert await read(yard) == [("resolve", "rule_disabled")]
    await yard.change(Rules(), off, stored.spec)
    assert [await read(yard, 6 * HOUR) for _ in range(3)] == [[]] * 3


async def test_what_the_first_poll_of_a_source_finds_is_history(yard: Yard) -> None:
    today = yard.clock().date()
    for ago in range(11):
        spend(yard, today - ago * DAY, "900.00" if ago == 2 else "100.00")
    spec: Rule[object] = Rule(yard.source.id, "change", Change(Against.PREVIOUS_DAY), gates=GATES)
    await yard.create(Rules(), "jump", spec)
    assert [await read(yard) for _ in range(3)] == [[], [], []]


async def test_days_of_a_longer_outage_are_history(yard: Yard) -> None:
    began = await watch(yard)
    spend(yard, began, "900.00")
    for later in range(1, 10):
        spend(yard, began + later * DAY, "100.00")
    await cut_off(yard, 9)
    assert await read(yard) == []


async def test_a_fall_of_a_day_read_late_is_told(yard: Yard) -> None:
    began = await watch(yard, Direction.DOWN)
    for later, amount in enumerate(("100.00", "20.00", "20.00", "20.00", "20.00", "5.00")):
        spend(yard, began + later * DAY, amount)
    await cut_off(yard, 5)
    assert await read(yard) == [("open", "first")]
    assert told((await alerts(yard))[0]) == (began + DAY,)


async def test_a_newer_day_that_exceeds_is_told_and_names_the_earlier_one(yard: Yard) -> None:
    began = await watch(yard)
    for later, amount in enumerate(("900.00", "100.00", "250.00", "10.00")):
        spend(yard, began + later * DAY, amount)
    await cut_off(yard, 3)
    assert await read(yard) == [("open", "first")]
    (alert,) = await alerts(yard)
    assert isinstance(alert.evidence, RuleEvidence)
    assert told(alert) == (began + 2 * DAY,)
    assert alert.evidence.cause.endswith(" Also 17 November 2026 ($900.00, $100.00 expected).")


async def test_what_a_person_resolved_before_an_outage_is_not_told_again_and_mutes_nothing_new(yard: Yard) -> None:
    began = await watch(yard)
    spend(yard, began, "400.00")
    assert await read(yard) == [("open", "first")]
    async with yard.ports.uow() as uow:
        author = Author("token:ann", yard.clock())
        await move_alert(uow, (await alerts(yard))[0].id, Command.RESOLVE, "", author)
    for later in range(1, 4):
        spend(yard, began + later * DAY, "100.00" if later < 3 else "10.00")
    await cut_off(yard, 3)
    assert [await read(yard) for _ in range(2)] == [[], []]
    async with yard.ports.uow() as uow:
        assert (await preview(uow, await uow.rules.get(rule_id(await alerts(yard))), yard.clock())).firing == ()
    spend(yard, began + 3 * DAY, "300.00")
    assert await read(yard) == [("open", "first")]
    assert told((await alerts(yard))[1]) == (began + 3 * DAY,)


async def test_the_explanation_of_an_instant_tells_the_day_read_late(yard: Yard) -> None:
    began = await watch(yard)
    for later, amount in enumerate(("900.00", "100.00", "100.00", "10.00")):
        spend(yard, began + later * DAY, amount)
    await cut_off(yard, 3)
    await read(yard)
    at = yard.clock()
    yard.clock.advance(2 * DAY)
    async with yard.ports.uow() as uow:
        explained = await explain_rule_at(uow, await ask_rule(uow, "jump", at, yard.clock()), ENG)
    (answer,) = explained.items
    assert (answer.outcome.name, "17 November 2026" in answer.cause) == ("rang", True)
    assert "evaluated again" not in answer.outcome.conclusion


async def test_without_an_outage_a_day_is_judged_on_the_day_after_it(yard: Yard) -> None:
    began = await watch(yard)
    spend(yard, began, "900.00")
    assert await read(yard) == [("open", "first")]
    spend(yard, began + DAY, "100.00")
    assert await read(yard, yard.at(began + DAY) - yard.clock()) == []
    assert await read(yard, DAY - HOUR) == []
    assert await read(yard, HOUR) == [("resolve", "recovered")]
