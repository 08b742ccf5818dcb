"""Silences as they are administered."""

from __future__ import annotations

from dataclasses import replace

from service.domain.notify.routing.silences import Silence, SilenceState, validate_silence
from service.domain.values.errors import Conflict
from service.domain.values.resources import Resource
from service.workflows.configuration.administer import Author, Draft, Kind, change
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import UnitOfWork


class Silences(Kind[Silence]):
    noun, prefix = "silence", "sil"

    def store(self, uow: UnitOfWork) -> Resources[Silence]:
        return uow.silences

    async def admit(self, uow: UnitOfWork, spec: Silence, stored: Resource[Silence] | None) -> None:
        validate_silence(spec)


async def expire_silence(uow: UnitOfWork, id: str, author: Author) -> Resource[Silence]:
    """Ends a silence now, also one that has yet to begin. Raises NotFound, and Conflict for one that is over."""
    stored = await uow.silences.get(id)
    if stored.spec.state(author.at) is SilenceState.EXPIRED:
        raise Conflict("the silence is over already")
    ended = Draft(stored.name, stored.labels, replace(stored.spec, expired_at=author.at))
    return await change(uow, Silences(), stored, ended, author)
