"""Rules on a real database: they ring once, remember what people said, and one bad series does not silence the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.domain.alerts.alert import Alert, AlertState, Command, Reason
from service.domain.alerts.evidence import RuleEvidence, StaleEvidence
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.teams import Teams
from service.domain.notify.notification import Action
from service.domain.rules.feedback import FeedbackKind
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.memory import Episode, EpisodeKey
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.rule import Gates, Rule
from service.domain.rules.view import DayFigures, SpendView
from service.domain.sources.poll import PollKind, PollState
from service.domain.sources.source import ReportName
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope, ScopeKey
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.alerts.feedback import FeedbackAnswer, give_feedback
from service.workflows.configuration.engine import Author
from service.workflows.configuration.rules import PlannedActivities, Rules
from service.workflows.configuration.spend import Sources
from service.workflows.operation.upkeep import run_retention
from service.workflows.ports.sources import SourceError
from service.workflows.rules.ruling import evaluate_rule
from tests.domain.rules.views import NO_GATES, day, view
from tests.factories import SEALED
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed

ENG, OPS = "wrkspc_eng", "wrkspc_ops"
JUMP = Change(against=Against.PREVIOUS_DAY)
GATES = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3)


async def add_rule(yard: Yard, params: Change = JUMP, gates: Gates = GATES) -> Resource[Rule[object]]:
    spec: Rule[object] = Rule(yard.source.id, "change", params, Scope(), for_each=Dimension.WORKSPACE, gates=gates)
    return await yard.create(Rules(), "jump", spec)


def bill(yard: Yard, on: date, eng: str, ops: str = "50.00") -> None:
    yard.reader.bill(on, billed(eng, workspace=ENG), billed(ops, workspace=OPS))


async def usual(yard: Yard, days: int = 10) -> date:
    """Two calm workspaces until yesterday; nothing yet today, which is given back."""
    today = yard.clock().date()
    for ago in range(1, days + 1):
        bill(yard, today - ago * DAY, "100.00")
    return today


async def read(yard: Yard) -> list[tuple[str, str, str]]:
    """A poll and what follows: (command, reason, scope) of every move."""
    yard.clock.advance(5 * MINUTE)
    await yard.poll()
    events = await run_evaluation(yard.ports, yard.source.id)
    return [(event.command.value, event.reason.value, str(event.alert.scope)) for event in events]


async def only_alert(yard: Yard) -> Alert:
    (alert,) = await yard.alerts()
    return alert


async def test_a_rule_rings_once_and_says_who_and_how_much(yard: Yard) -> None:
    today = await usual(yard)
    await add_rule(yard)
    assert await read(yard) == []
    bill(yard, today, "400.00")
    assert await read(yard) == [("open", "first", f"workspace:{ENG}")]
    assert [await read(yard) for _ in range(3)] == [[], [], []]
    evidence = (await only_alert(yard)).evidence
    assert isinstance(evidence, RuleEvidence)
    assert (evidence.rule_name, evidence.actual.usd, evidence.expected.usd) == ("jump", Decimal(400), Decimal(100))
    await yard.settle()
    assert [delivery.action.value for _, delivery in yard.channels.sent] == ["open"]


async def test_a_restatement_in_the_alert_s_favour_ends_it(yard: Yard) -> None:
    today = await usual(yard)
    await add_rule(yard)
    bill(yard, today, "400.00")
    await read(yard)
    bill(yard, today, "90.00")
    assert await read(yard) == [("resolve", "recovered", f"workspace:{ENG}")]


async def test_a_restatement_that_more_than_halves_the_excess_is_heard_where_nothing_can_be_edited(yard: Yard) -> None:
    today = await usual(yard)
    await yard.receive_with(Email(("finops@example.com",)), PagerDuty(SEALED), Teams(SEALED), Jsm(SEALED))
    await add_rule(yard)
    for eng, move in (("400.00", "first"), ("300.00", "restated"), ("240.00", "corrected")):
        bill(yard, today - DAY, eng)
        assert [reason for _, reason, _ in await read(yard)] == [move]
    await yard.settle()
    amended = [(config.kind, said.message) for config, said in yard.channels.sent if said.action is Action.AMEND]
    assert sorted(kind for kind, _ in amended) == ["email", "teams"]
    assert {message.change for _, message in amended} == {
        "Corrected by newer figures: workspace wrkspc_eng $140 above normal on Sun 15 Nov, not $300."
    }
    assert [await read(yard) for _ in range(2)] == [[], []]


async def test_a_poll_that_brings_nothing_new_writes_nothing_but_its_own_record(yard: Yard) -> None:
    today = await usual(yard)
    await add_rule(yard)
    bill(yard, today, "400.00")
    await read(yard)
    before = await yard.rows("alerts", "alert_events", "notifications")
    await read(yard)
    assert await yard.rows("alerts", "alert_events", "notifications") == before


async def test_between_two_readings_the_rules_are_not_asked_again_within_the_hour(yard: Yard) -> None:
    today = await usual(yard)
    await add_rule(yard)
    bill(yard, today, "400.00")
    await read(yard)
    yard.clock.advance(MINUTE)
    await run_evaluation(yard.ports, yard.source.id)
    before = await yard.rows("rule_episodes", "rule_verdicts")
    yard.clock.advance(MINUTE)
    await run_evaluation(yard.ports, yard.source.id)
    assert await yard.rows("rule_episodes", "rule_verdicts") == before
    yard.clock.advance(HOUR)
    await run_evaluation(yard.ports, yard.source.id)
    assert await yard.rows("rule_episodes", "rule_verdicts") != before


async def test_a_new_rule_is_asked_at_once_although_nothing_was_read_since(yard: Yard) -> None:
    today = await usual(yard)
    bill(yard, today, "400.00")
    await add_rule(yard, replace(JUMP, against=Against.TRAILING_MEAN, days=400), replace(GATES, min_percent=NEVER))
    await read(yard)
    await add_rule_named(yard, "another")
    yard.clock.advance(timedelta(seconds=1))
    assert [event.command for event in await run_evaluation(yard.ports, yard.source.id)] == [Command.OPEN]


NEVER = Money.of("100000").usd


async def add_rule_named(yard: Yard, name: str) -> None:
    spec: Rule[object] = Rule(yard.source.id, "change", JUMP, for_each=Dimension.WORKSPACE, gates=GATES)
    await yard.create(Rules(), name, spec)


async def test_a_plan_that_is_deleted_is_felt_at_once(yard: Yard) -> None:
    today = await usual(yard)
    await add_rule(yard)
    bill(yard, today, "400.00")
    midnight = yard.at(today)
    activity = PlannedActivity(yard.source.id, Scope(), midnight, midnight + DAY, Money.of("500.00"))
    plan = await yard.create(PlannedActivities(), "evaluation run", activity)
    assert await read(yard) == []
    yard.clock.advance(timedelta(seconds=90))
    await run_evaluation(yard.ports, yard.source.id)
    yard.clock.advance(timedelta(seconds=90))
    await yard.delete(PlannedActivities(), plan)
    assert [event.command for event in await run_evaluation(yard.ports, yard.source.id)] == [Command.OPEN]


async def test_what_a_person_resolved_stays_quiet_until_it_is_over(yard: Yard) -> None:
    today = await usual(yard)
    await add_rule(yard)
    bill(yard, today, "400.00")
    await read(yard)
    async with yard.ports.uow() as uow:
        await move_alert(uow, (await only_alert(yard)).id, Command.RESOLVE, "", Author("token:ann", yard.clock()))
    bill(yard, today, "900.00")
    assert await read(yard) == []
    yard.clock.advance(3 * DAY)
    for ago in range(3):
        bill(yard, yard.clock().date() - ago * DAY, "900.00")
    assert await read(yard) == []
    bill(yard, yard.clock().date(), "2000.00")
    assert await read(yard) == [("open", "first", f"workspace:{ENG}")]


async def test_pending_counts_from_the_first_objection_also_across_a_restart(yard: Yard) -> None:
    today = await usual(yard)
    await add_rule(yard, gates=replace(GATES, pending_for=10 * MINUTE))
    bill(yard, today, "400.00")
    assert [await read(yard) for _ in range(3)] == [[], [], [("open", "first", f"workspace:{ENG}")]]


@pytest.mark.parametrize("end", ["deleted", "disabled", "edited"])
async def test_an_alert_does_not_outlive_its_rule(yard: Yard, end: str) -> None:
    today = await usual(yard)
    rule = await add_rule(yard)
    bill(yard, today, "400.00")
    await read(yard)
    match end:
        case "deleted":
            await yard.delete(Rules(), rule)
        case "disabled":
            await yard.change(Rules(), rule, replace(rule.spec, enabled=False))
        case "edited":
            await yard.change(Rules(), rule, replace(rule.spec, scope=Scope(workspaces=(OPS,))))
    (event,) = await run_evaluation(yard.ports, yard.source.id)
    reasons = {"deleted": Reason.RULE_GONE, "disabled": Reason.RULE_DISABLED, "edited": Reason.RULE_EDITED}
    assert (event.command, event.reason) == (Command.RESOLVE, reasons[end])


async def test_an_alert_ends_with_its_source(yard: Yard) -> None:
    today = await usual(yard)
    await add_rule(yard)
    bill(yard, today, "400.00")
    await read(yard)
    await yard.change(Sources(), yard.source, replace(yard.source.spec, enabled=False))
    (event,) = await run_evaluation(yard.ports, yard.source.id)
    assert (event.command, event.reason) == (Command.RESOLVE, Reason.SOURCE_DISABLED)


async def test_an_alert_is_frozen_while_the_source_cannot_be_read(yard: Yard) -> None:
    """Tomorrow's bill is not known: that spend fell then is not known, either."""
    today = await usual(yard)
    await add_rule(yard)
    bill(yard, today, "400.00")
    await read(yard)
    yard.reader.refusals = {name: SourceError("away", retryable=True) for name in ReportName}
    yard.clock.advance(2 * DAY)
    await read(yard)
    (alert,) = [alert for alert in await yard.alerts() if isinstance(alert.evidence, RuleEvidence)]
    assert alert.state is AlertState.FIRING


