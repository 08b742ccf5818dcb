"""Resources of every kind, in one table; every version of them, in another that only grows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Generic, TypeVar, cast

import structlog
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Row,
    Select,
    Text,
    case,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import Json, decode, encode
from service.adapters.postgres.cursors import read_page
from service.adapters.postgres.rules.codec import decode_rule
from service.adapters.postgres.tables import resource_versions, resources
from service.domain.budgets.budget import Budget
from service.domain.notify.escalation import EscalationPolicy
from service.domain.notify.receivers import Receiver
from service.domain.notify.rotas import Rota
from service.domain.notify.routing.routes import RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.notify.routing.situation import NO_OWNERS, NO_ROUTES, ConfigurationSnapshot, Unreadable
from service.domain.rules.rule import Rule
from service.domain.sources.ownership import Ownership
from service.domain.sources.source import Source
from service.domain.values.errors import Conflict, NotFound, StaleVersion, UnreadableDocument
from service.domain.values.mail_addresses import is_mail_address, is_same
from service.domain.values.resources import Lifetime, Page, Resource
from service.workflows.ports.outages import RecurringDefects

log = structlog.get_logger(__name__)

Spec = TypeVar("Spec")


_DECODERS: Mapping[object, Callable[[Json], Any]] = {Rule: decode_rule}
"""Decoders of specs whose JSON says which class a part of it is."""


_NOTIFYING = ("receiver", "routes", "silence", "escalation policy", "rota", "owners")
_NOT_A_SPEC = (ValueError, TypeError, LookupError, ArithmeticError)
"""The errors of a decoder: the text is no spec of its kind, or of none that this release knows."""
_LONGEST_ERROR = 1000
MOST_REMEMBERED = 10_000
"""Decoded specs: a process keeps those that it read last."""
_MET = RecurringDefects()


async def read_snapshot(connection: AsyncConnection, source_id: str, now: datetime) -> ConfigurationSnapshot:
    """Reads by one statement: all of it was valid at one instant, and refers to nothing that is missing.

    Silences that are over silence nothing, and are not read. What cannot be read is left out and named, but for the
    source and the routes: without these nothing can be said.
    """
    of_source = resources.c.kind.in_(("budget", "rule")) & (resources.c.spec["source_id"].astext == source_id)
    notifies = resources.c.kind.in_(_NOTIFYING) & ~_is_over(now)
    is_source = (resources.c.kind == "source") & (resources.c.id == source_id)
    columns = [column for column in resources.c if column.name != "spec"]
    query = select(*columns, resources.c.spec.cast(Text).label("spec")).where(or_(is_source, of_source, notifies))
    rows = defaultdict(list)
    for row in await connection.execute(query.order_by(resources.c.id)):
        rows[row.kind].append(row)

    unreadable: dict[str, Unreadable] = {}

    def by_id(kind: str, spec: type[Spec]) -> dict[str, Resource[Spec]]:
        return {row.id: _resource(row, _remembered(cast("Hashable", spec), row.spec)) for row in rows[kind]}

    def readable(kind: str, spec: type[Spec]) -> dict[str, Resource[Spec]]:
        found: dict[str, Resource[Spec]] = {}
        for row in rows[kind]:
            try:
                found[row.id] = _resource(row, _remembered(cast("Hashable", spec), row.spec))
            except _NOT_A_SPEC as error:
                words = _words(error)
                if _MET.is_worth_a_line(row.id, words):
                    log.exception("resource_unreadable", kind=kind, id=row.id)
                unreadable[row.id] = Unreadable(kind, words)
        return found

    return ConfigurationSnapshot(
        sources=by_id("source", Source),
        budgets=readable("budget", Budget),
        rules=readable("rule", Rule),
        receivers=readable("receiver", Receiver),
        routes=next((stored.spec for stored in by_id("routes", RouteTable).values()), NO_ROUTES),
        silences=readable("silence", Silence),
        policies=readable("escalation policy", EscalationPolicy),
        rotas=readable("rota", Rota),
        ownership=next((stored.spec for stored in readable("owners", Ownership).values()), NO_OWNERS),
        unreadable=unreadable,
    )


@lru_cache(MOST_REMEMBERED)
def _remembered(spec: Any, stored: str) -> Any:
    """The spec that a text says. It depends on the text alone, so that what is remembered is what would be read."""
    return _decoder_of(spec)(json.loads(stored))


def _decoder_of(spec: Any) -> Callable[[Json], Any]:
    return _DECODERS.get(spec, partial(decode, spec))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]


def _resource(row: Row[*tuple[Any, ...]], spec: Spec) -> Resource[Spec]:
    return Resource(row.id, row.name, row.version, row.created_at, row.updated_at, row.labels, spec)


def _is_over(now: datetime) -> ColumnElement[bool]:
    """A silence that has ended, by itself or early."""
    ended = resources.c.spec["ends_at"].astext.cast(DateTime(timezone=True)) <= now
    expired = resources.c.spec["expired_at"].astext.is_not(None)
    return case((resources.c.kind == "silence", or_(expired, ended)), else_=false())


class PostgresResources(Generic[Spec]):
    """The resources of one kind, such as "budget", with specs of one class."""

    def __init__(self, connection: AsyncConnection, kind: str, spec: type[Spec]) -> None:
        self._connection = connection
        self._kind = kind
        self._decode: Callable[[Json], Spec] = _decoder_of(spec)

    async def get(self, id_or_name: str) -> Resource[Spec]:
        return self._read(await self._row(id_or_name))

    async def unread(self, id_or_name: str) -> Resource[None]:
        return _resource(await self._row(id_or_name), None)

    async def _row(self, id_or_name: str) -> Row[Any]:
        row = await self._found(id_or_name)
        if row is None and is_mail_address(id_or_name):
            alike = next((id for id, name in (await self.named()).items() if is_same(name, id_or_name)), None)
            row = await self._found(alike) if alike is not None else None
        if row is None:
            raise self._not_found(id_or_name)
        return row

    async def _found(self, id_or_name: str) -> Row[Any] | None:
        by_id_first = case((resources.c.id == id_or_name, 0), else_=1)
        named = or_(resources.c.id == id_or_name, resources.c.name == id_or_name)
        found = await self._connection.execute(self._all().where(named).order_by(by_id_first).limit(1))
        row: Row[Any] | None = found.one_or_none()
        return row

    async def all(self) -> list[Resource[Spec]]:
        """Returns them by id: oldest first."""
        rows = await self._connection.execute(self._all().order_by(resources.c.id))
        return [self._read(row) for row in rows]

    async def readable(self) -> list[Resource[Spec]]:
        rows = await self._connection.execute(self._all().order_by(resources.c.id))
        return [one for row in rows if not isinstance(one := self._read_or_not(row), UnreadableDocument)]

    async def named(self) -> dict[str, str]:
        query = select(resources.c.id, resources.c.name).where(resources.c.kind == self._kind)
        return {id: name for id, name in await self._connection.execute(query)}

    async def some(self, ids: Collection[str]) -> dict[str, Resource[Spec]]:
        rows = await self._connection.execute(self._all().where(resources.c.id.in_(ids)))
        return {row.id: self._read(row) for row in rows}

    async def names(self) -> list[str]:
        return list(await self._connection.scalars(select(resources.c.name).where(resources.c.kind == self._kind)))

    async def page(self, *, limit: int, cursor: str | None) -> Page[Resource[Spec] | UnreadableDocument]:
        return await read_page(
            self._connection, self._all(), resources, self._read_or_not, limit=limit, cursor=cursor, listing=self._kind
        )

    async def add(self, resource: Resource[Spec]) -> None:
        values = {"id": resource.id, "kind": self._kind, **self._values(resource)}
        statement = upsert(resources).values(values).on_conflict_do_nothing().returning(resources.c.id)
        if (await self._connection.execute(statement)).one_or_none() is None:
            raise self._name_taken(resource.name)
        await self._keep(resource)

    async def replace(self, resource: Resource[Spec]) -> None:
        statement = (
            update(resources)
            .where(self._at(resource.id, resource.version - 1))
            .values(self._values(resource))
            .returning(resources.c.id)
        )
        try:
            async with self._connection.begin_nested():
                replaced = (await self._connection.execute(statement)).one_or_none()
        except IntegrityError as error:
            raise self._name_taken(resource.name) from error
        if replaced is None:
            raise await self._missed(resource.id)
        await self._keep(resource)

    async def delete(self, id: str, *, version: int, now: datetime) -> None:
        statement = delete(resources).where(self._at(id, version)).returning(resources)
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            raise await self._missed(id)
        last = dict(row._mapping)
        del last["updated_at"]
        tombstone = last | {"version": version + 1, "valid_from": now, "deleted": True}
        await self._connection.execute(insert(resource_versions).values(tombstone))

    async def last_write(self) -> datetime | None:
        newest = select(func.max(resource_versions.c.valid_from)).where(resource_versions.c.kind == self._kind)
        written: datetime | None = await self._connection.scalar(newest)
        return written

    async def as_of(self, id: str, at: datetime) -> Resource[Spec] | None:
        versions = resource_versions.c
        newest = (
            select(resource_versions, versions.valid_from.label("updated_at"))
            .where(versions.id == id, versions.kind == self._kind, versions.valid_from <= at)
            .order_by(versions.version.desc())
            .limit(1)
        )
        row = (await self._connection.execute(newest)).one_or_none()
        return None if row is None or row.deleted else self._read(row)

    async def all_as_of(self, at: datetime) -> list[Resource[Spec]]:
        return [self._read(row) for row in await self._connection.execute(self._as_of(at)) if not row.deleted]

    async def some_as_of(self, ids: Collection[str], at: datetime) -> dict[str, Resource[Spec] | UnreadableDocument]:
        rows = await self._connection.execute(self._as_of(at).where(resource_versions.c.id.in_(ids)))
        return {row.id: self._read_or_not(row) for row in rows if not row.deleted}

    def _as_of(self, at: datetime) -> Select[Any]:
        versions = resource_versions.c
        return (
            select(resource_versions, versions.valid_from.label("updated_at"))
            .ext(distinct_on(versions.id))
            .where(versions.kind == self._kind, versions.valid_from <= at)
            .order_by(versions.id, versions.version.desc())
        )

    async def versions(self, id: str, *, most: int) -> list[Resource[Spec]]:
        versions = resource_versions.c
        newest = (
            select(resource_versions, versions.valid_from.label("updated_at"))
            .where(versions.id == id, versions.kind == self._kind, ~versions.deleted)
            .order_by(versions.version.desc())
            .limit(most)
        )
        return [self._read(row) for row in await self._connection.execute(newest)]

    async def lifetime(self, id_or_name: str) -> Lifetime:
        versions = resource_versions.c
        ours = versions.kind == self._kind
        bearer = (
            select(versions.id)
            .where(ours, or_(versions.id == id_or_name, versions.name == id_or_name))
            .order_by(case((versions.id == id_or_name, 0), else_=1), versions.valid_from.desc(), versions.id.desc())
            .limit(1)
        )
        query = select(resource_versions).where(ours, versions.id == bearer.scalar_subquery())
        rows = (await self._connection.execute(query.order_by(versions.version))).all()
        if not rows:
            raise self._not_found(id_or_name)
        first, last = rows[0], rows[-1]
        return Lifetime(last.id, last.name, first.valid_from, last.valid_from if last.deleted else None)

    def _all(self) -> Select[Any]:
        return select(resources).where(resources.c.kind == self._kind)

    def _at(self, id: str, version: int) -> Any:
        return (resources.c.id == id) & (resources.c.kind == self._kind) & (resources.c.version == version)

    async def _keep(self, resource: Resource[Spec]) -> None:
        values = self._values(resource)
        valid_from = values.pop("updated_at")
        await self._connection.execute(
            insert(resource_versions).values(
                id=resource.id, kind=self._kind, valid_from=valid_from, deleted=False, **values
            )
        )

    async def _missed(self, id: str) -> StaleVersion | NotFound:
        """Returns why a compare-and-set matched nothing."""
        stored = await self._connection.scalar(
            select(resources.c.version).where(resources.c.id == id, resources.c.kind == self._kind)
        )
        if stored is None:
            return self._not_found(id)
        return StaleVersion(f"{self._kind} {id} is at version {stored} by now; read it and change that")

    def _not_found(self, id_or_name: str) -> NotFound:
        return NotFound(f"there is no {self._kind} {id_or_name!r}")

    def _name_taken(self, name: str) -> Conflict:
        return Conflict(f"the name {name!r} is another {self._kind}'s: choose another, or change that one")

    def _values(self, resource: Resource[Spec]) -> dict[str, Any]:
        return {
            "name": resource.name,
            "version": resource.version,
            "labels": dict(resource.labels),
            "spec": encode(resource.spec),
            "created_at": resource.created_at,
            "updated_at": resource.updated_at,
        }

    def _read(self, row: Row[Any]) -> Resource[Spec]:
        """Raises UnreadableDocument."""
        try:
            return _resource(row, self._decode(row.spec))
        except _NOT_A_SPEC as error:
            raise UnreadableDocument(self._kind, row.id, row.name, _words(error)) from error

    def _read_or_not(self, row: Row[Any]) -> Resource[Spec] | UnreadableDocument:
        try:
            return self._read(row)
        except UnreadableDocument as error:
            if _MET.is_worth_a_line(row.id, str(error)):
                log.exception("resource_unreadable", kind=self._kind, id=row.id)
            return error


class RememberedResources(PostgresResources[Spec]):
    """The resources of one kind as their only writer sees them: what it has read stays so until it writes itself."""

    def __init__(self, connection: AsyncConnection, kind: str, spec: type[Spec]) -> None:
        super().__init__(connection, kind, spec)
        self._all_read: list[Resource[Spec]] | None = None
        self._named: dict[str, str] | None = None

    async def all(self) -> list[Resource[Spec]]:
        if self._all_read is None:
            self._all_read = await super().all()
        return list(self._all_read)

    async def get(self, id_or_name: str) -> Resource[Spec]:
        try:
            known = await self.all()
        except UnreadableDocument:
            return await super().get(id_or_name)
        by_id = (one for one in known if one.id == id_or_name)
        by_name = (one for one in known if one.name == id_or_name)
        alike = (one for one in known if is_same(one.name, id_or_name))
        found = next(by_id, None) or next(by_name, None) or next(alike, None)
        if found is None:
            raise self._not_found(id_or_name)
        return found

    async def named(self) -> dict[str, str]:
        if self._named is None:
            self._named = await super().named()
        return dict(self._named)

    async def add(self, resource: Resource[Spec]) -> None:
        self._forget()
        await super().add(resource)

    async def replace(self, resource: Resource[Spec]) -> None:
        self._forget()
        await super().replace(resource)

    async def delete(self, id: str, *, version: int, now: datetime) -> None:
        self._forget()
        await super().delete(id, version=version, now=now)

    def _forget(self) -> None:
        self._all_read = self._named = None
