"""The one Slack workspace that may act here: the first that does, until an admin forgets it."""

from __future__ import annotations

from collections.abc import Mapping

from service.domain.slack.workspaces import SlackWorkspace, read_workspace
from service.domain.values.errors import NotFound
from service.domain.values.resources import Resource
from service.workflows.access.refusals import SLACK_REFUSED, note_refusal
from service.workflows.configuration.engine import Author, Draft, ResourceKind, create, delete, the_only
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.slack.requests import CALLER


class SlackWorkspaces(ResourceKind[SlackWorkspace]):
    noun, prefix, spec = "slack workspace", "slw", SlackWorkspace


async def pinned_workspace(uow: UnitOfWork) -> Resource[SlackWorkspace] | None:
    """Returns the workspace that may act, None before the first has acted."""
    return await the_only(uow, SlackWorkspaces())


async def forget_workspace(uow: UnitOfWork, author: Author) -> None:
    """Lets the next workspace that acts be the one. Raises NotFound where none is known."""
    pinned = await pinned_workspace(uow)
    if pinned is None:
        raise NotFound("no Slack workspace has acted yet")
    await delete(uow, SlackWorkspaces(), pinned, author)


async def run_is_our_workspace(ports: Ports, payload: Mapping[str, object], address: str = "") -> bool:
    """Whether a request of Slack's comes from the one workspace and app. The first to act becomes it.

    Another one's request is recorded as refused.
    """
    came = read_workspace(payload)
    author = Author(CALLER, ports.clock(), address=address)
    async with ports.uow() as uow:
        pinned = await pinned_workspace(uow) or await _pin(uow, came, author)
        if pinned.spec == came:
            return True
        detail = f"a request from {came} was refused: people act from {pinned.spec}"
        await note_refusal(uow, author, SLACK_REFUSED, "workspace", detail)
    return False


async def _pin(uow: UnitOfWork, came: SlackWorkspace, author: Author) -> Resource[SlackWorkspace]:
    await uow.become_only_writer()  # two requests may be the first: whoever comes second is compared
    pinned = await pinned_workspace(uow)
    return pinned or await create(uow, SlackWorkspaces(), Draft("slack-workspace", {}, came), author)
