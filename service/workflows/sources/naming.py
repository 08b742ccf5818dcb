"""What people call the members of a source's spend."""

from __future__ import annotations

from service.domain.sources.source import SourceState
from service.domain.values.names import Names
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey
from service.workflows.ports.unit_of_work import UnitOfWork


async def names_of(uow: UnitOfWork, state: SourceState) -> Names:
    """What the source's directory calls its workspaces and keys."""
    names = {
        ScopeKey(dimension, seen.id): seen.name
        for dimension, all_seen in (
            (Dimension.WORKSPACE, await uow.directory.workspaces(state.source_id)),
            (Dimension.API_KEY, await uow.directory.api_keys(state.source_id)),
        )
        for seen in all_seen
    }
    if state.organization_name:
        names[ORGANISATION] = state.organization_name
    return names
