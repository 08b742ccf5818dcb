"""`/slack/...`: pressed buttons and slash commands, signed by Slack and without a token.

Slack waits three seconds: we act, then answer; a reply to the person alone follows over `response_url`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.background import BackgroundTask

from service.api.http.deps import PortsDep
from service.api.http.json_flaws import read_sound
from service.api.http.origin import address_of
from service.api.http.problems import Forbidden, problem
from service.api.http.responses import respond
from service.domain.slack.requests import read_press, read_typed
from service.domain.values.errors import Invalid, NotFound
from service.workflows.ports.unit_of_work import Ports
from service.workflows.slack.actions import reply_to, run_slack_action
from service.workflows.slack.commands import run_slack_command
from service.workflows.slack.requests import SignedRequest, SlackAccess, run_accept_request
from service.workflows.slack.workspaces import run_is_our_workspace

router = APIRouter(prefix="/slack", tags=["Slack"])


def _form(example: dict[str, str]) -> dict[str, Any]:
    """Returns the description of a request body that Slack writes."""
    form = {"schema": {"type": "object"}, "examples": {"example": {"value": example}}}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": form}}}


PRESSED = _form({"payload": '{"type": "block_actions", "user": {"id": "U0FAKE"}, "actions": []}'})
TYPED = _form({"command": "/tocsin", "text": "status", "user_id": "U0FAKE"})
MOST_FIELDS = 100


class CommandAnswer(BaseModel):
    """The answer to whoever typed a command, shown to nobody else."""

    response_type: str = "ephemeral"
    text: str


class NotFromSlack(Exception):
    """The request is unsigned, altered, too old, or a repetition: 401."""


def get_access(request: Request) -> SlackAccess:
    access = cast("SlackAccess | None", request.app.state.slack)
    if access is None:
        raise NotFound("Slack is not connected to this process: set TOCSIN_SLACK_SIGNING_SECRET")
    return access


SlackAccessDep = Annotated[SlackAccess, Depends(get_access)]


async def read_form(
    request: Request,
    access: SlackAccessDep,
    ports: PortsDep,
    timestamp: Annotated[str, Header(alias="X-Slack-Request-Timestamp")] = "",
    signature: Annotated[str, Header(alias="X-Slack-Signature")] = "",
) -> dict[str, str]:
    """Returns the form of a request of Slack's, read from the signed bytes. Raises NotFromSlack."""
    body = await request.body()
    refusal = await run_accept_request(ports, access, SignedRequest(body, timestamp, signature, address_of(request)))
    if refusal is not None:
        raise NotFromSlack(f"This is not a request of Slack's: {refusal}")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Invalid("the body is not a form") from error
    twice = [name for name, values in fields.items() if len(values) > 1]
    if twice:
        raise Invalid(f"the form holds {twice[0][:40]!r} twice")
    return {name: values[0] for name, values in fields.items()}


FormDep = Annotated[dict[str, str], Depends(read_form)]


async def _require_our_workspace(request: Request, ports: Ports, payload: Mapping[str, object]) -> None:
    if not await run_is_our_workspace(ports, payload, address_of(request)):
        raise Forbidden("People of another Slack workspace or app act here; see /v1/slack-workspace")


def answer_not_from_slack(_: Request, error: Exception) -> Response:
    return problem(401, str(error), headers={"WWW-Authenticate": 'Slack-Signature realm="tocsin"'})


@router.post(
    "/interactions",
    summary="Buttons pressed in Slack",
    response_class=Response,
    responses={401: {}, 403: {}, 404: {}, 422: {}},
    openapi_extra=PRESSED,
)
async def interactions(request: Request, form: FormDep, access: SlackAccessDep, ports: PortsDep) -> Response:
    try:
        payload = read_sound(form.get("payload", ""))
        press = read_press(payload) if isinstance(payload, dict) else None
    except ValueError as error:
        raise Invalid(f"the payload cannot be read: {error}") from error
    if press is None:
        return Response()  # another app's element, or one that only opens a link
    await _require_our_workspace(request, ports, cast("dict[str, object]", payload))
    answer = await run_slack_action(ports, press, access.default_role)
    return Response(background=BackgroundTask(reply_to, access.replies, press, answer))


@router.post(
    "/commands",
    summary="The slash command /tocsin",
    response_model=CommandAnswer,
    responses={401: {}, 403: {}, 404: {}, 422: {}},
    openapi_extra=TYPED,
)
async def commands(request: Request, form: FormDep, access: SlackAccessDep, ports: PortsDep) -> Response:
    try:
        typed = read_typed(form)
    except ValueError as error:
        raise Invalid(f"the command cannot be read: {error}") from error
    await _require_our_workspace(request, ports, form)
    return respond(CommandAnswer(text=await run_slack_command(ports, typed, access.default_role)))
