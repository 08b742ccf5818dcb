"""A budget that cannot be assessed is shown as such, and keeps no other budget and no rule from firing."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy import text

from service.domain.alerts.alert import AlertState
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.budgets.assessment import standing
from service.domain.budgets.known import Known, live_windows
from service.domain.budgets.places import BudgetScope
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Gates, Rule
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope, ScopeKey
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.budgets.defects import BudgetDefect, FailedScopes, attempt
from service.workflows.budgets.finding import assess_each
from service.workflows.configuration.rules import Rules
from service.workflows.operation.lateness import Work, find_late
from service.workflows.ports.alerts import BudgetFailure
from tests.factories import budget, percent, resource, utc
from tests.workflows.yard import DAY, MINUTE, Yard, billed

ENG, POISONED = ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"), ScopeKey(Dimension.WORKSPACE, "wrkspc_poison")


async def put_zone(yard: Yard, name: str, zone: str) -> None:
    """What an update of the machine's time zones does to a stored budget: its zone is known no more, or again."""
    changed = "UPDATE resources SET spec = jsonb_set(spec, '{period,timezone}', to_jsonb(CAST(:zone AS text)))"
    async with yard.engine.begin() as connection:
        await connection.execute(
            text(f"{changed} WHERE kind = 'budget' AND name = :name"), {"zone": zone, "name": name}
        )


async def make_unreadable(yard: Yard, kind: str, name: str) -> None:
    """What a release that knows a resource less well meets in the database."""
    no_list = """|| '{"thresholds"\\: 7, "gates"\\: 7, "channels"\\: 7}'"""
    async with yard.engine.begin() as connection:
        spoilt = text(f"UPDATE resources SET spec = spec {no_list} WHERE kind = :kind AND name = :name")
        await connection.execute(spoilt.bindparams(kind=kind, name=name))


async def bill(yard: Yard, dollars: str) -> None:
    yard.clock.advance(MINUTE)
    yard.reader.bill(yard.clock().date(), billed(dollars, workspace="wrkspc_eng"))
    await yard.poll()
    await yard.settle()


async def told(yard: Yard) -> list[tuple[str, AlertState, int]]:
    """Each alert's budget, its state and how often it moved."""
    alerts = await yard.alerts()
    return sorted(
        (alert.evidence.budget_name, alert.state, alert.version)
        for alert in alerts
        if isinstance(alert.evidence, BudgetEvidence)
    )


async def failures(yard: Yard) -> list[BudgetFailure]:
    async with yard.ports.uow() as uow:
        return [
            one for budget in await uow.budgets.all() for one in await uow.budget_failures.failing(budget.id, most=9)
        ]


async def late(yard: Yard) -> dict[Work, list[str]]:
    async with yard.ports.uow() as uow:
        return {one.work: [first.name for first in one.arrears.first] for one in await find_late(uow, yard.clock())}


@pytest.mark.parametrize("broken", ["its zone is gone", "its text is no budget"])
async def test_a_budget_that_fails_is_shown_and_the_others_and_rules_go_on(yard: Yard, broken: str) -> None:
    gates = Gates(Money.of("1.00"), Money.of("10").usd, min_active_days=1)
    jump: Rule[object] = Rule(yard.source.id, "change", Change(against=Against.PREVIOUS_DAY), gates=gates)
    await yard.create(Rules(), "jump", jump)
    stored = await yard.add_budget("poison", budget("10.00", percent(100)))
    yard.reader.bill(yard.clock().date() - DAY, billed("1.00", workspace="wrkspc_eng"))
    await bill(yard, "12.00")
    assert await told(yard) == [("poison", AlertState.FIRING, 1)]

    await yard.add_budget("sound", budget("100.00", percent(100)))
    if broken == "its zone is gone":
        await put_zone(yard, "poison", "Mars/Olympus_Mons")
    else:
        await make_unreadable(yard, "budget", "poison")
    for dollars in ("150.00", "160.00"):
        await bill(yard, dollars)
    assert await told(yard) == [("poison", AlertState.FIRING, 1), ("sound", AlertState.FIRING, 1)]
    assert {alert.kind for alert in await yard.alerts()} == {"budget", "rule"}
    async with yard.ports.uow() as uow:
        (failure,) = await uow.budget_failures.all()
    assert (failure.budget_id, failure.scope, failure.count >= 2) == (stored.id, ORGANISATION, True)
    assert failure.since < failure.last_at == yard.clock()
    assert Work.BUDGETS not in await late(yard)  # for a minute, and not yet for five
    yard.clock.advance(5 * MINUTE)
    await run_evaluation(yard.ports, yard.source.id)
    assert (await late(yard))[Work.BUDGETS] == ["poison"]


async def test_a_budget_that_is_well_again_goes_on_where_it_was(yard: Yard) -> None:
    await yard.add_budget("poison", budget("10.00", percent(100), percent(200)))
    await bill(yard, "12.00")
    await put_zone(yard, "poison", "Mars/Olympus_Mons")
    await bill(yard, "25.00")
    assert [one.error.partition(":")[0] for one in await failures(yard)] == ["ZoneInfoNotFoundError"]
    await put_zone(yard, "poison", "UTC")
    await bill(yard, "25.00")
    assert await failures(yard) == []
    (alert,) = await yard.alerts()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert (alert.state, alert.evidence.threshold) == (AlertState.FIRING, "actual:200%")
    async with yard.ports.uow() as uow:
        (failure,) = await uow.budget_failures.all()
    counted, begun = failure.count, failure.since
    await put_zone(yard, "poison", "Mars/Olympus_Mons")
    await bill(yard, "26.00")
    (again,) = await failures(yard)
    assert again.count > counted
    assert again.since > begun


