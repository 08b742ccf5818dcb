"""An evaluation reads its situation once, however many alerts it announces."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.rotas import Handover, Person, Rota
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.sources.source import Source
from service.domain.values.periods import PeriodKind, PeriodSpec, Weekday
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension
from service.domain.values.severity import Severity
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.notify import EscalationPolicies, Rotas, Silences, put_routes
from service.workflows.configuration.spend import Budgets
from tests.factories import budget, percent
from tests.fakes.ports import FakeSource
from tests.statements import counted
from tests.workflows.yard import HOUR, Yard, billed

WEEK = PeriodSpec(PeriodKind.ROLLING, days=7)
LEVELS = budget("10.00", percent(100), percent(200, Severity.CRITICAL), period=WEEK, for_each=Dimension.WORKSPACE)


async def announce_by_every_way(yard: Yard) -> None:
    """A silence, and two routes: to a receiver, and to whoever is on call by a rota."""
    people, monday = (Person("ann", yard.receiver.id),), Handover(Weekday.MONDAY, 9)
    rota = await yard.create(Rotas(), "week", Rota(people, monday, "UTC", yard.clock().date()))
    steps = EscalationStep(timedelta(), rota_id=rota.id), EscalationStep(HOUR, receiver_id=yard.receiver.id)
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps))
    silence = Silence((Matcher("severity", Op.EQUAL, "info"),), yard.clock(), yard.clock() + HOUR)
    await yard.create(Silences(), "quiet", silence)
    async with yard.ports.uow() as uow:
        on_call = Route(yard.receiver.id, escalation_policy_id=policy.id, continues=True)
        await put_routes(uow, RouteTable((on_call, Route(yard.receiver.id))), yard.author)


async def evaluated(
    yard: Yard, source: Resource[Source], reader: FakeSource, workspaces: int, dollars: str
) -> Counter[str]:
    """The statements of an evaluation that moves the alert of every workspace.

    But those that queue jobs: the deliveries of an instant are one job, which whoever comes first queues.
    """
    reader.bill(yard.clock().date(), *(billed(dollars, workspace=f"wrkspc_{number}") for number in range(workspaces)))
    await yard.poll(source)
    with counted(yard.engine) as statements:
        events = await run_evaluation(yard.ports, source.id)
    assert len(events) == workspaces
    assert statements.pop("SELECT jsonb_populate_recordset", 0) <= 2
    return statements


async def test_ten_alerts_are_announced_by_as_many_statements_as_one(yard: Yard) -> None:
    await announce_by_every_way(yard)
    other, other_reader = await yard.add_source("other")
    for source in (yard.source, other):
        await yard.create(Budgets(), f"of {source.name}", replace(LEVELS, source_id=source.id))
    for dollars in ("12.00", "15.00", "25.00"):  # all open, are amended, are raised
        one = await evaluated(yard, yard.source, yard.reader, 1, dollars)
        ten = await evaluated(yard, other, other_reader, 10, dollars)
        assert ten == one
        assert one["SELECT resources"] == one["SELECT alerts"] == one["INSERT alert_events"] == 1


async def test_a_quiet_evaluation_reads_no_more_than_one_that_announces(yard: Yard) -> None:
    await yard.create(Budgets(), "week", replace(LEVELS, source_id=yard.source.id))
    loud = await evaluated(yard, yard.source, yard.reader, 1, "12.00")
    with counted(yard.engine) as quiet:
        assert await run_evaluation(yard.ports, yard.source.id) == []
    assert quiet <= loud
