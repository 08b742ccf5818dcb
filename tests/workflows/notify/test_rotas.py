"""A step that names a rota calls whoever is on call when it is taken."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from service.domain.notify.channels.email import Email
from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.notification import Action
from service.domain.notify.receivers import Receiver
from service.domain.notify.rotas import Handover, Override, Person, Rota
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.values.periods import Weekday
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import EscalationPolicies, Receivers, Rotas, put_routes
from tests.factories import budget, percent
from tests.workflows.yard import MINUTE, Yard, billed

TODAY = date(2026, 11, 16)
"""A Monday; the clock stands at noon."""


@pytest.fixture
async def rota(yard: Yard) -> Resource[Rota]:
    """Ben has had the week; ann takes over at 13:00. Both are called: at once, and after 45 and 90 minutes."""
    people = []
    for name in ("ann", "ben"):
        receiver = await yard.create(Receivers(), name, Receiver((Email((f"{name}@example.com",)),)))
        people.append(Person(name, receiver.id))
    rota = await yard.create(Rotas(), "engineers", Rota(tuple(people), Handover(Weekday.MONDAY, 13), "UTC", TODAY))
    steps = tuple(EscalationStep(45 * MINUTE * number, rota_id=rota.id) for number in range(3))
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps))
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((Route(yard.receiver.id, escalation_policy_id=policy.id),)), yard.author)
    return rota


async def ring(yard: Yard) -> None:
    await yard.add_budget("eng", budget("10.00", percent(100)))
    yard.reader.bill(TODAY, billed("12.00"))
    await yard.poll()
    await yard.settle()


async def wait(yard: Yard, minutes: int) -> None:
    """The jobs' own time comes with the business clock's."""
    yard.clock.advance(minutes * MINUTE)
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql(
            f"UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - interval '{minutes} minutes'"
        )
    await yard.settle()


def called(yard: Yard) -> list[str]:
    return [
        config.to[0].partition("@")[0]
        for config, delivery in yard.channels.sent
        if isinstance(config, Email) and delivery.action in (Action.OPEN, Action.RAISE)
    ]


async def test_each_step_calls_whoever_is_on_call_by_then(yard: Yard, rota: Resource[Rota]) -> None:
    await ring(yard)
    assert called(yard) == ["ben"]
    await wait(yard, 45)
    assert called(yard) == ["ben", "ben"]
    await wait(yard, 45)  # 13:30, after the handover
    assert called(yard) == ["ben", "ben", "ann"]


async def test_an_override_made_while_it_rings_counts_for_the_next_step(yard: Yard, rota: Resource[Rota]) -> None:
    await ring(yard)
    noon = datetime(2026, 11, 16, 12, tzinfo=UTC)
    covered = Override("ann", noon, noon + timedelta(hours=1))
    await yard.change(Rotas(), rota, Rota(rota.spec.people, rota.spec.handover, "UTC", TODAY, (covered,)))
    await wait(yard, 45)
    assert called(yard) == ["ben", "ann"]
