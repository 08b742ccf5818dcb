"""Names of the members of a source's spend."""

from __future__ import annotations

from collections.abc import Iterable

from service.domain.sources.source import SourceState
from service.domain.values.names import Names
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey
from service.workflows.ports.sources import Seen
from service.workflows.ports.unit_of_work import UnitOfWork


async def names_of(uow: UnitOfWork, state: SourceState) -> Names:
    """The names of a source's workspaces and keys by its directory, and of its organisation."""
    source_id = state.source_id
    members = name_members(await uow.directory.workspaces(source_id), await uow.directory.api_keys(source_id))
    return with_organisation(members, state)


def name_members(workspaces: Iterable[Seen], api_keys: Iterable[Seen]) -> Names:
    return {
        ScopeKey(dimension, seen.id): seen.name
        for dimension, all_seen in ((Dimension.WORKSPACE, workspaces), (Dimension.API_KEY, api_keys))
        for seen in all_seen
    }


def with_organisation(names: Names, state: SourceState) -> Names:
    """The names with the organisation's, where the source has named it."""
    return {**names, ORGANISATION: state.organization_name} if state.organization_name else names
