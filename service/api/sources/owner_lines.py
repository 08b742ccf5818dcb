"""Owners and tags as lines of CSV: everything that was seen, and what a file would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from service.api.sources.owner_documents import MemberReferences, OwnerDocument
from service.api.sources.references import seen
from service.domain.sources.owner_file import COLUMNS, TAG, OwnerLine, read_owner_file
from service.domain.sources.ownership import NOBODY, OWNABLE, OwnedMember, Ownership
from service.domain.sources.source import Source
from service.domain.values.csv_text import csv_text
from service.domain.values.errors import Invalid
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey
from service.workflows.configuration.engine import Author
from service.workflows.configuration.ownership import Addressees, addressees, owned, require_tags
from service.workflows.ports.unit_of_work import UnitOfWork

CSV = "text/csv; charset=utf-8"
CSV_HEADERS = {"Content-Disposition": 'attachment; filename="tocsin-owners.csv"'}


@dataclass(frozen=True, slots=True)
class OwnerFileChanges:
    """How many `lines` a file has, and the members that it changes: as they are, and as they would be."""

    lines: int
    changed: Sequence[tuple[OwnedMember, OwnedMember]]


async def owners_csv(uow: UnitOfWork) -> str:
    owners, receivers = await owned(uow), await uow.receivers.named()
    tags = sorted(owners.tag_values)
    rows = [(*COLUMNS, *(f"{TAG}{tag}" for tag in tags))]
    for source in await uow.sources.readable():
        rows += await _rows(uow, source, owners, receivers, tags)
    return csv_text(rows)


async def _rows(
    uow: UnitOfWork, source: Resource[Source], owners: Ownership, receivers: Mapping[str, str], tags: Sequence[str]
) -> list[tuple[str, ...]]:
    """Returns a line of everything that was seen, also of what nobody owns: it is there to be filled in."""
    members = owners.of_source(source.id)
    rows = []
    for dimension in OWNABLE:
        for one in await seen(uow, source.id, dimension):
            member = ScopeKey(dimension, one.id)
            own = members.pop(member, OwnedMember(source.id, member))
            rows.append(_row(source.name, own, one.name, one.workspace, receivers, tags))
    return rows + [_row(source.name, own, "", "", receivers, tags) for own in members.values()]


def _row(
    source: str, own: OwnedMember, name: str, workspace: str, receivers: Mapping[str, str], tags: Sequence[str]
) -> tuple[str, ...]:
    owner = receivers.get(own.owner, "")
    return (source, str(own.member), name, workspace, owner, *(own.tags.get(tag, "") for tag in tags))


async def read_changes(uow: UnitOfWork, text: str, author: Author) -> OwnerFileChanges:
    """Makes receivers of people who have none. The caller is the only writer. Raises Invalid with line and column."""
    lines = read_owner_file(text)
    members, receivers, owners = MemberReferences(uow), await addressees(uow, author), await owned(uow)
    before = {(one.source_id, one.member): one for one in owners.items}
    after: dict[tuple[str, ScopeKey], OwnedMember] = {}
    for line in lines:
        with _on_line(line):
            member = await _read(line, members, receivers, before)
            if (member.source_id, member.member) in after:
                raise Invalid(f"{line.member} stands here twice", "/member")
            after[member.source_id, member.member] = member
    changes = [(before.get(place, OwnedMember(*place)), one) for place, one in after.items()]
    return OwnerFileChanges(len(lines), [(was, is_now) for was, is_now in changes if was != is_now])


async def _read(
    line: OwnerLine,
    members: MemberReferences,
    receivers: Addressees,
    before: Mapping[tuple[str, ScopeKey], OwnedMember],
) -> OwnedMember:
    given = {tag: value for tag, value in line.tags.items() if value}
    require_tags(given, "/tag")
    document = OwnerDocument(source=line.source or None, member=line.member, owner=line.owner or None, tags=given)
    source_id = await members.source(document.source, "/source")
    member = await members.member(source_id, document.member, "/member")
    owner = (await receivers.find(document.owner, "/owner")).id if document.owner else NOBODY
    own = before.get((source_id, member), OwnedMember(source_id, member))
    return line.applied(own, None if line.owner is None else owner)


@contextmanager
def _on_line(line: OwnerLine) -> Iterator[None]:
    """Lets an error say where in the file it is."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        column = ":".join({"tags": "tag"}.get(str(part), str(part)) for part in first["loc"] if part != "[key]")
        raise Invalid(f"line {line.number}, {column}: {first['msg']}") from error
    except Invalid as error:
        raise Invalid(f"line {line.number}, {error.pointer.removeprefix('/').replace('/', ':')}: {error}") from error
