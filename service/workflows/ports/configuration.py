"""Stored resources of every kind."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, TypeVar

from service.domain.values.resources import Lifetime, Page, Resource

Spec = TypeVar("Spec")


class Resources(Protocol[Spec]):
    """The stored resources of one kind. Every write keeps the version it replaces."""

    async def get(self, id_or_name: str) -> Resource[Spec]:
        """Raises NotFound."""
        ...

    async def all(self) -> list[Resource[Spec]]: ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[Resource[Spec]]:
        """By id, oldest first."""
        ...

    async def add(self, resource: Resource[Spec]) -> None:
        """Raises Conflict where the name is taken."""
        ...

    async def replace(self, resource: Resource[Spec]) -> None:
        """Stores version n over version n-1. Raises StaleVersion, Conflict, NotFound."""
        ...

    async def delete(self, id: str, *, version: int, now: datetime) -> None:
        """Raises StaleVersion, NotFound. The versions stay."""
        ...

    async def last_write(self) -> datetime | None:
        """When one of this kind was made, changed or deleted last."""
        ...

    async def as_of(self, id: str, at: datetime) -> Resource[Spec] | None:
        """The version that was valid at an instant, None where there was none."""
        ...

    async def all_as_of(self, at: datetime) -> list[Resource[Spec]]:
        """What there was at an instant, as it was then, by id."""
        ...

    async def lifetime(self, id_or_name: str) -> Lifetime:
        """When what has this id, or bore this name last, existed. Raises NotFound where nothing ever did."""
        ...
