"""Digests as a configurable kind."""

from __future__ import annotations

from service.domain.digests.digest import DigestPlan, reached
from service.domain.values.errors import Invalid
from service.domain.values.resources import Resource
from service.workflows.configuration.administer import Kind
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import UnitOfWork


class Digests(Kind[DigestPlan]):
    """The schedule itself is checked where it is read."""

    noun, prefix = "digest", "dig"

    def store(self, uow: UnitOfWork) -> Resources[DigestPlan]:
        return uow.digests

    async def admit(self, uow: UnitOfWork, spec: DigestPlan, stored: Resource[DigestPlan] | None) -> None:
        if spec.source_id not in {source.id for source in await uow.sources.all()}:
            raise Invalid("the source has been deleted", "/source")
        receiver = next((one for one in await uow.receivers.all() if one.id == spec.receiver_id), None)
        if receiver is None:
            raise Invalid("the receiver has been deleted", "/receiver")
        if not reached(receiver.spec):
            raise Invalid("all channels of this receiver page somebody: a digest goes to none of them", "/receiver")
