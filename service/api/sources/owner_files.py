"""`/v1/owners/csv`: owners and tags as a file, to be filled in elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, ValidationError

from service.api.http.deps import AuthorDep, UowDep, admin, viewer
from service.api.http.responses import respond
from service.api.sources.owner_documents import MemberReferences, OwnerDocument
from service.api.sources.references import seen
from service.domain.sources.owner_file import COLUMNS, TAG, OwnerLine, read_owner_file
from service.domain.sources.ownership import NOBODY, OWNABLE, OwnedMember, Ownership
from service.domain.sources.source import Source
from service.domain.values.csv_text import csv_text
from service.domain.values.errors import Invalid
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey
from service.workflows.configuration.ownership import Addressees, addressees, change_ownership, owned, require_tags
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(prefix="/v1/owners/csv", tags=["Directory"])

CSV = "text/csv; charset=utf-8"
FILE = {"content": {"text/csv": {"schema": {"type": "string"}}}}
EXAMPLES = {"examples": {"example": {"value": "member,owner,tag:team\r\nworkspace:production,eng-oncall,eng\r\n"}}}


class OwnersChangedOut(BaseModel):
    """`lines` that the file has, and how many members have another owner or other tags than before."""

    lines: int
    changed: int = Field(examples=[12])


@router.get(
    "",
    summary="All workspaces and API keys with their owners and tags, as CSV",
    response_class=Response,
    responses={200: FILE},
    dependencies=[viewer],
)
async def download(uow: UowDep) -> Response:
    owners, receivers = await owned(uow), await uow.receivers.named()
    tags = sorted(owners.tag_values)
    rows = [(*COLUMNS, *(f"{TAG}{tag}" for tag in tags))]
    for source in await uow.sources.readable():
        rows += await _rows(uow, source, owners, receivers, tags)
    headers = {"Content-Disposition": 'attachment; filename="tocsin-owners.csv"'}
    return Response(csv_text(rows), headers=headers, media_type=CSV)


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


@router.put(
    "",
    summary="Set owners and tags from CSV; what the file has no line or no column for stays",
    response_model=OwnersChangedOut,
    responses={409: {}},
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": FILE["content"]["text/csv"] | EXAMPLES}}},
    dependencies=[admin],
)
async def upload(request: Request, uow: UowDep, author: AuthorDep) -> Response:
    try:
        lines = read_owner_file((await request.body()).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Invalid(f"byte {error.start + 1}: this is not UTF-8 text") from error
    await uow.become_only_writer()
    members, receivers, owners = MemberReferences(uow), await addressees(uow, author), await owned(uow)
    before = {(one.source_id, one.member): one for one in owners.items}
    after: dict[tuple[str, ScopeKey], OwnedMember] = {}
    for line in lines:
        with _on_line(line):
            member = await _read(line, members, receivers, before)
            if (member.source_id, member.member) in after:
                raise Invalid(f"{line.member} stands here twice", "/member")
            after[member.source_id, member.member] = member
    changed = [one for place, one in after.items() if before.get(place, OwnedMember(*place)) != one]
    if changed:
        await change_ownership(uow, changed, author)
    return respond(OwnersChangedOut(lines=len(lines), changed=len(changed)))


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
