"""`/pages/receivers`: named lists of channels, how they fare, and a test message with each channel's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import JsonValue

from service.api.dashboard.documents.controls import Control, Document, Parts, Rows
from service.api.dashboard.documents.listing import PAGE
from service.api.dashboard.documents.pages import ResourcePages, editing_router
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.notify.channels import KINDS, WORDS, channel_controls, channel_title, channel_words
from service.api.dashboard.notify.frame import AREAS, PLACE, RECEIVERS
from service.api.dashboard.paging import OLDEST_FIRST, AskedPart, AskedPartDep, sorted_out
from service.api.dashboard.scope_controls import LABELS
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.http.deps import IdOrName, PortsDep, UowDep, in_one_transaction
from service.api.notify.receivers import ReceiverShape
from service.domain.access import Caller, Role
from service.domain.notify.circuits import FailingChannel
from service.domain.notify.receivers import Receiver, channel_key, doubts
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import Receivers
from service.workflows.configuration.probe import ChannelTest, run_test_receiver
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)


@router.head(RECEIVERS)  # probes ask so
@router.get(RECEIVERS)
async def list_receivers(caller: SignedInDep, uow: UowDep, part: AskedPartDep) -> Response:
    return await _page(uow, caller, part, "", ())


@router.post(f"{RECEIVERS}/{{id}}/test", dependencies=[our_page])
async def test_receiver(
    caller: SignedInDep, ports: PortsDep, author: AdministeringDep, id: IdOrName, part: AskedPartDep
) -> Response:
    """Sends a sample outside any transaction, and shows what each channel says."""
    tests = await run_test_receiver(ports, id, author)

    async def shown(uow: UnitOfWork) -> Response:
        return await _page(uow, caller, part, (await uow.receivers.get(id)).id, tests)

    return await in_one_transaction(ports, shown)


async def _page(
    uow: UnitOfWork, caller: Caller, part: AskedPart, tested: str, tests: Sequence[ChannelTest]
) -> Response:
    page = await uow.receivers.page(limit=PAGE, cursor=part.cursor)
    found = sorted_out(page)
    failing = await uow.channel_health.failing()
    content = {
        "areas": AREAS,
        "area": RECEIVERS,
        "receivers": [_line(one, failing, tests if one.id == tested else ()) for one in found.readable],
        "unreadable": found.unreadable,
        "part": part.links(RECEIVERS, page, OLDEST_FIRST),
        "asked": f"?{urlencode({'cursor': part.cursor})}" if part.cursor else "",
        "kinds": [(words, f"{RECEIVERS}/new?add={kind}") for kind, words in KINDS],
        "may_write": caller.role.allows(Role.ADMIN),
    }
    return dashboard_page("receivers.html.j2", PLACE, caller, content)


def _line(
    receiver: Resource[Receiver], failing: Sequence[FailingChannel], tests: Sequence[ChannelTest]
) -> Mapping[str, object]:
    broken = {one.channel: one for one in failing if one.receiver_id == receiver.id}
    return {
        "name": receiver.name,
        "address": f"{RECEIVERS}/{receiver.id}",
        "channels": [(channel_words(one), _fault(broken.get(channel_key(one)))) for one in receiver.spec.channels],
        "doubts": doubts(receiver.spec),
        "tests": [(WORDS.get(one.kind, one.kind), one.error, one.detail) for one in tests],
    }


def _fault(found: FailingChannel | None) -> str:
    if found is None:
        return ""
    until = f" It is tried again at {minute(found.next_try)}." if found.next_try else ""
    return f"Refuses messages since {minute(found.failing_since)}: {found.error}.{until}"


async def _parts(_: UnitOfWork, document: Document) -> Parts:
    return (
        Control("/name", "Name", hint="As routes call it, such as eng-oncall.", is_required=True),
        Rows("/channels", "Channels", "Channel", channel_controls, spare=0, title=channel_title),
        LABELS,
    )


def _fresh(query: Mapping[str, str]) -> Document:
    return _with_channel({}, query)


def _with_channel(document: Document, query: Mapping[str, str]) -> Document:
    """Returns the document with a channel more, of the kind that the query names."""
    channels, kind = document.get("channels"), query.get("add", "")
    known: list[JsonValue] = channels if isinstance(channels, list) else []
    return {**document, "channels": [*known, {"kind": kind}]} if kind in WORDS else document


editing = editing_router(
    ResourcePages(
        path=RECEIVERS,
        place=PLACE,
        kind=Receivers(),
        shape=ReceiverShape(),
        parts=_parts,
        fresh=_fresh,
        leads_to=lambda _: RECEIVERS,
        advice="An alert goes to all channels of a receiver. Secrets are stored encrypted and never shown again.",
        extended=_with_channel,
        additions=KINDS,
    )
)
