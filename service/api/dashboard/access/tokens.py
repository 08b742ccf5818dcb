"""`/pages/tokens`: who may use this Tocsin. A new token's text is shown once."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.access.tokens import TokenIn
from service.api.dashboard.access.frame import PLACE, TOKENS, areas
from service.api.dashboard.documents.controls import Control, ControlKind, Document
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.documents.reading import read_document
from service.api.dashboard.documents.refused import TAKEN_BACK, FormRefused, flaws_of, status_of
from service.api.dashboard.documents.showing import NO_FLAWS, Flaws, show_form
from service.api.dashboard.documents.writing import parsed
from service.api.dashboard.forms import FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import FIRST_PART, OLDEST_FIRST, AskedPart, AskedPartDep
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.http.deps import Id, UowDep
from service.domain.access import Caller, Role, Token
from service.domain.values.errors import Conflict
from service.domain.values.plain_text import minute
from service.workflows.access.tokens import create_token, new_secret, revoke_token
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

PAGE = 100
_ROLES = (
    (Role.VIEWER, "viewer: reads"),
    (Role.OPERATOR, "operator: also answers alerts and silences"),
    (Role.ADMIN, "admin: everything"),
)
_CHOICES = [(role.value, words) for role, words in _ROLES]
PARTS = (
    Control("/name", "Name", hint="Who or what has it: the audit log names it so.", is_required=True),
    Control("/role", "Role", ControlKind.CHOICE, choices=_CHOICES, is_required=True),
)
_FRESH: Document = {"role": Role.VIEWER.value}


@router.head(TOKENS)  # probes ask so
@router.get(TOKENS)
async def list_tokens(caller: SignedInDep, uow: UowDep, _: AdministeringDep, part: AskedPartDep) -> Response:
    return await _page(uow, caller, _FRESH, part=part)


@router.post(TOKENS, dependencies=[our_page])
async def create(caller: SignedInDep, uow: UowDep, author: AdministeringDep, form: FormDep) -> Response:
    document, secret = read_document(PARTS, form, {}), new_secret()
    try:
        asked = parsed(TokenIn, document)
        await create_token(uow, asked.name, asked.role, secret, author)
    except TAKEN_BACK as error:
        raise FormRefused(await _page(uow, caller, document, flaws=flaws_of(error), status=status_of(error))) from error
    return await _page(uow, caller, _FRESH, made=(asked.name, secret))


@router.post(f"{TOKENS}/{{id}}/revoke", dependencies=[our_page])
async def revoke(caller: SignedInDep, uow: UowDep, author: AdministeringDep, id: Id) -> Response:
    try:
        await revoke_token(uow, id, caller, author)
    except Conflict as error:
        raise FormRefused(await _page(uow, caller, _FRESH, flaws=flaws_of(error), status=status_of(error))) from error
    return led_to(TOKENS)


async def _page(
    uow: UnitOfWork,
    caller: Caller,
    document: Document,
    *,
    flaws: Flaws = NO_FLAWS,
    status: int = 200,
    made: tuple[str, str] = ("", ""),
    part: AskedPart = FIRST_PART,
) -> Response:
    found = await uow.tokens.page(limit=PAGE, cursor=part.cursor)
    content = {
        "areas": areas(caller),
        "area": TOKENS,
        "made": made,
        "left_as": TOKENS if made[0] or flaws else "",
        "form": show_form(PARTS, document, flaws),
        "live_tokens": [_line(one, caller) for one in found.items if one.revoked_at is None],
        "revoked_tokens": [_line(one, caller) for one in found.items if one.revoked_at is not None],
        "part": part.links(TOKENS, found, OLDEST_FIRST),
    }
    return dashboard_page("tokens.html.j2", PLACE, caller, content, status)


def _line(token: Token, caller: Caller) -> Mapping[str, object]:
    return {
        "name": token.name,
        "role": token.role.value,
        "hint": token.hint,
        "created": minute(token.created_at),
        "revoked": minute(token.revoked_at) if token.revoked_at else "",
        "address": f"{TOKENS}/{token.id}/revoke",
        "is_own": token.id == caller.id,
    }
