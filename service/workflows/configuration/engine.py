"""The configuration engine: the one place that writes resources, with checks, versions and audit events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from service.domain.access import AuditEvent
from service.domain.values.errors import Conflict, UnreadableDocument
from service.domain.values.lookalikes import TakenNames, require_visible
from service.domain.values.plain_values import Plain, differing, plain_fields, plainly
from service.domain.values.resources import Resource, new_id
from service.workflows.ports.access import AccessUnit

if TYPE_CHECKING:  # all that the product stores: a command about tokens needs little of it
    from service.workflows.ports.configuration import Resources
    from service.workflows.ports.unit_of_work import UnitOfWork

Spec = TypeVar("Spec")

MOST_NAMED = 5
SYSTEM = "system"
"""The author of what the first start creates."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, when, and from where: "token:deploy", its id, and the address of the request.

    `name` is that of somebody whom `actor` does not name: of a person in Slack.
    """

    actor: str
    at: datetime
    actor_id: str = ""
    address: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """The effect of a write, for the audit log: None before a creation, None after a deletion. It holds no secret."""

    before: Mapping[str, Plain] | None = None
    after: Mapping[str, Plain] | None = None

    @classmethod
    def of(cls, before: object, after: object) -> Self:
        """Returns the fields in which two values of one dataclass differ."""
        return cls(*differing(before, after))


NOTHING = Difference()


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

    async def implied(self, uow: UnitOfWork) -> frozenset[str]:
        """Names the resources that another kind's document makes by itself: a document of this kind need not."""
        return frozenset()

    async def after_write(self, uow: UnitOfWork, write: Write[Spec]) -> None:
        """Does what else has to happen in the write's transaction."""

    async def require_consistent(self, uow: UnitOfWork, write: Write[Spec]) -> None:
        """Raises Conflict where a write does not go with what is stored, now that the whole transaction is written."""

    async def after_all(self, uow: UnitOfWork, writes: Sequence[Write[Spec]]) -> None:
        """Does what follows from several writes of one transaction together."""


async def create(uow: UnitOfWork, kind: ResourceKind[Spec], draft: Draft[Spec], author: Author) -> Resource[Spec]:
    """Raises Conflict where the name is taken, and what the kind's `validate` raises."""
    await uow.become_only_writer()
    created = await create_among_others(uow, kind, draft, author, await taken_names(uow, kind))
    await kind.require_consistent(uow, Write(None, created, author.at))
    return created


async def create_among_others(
    uow: UnitOfWork, kind: ResourceKind[Spec], draft: Draft[Spec], author: Author, taken: TakenNames
) -> Resource[Spec]:
    """Does the same in a transaction that writes more: once all is written the caller asks `require_consistent`.

    `taken` are all names of the kind: the new one is added.
    """
    await uow.become_only_writer()
    _require_own_look(draft.name, taken)
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
    await record(uow, author, _action(kind, "create"), created.id, f"named {created.name!r}", _whole(None, created))
    taken.add(created.name)
    return created


async def taken_names(uow: UnitOfWork, kind: ResourceKind[Spec]) -> TakenNames:
    """The names of a kind. They are all of them only while the caller is the only writer."""
    return TakenNames(await kind.store(uow).names())


async def change(
    uow: UnitOfWork, kind: ResourceKind[Spec], stored: Resource[Spec], draft: Draft[Spec], author: Author
) -> Resource[Spec]:
    """Returns the next version, or the stored one where nothing differs. Raises StaleVersion, Conflict, Invalid."""
    after = await change_among_others(uow, kind, stored, draft, author)
    if after is not stored:
        await kind.require_consistent(uow, Write(stored, after, author.at))
    return after


async def change_among_others(
    uow: UnitOfWork, kind: ResourceKind[Spec], stored: Resource[Spec], draft: Draft[Spec], author: Author
) -> Resource[Spec]:
    """Does the same in a transaction that writes more: once all is written the caller asks `require_consistent`."""
    changed = _differences(stored, draft)
    if not changed:
        return stored
    await uow.become_only_writer()
    if draft.name != stored.name:
        _require_own_look(draft.name, await taken_names(uow, kind))
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
    await record(uow, author, _action(kind, "change"), stored.id, detail, _changed(stored, after))
    return after


