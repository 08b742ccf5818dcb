"""The kinds of the configuration, in the order in which they may refer to each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import JsonValue

from service.api.budgets.budgets import BudgetShape
from service.api.configuration.documents import ConfigAction, ConfigChangeOut, as_written, differing
from service.api.digests.digests import DigestShape
from service.api.http.configured import Shape, Shown, Written
from service.api.notify.escalation_policies import EscalationPolicyShape
from service.api.notify.receivers import ReceiverShape
from service.api.notify.rotas import RotaShape
from service.api.rules.planned_activities import PlannedActivityShape
from service.api.rules.rules import RuleShape
from service.api.sources.prices import PriceShape
from service.api.sources.sources import SourceShape
from service.domain.values.errors import Conflict, DomainError, Invalid, StaleVersion
from service.domain.values.lookalikes import TakenNames
from service.domain.values.resources import Resource
from service.workflows.configuration import engine
from service.workflows.configuration.engine import Author, Draft, ResourceKind, Write
from service.workflows.configuration.notify import Digests, EscalationPolicies, Receivers, Rotas
from service.workflows.configuration.rules import PlannedActivities, Rules
from service.workflows.configuration.spend import Budgets, Prices, Sources
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

Spec = TypeVar("Spec")
WrittenT = TypeVar("WrittenT", bound=Written)
ShownT = TypeVar("ShownT", bound=Shown)


@dataclass(frozen=True, slots=True)
class Section(Generic[Spec, WrittenT, ShownT]):
    """One kind of resource in the document."""

    name: str
    kind: ResourceKind[Spec]
    shape: Shape[Spec, WrittenT, ShownT]

    async def export(self, uow: UnitOfWork, author: Author) -> list[dict[str, JsonValue]]:
        return [await self._shown(uow, stored, author) for stored in await self.kind.store(uow).all()]

    async def stored(self, uow: UnitOfWork) -> list[Resource[Spec]]:
        return await self.kind.store(uow).all()

    async def write(
        self, ports: Ports, uow: UnitOfWork, documents: Sequence[WrittenT], author: Author
    ) -> list[ConfigChangeOut]:
        """Creates and changes; what is stored as it is written stays untouched. Raises Invalid and Conflict."""
        _require_unique(self.name, documents)
        await uow.become_only_writer()
        stored = {one.name: one for one in await self.kind.store(uow).all()}
        taken, changes = TakenNames(stored), []
        for position, document in enumerate(documents):
            with _located(f"/{self.name}/{position}", document.name):
                change = await self._put(ports, uow, document, stored.get(document.name), taken, author)
            changes += [change] if change else []
        return changes

    async def leave_out(
        self, uow: UnitOfWork, documents: Sequence[WrittenT], action: ConfigAction, author: Author
    ) -> list[ConfigChangeOut]:
        """Deletes, or keeps, what is stored and not in the document. Raises Conflict for what is still in use."""
        listed = {document.name for document in documents} | await self.kind.implied(uow)
        changes = []
        for stored in await self.kind.store(uow).all():
            if stored.name in listed:
                continue
            before = await self._shown(uow, stored, author) if action is ConfigAction.DELETE else {}
            if action is ConfigAction.DELETE:
                with _located(f"/{self.name}", stored.name):
                    await engine.delete(uow, self.kind, stored, author)
            changes.append(_change(self.name, stored.name, action, before, {}))
        return changes

    async def require_consistent(self, uow: UnitOfWork, before: Sequence[Resource[Spec]], author: Author) -> None:
        """Raises Conflict where, now that all is written, a write does not go with what is stored."""
        was = {one.id: one for one in before}
        writes = [
            Write(was.get(after.id), after, author.at)
            for after in await self.kind.store(uow).all()
            if after.id not in was or after.version != was[after.id].version
        ]
        await self.kind.after_all(uow, writes)
        for write in writes:
            with _located(f"/{self.name}", write.resource.name):
                await self.kind.require_consistent(uow, write)

    async def _put(
        self,
        ports: Ports,
        uow: UnitOfWork,
        document: WrittenT,
        stored: Resource[Spec] | None,
        taken: TakenNames,
        author: Author,
    ) -> ConfigChangeOut | None:
        before = await self._shown(uow, stored, author) if stored else {}
        spec = await self.shape.read(ports, uow, document, stored.spec if stored else None)
        if stored is None:
            created = Draft(document.name, document.labels, self.shape.sign(spec, author))
            after = await engine.create_among_others(uow, self.kind, created, author, taken)
        else:
            draft = Draft(document.name, document.labels, spec)
            after = await engine.change_among_others(uow, self.kind, stored, draft, author)
        if after is stored:
            return None
        action = ConfigAction.CHANGE if stored else ConfigAction.CREATE
        return _change(self.name, document.name, action, before, await self._shown(uow, after, author))

    async def _shown(self, uow: UnitOfWork, resource: Resource[Spec], author: Author) -> dict[str, JsonValue]:
        return as_written(await self.shape.show(uow, resource, author.at), self.shape.written)


SECTIONS: tuple[Section[Any, Any, Any], ...] = (
    Section("sources", Sources(), SourceShape()),
    Section("prices", Prices(), PriceShape()),
    Section("receivers", Receivers(), ReceiverShape()),
    Section("rotas", Rotas(), RotaShape()),
    Section("escalation_policies", EscalationPolicies(), EscalationPolicyShape()),
    Section("budgets", Budgets(), BudgetShape()),
    Section("rules", Rules(), RuleShape()),
    Section("planned_activities", PlannedActivities(), PlannedActivityShape()),
    Section("digests", Digests(), DigestShape()),
)


def _change(
    kind: str, name: str, action: ConfigAction, before: dict[str, JsonValue], after: dict[str, JsonValue]
) -> ConfigChangeOut:
    return ConfigChangeOut(kind=kind, name=name, action=action, fields=list(differing(before, after)))


def _require_unique(section: str, documents: Sequence[Written]) -> None:
    for name, count in Counter(document.name for document in documents).items():
        if count > 1:
            positions = [place for place, document in enumerate(documents) if document.name == name]
            raise Invalid(f"the name {name!r} stands here twice", f"/{section}/{positions[1]}/name")


@contextmanager
def _located(pointer: str, name: str) -> Iterator[None]:
    """Lets an error say where in the document it is."""
    try:
        yield
    except Invalid as error:
        raise Invalid(str(error), f"{pointer}{error.pointer}") from error
    except StaleVersion:
        raise
    except DomainError as error:
        raise Conflict(f"{pointer.split('/')[1]} {name!r}: {error}") from error
