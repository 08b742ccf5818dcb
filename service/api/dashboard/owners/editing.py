"""`/pages/owners/edit`: the owner and the tags of one workspace, API key or person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from service.api.dashboard.documents.controls import Control, ControlKind, Document
from service.api.dashboard.documents.items import ItemForm
from service.api.dashboard.documents.writing import parsed
from service.api.dashboard.forms import FormDep
from service.api.dashboard.owners.listing import KINDS, member_address
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.dashboard.spend.frame import OWNERS, PLACE
from service.api.http.deps import UowDep
from service.api.http.fields import LINE
from service.api.sources.owner_documents import MemberText, OwnerDocument, read_owners, show_owners
from service.api.sources.references import seen
from service.domain.access import Caller
from service.domain.sources.ownership import OwnedMember, OwnerBook, Ownership
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.configuration.engine import Author
from service.workflows.configuration.ownership import change_ownership, owned, require_tags
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

EDIT = f"{OWNERS}/edit"
_ITEM = "/items/0"
_PARTS = (
    Control(
        "/owner",
        "Owner",
        hint="A receiver, a mail address, or a Slack member ID such as U012AB3CD. The last two become receivers."
        " Empty: nobody of its own.",
    ),
    Control("/tags", "Tags", ControlKind.PAIRS, "One a line: team=eng, cost_center=4711."),
)


@dataclass(frozen=True, slots=True)
class AskedMember:
    """The member that a form is about, by its source's id and its own."""

    source: Annotated[str, Query(max_length=200, pattern=LINE)]
    member: Annotated[MemberText, Query()]

    @property
    def key(self) -> ScopeKey:
        word, _, id = self.member.partition(":")
        return ScopeKey(Dimension(word), id)


AskedMemberDep = Annotated[AskedMember, Depends()]


@router.get(EDIT)
async def show_owner(caller: SignedInDep, uow: UowDep, _: AdministeringDep, asked: AskedMemberDep) -> Response:
    opened = await _form(uow, caller, asked)
    return opened.page(opened.before)


@router.post(EDIT, dependencies=[our_page])
async def save_owner(
    caller: SignedInDep, uow: UowDep, author: AdministeringDep, asked: AskedMemberDep, form: FormDep
) -> Response:
    await uow.become_only_writer()
    opened = await _form(uow, caller, asked)

    async def save(document: Document) -> None:
        said = parsed(OwnerDocument, {**document, "source": asked.source, "member": asked.member})
        require_tags(said.tags, "/tags")
        await change_ownership(uow, await _read(uow, said, author), author)

    return await opened.taken(form, save)


async def _read(uow: UnitOfWork, said: OwnerDocument, author: Author) -> list[OwnedMember]:
    """Raises Invalid by the pointers of the form, which has one item alone."""
    try:
        return await read_owners(uow, [said], author)
    except Invalid as error:
        raise Invalid(str(error), error.pointer.removeprefix(_ITEM)) from error


async def _form(uow: UnitOfWork, caller: Caller, asked: AskedMember) -> ItemForm:
    """Raises NotFound for what has neither been seen nor has an owner or tags."""
    source, member = await uow.sources.get(asked.source), asked.key
    own = (await owned(uow)).of_source(source.id).get(member)
    known = {one.id: one.name for one in await seen(uow, source.id, member.dimension)}
    if own is None and member.id not in known:
        raise NotFound(f"no {member.dimension.value} {member.id!r} has been seen")
    return ItemForm(
        place=PLACE,
        caller=caller,
        heading=f"{KINDS[member.dimension]} {known.get(member.id) or member.id}",
        noun="owner",
        parts=_PARTS,
        before=await _document(uow, own or OwnedMember(source.id, member)),
        is_stored=True,
        address=member_address(source.id, str(member)),
        back=f"{OWNERS}?source={source.id}",
        back_to="Owners",
        advice=await _advice(uow, source.id, member),
    )


async def _document(uow: UnitOfWork, own: OwnedMember) -> Document:
    (shown,) = await show_owners(uow, Ownership((own,)))
    return {"owner": shown.owner, "tags": dict(shown.tags)}


async def _advice(uow: UnitOfWork, source_id: str, member: ScopeKey) -> str:
    """Returns what counts where the form says nothing: a key has its workspace's owner and tags."""
    if member.dimension is not Dimension.API_KEY:
        return "Alerts about it can be routed to the owner; spend is divided by owner and tag."
    workspaces = {key.id: key.workspace for key in await seen(uow, source_id, Dimension.API_KEY) if key.workspace}
    members = {key: one for key, one in (await owned(uow)).of_source(source_id).items() if key != member}
    book = OwnerBook(members, workspaces)
    owner = (await uow.receivers.named()).get(book.owner(member), "nobody")
    tags = ", ".join(f"{tag}={value}" for tag, value in sorted(book.tags(member).items())) or "no tags"
    return f"What stays empty comes from the key's workspace: now {owner}, {tags}."
