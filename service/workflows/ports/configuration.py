"""Stored resources of every kind."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol, TypeVar

from service.domain.budgets.budget import Budget
from service.domain.digests.digest import DigestPlan
from service.domain.notify.escalation import EscalationPolicy
from service.domain.notify.receivers import Receiver
from service.domain.notify.rotas import Rota
from service.domain.notify.routing.routes import RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.notify.routing.situation import ConfigurationSnapshot
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.rule import Rule
from service.domain.sources.ownership import Ownership
from service.domain.sources.pricing import PriceOverride
from service.domain.sources.source import Source
from service.domain.values.errors import UnreadableDocument
from service.domain.values.resources import Lifetime, Page, Resource

Spec = TypeVar("Spec")


class Resources(Protocol[Spec]):
    """The stored resources of one kind. Every write keeps the version it replaces.

    What raises UnreadableDocument does so for a text that this release cannot read: `get`, `some`, `as_of`,
    `versions`, and `all` and `all_as_of` if any of them is such a text.
    """

    async def get(self, id_or_name: str) -> Resource[Spec]:
        """Raises NotFound."""
        ...

    async def unread(self, id_or_name: str) -> Resource[None]:
        """Returns one without its spec, whether that can be read or not. Raises NotFound."""
        ...

    async def all(self) -> list[Resource[Spec]]:
        """Returns them by id, oldest first, for whoever may overlook none."""
        ...

    async def readable(self) -> list[Resource[Spec]]:
        """The same without those that cannot be read: of these only the log hears."""
        ...

    async def named(self) -> dict[str, str]:
        """Returns the name of each by its id, whether it can be read or not."""
        ...

    async def some(self, ids: Collection[str]) -> dict[str, Resource[Spec]]:
        """Returns those of the ids that there are, by id."""
        ...

    async def names(self) -> list[str]: ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[Resource[Spec] | UnreadableDocument]:
        """Returns them by id, oldest first; what cannot be read says so in its place."""
        ...

    async def add(self, resource: Resource[Spec]) -> None:
        """Raises Conflict where the name is taken."""
        ...

    async def replace(self, resource: Resource[Spec]) -> None:
        """Stores version n over version n-1. Raises StaleVersion, Conflict, NotFound."""
        ...

    async def delete(self, id: str, *, version: int, now: datetime) -> None:
        """Raises StaleVersion, NotFound. The versions stay. The spec need not be one that can be read."""
        ...

    async def last_write(self) -> datetime | None:
        """Returns when one of this kind was last created, changed or deleted."""
        ...

    async def as_of(self, id: str, at: datetime) -> Resource[Spec] | None:
        """Returns the version that was valid at an instant, None where there was none."""
        ...

    async def all_as_of(self, at: datetime) -> list[Resource[Spec]]:
        """Returns the versions that were valid at an instant, by id."""
        ...

    async def some_as_of(self, ids: Collection[str], at: datetime) -> dict[str, Resource[Spec] | UnreadableDocument]:
        """Returns those of the ids that there were at an instant, by id."""
        ...

    async def versions(self, id: str, *, most: int) -> list[Resource[Spec]]:
        """Returns the newest versions of one that may be deleted, the newest first."""
        ...

    async def lifetime(self, id_or_name: str) -> Lifetime:
        """Returns when the resource of this id, or the last one of this name, existed. Raises NotFound."""
        ...


class Configuration(Protocol):
    """The stored resources of every kind, and a name for those that workflows read."""

    def resources(self, kind: str, spec: type[Spec]) -> Resources[Spec]:
        """Returns the store of a kind, such as "budget"."""
        ...

    async def snapshot(self, source_id: str, now: datetime) -> ConfigurationSnapshot:
        """Reads in one statement all that decides about a source's alerts and notifications, valid at one instant.

        Silences that are over are left out.
        """
        ...

    @property
    def sources(self) -> Resources[Source]:
        return self.resources("source", Source)

    @property
    def budgets(self) -> Resources[Budget]:
        return self.resources("budget", Budget)

    @property
    def prices(self) -> Resources[PriceOverride]:
        return self.resources("price", PriceOverride)

    @property
    def rules(self) -> Resources[Rule[object]]:
        return self.resources("rule", Rule)

    @property
    def planned(self) -> Resources[PlannedActivity]:
        return self.resources("planned activity", PlannedActivity)

    @property
    def receivers(self) -> Resources[Receiver]:
        return self.resources("receiver", Receiver)

    @property
    def routes(self) -> Resources[RouteTable]:
        return self.resources("routes", RouteTable)

    @property
    def policies(self) -> Resources[EscalationPolicy]:
        return self.resources("escalation policy", EscalationPolicy)

    @property
    def rotas(self) -> Resources[Rota]:
        return self.resources("rota", Rota)

    @property
    def silences(self) -> Resources[Silence]:
        return self.resources("silence", Silence)

    @property
    def ownerships(self) -> Resources[Ownership]:
        """One at most: all owners and tags are one document."""
        return self.resources("owners", Ownership)

    @property
    def digests(self) -> Resources[DigestPlan]:
        return self.resources("digest", DigestPlan)
