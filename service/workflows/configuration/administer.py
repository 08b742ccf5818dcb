"""Writing the configuration: every write in one place, with its checks, its version and its audit event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from service.domain.access import AuditEvent
from service.domain.notify.receivers import Console, Receiver, channel_key
from service.domain.notify.routing.routes import Route, RouteTable, validate_routes
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.resources import Resource, new_id
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

Spec = TypeVar("Spec")

MOST_NAMED = 5
ROUTES = "routes"
"""The name of the one route table."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and when: "token:deploy"."""

    actor: str
    at: datetime


SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Draft(Generic[Spec]):
    """What a caller wants a resource to be."""

    name: str
    labels: Mapping[str, str]
    spec: Spec


class Kind(ABC, Generic[Spec]):
    """The rules of one kind of resource: where it is stored, what it may be, and what a write causes.

    Writers come one after the other, so that what `admit` and `users` saw still holds at the commit.
    """

    noun: str
    prefix: str

    @property
    def plural(self) -> str:
        return f"{self.noun}s"

    @abstractmethod
    def store(self, uow: UnitOfWork) -> Resources[Spec]: ...

    async def admit(self, uow: UnitOfWork, spec: Spec, stored: Resource[Spec] | None) -> None:
        """Raises Invalid or Conflict where the spec contradicts itself or what else is stored."""

    async def users(self, uow: UnitOfWork, id: str) -> list[str]:
        """What refers to the resource, named for people: such a resource cannot be deleted."""
        return []

    async def follow(
        self, uow: UnitOfWork, before: Resource[Spec] | None, after: Resource[Spec] | None, now: datetime
    ) -> None:
        """What else has to happen in the write's transaction. `before` or `after` is None at its ends."""


async def create(uow: UnitOfWork, kind: Kind[Spec], draft: Draft[Spec], author: Author) -> Resource[Spec]:
    """Raises Conflict where the name is taken, and what the kind's `admit` raises."""
    await uow.become_only_writer()
    await kind.admit(uow, draft.spec, None)
    created = Resource(
        id=new_id(kind.prefix, author.at),
        name=draft.name,
        version=1,
        created_at=author.at,
        updated_at=author.at,
        labels=draft.labels,
        spec=draft.spec,
    )
    await kind.store(uow).add(created)
    await kind.follow(uow, None, created, author.at)
    await record(uow, author, _action(kind, "create"), created.id, f"named {created.name!r}")
    return created


async def change(
    uow: UnitOfWork, kind: Kind[Spec], stored: Resource[Spec], draft: Draft[Spec], author: Author
) -> Resource[Spec]:
    """The next version; the stored one where nothing differs. Raises StaleVersion, Conflict, Invalid."""
    changed = _differences(stored, draft)
    if not changed:
        return stored
    await uow.become_only_writer()
    await kind.admit(uow, draft.spec, stored)
    after = replace(
        stored,
        name=draft.name,
        labels=draft.labels,
        spec=draft.spec,
        version=stored.version + 1,
        updated_at=author.at,
    )
    await kind.store(uow).replace(after)
    await kind.follow(uow, stored, after, author.at)
    detail = f"{stored.name!r}, version {after.version}: changed {', '.join(changed)}"
    await record(uow, author, _action(kind, "change"), stored.id, detail)
    return after


async def delete(uow: UnitOfWork, kind: Kind[Spec], stored: Resource[Spec], author: Author) -> None:
    """Raises Conflict naming the users of a resource in use, and StaleVersion."""
    await uow.become_only_writer()
    users = await kind.users(uow, stored.id)
    if users:
        more = f" and {len(users) - MOST_NAMED} more" if len(users) > MOST_NAMED else ""
        raise Conflict(f"The {kind.noun} is in use by {', '.join(users[:MOST_NAMED])}{more}")
    await kind.store(uow).delete(stored.id, version=stored.version, now=author.at)
    await kind.follow(uow, stored, None, author.at)
    await record(uow, author, _action(kind, "delete"), stored.id, f"named {stored.name!r}")


async def record(uow: UnitOfWork, author: Author, action: str, subject: str, detail: str) -> None:
    """The audit event of a write; `detail` holds no secret."""
    event = AuditEvent(new_id("aud", author.at), author.at, author.actor, action, subject, detail)
    await uow.audit.add(event)


