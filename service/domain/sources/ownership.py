"""Owners and tags of workspaces, API keys and people: who hears of their spend, and who it is charged to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from service.domain.values.scopes import Dimension, ScopeKey

MOST_OWNED = 20_000
MOST_TAGS = 20
OWNABLE = (Dimension.WORKSPACE, Dimension.API_KEY, Dimension.ACTOR)
NOBODY = ""
"""The owner of what has none, and the value of a tag that something lacks."""


@dataclass(frozen=True, slots=True)
class OwnedMember:
    """A workspace, API key or person, with its owner, a receiver's id, and its tags. NOBODY: none of its own."""

    source_id: str
    member: ScopeKey
    owner: str = NOBODY
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ownership:
    """All members that have an owner or tags of their own, each once."""

    items: tuple[OwnedMember, ...] = ()

    def of_source(self, source_id: str) -> dict[ScopeKey, OwnedMember]:
        return {one.member: one for one in self.items if one.source_id == source_id}

    def with_members(self, changed: Iterable[OwnedMember]) -> Self:
        """Returns it with these in place of what it said of the same members; one that has nothing is left out."""
        items = {(one.source_id, one.member): one for one in (*self.items, *changed)}
        return type(self)(tuple(one for one in items.values() if one.owner or one.tags))

    @property
    def tag_values(self) -> dict[str, set[str]]:
        """The values of each tag that something has."""
        found: dict[str, set[str]] = {}
        for one in self.items:
            for tag, value in one.tags.items():
                found.setdefault(tag, set()).add(value)
        return found


@dataclass(frozen=True, slots=True)
class OwnerBook:
    """The owners and tags that count for one source's members: an API key's own, else those of its workspace.

    `key_workspaces` has the workspace of each key, by ids.
    """

    members: Mapping[ScopeKey, OwnedMember] = field(default_factory=dict)
    key_workspaces: Mapping[str, str] = field(default_factory=dict)

    def owner(self, member: ScopeKey) -> str:
        """Returns a receiver's id, or NOBODY."""
        return next((found.owner for found in self._own_first(member) if found.owner), NOBODY)

    def tags(self, member: ScopeKey) -> dict[str, str]:
        own_last = reversed(self._own_first(member))
        return {tag: value for found in own_last for tag, value in found.tags.items()}

    def _own_first(self, member: ScopeKey) -> list[OwnedMember]:
        places = [member]
        if member.dimension is Dimension.API_KEY and member.id in self.key_workspaces:
            places.append(ScopeKey(Dimension.WORKSPACE, self.key_workspaces[member.id]))
        return [self.members[place] for place in places if place in self.members]
