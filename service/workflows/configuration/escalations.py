"""Escalation policies as a configurable kind."""

from __future__ import annotations

from service.domain.notify.escalation import EscalationPolicy, validate_policy
from service.domain.values.errors import Invalid
from service.domain.values.resources import Resource
from service.workflows.configuration.administer import Kind, route_table
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import UnitOfWork


class EscalationPolicies(Kind[EscalationPolicy]):
    noun, prefix, plural = "escalation policy", "esc", "escalation policies"

    def store(self, uow: UnitOfWork) -> Resources[EscalationPolicy]:
        return uow.policies

    async def admit(self, uow: UnitOfWork, spec: EscalationPolicy, stored: Resource[EscalationPolicy] | None) -> None:
        validate_policy(spec)
        receivers = {receiver.id for receiver in await uow.receivers.all()}
        rotas = {rota.id for rota in await uow.rotas.all()}
        for position, step in enumerate(spec.steps):
            if step.receiver_id not in {None, *receivers}:
                raise Invalid("the receiver has been deleted", f"/steps/{position}/receiver")
            if step.rota_id not in {None, *rotas}:
                raise Invalid("the rota has been deleted", f"/steps/{position}/rota")

    async def users(self, uow: UnitOfWork, id: str) -> list[str]:
        table = await route_table(uow)
        routes = table.spec.items if table else ()
        return [
            "the default route" if position == len(routes) - 1 else f"route {position}"
            for position, route in enumerate(routes)
            if route.escalation_policy_id == id
        ]