async def test_a_rule_that_cannot_be_read_keeps_its_alert_and_is_late(yard: Yard) -> None:
    gates = Gates(Money.of("1.00"), Money.of("10").usd, min_active_days=1)
    jump: Rule[object] = Rule(yard.source.id, "change", Change(against=Against.PREVIOUS_DAY), gates=gates)
    await yard.create(Rules(), "jump", jump)
    await yard.add_budget("sound", budget("100.00", percent(100)))
    yard.reader.bill(yard.clock().date() - DAY, billed("1.00", workspace="wrkspc_eng"))
    await bill(yard, "12.00")
    await make_unreadable(yard, "rule", "jump")
    await bill(yard, "150.00")
    assert {alert.kind: alert.state for alert in await yard.alerts()} == {
        "rule": AlertState.FIRING,
        "budget": AlertState.FIRING,
    }
    yard.clock.advance(5 * MINUTE)
    await bill(yard, "150.00")
    async with yard.ports.uow() as uow:
        (failure,) = await uow.rule_failures.all()
    assert (failure.scope, failure.count) == (ORGANISATION, 2)


@pytest.mark.parametrize(("kind", "notified"), [("receiver", 0), ("silence", 1)])
async def test_a_receiver_or_silence_that_cannot_be_read_keeps_no_alert_from_opening(
    yard: Yard, kind: str, notified: int
) -> None:
    async with yard.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO resources (id, kind, name, version, labels, spec, created_at, updated_at)"
                """ VALUES ('sil_1', 'silence', 'poison', 1, '{}', '{"matchers"\\: 7}', now(), now())"""
            )
        )
    if kind == "receiver":
        await make_unreadable(yard, "receiver", "everyone")
    await yard.add_budget("sound", budget("10.00", percent(100)))
    await bill(yard, "12.00")
    assert await told(yard) == [("sound", AlertState.FIRING, 1)]
    assert len(yard.channels.sent) == notified


# ------------------------------------------------------------------------------------------- one of many scopes

NOW = utc("2026-11-16T12:00")
EACH = resource("bdg_1", replace(budget("10.00", percent(100)), for_each=Dimension.WORKSPACE))
NO_SPEND = Spend(cast("Money", None))
"""Spend that nothing can be computed of."""


def test_a_scope_that_cannot_be_assessed_is_named_and_the_others_fire() -> None:
    known = Known([], [], {}, NOW)
    cells = {
        Cell("wrkspc_eng", "claude", "apikey_1"): Spend(Money.of("12.00")),
        Cell("wrkspc_poison", "claude", "apikey_2"): NO_SPEND,
        Cell("wrkspc_small", "claude", "apikey_3"): Spend(Money.of("1.00")),
    }
    spend = {window: cells for window in live_windows([EACH], known)}
    failed = FailedScopes()
    found = assess_each(EACH, attempt(lambda: standing(EACH, spend, known)), spend, known, failed)
    assert [finding.scope for finding in found.findings] == [ENG]
    assert list(failed.met) == [BudgetScope("bdg_1", POISONED)]
    assert failed.holds(BudgetScope("bdg_1", POISONED))
    assert not failed.holds(BudgetScope("bdg_1", ENG))


async def test_an_alert_whose_end_cannot_be_told_keeps_no_other_open(yard: Yard) -> None:
    for name in ("poison", "sound"):
        await yard.add_budget(name, budget("10.00", percent(100)))
    await bill(yard, "12.00")
    async with yard.engine.begin() as connection:
        ends = """jsonb_set(evidence, '{period,end}', '"9999-12-31T23\\:59\\:59+00\\:00"')"""
        await connection.execute(text(f"UPDATE alerts SET evidence = {ends} WHERE evidence->>'budget_name' = 'poison'"))
        await connection.execute(
            text("UPDATE resources SET spec = jsonb_set(spec, '{amount}', '\"90.00\"') WHERE kind = 'budget'")
        )
    await bill(yard, "12.50")
    assert await told(yard) == [("poison", AlertState.FIRING, 1), ("sound", AlertState.RESOLVED, 2)]
    assert [one.scope for one in await failures(yard)] == [ORGANISATION]


@pytest.mark.parametrize("kind", [PeriodKind.MONTHLY, PeriodKind.ROLLING])
def test_scopes_by_themselves_say_what_all_at_once_say(kind: PeriodKind) -> None:
    known = Known([], [], {}, NOW)
    period = PeriodSpec(kind, days=7 if kind is PeriodKind.ROLLING else None)
    stored = replace(EACH, spec=replace(EACH.spec, period=period, scope=Scope(models=("claude",))))
    amounts = ("12.00", "9.00", "30.00", "10.00")
    cells = {Cell(f"wrkspc_{n}", "claude", "apikey_1"): Spend(Money.of(one)) for n, one in enumerate(amounts)}
    spend = {window: cells for window in live_windows([stored], known)}
    at_once = assess_each(stored, standing(stored, spend, known), spend, known, FailedScopes())
    apart = assess_each(stored, BudgetDefect(ArithmeticError()), spend, known, FailedScopes())
    assert at_once == apart
    assert len(at_once.findings) == 3
