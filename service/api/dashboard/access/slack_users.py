"""`/pages/slack-users`: who in Slack may do what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import State

from service.api.dashboard.access.frame import PLACE, SLACK_USERS, areas
from service.api.dashboard.documents.controls import Control, ControlKind, Document
from service.api.dashboard.documents.items import ItemForm
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.documents.writing import parsed
from service.api.dashboard.forms import FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import OLDEST_FIRST, AskedPartDep
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.http.deps import UowDep
from service.api.http.listing import part_by_place
from service.api.slack.users import MOST_USERS, SlackUserIn
from service.domain.access import Caller, Role
from service.domain.slack.requests import SlackRole, SlackUser, SlackUsers
from service.domain.values.errors import Invalid, NotFound
from service.workflows.configuration.engine import Author
from service.workflows.configuration.notify import put_slack_users, slack_users
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.slack.requests import SlackAccess

router = APIRouter(include_in_schema=False)

PAGE = 50
NEW, ONE = f"{SLACK_USERS}/new", f"{SLACK_USERS}/{{user}}"
_MAY: Mapping[SlackRole, str] = {
    SlackRole.NONE: "nothing",
    SlackRole.VIEWER: "read: /tocsin status, /tocsin top",
    SlackRole.RESPONDER: "also acknowledge and snooze",
    SlackRole.OPERATOR: "also resolve, answer and silence",
    SlackRole.ADMIN: "the same as an operator",
}
_ROLES = [(role.value, f"{role.value}: {words}") for role, words in _MAY.items()]
_MEMBER = Control(
    "/user", "Member ID", hint="In Slack: a person's profile, the three dots, Copy member ID.", is_required=True
)
_FRESH: Document = {"role": SlackRole.OPERATOR.value, "timezone": "UTC"}


@router.head(SLACK_USERS)  # probes ask so
@router.get(SLACK_USERS)
async def list_slack_users(request: Request, caller: SignedInDep, uow: UowDep, part: AskedPartDep) -> Response:
    users = part_by_place("people in Slack", (await _stored(uow)).items, PAGE, part.cursor)
    content = {
        "areas": areas(caller),
        "area": SLACK_USERS,
        "users": [_line(one) for one in users.items],
        "part": part.links(SLACK_USERS, users, OLDEST_FIRST),
        "others": _others(request.app.state),
        "may_write": caller.role.allows(Role.ADMIN),
    }
    return dashboard_page("slack_users.html.j2", PLACE, caller, content)


def _others(state: State) -> str:
    """Returns what whoever is not on the list may do; empty where nobody in Slack is heard."""
    access = cast("SlackAccess | None", state.slack)
    return f"{access.default_role.value}: {_MAY[access.default_role]}" if access else ""


def _line(one: SlackUser) -> Mapping[str, str]:
    return {
        "user": one.user,
        "role": one.role.value,
        "may": _MAY[one.role],
        "timezone": one.timezone,
        "address": f"{SLACK_USERS}/{one.user}/edit",
    }


@router.get(NEW)
async def new_slack_user(caller: SignedInDep, _: AdministeringDep) -> Response:
    return _form(caller, None).page(_FRESH)


@router.post(NEW, dependencies=[our_page])
async def add_slack_user(caller: SignedInDep, uow: UowDep, author: AdministeringDep, form: FormDep) -> Response:
    await uow.become_only_writer()
    users = (await _stored(uow)).items

    async def save(document: Document) -> None:
        said = _read(document)
        if any(one.user == said.user for one in users):
            raise Invalid(f"{said.user} stands in the list already", "/user")
        if len(users) == MOST_USERS:
            raise Invalid(f"at most {MOST_USERS:,} stand in the list: remove somebody first")
        await _put(uow, (*users, said), author)

    return await _form(caller, None).taken(form, save)


@router.get(f"{ONE}/edit")
async def one_slack_user(caller: SignedInDep, uow: UowDep, _: AdministeringDep, user: str) -> Response:
    opened = _form(caller, await _known(uow, user))
    return opened.page(opened.before)


@router.post(f"{ONE}/edit", dependencies=[our_page])
async def change_slack_user(
    caller: SignedInDep, uow: UowDep, author: AdministeringDep, form: FormDep, user: str
) -> Response:
    await uow.become_only_writer()
    users = (await _stored(uow)).items

    async def save(document: Document) -> None:
        said = _read({**document, "user": user})
        await _put(uow, tuple(said if one.user == user else one for one in users), author)

    return await _form(caller, await _known(uow, user)).taken(form, save)


@router.post(f"{ONE}/delete", dependencies=[our_page])
async def remove_slack_user(uow: UowDep, author: AdministeringDep, user: str) -> Response:
    await uow.become_only_writer()
    users = (await _stored(uow)).items
    left = tuple(one for one in users if one.user != user)
    if len(left) < len(users):
        await _put(uow, left, author)
    return led_to(SLACK_USERS)


async def _known(uow: UnitOfWork, user: str) -> SlackUser:
    found = next((one for one in (await _stored(uow)).items if one.user == user), None)
    if found is None:
        raise NotFound(f"{user} is not on the list")
    return found


async def _stored(uow: UnitOfWork) -> SlackUsers:
    stored = await slack_users(uow)
    return stored.spec if stored else SlackUsers()


def _read(document: Document) -> SlackUser:
    said = parsed(SlackUserIn, document)
    return SlackUser(said.user, said.role, said.timezone)


async def _put(uow: UnitOfWork, users: tuple[SlackUser, ...], author: Author) -> None:
    await put_slack_users(uow, SlackUsers(users), author)


def _form(caller: Caller, known: SlackUser | None) -> ItemForm:
    return ItemForm(
        place=PLACE,
        caller=caller,
        heading=f"Change {known.user}" if known else "New person in Slack",
        noun="person",
        parts=(
            Control("/user", "Member ID", ControlKind.FIXED) if known else _MEMBER,
            Control("/role", "May", ControlKind.CHOICE, choices=_ROLES, is_required=True),
            Control("/timezone", "Time zone", hint="Such as Europe/Berlin: when tomorrow, 09:00, is for them."),
        ),
        before={"user": known.user, "role": known.role.value, "timezone": known.timezone} if known else _FRESH,
        is_stored=known is not None,
        address=f"{SLACK_USERS}/{known.user}/edit" if known else NEW,
        back=SLACK_USERS,
        back_to="People in Slack",
        removal=f"{SLACK_USERS}/{known.user}/delete" if known else "",
    )