async def test_every_objection_is_kept_with_what_stopped_it(yard: Yard) -> None:
    today = await usual(yard)
    rule = await add_rule(yard)
    bill(yard, today, "115.00")
    assert await read(yard) == []
    bill(yard, today, "125.00")
    assert await read(yard) == []
    bill(yard, today, "135.00")
    await read(yard)
    async with yard.ports.uow() as uow:
        kept = [one for one in await uow.verdicts.seen(rule.id, yard.clock(), yard.clock())]
    assert [(str(one.scope), one.outcome, one.actual.usd) for one in kept] == [
        (f"workspace:{ENG}", "rang", Decimal(135))
    ]
    async with yard.engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT outcome, actual FROM rule_verdicts ORDER BY first_at")
    assert [(row.outcome, int(row.actual)) for row in rows] == [
        ("min_amount", 115),
        ("min_percent", 125),
        ("rang", 135),
    ]


async def test_a_rule_that_learns_has_the_months_read_that_it_learns_from(yard: Yard) -> None:
    await read(yard)
    spec: Rule[object] = Rule(yard.source.id, "anomaly", Anomaly())
    await yard.create(Rules(), "unusual spend", spec)
    await yard.settle()
    (backfill,) = [poll for poll in await yard.polls() if poll.kind is PollKind.BACKFILL]
    assert (backfill.state, backfill.window and backfill.window.start.date()) == (PollState.DONE, date(2026, 6, 29))


