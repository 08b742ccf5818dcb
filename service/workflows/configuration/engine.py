"""The configuration engine: the one place that writes resources, with checks, versions and audit events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from service.domain.access import AuditEvent
from service.domain.values.errors import Conflict
from service.domain.values.resources import Resource, new_id
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import UnitOfWork

Spec = TypeVar("Spec")

MOST_NAMED = 5
SYSTEM = "system"
"""The author of what the first start creates."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and when: "token:deploy"."""

    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Draft(Generic[Spec]):
    """A resource as a caller wants it to be."""

    name: str
    labels: Mapping[str, str]
    spec: Spec


@dataclass(frozen=True, slots=True)
class Write(Generic[Spec]):
    """One write of a resource: `before` is None where it creates, `after` is None where it deletes."""

    before: Resource[Spec] | None
    after: Resource[Spec] | None
    at: datetime

    @property
    def resource(self) -> Resource[Spec]:
        """The resource as the write leaves it; a deleted one as it was last."""
        resource = self.after or self.before
        assert resource is not None
        return resource


class ResourceKind(Generic[Spec]):
    """The rules of one kind of resource: which specs are valid, what depends on it, and what a write causes.

    Rows are stored under `noun`, ids begin with `prefix`, and `spec` is a frozen dataclass.
    Writers come one after the other, so that what `validate` and `dependents` saw still holds at the commit.
    """

    noun: str
    prefix: str
    spec: type[Spec]

    @property
    def plural(self) -> str:
        return f"{self.noun}s"

    def store(self, uow: UnitOfWork) -> Resources[Spec]:
        return uow.resources(self.noun, self.spec)

    async def validate(self, uow: UnitOfWork, spec: Spec, stored: Resource[Spec] | None) -> None:
        """Raises Invalid or Conflict where the spec contradicts itself or what else is stored."""

    async def dependents(self, uow: UnitOfWork, id: str) -> list[str]:
        """Names what refers to the resource. A resource with dependents cannot be deleted."""
        return []

    async def after_write(self, uow: UnitOfWork, write: Write[Spec]) -> None:
        """Does what else has to happen in the write's transaction."""


async def create(uow: UnitOfWork, kind: ResourceKind[Spec], draft: Draft[Spec], author: Author) -> Resource[Spec]:
    """Raises Conflict where the name is taken, and what the kind's `validate` raises."""
    await uow.become_only_writer()
    await kind.validate(uow, draft.spec, None)
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
    await kind.after_write(uow, Write(None, created, author.at))
    await record(uow, author, _action(kind, "create"), created.id, f"named {created.name!r}")
    return created


async def change(
    uow: UnitOfWork, kind: ResourceKind[Spec], stored: Resource[Spec], draft: Draft[Spec], author: Author
) -> Resource[Spec]:
    """Returns the next version, or the stored one where nothing differs. Raises StaleVersion, Conflict, Invalid."""
    changed = _differences(stored, draft)
    if not changed:
        return stored
    await uow.become_only_writer()
    await kind.validate(uow, draft.spec, stored)
    after = replace(
        stored,
        name=draft.name,
        labels=draft.labels,
        spec=draft.spec,
        version=stored.version + 1,
        updated_at=author.at,
    )
    await kind.store(uow).replace(after)
    await kind.after_write(uow, Write(stored, after, author.at))
    detail = f"{stored.name!r}, version {after.version}: changed {', '.join(changed)}"
    await record(uow, author, _action(kind, "change"), stored.id, detail)
    return after


async def delete(uow: UnitOfWork, kind: ResourceKind[Spec], stored: Resource[Spec], author: Author) -> None:
    """Raises Conflict naming the dependents of a resource in use, and StaleVersion."""
    await uow.become_only_writer()
    dependents = await kind.dependents(uow, stored.id)
    if dependents:
        more = f" and {len(dependents) - MOST_NAMED} more" if len(dependents) > MOST_NAMED else ""
        raise Conflict(f"The {kind.noun} is in use by {', '.join(dependents[:MOST_NAMED])}{more}")
    await kind.store(uow).delete(stored.id, version=stored.version, now=author.at)
    await kind.after_write(uow, Write(stored, None, author.at))
    await record(uow, author, _action(kind, "delete"), stored.id, f"named {stored.name!r}")


async def the_only(uow: UnitOfWork, kind: ResourceKind[Spec]) -> Resource[Spec] | None:
    """Returns the one resource of a kind that is a single document, None before its first write."""
    stored = await kind.store(uow).all()
    return stored[0] if stored else None


async def put(uow: UnitOfWork, kind: ResourceKind[Spec], draft: Draft[Spec], author: Author) -> Resource[Spec]:
    """Replaces the one resource of such a kind, or creates it."""
    stored = await the_only(uow, kind)
    if stored is None:
        return await create(uow, kind, draft, author)
    return await change(uow, kind, stored, draft, author)


async def record(uow: UnitOfWork, author: Author, action: str, subject: str, detail: str) -> None:
    """Adds the audit event of a write; `detail` holds no secret."""
    event = AuditEvent(new_id("aud", author.at), author.at, author.actor, action, subject, detail)
    await uow.audit.add(event)


def _action(kind: ResourceKind[Spec], verb: str) -> str:
    return f"{kind.noun.replace(' ', '_')}.{verb}"


def _differences(stored: Resource[Spec], draft: Draft[Spec]) -> list[str]:
    """Names the fields that differ, without their values: some are secrets."""
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