def _action(kind: Kind[Spec], verb: str) -> str:
    return f"{kind.noun.replace(' ', '_')}.{verb}"


def _differences(stored: Resource[Spec], draft: Draft[Spec]) -> list[str]:
    """Names of what differs. Of values nothing is said: some are secrets."""
    changed = [
        name
        for name, before, after in (
            ("name", stored.name, draft.name),
            ("labels", dict(stored.labels), dict(draft.labels)),
        )
        if before != after
    ]
    assert is_dataclass(stored.spec)
    return changed + [
        field.name
        for field in fields(stored.spec)
        if getattr(stored.spec, field.name) != getattr(draft.spec, field.name)
    ]


# ------------------------------------------------------------------------------------------- routes


async def route_table(uow: UnitOfWork) -> Resource[RouteTable] | None:
    """The stored routes, None before the first start has made them."""
    stored = await uow.routes.all()
    return stored[0] if stored else None


class RouteTables(Kind[RouteTable]):
    noun, prefix = "routes", "rts"

    def store(self, uow: UnitOfWork) -> Resources[RouteTable]:
        return uow.routes

    async def admit(self, uow: UnitOfWork, spec: RouteTable, stored: Resource[RouteTable] | None) -> None:
        validate_routes(spec)
        known = {receiver.id for receiver in await uow.receivers.all()}
        policies = {policy.id for policy in await uow.policies.all()}
        for position, route in enumerate(spec.items):
            if route.escalation_policy_id not in {None, *policies}:
                raise Invalid("the escalation policy has been deleted", f"/items/{position}/escalation_policy")
            if route.receiver_id not in known:
                raise Invalid("the receiver has been deleted", f"/items/{position}/receiver")


async def put_routes(uow: UnitOfWork, table: RouteTable, author: Author) -> Resource[RouteTable]:
    """The whole table anew."""
    draft = Draft(ROUTES, {}, table)
    stored = await route_table(uow)
    if stored is None:
        return await create(uow, RouteTables(), draft, author)
    return await change(uow, RouteTables(), stored, draft, author)


class Receivers(Kind[Receiver]):
    noun, prefix = "receiver", "rcv"

    def store(self, uow: UnitOfWork) -> Resources[Receiver]:
        return uow.receivers

    async def admit(self, uow: UnitOfWork, spec: Receiver, stored: Resource[Receiver] | None) -> None:
        keys = [channel_key(channel) for channel in spec.channels]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                raise Invalid("the receiver has this channel already", f"/channels/{position}")

    async def users(self, uow: UnitOfWork, id: str) -> list[str]:
        table = await route_table(uow)
        routes = table.spec.items if table else ()
        return [
            *(
                "the default route" if position == len(routes) - 1 else f"route {position}"
                for position, route in enumerate(routes)
                if route.receiver_id == id
            ),
            *(
                f"escalation policy {policy.name!r}"
                for policy in await uow.policies.all()
                if any(step.receiver_id == id for step in policy.spec.steps)
            ),
            *(f"digest {digest.name!r}" for digest in await uow.digests.all() if digest.spec.receiver_id == id),
            *(
                f"rota {rota.name!r}"
                for rota in await uow.rotas.all()
                if any(person.receiver_id == id for person in rota.spec.people)
            ),
        ]

    async def follow(
        self, uow: UnitOfWork, before: Resource[Receiver] | None, after: Resource[Receiver] | None, now: datetime
    ) -> None:
        """Channels that were disabled are tried anew once somebody has seen to the receiver."""
        if before is not None and (after is None or after.spec != before.spec):
            await uow.channel_health.forget(before.id)


async def run_default_routes(ports: Ports) -> None:
    """Where no routes are stored: a receiver that writes to the worker's log, and the route that leads to it."""
    author = Author(SYSTEM, ports.clock())
    async with ports.uow() as uow:
        await uow.become_only_writer()  # replicas may start at once: whoever comes second finds it done
        if await route_table(uow) is not None:
            return
        named = {receiver.name: receiver for receiver in await uow.receivers.all()}
        console = named.get("console") or await create(
            uow, Receivers(), Draft("console", {}, Receiver((Console(),))), author
        )
        await put_routes(uow, RouteTable((Route(console.id),)), author)
