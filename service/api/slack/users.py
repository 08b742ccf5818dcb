"""`/v1/slack-users`: who in Slack may do what, one document."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Body
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from service.api.http.configured import ReadOnly
from service.api.http.deps import AuthorDep, UowDep, admin, viewer
from service.api.http.fields import Strict
from service.api.http.responses import IfMatch, etag, require_match, respond
from service.domain.slack.requests import SlackRole, SlackUser, SlackUsers
from service.domain.values.errors import Invalid
from service.workflows.configuration.notify import put_slack_users, slack_users, slack_users_version

router = APIRouter(prefix="/v1/slack-users", tags=["Slack"])

MOST_USERS = 5000
EXAMPLE = {"items": [{"user": "U012AB3CD", "role": "operator", "timezone": "Europe/Berlin"}]}


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("write an IANA time zone such as Europe/Berlin") from error
    return name


class SlackUserIn(Strict):
    """One person. `timezone` is theirs: when "tomorrow, 09:00" is."""

    user: Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{1,30}$")] = Field(examples=["U012AB3CD"])
    role: SlackRole
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_zone)] = Field(
        "UTC", examples=["Europe/Berlin"]
    )


class SlackUsersIn(Strict):
    items: list[SlackUserIn] = Field(max_length=MOST_USERS)
    next: ReadOnly = None


class SlackUserOut(BaseModel):
    user: str
    role: SlackRole
    timezone: str


class SlackUsersOut(BaseModel):
    items: list[SlackUserOut]
    next: None = None


def read_users(document: SlackUsersIn) -> SlackUsers:
    users = [item.user for item in document.items]
    for position, user in enumerate(users):
        if user in users[:position]:
            raise Invalid(f"{user} stands in the list already", f"/items/{position}/user")
    return SlackUsers(tuple(SlackUser(item.user, item.role, item.timezone) for item in document.items))


def show_users(users: SlackUsers) -> SlackUsersOut:
    return SlackUsersOut(
        items=[SlackUserOut(user=known.user, role=known.role, timezone=known.timezone) for known in users.items]
    )


@router.get("", summary="Read who in Slack may do what", response_model=SlackUsersOut, dependencies=[viewer])
async def get(uow: UowDep) -> Response:
    stored = await slack_users(uow)
    users, version = (stored.spec, stored.version) if stored else (SlackUsers(), 0)
    return respond(show_users(users), headers=etag(version))


@router.put(
    "",
    summary="Replace the list",
    response_model=SlackUsersOut,
    responses={409: {}, 412: {}},
    dependencies=[admin],
)
async def put(
    document: Annotated[SlackUsersIn, Body(openapi_examples={"example": {"value": EXAMPLE}})],
    uow: UowDep,
    author: AuthorDep,
    if_match: IfMatch = None,
) -> Response:
    require_match(if_match, await slack_users_version(uow))
    after = await put_slack_users(uow, read_users(document), author)
    return respond(show_users(after.spec), headers=etag(after.version))
