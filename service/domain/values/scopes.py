"""Scopes: which spend is counted, and for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    ACTOR = "actor"
    """Who made the calls: a person or a service account. Only the bill says so, of whole days."""
    PRODUCT = "product"
    """The surface that the calls came through. Only the bill says so, of whole days."""


CELL_DIMENSIONS = (Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY)
SPENDER_DIMENSIONS = (Dimension.ACTOR, Dimension.PRODUCT)
ALL_DIMENSIONS = (*CELL_DIMENSIONS, *SPENDER_DIMENSIONS)
"""In the order of a cell's fields."""
Grain = frozenset[Dimension]
"""The dimensions by which cells are told apart; spend is added up over the others."""
FINEST: Grain = frozenset(CELL_DIMENSIONS)
SPENDERS: Grain = frozenset(ALL_DIMENSIONS)
"""The cells of the bill by who made the calls, and through what."""


def tells_spenders(grain: Grain) -> bool:
    """Whether a grain tells apart what only the bill's own rows do."""
    return not grain.isdisjoint(SPENDER_DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Cell:
    """The finest grain of spend: one workspace, model and API key; of SPENDERS, one actor and product as well.

    "" stands for none.
    """

    workspace: str
    model: str
    api_key: str
    actor: str = ""
    product: str = ""

    def along(self, dimension: Dimension) -> str:
        match dimension:
            case Dimension.ORGANISATION:
                return ""
            case Dimension.WORKSPACE:
                return self.workspace
            case Dimension.MODEL:
                return self.model
            case Dimension.API_KEY:
                return self.api_key
            case Dimension.ACTOR:
                return self.actor
            case Dimension.PRODUCT:
                return self.product

    def at(self, grain: Grain) -> Cell:
        """The cell with "" for every dimension that is not of the grain."""
        return Cell(*(self.along(dimension) if dimension in grain else "" for dimension in ALL_DIMENSIONS))


@dataclass(frozen=True, slots=True)
class Scope:
    """Filters over cells; an empty tuple means all."""

    workspaces: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    api_keys: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    products: tuple[str, ...] = ()

    @property
    def filters(self) -> Mapping[Dimension, tuple[str, ...]]:
        """The members that it names, by dimension; none where it lets all of them pass."""
        return {
            Dimension.WORKSPACE: self.workspaces,
            Dimension.MODEL: self.models,
            Dimension.API_KEY: self.api_keys,
            Dimension.ACTOR: self.actors,
            Dimension.PRODUCT: self.products,
        }

    @property
    def members(self) -> frozenset[ScopeKey]:
        """The members that it names."""
        return frozenset(ScopeKey(dimension, id) for dimension, ids in self.filters.items() for id in ids)

    @property
    def grain(self) -> Grain:
        """The dimensions that it filters by: cells that differ in others only are all the same to it."""
        return frozenset(member.dimension for member in self.members)

    def admits(self, key: ScopeKey) -> bool:
        """Whether a member of a dimension can have any spend inside these filters."""
        ids = self.filters.get(key.dimension, ())
        return not ids or key.id in ids

    def may_share(self, other: Scope) -> bool:
        """Whether some spend may be inside both: no dimension keeps them apart."""
        both = [(ids, other.filters[dimension]) for dimension, ids in self.filters.items()]
        return all(not mine or not theirs or set(mine) & set(theirs) for mine, theirs in both)

    def holds(self, cell: Cell) -> bool:
        return (
            (not self.workspaces or cell.workspace in self.workspaces)
            and (not self.models or cell.model in self.models)
            and (not self.api_keys or cell.api_key in self.api_keys)
            and (not self.actors or cell.actor in self.actors)
            and (not self.products or cell.product in self.products)
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
        case Dimension.ACTOR:
            return Scope(actors=members)
        case Dimension.PRODUCT:
            return Scope(products=members)
        case Dimension.ORGANISATION:
            return EVERYTHING
