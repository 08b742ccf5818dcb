"""Scopes: which spend is counted, and for whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

DEFAULT_WORKSPACE = "default"
UNATTRIBUTED = ""
"""The API key id of spend that no key can be named for."""


class Dimension(StrEnum):
    ORGANISATION = "org"
    WORKSPACE = "workspace"
    MODEL = "model"
    API_KEY = "api_key"


CELL_DIMENSIONS = (Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY)
Grain = frozenset[Dimension]
"""The dimensions by which cells are told apart; spend is added up over the others."""
FINEST: Grain = frozenset(CELL_DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Cell:
    """The finest grain of spend: one workspace, model and API key. "" stands for none."""

    workspace: str
    model: str
    api_key: str

    def along(self, dimension: Dimension) -> str:
        if dimension is Dimension.ORGANISATION:
            return ""
        parts = {Dimension.WORKSPACE: self.workspace, Dimension.MODEL: self.model}
        return parts.get(dimension, self.api_key)

    def at(self, grain: Grain) -> Cell:
        """The cell with "" for every dimension that is not of the grain."""
        kept = (self.along(dimension) if dimension in grain else "" for dimension in CELL_DIMENSIONS)
        return Cell(*kept)


@dataclass(frozen=True, slots=True)
class Scope:
    """Filters over cells; an empty tuple means all."""

    workspaces: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    api_keys: tuple[str, ...] = ()

    @property
    def members(self) -> frozenset[ScopeKey]:
        """The workspaces, models and keys that it names."""
        filters = zip(CELL_DIMENSIONS, (self.workspaces, self.models, self.api_keys), strict=True)
        return frozenset(ScopeKey(dimension, id) for dimension, ids in filters for id in ids)

    @property
    def grain(self) -> Grain:
        """The dimensions that it filters by: cells that differ in others only are all the same to it."""
        return frozenset(member.dimension for member in self.members)

    def admits(self, key: ScopeKey) -> bool:
        """Whether a member of a dimension can have any spend inside these filters."""
        wanted = {
            Dimension.WORKSPACE: self.workspaces,
            Dimension.MODEL: self.models,
            Dimension.API_KEY: self.api_keys,
        }
        ids = wanted.get(key.dimension, ())
        return not ids or key.id in ids

    def holds(self, cell: Cell) -> bool:
        return (
            (not self.workspaces or cell.workspace in self.workspaces)
            and (not self.models or cell.model in self.models)
            and (not self.api_keys or cell.api_key in self.api_keys)
        )


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class ScopeKey:
    """Which member of a `for_each` a figure is about; the organisation where there is no `for_each`."""

    dimension: Dimension = Dimension.ORGANISATION
    id: str = ""

    def __str__(self) -> str:
        if self.dimension is Dimension.ORGANISATION:
            return "org"
        return f"{self.dimension.value}:{self.id}"


ORGANISATION = ScopeKey()


def scope_of(dimension: Dimension, ids: Iterable[str]) -> Scope:
    """The scope of these members of a dimension; of everything where there is no dimension."""
    members = tuple(ids)
    match dimension:
        case Dimension.WORKSPACE:
            return Scope(workspaces=members)
        case Dimension.MODEL:
            return Scope(models=members)
        case Dimension.API_KEY:
            return Scope(api_keys=members)
        case Dimension.ORGANISATION:
            return EVERYTHING
