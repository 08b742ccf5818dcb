"""`/pages/owners/file`: owners and tags as a file. What it would change is shown before it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.documents.refused import FormRefused, status_of
from service.api.dashboard.documents.writing import VERSION
from service.api.dashboard.forms import AGAIN, FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.dashboard.spend.frame import OWNER_FILE, OWNERS, PLACE
from service.api.http.deps import PortsDep, UowDep, in_one_transaction, rehearsed
from service.api.sources.owner_documents import MemberReferences
from service.api.sources.owner_lines import CSV, CSV_HEADERS, OwnerFileChanges, owners_csv, read_changes
from service.domain.access import Caller
from service.domain.sources.ownership import OwnedMember
from service.domain.values.errors import Conflict, Invalid, StaleVersion
from service.workflows.configuration.engine import Author, version_of_the_only
from service.workflows.configuration.ownership import Ownerships, change_ownership
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

MOST_SHOWN = 200
"""Members that change; a longer file says how many more."""
STORE = "store"
"""The field of the form that stores a file, after what it would change was shown."""


@router.head(OWNER_FILE)  # probes ask so
@router.get(OWNER_FILE)
async def show_file_form(caller: SignedInDep, _: AdministeringDep) -> Response:
    return _page(caller, "")


@router.get(f"{OWNERS}/owners.csv")
async def download_owners(_: SignedInDep, uow: UowDep) -> Response:
    return Response(await owners_csv(uow), headers=CSV_HEADERS, media_type=CSV)


@router.post(OWNER_FILE, dependencies=[our_page])
async def take_file(caller: SignedInDep, ports: PortsDep, author: AdministeringDep, form: FormDep) -> Response:
    """Stores the file that was shown before; of any other one it shows what that would change."""
    text = form.get("file") or form.get("text", "")
    try:
        if STORE in form and AGAIN not in form:
            await in_one_transaction(ports, partial(_store, text=text, version=form.get(VERSION, ""), author=author))
            return led_to(OWNERS)
        shown = await rehearsed(ports, partial(_rehearse, text=text, author=author))
    except StaleVersion as error:
        shown = await rehearsed(ports, partial(_rehearse, text=text, author=author))
        return _page(caller, text, shown=shown, flaw=str(error), status=409)
    except (Invalid, Conflict) as error:
        raise FormRefused(_page(caller, text, flaw=str(error), status=status_of(error))) from error
    return _page(caller, text, shown=shown)


async def _store(uow: UnitOfWork, *, text: str, version: str, author: Author) -> None:
    await uow.become_only_writer()
    if version != str(await version_of_the_only(uow, Ownerships())):
        raise StaleVersion("Somebody has changed owners since you looked. This is what the file would change now.")
    await _change(uow, text, author)


async def _change(uow: UnitOfWork, text: str, author: Author) -> OwnerFileChanges:
    found = await read_changes(uow, text, author)
    if found.changed:
        await change_ownership(uow, [after for _, after in found.changed], author)
    return found


async def _rehearse(uow: UnitOfWork, *, text: str, author: Author) -> Mapping[str, object]:
    """Returns what the file would change, in words, also which receivers it would make."""
    await uow.become_only_writer()
    before, version = await uow.receivers.named(), await version_of_the_only(uow, Ownerships())
    found = await _change(uow, text, author)
    receivers = await uow.receivers.named()
    return {
        "lines": found.lines,
        "count": len(found.changed),
        "changes": await _changes(uow, found, receivers),
        "more": max(0, len(found.changed) - MOST_SHOWN),
        "made": sorted(name for id, name in receivers.items() if id not in before),
        "version": version,
    }


async def _changes(
    uow: UnitOfWork, found: OwnerFileChanges, receivers: Mapping[str, str]
) -> Sequence[tuple[str, str, str]]:
    members = MemberReferences(uow)
    return [
        (await members.shown(after.member, after.source_id), _words(before, receivers), _words(after, receivers))
        for before, after in found.changed[:MOST_SHOWN]
    ]


def _words(one: OwnedMember, receivers: Mapping[str, str]) -> str:
    owner = receivers.get(one.owner, "")
    tags = (f"{tag}={value}" for tag, value in sorted(one.tags.items()))
    return ", ".join(text for text in (owner, *tags) if text) or "nothing"


def _page(
    caller: Caller, text: str, *, shown: Mapping[str, object] | None = None, flaw: str = "", status: int = 200
) -> Response:
    content = {"address": OWNER_FILE, "back": OWNERS, "text": text, "shown": shown, "flaw": flaw}
    content["left_as"] = OWNER_FILE if shown or flaw else ""
    return dashboard_page("owner_file.html.j2", PLACE, caller, content, status)
