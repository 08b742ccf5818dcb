"""`/v1/slack-workspace`: the Slack workspace and app whose people may act, the first that did."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import AuthorDep, UowDep, admin, viewer
from service.api.http.responses import respond
from service.workflows.slack.workspaces import forget_workspace, pinned_workspace

router = APIRouter(prefix="/v1/slack-workspace", tags=["Slack"])


class SlackWorkspaceOut(BaseModel):
    """Null before anybody in Slack has acted. To let another workspace or app act, delete it: the next one is kept."""

    team: str | None = Field(examples=["T012AB3CD"])
    app: str | None = Field(examples=["A012AB3CD"])
    since: datetime | None


@router.get("", summary="Read which Slack workspace may act", response_model=SlackWorkspaceOut, dependencies=[viewer])
async def get(uow: UowDep) -> Response:
    pinned = await pinned_workspace(uow)
    if pinned is None:
        return respond(SlackWorkspaceOut(team=None, app=None, since=None))
    return respond(SlackWorkspaceOut(team=pinned.spec.team, app=pinned.spec.app or None, since=pinned.created_at))


@router.delete(
    "",
    summary="Forget the Slack workspace: the next one that acts is kept",
    status_code=204,
    responses={404: {}},
    dependencies=[admin],
)
async def delete(uow: UowDep, author: AuthorDep) -> Response:
    await forget_workspace(uow, author)
    return Response(status_code=204)
