"""Rotas as a configurable kind."""

from __future__ import annotations

from service.domain.notify.rotas import Rota, validate_rota
from service.domain.values.errors import Invalid
from service.domain.values.resources import Resource
from service.workflows.configuration.administer import Kind
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import UnitOfWork


class Rotas(Kind[Rota]):
    noun, prefix = "rota", "rota"

    def store(self, uow: UnitOfWork) -> Resources[Rota]:
        return uow.rotas

    async def admit(self, uow: UnitOfWork, spec: Rota, stored: Resource[Rota] | None) -> None:
        validate_rota(spec)
        known = {receiver.id for receiver in await uow.receivers.all()}
        for position, person in enumerate(spec.people):
            if person.receiver_id not in known:
                raise Invalid("the receiver has been deleted", f"/people/{position}/receiver")

    async def users(self, uow: UnitOfWork, id: str) -> list[str]:
        return [
            f"escalation policy {policy.name!r}"
            for policy in await uow.policies.all()
            if any(step.rota_id == id for step in policy.spec.steps)
        ]
