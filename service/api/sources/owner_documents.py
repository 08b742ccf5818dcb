"""Owners and tags as JSON: members by name, stored by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints

from service.api.http.configured import ReadOnly
from service.api.http.fields import LabelKey, Reference, Strict
from service.api.sources.references import id_of, names_by_id, seen
from service.domain.sources.ownership import MOST_OWNED, MOST_TAGS, NOBODY, OWNABLE, OwnedMember, Ownership
from service.domain.values.errors import Invalid
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.configuration.engine import Author
from service.workflows.configuration.ownership import addressees
from service.workflows.configuration.spend import source_named
from service.workflows.ports.sources import Seen
from service.workflows.ports.unit_of_work import UnitOfWork

MemberText = Annotated[
    str, StringConstraints(max_length=220, pattern=rf"^({'|'.join(OWNABLE)}):[^\x00-\x1f\x7f]{{1,200}}$")
]
TagValue = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Tags = Annotated[
    dict[LabelKey, TagValue], Field(max_length=MOST_TAGS, examples=[{"team": "eng", "cost_center": "4711"}])
]


class OwnerDocument(Strict):
    """The owner and the tags of a workspace or an API key. What a key lacks it has from its workspace."""

    source: Reference | None = Field(default=None, description="an id or a name; the only one where there is one")
    member: MemberText = Field(description="by id or name", examples=["workspace:eng", "api_key:ci"])
    owner: Reference | None = Field(
        default=None,
        description="a receiver's id or name, a mail address, or a Slack user's id",
        examples=["eng-oncall", "ann@example.com", "U012AB3CD"],
    )
    tags: Tags = Field(default={})


class OwnersDocument(Strict):
    items: list[OwnerDocument] = Field(max_length=MOST_OWNED)
    next: ReadOnly = None


class _Reading(NamedTuple):
    """The members of a source that have been seen: ids by ids and unique names, and such a name by its id."""

    known: Sequence[Seen]
    ids: Mapping[str, str]
    names: Mapping[str, str]


class MemberReferences:
    """References to members, looked up once for many."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._sources: dict[str | None, str] = {}
        self._seen: dict[tuple[str, Dimension], _Reading] = {}

    async def source(self, reference: str | None, pointer: str) -> str:
        """Raises Invalid."""
        if reference not in self._sources:
            self._sources[reference] = (await source_named(self._uow, reference, pointer)).id
        return self._sources[reference]

    async def member(self, source_id: str, text: str, pointer: str) -> ScopeKey:
        """Reads "workspace:eng". Raises Invalid for a name that nobody or more than one has."""
        word, _, reference = text.partition(":")
        dimension = Dimension(word)
        reading = await self._read(source_id, dimension)
        id = reading.ids.get(reference)
        return ScopeKey(dimension, id or id_of(reference, reading.known, dimension, pointer))

    async def shown(self, member: ScopeKey, source_id: str) -> str:
        reading = await self._read(source_id, member.dimension)
        return str(ScopeKey(member.dimension, reading.names.get(member.id, member.id)))

    async def _read(self, source_id: str, dimension: Dimension) -> _Reading:
        if (source_id, dimension) not in self._seen:
            known = await seen(self._uow, source_id, dimension)
            names = names_by_id(known)
            ids = {name: id for id, name in names.items()} | {one.id: one.id for one in known}
            self._seen[source_id, dimension] = _Reading(known, ids, names)
        return self._seen[source_id, dimension]


async def read_owners(uow: UnitOfWork, documents: Sequence[OwnerDocument], author: Author) -> list[OwnedMember]:
    """Makes receivers of people who have none. Raises Invalid, also for a member that stands there twice."""
    members, receivers = MemberReferences(uow), await addressees(uow, author)
    found: dict[tuple[str, ScopeKey], OwnedMember] = {}
    for position, one in enumerate(documents):
        pointer = f"/items/{position}"
        source_id = await members.source(one.source, f"{pointer}/source")
        member = await members.member(source_id, one.member, f"{pointer}/member")
        if (source_id, member) in found:
            raise Invalid(f"{one.member} stands here twice", f"{pointer}/member")
        owner = (await receivers.find(one.owner, f"{pointer}/owner")).id if one.owner is not None else NOBODY
        found[source_id, member] = OwnedMember(source_id, member, owner, dict(sorted(one.tags.items())))
    return list(found.values())


async def show_owners(uow: UnitOfWork, owners: Ownership) -> list[OwnerDocument]:
    """Returns those of sources that still are, in the order of sources and members."""
    members, receivers, sources = MemberReferences(uow), await uow.receivers.named(), await uow.sources.named()
    shown = [
        OwnerDocument.model_construct(
            source=sources[one.source_id],
            member=await members.shown(one.member, one.source_id),
            owner=receivers.get(one.owner),
            tags=dict(one.tags),
        )
        for one in owners.items
        if one.source_id in sources
    ]
    return sorted(shown, key=lambda one: (one.source or "", one.member))
