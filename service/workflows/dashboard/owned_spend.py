"""Everything that can have an owner, with whose it is and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.domain.sources.ownership import MOST_OWNED, NOBODY, OWNABLE, OwnedMember, OwnerBook
from service.domain.spend.attribution import Attribution
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.scopes import EVERYTHING, Dimension, ScopeKey
from service.workflows.configuration.ownership import owned
from service.workflows.ports.sources import Seen
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import require_affordable


@dataclass(frozen=True, slots=True)
class MemberSpend:
    """`own` is what was set for the member itself; `owner`, a receiver's id, and `tags` are those that count, also from
    a key's workspace. `spend` is all of the member's: a key's is in its workspace's, too.
    """

    member: ScopeKey
    seen: Seen
    own: OwnedMember
    owner: str
    tags: Mapping[str, str]
    spend: Money


@dataclass(frozen=True, slots=True)
class OwnedSpend:
    """The largest member first. `nobody` is the part of the total that the attribution names nobody for."""

    members: Sequence[MemberSpend]
    total: Money
    nobody: Money


async def owned_spend(uow: UnitOfWork, source_id: str, window: Window, attribution: Attribution) -> OwnedSpend:
    """Reads a window of whole UTC days. Raises Invalid for one that is too large."""
    question = SpendQuestion(source_id, window, Width.DAY, EVERYTHING, Dimension.ORGANISATION, attribution)
    await require_affordable(uow, question)
    found = await uow.facts.largest(question, MOST_OWNED)
    nobody = sum((figure.spend.total for key, figure in found.groups if key.id == NOBODY), ZERO)
    seen = {dimension: await _seen(uow, source_id, dimension) for dimension in OWNABLE}
    workspaces = {key.id: key.workspace for key in seen[Dimension.API_KEY] if key.workspace}
    book = OwnerBook((await owned(uow)).of_source(source_id), workspaces)
    members = [
        _member(dimension, one, book, spent)
        for dimension in OWNABLE
        for spent in [await _spent(uow, source_id, window, dimension) if seen[dimension] else {}]
        for one in seen[dimension]
    ]
    ordered = sorted(members, key=lambda one: (-one.spend.usd, OWNABLE.index(one.member.dimension), one.member.id))
    return OwnedSpend(ordered, found.total.spend.total, nobody)


def _member(dimension: Dimension, one: Seen, book: OwnerBook, spent: Mapping[str, Money]) -> MemberSpend:
    member = ScopeKey(dimension, one.id)
    own = book.members.get(member, OwnedMember(one.source_id, member))
    return MemberSpend(member, one, own, book.owner(member), book.tags(member), spent.get(one.id, ZERO))


async def _spent(uow: UnitOfWork, source_id: str, window: Window, dimension: Dimension) -> dict[str, Money]:
    question = SpendQuestion(source_id, window, Width.DAY, EVERYTHING, dimension)
    found = await uow.facts.largest(question, MOST_OWNED)
    return {key.id: figure.spend.total for key, figure in found.groups}


async def _seen(uow: UnitOfWork, source_id: str, dimension: Dimension) -> list[Seen]:
    if dimension is Dimension.WORKSPACE:
        return await uow.directory.workspaces(source_id)
    if dimension is Dimension.API_KEY:
        return await uow.directory.api_keys(source_id)
    return await uow.directory.spenders(source_id, dimension)