async def test_nobody_who_deletes_a_rule_or_answers_its_alert_waits_for_an_evaluation(yard: Yard) -> None:
    """An evaluation holds the source's row to its end: a person's write that asks for it could close a circle."""
    today = await usual(yard)
    rule = await add_rule(yard)
    bill(yard, today, "400.00")
    await read(yard)
    alert = await only_alert(yard)
    async with yard.ports.uow() as evaluation:
        await evaluation.polling_states.hold(yard.source.id)
        key = EpisodeKey(rule.id, ScopeKey(Dimension.WORKSPACE, OPS))
        await evaluation.episodes.replace({}, {key: Episode(yard.clock())})
        async with asyncio.timeout(10), yard.ports.uow() as uow:
            await give_feedback(uow, alert.id, FeedbackAnswer(FeedbackKind.NOISE), yard.author)
        async with asyncio.timeout(10):
            await yard.delete(Rules(), rule)
    assert (await only_alert(yard)).state is AlertState.RESOLVED


async def test_usage_that_cannot_be_read_makes_a_source_blind_although_its_bills_come(yard: Yard) -> None:
    await usual(yard)
    await read(yard)
    yard.reader.refusals = {ReportName.USAGE_HOURS: SourceError("no permission", retryable=False)}
    moves = [await read(yard) for _ in range(3)]
    assert moves == [[], [], [("open", "first", "org")]]
    alert = await only_alert(yard)
    assert isinstance(alert.evidence, StaleEvidence)
    assert alert.evidence.error == "no permission"
    yard.reader.refusals = {}
    assert await read(yard) == [("resolve", "recovered", "org")]


