"""Explanations agree with what really rang, and answer of a past instant with what was known and configured then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from service.domain.alerts.alert import Alert, Command
from service.domain.alerts.evidence import RuleEvidence
from service.domain.explain.explanation import Explanation
from service.domain.rules.feedback import FeedbackKind
from service.domain.rules.kinds import stale_source
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates, Rule
from service.domain.sources.pricing import Measure
from service.domain.sources.source import ReportName
from service.domain.spend.lateness import Patience
from service.domain.spend.rows import Width
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope, ScopeKey
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.alerts.feedback import FeedbackAnswer, give_feedback
from service.workflows.configuration.engine import Author
from service.workflows.configuration.rules import PlannedActivities, Rules
from service.workflows.explain.explain import Explained, ask_rule, explain_rule_at
from service.workflows.ports.sources import SourceError
from tests.factories import utc
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed, caller

JUMP = Change(against=Against.PREVIOUS_DAY)
GATES = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3)
ENG = ScopeKey(Dimension.WORKSPACE, "wrkspc_eng")
ANN = "token:ann"


async def add_rule(
    yard: Yard, gates: Gates = GATES, for_each: Dimension | None = Dimension.WORKSPACE
) -> Resource[Rule[object]]:
    spec: Rule[object] = Rule(yard.source.id, "change", JUMP, Scope(), for_each, gates=gates)
    return await yard.create(Rules(), "jump", spec)


def bill(yard: Yard, on: date, eng: str, ops: str = "50.00") -> None:
    yard.reader.bill(on, billed(eng, workspace=ENG.id), billed(ops, workspace="wrkspc_ops"))


async def usual(yard: Yard, days: int = 10) -> date:
    """Two calm workspaces until yesterday."""
    today = yard.clock().date()
    for ago in range(1, days + 1):
        bill(yard, today - ago * DAY, "100.00")
    return today


async def read(yard: Yard, after: timedelta = 5 * MINUTE) -> datetime:
    """A poll and what follows from it; gives its instant."""
    now = yard.clock.advance(after)
    await yard.poll()
    await run_evaluation(yard.ports, yard.source.id)
    return now


async def rung(yard: Yard, gates: Gates = GATES) -> Resource[Rule[object]]:
    """A rule that has just rung for the engineers: $160.00 after $100.00."""
    rule = await add_rule(yard, gates)
    bill(yard, await usual(yard), "160.00")
    await read(yard)
    return rule


async def explained(
    yard: Yard, name: str = "jump", at: datetime | None = None, scope: ScopeKey | None = None
) -> Explained:
    now = yard.clock()
    async with yard.ports.uow() as uow:
        return await explain_rule_at(uow, await ask_rule(uow, name, at or now, now), scope)


async def eng(yard: Yard, at: datetime | None = None) -> Explanation:
    (one,) = (await explained(yard, at=at, scope=ENG)).items
    return one


async def only_alert(yard: Yard) -> Alert:
    (alert,) = await yard.alerts()
    return alert


async def resolve(yard: Yard, alert: Alert) -> None:
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.RESOLVE, "", Author(ANN, yard.clock()))


def gate(one: Explanation, name: str) -> tuple[bool, str, str]:
    (found,) = [gate for gate in one.gates if gate.gate == name]
    return found.passed, found.found, found.needed


# ----------------------------------------------------------------------------------- why it rang


@pytest.mark.parametrize("later", [timedelta(), MINUTE, 3 * HOUR, 10 * DAY])
async def test_the_explanation_of_a_ring_has_the_alert_s_own_numbers_then_and_later(
    yard: Yard, later: timedelta
) -> None:
    await rung(yard)
    alert = await only_alert(yard)
    assert isinstance(alert.evidence, RuleEvidence)
    yard.clock.advance(later)
    one = await eng(yard, at=alert.opened_at)
    assert one.outcome.name == "rang"
    assert one.outcome.conclusion == f"It fired: {alert.evidence.cause}"
    told = alert.evidence
    assert (one.actual, one.expected, one.cause, one.inputs) == (told.actual, told.expected, told.cause, told.inputs)
    assert one.alert is not None
    assert one.alert.alert.id == alert.id
    assert all(gate.passed for gate in one.gates)
    assert [gate.gate for gate in one.gates] == [
        *("enabled", "known", "objects", "min_amount", "min_percent", "min_active_days", "pending_for"),
        *("stands_alone", "highest_level", "muted", "already_told", "open_alert"),
    ]


async def test_what_was_kept_of_the_instant_is_listed_beside_it(yard: Yard) -> None:
    await rung(yard)
    alert = await only_alert(yard)
    (kept,) = (await explained(yard, at=alert.opened_at)).stored
    said = kept.verdict
    assert (said.scope, said.outcome, str(said.actual)) == (ENG, "rang", "160.00")
    assert kept.figures_at == alert.opened_at
    assert (await explained(yard, at=alert.opened_at - MINUTE)).stored == ()


async def an_hour_that_jumps(yard: Yard) -> Alert:
    """Calm hours and days; then an hour that still runs costs ninety times as much, rings, and grows."""
    kind = KINDS["anomaly"]
    spec: Rule[object] = Rule(yard.source.id, "anomaly", kind.params(), gates=kind.gates)
    await yard.create(Rules(), "unusual", spec)
    today = yard.clock().date()
    for ago in range(35):
        bill(yard, today - ago * DAY, "100.00")
        for hour in range(24):
            use_hour(yard, yard.at(today - ago * DAY) + hour * HOUR, 250_000)
    await read(yard)
    use_hour(yard, yard.at(today) + 12 * HOUR, 25_000_000)
    await read(yard, 45 * MINUTE)
    alert = await only_alert(yard)
    use_hour(yard, yard.at(today) + 12 * HOUR, 50_000_000)
    await read(yard, 5 * MINUTE)
    return alert


def use_hour(yard: Yard, hour: datetime, tokens: int) -> None:
    yard.reader.use(Width.HOUR, hour, (caller(workspace=ENG.id), {Measure.OUTPUT: tokens}))


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (timedelta(), "rang"),
        (timedelta(microseconds=1), "amends"),
        (timedelta(seconds=1), "amends"),
        (3 * MINUTE, "amends"),
    ],
)
async def test_what_rang_by_figures_that_have_no_history_is_explained_by_its_own_verdict(
    yard: Yard, after: timedelta, outcome: str
) -> None:
    alert = await an_hour_that_jumps(yard)
    told = alert.evidence
    assert isinstance(told, RuleEvidence)
    found = await explained(yard, "unusual", at=alert.opened_at + after, scope=alert.scope)
    (one,) = found.items
    assert (one.outcome.name, one.actual, one.cause) == (outcome, told.actual, told.cause)
    assert gate(one, "objects")[0]
    assert "evaluated again by what is stored, it would not: the rule does not object to" in one.outcome.conclusion
    # The same verdict has grown since; nothing of that was known then.
    (stored,) = found.stored
    assert stored.verdict.last_at > alert.opened_at + after
    assert (stored.verdict.actual, stored.figures_at) == (told.actual, alert.opened_at)


async def test_an_open_alert_s_verdict_counts_until_the_next_reading(yard: Yard) -> None:
    """The alert stays open for an hour after the last objection, which a poll takes back."""
    await rung(yard, replace(GATES, keep_firing_for=HOUR))
    rang = yard.clock()
    bill(yard, rang.date(), "100.00")
    calm = await read(yard)
    yard.clock.advance(DAY)
    at = [rang + 2 * MINUTE, calm - timedelta(seconds=1), calm, calm + MINUTE]
    assert [(await eng(yard, one)).outcome.name for one in at] == ["amends", "amends", "objects", "objects"]
    listed = [(await explained(yard, at=one)).stored for one in at]
    assert [[kept.figures_at for kept in stored] for stored in listed] == [[rang], [rang], [], []]


async def test_before_it_was_read_the_same_spend_was_not_known(yard: Yard) -> None:
    bill(yard, await usual(yard), "100.00")
    await add_rule(yard)
    calm = await read(yard)
    bill(yard, yard.clock().date(), "160.00")
    await read(yard, HOUR)
    assert (await eng(yard, at=calm)).outcome.name == "objects"
    assert str((await eng(yard, at=calm)).actual) == "100.00"
    assert (await eng(yard, at=calm + 59 * MINUTE)).outcome.name == "objects"
    assert (await eng(yard, at=calm + HOUR)).outcome.name == "rang"


async def test_an_alert_that_is_open_is_changed_and_no_other_opens(yard: Yard) -> None:
    await rung(yard)
    now = yard.clock.advance(MINUTE)
    one = await eng(yard)
    assert (one.outcome.name, one.outcome.fires) == ("amends", False)
    assert (await only_alert(yard)).id in one.outcome.conclusion
    yard.clock.advance(DAY)
    assert (await eng(yard, at=now)).outcome.name == "amends"


async def test_what_rings_comes_first(yard: Yard) -> None:
    await rung(yard)
    opened = (await only_alert(yard)).opened_at
    items = (await explained(yard, at=opened)).items
    assert [(str(one.scope), one.outcome.name) for one in items] == [
        ("workspace:wrkspc_eng", "rang"),
        ("workspace:wrkspc_ops", "objects"),
    ]


# ----------------------------------------------------------------------------------- why it did not

STOPS = {
    "min_amount": (replace(GATES, min_amount=Money.of("80.00")), "the excess of $60.00 is below the gate of $80.00"),
    "min_percent": (replace(GATES, min_percent=Money.of("70").usd), "the excess of 60% is below the gate of 70%"),
    "min_active_days": (
        replace(GATES, min_active_days=30),
        "it has 10 days with spend, and the gate asks for 30 days",
    ),
    "pending_for": (replace(GATES, pending_for=HOUR), "it has held for 0s, and the gate asks for 1h"),
}


@pytest.mark.parametrize("name", STOPS)
async def test_the_gate_that_stopped_it_is_named_with_the_numbers_it_compared(yard: Yard, name: str) -> None:
    gates, reason = STOPS[name]
    await rung(yard, gates)
    at = yard.clock()
    one = await eng(yard)
    assert (one.outcome.name, one.outcome.conclusion) == (name, f"It does not fire: {reason}.")
    yard.clock.advance(DAY)
    assert (await eng(yard, at=at)).outcome.conclusion == f"It did not fire: {reason}."


async def test_how_long_it_had_held_is_remembered_now_and_taken_from_what_was_kept_then(yard: Yard) -> None:
    await rung(yard, replace(GATES, pending_for=HOUR))
    waiting = await read(yard, 30 * MINUTE)
    assert gate(await eng(yard), "pending_for") == (False, "30m", "at least 1h")
    rang = await read(yard, 30 * MINUTE)
    assert gate(await eng(yard), "pending_for")[0]
    bill(yard, yard.clock().date(), "100.00")
    await read(yard)
    assert gate(await eng(yard, at=waiting), "pending_for") == (False, "30m", "at least 1h")
    assert (await eng(yard, at=rang)).outcome.name == "rang"
    between = await eng(yard, at=waiting + 10 * MINUTE)
    assert between.outcome.conclusion == (
        "It did not fire: it has held for a time that was not kept and cannot be known exactly, "
        "and the gate asks for 1h."
    )


async def test_a_disabled_rule_says_so_whatever_it_sees(yard: Yard) -> None:
    rule = await rung(yard)
    yard.clock.advance(MINUTE)
    await yard.change(Rules(), rule, replace(rule.spec, enabled=False))
    one = await eng(yard)
    assert (one.outcome.name, one.outcome.conclusion) == ("enabled", "It does not fire: it is disabled.")
    assert str(one.actual) == "160.00"


async def test_what_a_person_resolved_is_muted_and_says_by_whom(yard: Yard) -> None:
    await rung(yard)
    yard.clock.advance(MINUTE)
    alert = await only_alert(yard)
    await resolve(yard, alert)
    muted = await read(yard)
    one = await eng(yard)
    assert one.outcome.name == "muted"
    assert f"ann resolved {alert.id}" in one.outcome.conclusion
    assert one.alert is None
    bill(yard, yard.clock().date(), "100.00")
    await read(yard)
    assert (await eng(yard)).outcome.name == "objects"
    assert (await eng(yard, at=muted)).outcome.name == "muted"


async def test_a_source_that_was_never_read_is_known_to_be_unread(yard: Yard) -> None:
    await add_rule(yard)
    (one,) = (await explained(yard)).items
    assert one.outcome.conclusion == "It is not judged: nothing of the source had been read yet."


async def test_a_scope_that_the_rule_does_not_look_at_has_an_answer_of_its_own(yard: Yard) -> None:
    await rung(yard)
    (one,) = (await explained(yard, scope=ScopeKey(Dimension.WORKSPACE, "wrkspc_new"))).items
    assert (one.outcome.name, str(one.scope)) == ("known", "workspace:wrkspc_new")


# ----------------------------------------------------------------------------------- as it was then


async def test_an_earlier_instant_is_explained_by_the_rule_as_it_stood(yard: Yard) -> None:
    rule = await rung(yard, replace(GATES, min_amount=Money.of("80.00")))
    before = yard.clock()
    yard.clock.advance(HOUR)
    await yard.change(Rules(), rule, replace(rule.spec, gates=GATES))
    yard.clock.advance(MINUTE)
    assert (await eng(yard)).outcome.name == "would_ring"
    then = await eng(yard, at=before)
    assert then.outcome.name == "min_amount"
    assert gate(then, "min_amount") == (False, "$60.00", "at least $80.00")


async def test_a_deleted_rule_is_explained_while_it_lived_and_says_when_it_went(yard: Yard) -> None:
    rule = await rung(yard)
    rang = yard.clock()
    yard.clock.advance(HOUR)
    await yard.delete(Rules(), rule)
    yard.clock.advance(HOUR)
    for reference in (rule.id, "jump"):
        (then,) = (await explained(yard, reference, at=rang, scope=ENG)).items
        assert then.outcome.name == "rang"
        (now,) = (await explained(yard, reference)).items
        assert [gate.gate for gate in now.gates] == ["exists"]
        assert now.outcome.conclusion == "It is not judged: the rule was deleted on 2026-11-16 13:05 UTC."


async def test_before_its_creation_a_rule_says_from_when_it_exists(yard: Yard) -> None:
    yard.clock.advance(HOUR)
    await add_rule(yard)
    yard.clock.advance(HOUR)
    (one,) = (await explained(yard, at=utc("2026-11-16T12:30"))).items
    assert (one.outcome.name, len(one.gates)) == ("exists", 1)
    assert one.outcome.conclusion == "It was not judged: the rule exists since 2026-11-16 13:00 UTC."


async def test_an_instant_to_come_or_before_everything_is_refused(yard: Yard) -> None:
    await add_rule(yard)
    with pytest.raises(Invalid, match="it is 2026-11-16 12:00 UTC") as future:
        await explained(yard, at=yard.clock() + MINUTE)
    with pytest.raises(Invalid, match="since 2026-11-16 12:00 UTC") as past:
        await explained(yard, at=yard.clock() - MINUTE)
    assert (future.value.pointer, past.value.pointer) == ("/at", "/at")
    with pytest.raises(NotFound):
        await explained(yard, "nobody")


async def test_what_was_deleted_the_moment_it_was_made_is_not_found(yard: Yard) -> None:
    await yard.delete(Rules(), await add_rule(yard))
    with pytest.raises(NotFound, match="'jump' was deleted the moment it was made"):
        await explained(yard)


async def test_a_restated_day_keeps_its_old_number_at_the_old_instant(yard: Yard) -> None:
    await rung(yard)
    rang = yard.clock()
    yard.clock.advance(5 * DAY)
    bill(yard, rang.date(), "90.00")
    await read(yard)
    assert str((await eng(yard, at=rang)).actual) == "160.00"
    assert await yard.spent(rang.date()) == Money.of("140.00")


async def test_feedback_counts_from_when_it_was_given_until_it_is_withdrawn(yard: Yard) -> None:
    """One "noise" raises the gate of $20.00 by a tenth."""
    await rung(yard)
    before = yard.clock.advance(MINUTE)
    yard.clock.advance(MINUTE)
    alert = await only_alert(yard)
    async with yard.ports.uow() as uow:
        given = await give_feedback(uow, alert.id, FeedbackAnswer(FeedbackKind.NOISE), yard.author)
    between = yard.clock.advance(MINUTE)
    assert gate(await eng(yard), "min_amount") == (True, "$60.00", "at least $22.00")
    yard.clock.advance(MINUTE)
    async with yard.ports.uow() as uow:
        for one in given:
            await uow.feedback.withdraw(one.id, ANN, yard.clock())
    yard.clock.advance(MINUTE)
    instants = (before, between, yard.clock())
    needed = [gate(await eng(yard, at=at), "min_amount")[2] for at in instants]
    assert needed == ["at least $20.00", "at least $22.00", "at least $20.00"]


async def test_a_plan_counts_from_when_it_was_announced_until_it_is_taken_back(yard: Yard) -> None:
    await rung(yard)
    today = yard.at(yard.clock().date())
    before = yard.clock.advance(MINUTE)
    yard.clock.advance(MINUTE)
    plan = PlannedActivity(yard.source.id, Scope((ENG.id,)), today, today + DAY, Money.of("60.00"), "a run")
    stored = await yard.create(PlannedActivities(), "a run", plan)
    announced = yard.clock.advance(MINUTE)
    assert (await eng(yard)).outcome.name == "objects"
    yard.clock.advance(MINUTE)
    await yard.delete(PlannedActivities(), stored)
    yard.clock.advance(MINUTE)
    instants = (before, announced, yard.clock())
    assert [(await eng(yard, at=at)).outcome.name for at in instants] == ["amends", "objects", "amends"]


# ----------------------------------------------------------------------------------- a source that fails


async def test_a_stale_source_is_explained_from_its_state_now_and_not_in_the_past(yard: Yard) -> None:
    spec: Rule[object] = Rule(yard.source.id, "stale_source", Patience(3, 2 * HOUR), gates=stale_source.KIND.gates)
    await yard.create(Rules(), "blind", spec)
    await read(yard)
    yard.reader.refusals[ReportName.COST] = SourceError("away", retryable=True)
    outcomes = []
    for _ in range(4):
        yard.clock.advance(5 * MINUTE)
        await yard.poll()
        (one,) = (await explained(yard, "blind")).items
        outcomes.append(one.outcome.name)
        await run_evaluation(yard.ports, yard.source.id)
    assert outcomes == ["objects", "objects", "would_ring", "amends"]
    yard.clock.advance(MINUTE)
    (then,) = (await explained(yard, "blind", at=yard.clock() - 2 * MINUTE)).items
    assert "polls are not replayed" in then.outcome.conclusion


# ----------------------------------------------------------------------------------- all levels at once


async def test_an_anomaly_on_several_levels_is_explained_on_each_of_them(yard: Yard) -> None:
    """By hour and by day, with what was known of either; the organisation tells of the workspace inside it."""
    kind = KINDS["anomaly"]
    spec: Rule[object] = Rule(yard.source.id, "anomaly", kind.params(), gates=kind.gates)
    await yard.create(Rules(), "unusual", spec)
    today = yard.clock().date()
    for ago in range(35):
        wobble = f"{100 + ago % 3}.00" if ago else "900.00"
        bill(yard, today - ago * DAY, wobble)
        for hour in range(24):
            about = caller(workspace=ENG.id), {Measure.OUTPUT: 250_000}
            yard.reader.use(Width.HOUR, yard.at(today - ago * DAY) + hour * HOUR, about)
    rang = await read(yard)
    (alert,) = await yard.alerts()
    assert isinstance(alert.evidence, RuleEvidence)
    for later in (timedelta(), DAY):
        yard.clock.advance(later)
        found = {str(one.scope): one for one in (await explained(yard, "unusual", at=rang)).items}
        own = found.pop(str(alert.scope))
        assert own.outcome.name == "rang"
        assert (own.actual, own.expected, own.cause) == (
            *(alert.evidence.actual, alert.evidence.expected, alert.evidence.cause),
        )
        assert {one.outcome.fires for one in found.values()} == {False}
        assert "highest_level" in {one.outcome.name for one in found.values()}