async def overwrite(
    uow: UnitOfWork, kind: ResourceKind[Spec], stored: Resource[None], draft: Draft[Spec], author: Author
) -> Resource[Spec]:
    """Returns the next version of a resource of which nobody can read the last. Raises what `create` raises.

    What else follows is what follows from a write that changes nothing.
    """
    await uow.become_only_writer()
    if draft.name != stored.name:
        _require_own_look(draft.name, await taken_names(uow, kind))
    await kind.validate(uow, draft.spec, None)
    version = stored.version + 1
    after = Resource(stored.id, draft.name, version, stored.created_at, author.at, draft.labels, draft.spec)
    await kind.store(uow).replace(after)
    await kind.after_write(uow, Write(after, after, author.at))
    await kind.require_consistent(uow, Write(None, after, author.at))
    detail = f"{stored.name!r}, version {version}: written over a text that could not be read"
    await record(uow, author, _action(kind, "change"), stored.id, detail, _whole(None, after))
    return after


async def delete(uow: UnitOfWork, kind: ResourceKind[Spec], stored: Resource[Spec], author: Author) -> None:
    """Raises Conflict naming the dependents of a resource in use, and StaleVersion."""
    await uow.become_only_writer()
    await _require_unused(uow, kind, stored.id)
    await kind.store(uow).delete(stored.id, version=stored.version, now=author.at)
    await kind.after_write(uow, Write(stored, None, author.at))
    await record(uow, author, _action(kind, "delete"), stored.id, f"named {stored.name!r}", _whole(stored, None))


async def delete_unread(uow: UnitOfWork, kind: ResourceKind[Spec], stored: Resource[None], author: Author) -> None:
    """Deletes a resource that nobody can read; what else a deletion causes comes with the next evaluation."""
    await uow.become_only_writer()
    await _require_unused(uow, kind, stored.id)
    await kind.store(uow).delete(stored.id, version=stored.version, now=author.at)
    detail = f"named {stored.name!r}, whose text could not be read"
    await record(uow, author, _action(kind, "delete"), stored.id, detail)


async def _require_unused(uow: UnitOfWork, kind: ResourceKind[Spec], id: str) -> None:
    dependents = await kind.dependents(uow, id)
    if dependents:
        more = f" and {len(dependents) - MOST_NAMED} more" if len(dependents) > MOST_NAMED else ""
        raise Conflict(f"The {kind.noun} is in use by {', '.join(dependents[:MOST_NAMED])}{more}")


async def the_only(uow: UnitOfWork, kind: ResourceKind[Spec]) -> Resource[Spec] | None:
    """Returns the one resource of a kind that is a single document, None before its first write."""
    stored = await kind.store(uow).all()
    return stored[0] if stored else None


async def version_of_the_only(uow: UnitOfWork, kind: ResourceKind[Spec]) -> int:
    """Returns the version of such a document, whether it can be read or not; 0 before its first write."""
    versions = [(await kind.store(uow).unread(id)).version for id in await kind.store(uow).named()]
    return max(versions, default=0)


async def put(uow: UnitOfWork, kind: ResourceKind[Spec], draft: Draft[Spec], author: Author) -> Resource[Spec]:
    """Replaces the one resource of such a kind, be it one that cannot be read, or creates it."""
    try:
        stored = await the_only(uow, kind)
    except UnreadableDocument as error:
        return await overwrite(uow, kind, await kind.store(uow).unread(error.id), draft, author)
    if stored is None:
        return await create(uow, kind, draft, author)
    return await change(uow, kind, stored, draft, author)


async def record(
    uow: AccessUnit, author: Author, action: str, subject: str, detail: str, change: Difference = NOTHING
) -> None:
    """Adds the audit event of a write; neither `detail` nor `change` holds a secret."""
    await uow.audit.add(
        AuditEvent(
            id=new_id("aud", author.at),
            at=author.at,
            actor=author.actor,
            action=action,
            subject=subject,
            detail=detail,
            actor_id=author.actor_id,
            address=author.address,
            actor_name=author.name,
            before=change.before,
            after=change.after,
        )
    )


def _require_own_look(name: str, taken: TakenNames) -> None:
    """Raises Invalid or Conflict for a name that people could take for another one."""
    require_visible(name)
    taken.require_unlike(name)


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


def _whole(before: Resource[Spec] | None, after: Resource[Spec] | None) -> Difference:
    """Returns all of a resource that was created or deleted."""
    return Difference(_document(before) if before else None, _document(after) if after else None)


def _document(resource: Resource[Spec]) -> dict[str, Plain]:
    return {"name": resource.name, "labels": plainly(resource.labels), **plain_fields(resource.spec)}


def _changed(before: Resource[Spec], after: Resource[Spec]) -> Difference:
    """Returns the name, the labels and the fields of the spec that differ."""
    was, now = _document(before), _document(after)
    names = _differences(before, Draft(after.name, after.labels, after.spec))
    return Difference({name: was.get(name) for name in names}, {name: now.get(name) for name in names})