async def test_a_successful_poll_ends_the_back_off_whoever_asked_for_it(yard: Yard) -> None:
    await usual(yard)
    yard.reader.refusals = {ReportName.COST: SourceError("away", retryable=True)}
    for _ in range(4):
        await read(yard)
    yard.reader.refusals = {}
    await read(yard)
    assert (await yard.state()).next_poll_at <= yard.clock() + yard.source.spec.poll_interval


async def test_kept_verdicts_are_forgotten_with_the_facts_they_are_about(yard: Yard) -> None:
    today = await usual(yard)
    rule = await add_rule(yard)
    bill(yard, today, "400.00")
    await read(yard)
    yard.clock.advance(100 * DAY)
    await run_retention(yard.ports, keep=101 * DAY)
    assert len(await yard.rows("rule_verdicts")) == 1
    await yard.delete(Rules(), rule)
    await run_retention(yard.ports, keep=99 * DAY)
    assert await yard.rows("rule_verdicts", "rule_episodes") == set()


# ------------------------------------------------------------------------------------- a defect in one series


class Poisoned(dict[date, DayFigures]):
    """Figures that no detector can read."""

    def items(self) -> Any:
        raise ArithmeticError("poisoned")

    def __iter__(self) -> Iterator[date]:
        raise ArithmeticError("poisoned")

    def get(self, *_: object) -> Any:
        raise ArithmeticError("poisoned")


POISON = Cell("wrkspc_poison", "claude-haiku", "apikey_poison")
SOUND = Cell(ENG, "claude-sonnet", "apikey_ci")


def poisoned_view() -> SpendView:
    sound = view({SOUND: [10.0, 10.0, 50.0]})
    cells: Mapping[Cell, Mapping[date, DayFigures]] = {**sound.cells, POISON: Poisoned({day(0): DayFigures(1.0)})}
    return replace(sound, cells=cells)


@pytest.mark.parametrize("dimension", [Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY])
def test_a_series_that_a_rule_cannot_judge_is_named_and_the_others_still_ring(dimension: Dimension) -> None:
    rule: Rule[object] = Rule("src_1", "change", JUMP, for_each=dimension, gates=NO_GATES)
    judged = evaluate_rule(poisoned_view(), rule, (), {})
    good, bad = ScopeKey(dimension, SOUND.along(dimension)), ScopeKey(dimension, POISON.along(dimension))
    assert {key: verdict.fires for key, verdict in judged.verdicts.items()} == {good: True}
    assert judged.failed[bad] == "ArithmeticError: poisoned"
    assert good not in judged.failed


def test_an_organisation_that_holds_such_a_series_is_named_too() -> None:
    rule: Rule[object] = Rule("src_1", "change", JUMP, gates=NO_GATES)
    assert ORGANISATION in evaluate_rule(poisoned_view(), rule, (), {}).failed


async def test_defects_are_counted_by_rule_and_series(yard: Yard) -> None:
    async with yard.ports.uow() as uow:
        for error in ("first", "second"):
            await uow.rule_failures.note("rule_1", ScopeKey(Dimension.WORKSPACE, ENG), error, yard.clock())
    async with yard.ports.uow() as uow:
        (failure,) = await uow.rule_failures.all()
    assert (failure.count, failure.error, failure.last_at) == (2, "second", yard.clock())
