"""The organisation whose cost a source reads. It has one enabled source: read by two, its cost would count twice."""

from __future__ import annotations

from dataclasses import replace

from service.domain.sources.source import Source, SourceState
from service.domain.values.resources import Resource
from service.workflows.ports.sources import Organization, SourceError
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def other_reader(uow: UnitOfWork, organization_id: str, source_id: str) -> Resource[Source] | None:
    """Another enabled source that is known to read the organisation."""
    for other in await uow.sources.readable():
        if not other.spec.enabled or other.id == source_id:
            continue
        if (await uow.polling_states.get(other.id)).organization_id == organization_id:
            return other
    return None


def objection(organization: Organization, other: Resource[Source]) -> str:
    """The error of a second source of an organisation, and what to do."""
    return (
        f"The enabled source {other.name!r} reads the same organisation, {organization.name}: nothing is read twice."
        " Disable or delete one of the two"
    )


def foreign(organization: Organization, state: SourceState) -> str | None:
    """The error of a source with bills of one organisation whose new key is of another; None where it is not so.

    The days that polls read again would be this one's, and those before them the other one's.
    """
    before = state.organization_id
    if state.is_identified or state.cost_read_at is None or before in (None, organization.id):
        return None
    return (
        f"The new key belongs to the organisation {organization.name or organization.id}, and what is stored here is of"
        f" another one ({before}): nothing of the two is mixed. Set a key of that one, or create a source for this one"
    )


async def run_claim(ports: Ports, source_id: str, fence: int, organization: Organization) -> None:
    """Notes whose cost the source reads, which lets it store facts.

    Claims come one after the other, also with writes of the configuration: of two first polls at once, one is refused.
    Raises SourceError where another source has the organisation or this one has bills of another, and FenceLost.
    """
    async with ports.uow() as uow:
        await uow.become_only_writer()
        await uow.polling_states.hold_fence(source_id, fence)
        state = await uow.polling_states.get(source_id)
        other = await other_reader(uow, organization.id, source_id)
        if other is not None and state.organization_id == organization.id and source_id < other.id:
            other = None  # two read it already, which was possible once: the older one goes on
        mixed = foreign(organization, state)
        if other is None and mixed is None:
            named = replace(state, organization_id=organization.id, organization_name=organization.name)
        else:
            claim = state.organization_id if mixed is not None else None
            named = replace(state, organization_id=claim, organization_name=None)
        await uow.polling_states.save(named)
    refusal = mixed if other is None else objection(organization, other)
    if refusal is not None:
        raise SourceError(refusal, retryable=False)


async def run_is_identified(ports: Ports, source_id: str) -> bool:
    """Whether the organisation is known that the source's present key belongs to, and is read by no other source."""
    async with ports.uow() as uow:
        return (await uow.polling_states.get(source_id)).is_identified
