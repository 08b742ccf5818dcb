"""A whole configuration is written, or compared, in one transaction."""

from __future__ import annotations

from pydantic import JsonValue

from service.api.configuration.documents import (
    ConfigAction,
    ConfigChangeOut,
    ConfigIn,
    as_written,
    differing,
)
from service.api.configuration.sections import SECTIONS
from service.api.notify.route_documents import RoutesDocument, read_routes, show_routes
from service.api.slack.users import SlackUsersIn, read_users, show_users
from service.domain.notify.routing.routes import RouteTable
from service.domain.slack.requests import SlackUsers
from service.domain.values.errors import Invalid
from service.workflows.configuration.engine import Author
from service.workflows.configuration.notify import put_routes, put_slack_users, route_table, slack_users
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

ROUTES, SLACK_USERS = "routes", "slack_users"


async def export(uow: UnitOfWork, author: Author) -> dict[str, JsonValue]:
    """Returns all that is configured, as one would write it. Secrets are stubs."""
    written: dict[str, JsonValue] = {section.name: list(await section.export(uow, author)) for section in SECTIONS}
    return {**written, ROUTES: await _routes(uow), SLACK_USERS: await _users(uow)}


async def apply(
    ports: Ports, uow: UnitOfWork, document: ConfigIn, unlisted: ConfigAction, author: Author
) -> list[ConfigChangeOut]:
    """Makes what is stored as the document says; `unlisted` is what becomes of the others of its kinds.

    Raises Invalid and Conflict, which say where in the document they are.
    """
    given = [(section, getattr(document, section.name)) for section in SECTIONS]
    listed = [(section, documents) for section, documents in given if documents is not None]
    changes = [change for section, documents in listed for change in await section.write(ports, uow, documents, author)]
    if document.routes is not None:
        changes += await _put_routes(uow, document.routes, author)
    if document.slack_users is not None:
        changes += await _put_users(uow, document.slack_users, author)
    for section, documents in reversed(listed):  # what refers to another goes before it
        changes += await section.leave_out(uow, documents, unlisted, author)
    return changes


async def _routes(uow: UnitOfWork) -> dict[str, JsonValue]:
    stored = await route_table(uow)
    return as_written(await show_routes(uow, stored.spec if stored else RouteTable(())), RoutesDocument)


async def _put_routes(uow: UnitOfWork, document: RoutesDocument, author: Author) -> list[ConfigChangeOut]:
    before = await _routes(uow)
    try:
        await put_routes(uow, await read_routes(uow, document), author)
    except Invalid as error:
        raise Invalid(str(error), f"/{ROUTES}{error.pointer}") from error
    return _changed(ROUTES, before, await _routes(uow))


async def _users(uow: UnitOfWork) -> dict[str, JsonValue]:
    stored = await slack_users(uow)
    return as_written(show_users(stored.spec if stored else SlackUsers()), SlackUsersIn)


async def _put_users(uow: UnitOfWork, document: SlackUsersIn, author: Author) -> list[ConfigChangeOut]:
    before = await _users(uow)
    try:
        await put_slack_users(uow, read_users(document), author)
    except Invalid as error:
        raise Invalid(str(error), f"/{SLACK_USERS}{error.pointer}") from error
    return _changed(SLACK_USERS, before, await _users(uow))


def _changed(kind: str, before: JsonValue, after: JsonValue) -> list[ConfigChangeOut]:
    fields = list(differing(before, after))
    return [ConfigChangeOut(kind=kind, name="", action=ConfigAction.CHANGE, fields=fields)] if fields else []
