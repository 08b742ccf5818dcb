"""Whose the spend of workspaces and API keys is: that of an owner, or of a tag's value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.domain.sources.ownership import NOBODY, OwnedMember
from service.domain.values.scopes import Cell, Dimension, ScopeKey


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who is answerable for workspaces and API keys, by their ids: a receiver's id, or a tag's value.

    A key that is not named goes with the workspace that it was used in; NOBODY for what neither names.
    """

    workspaces: Mapping[str, str]
    api_keys: Mapping[str, str]

    def of(self, cell: Cell) -> str:
        return self.api_keys.get(cell.api_key) or self.workspaces.get(cell.workspace) or NOBODY


def by_owner(members: Mapping[ScopeKey, OwnedMember]) -> Attribution:
    return _by(members, lambda one: one.owner)


def by_tag(members: Mapping[ScopeKey, OwnedMember], tag: str) -> Attribution:
    return _by(members, lambda one: one.tags.get(tag, NOBODY))


def _by(members: Mapping[ScopeKey, OwnedMember], whose: Callable[[OwnedMember], str]) -> Attribution:
    def along(dimension: Dimension) -> dict[str, str]:
        own = {key.id: whose(one) for key, one in members.items() if key.dimension is dimension}
        return {id: named for id, named in own.items() if named}

    return Attribution(along(Dimension.WORKSPACE), along(Dimension.API_KEY))
