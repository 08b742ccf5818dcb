"""The kinds of which there is one document: each is written as a whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, JsonValue

from service.api.configuration.documents import ConfigAction, ConfigChangeOut, as_written, differing
from service.api.notify.route_documents import RoutesDocument, read_routes, show_routes
from service.api.slack.users import SlackUsersIn, read_users, show_users
from service.api.sources.owner_documents import OwnerDocument, OwnersDocument, read_owners, show_owners
from service.domain.notify.routing.routes import RouteTable
from service.domain.slack.requests import SlackUsers
from service.domain.sources.ownership import Ownership
from service.domain.values.errors import Invalid
from service.workflows.configuration.engine import Author
from service.workflows.configuration.notify import put_routes, put_slack_users, route_table, slack_users
from service.workflows.configuration.ownership import owned, put_ownership
from service.workflows.ports.unit_of_work import UnitOfWork

DocumentT = TypeVar("DocumentT", bound=BaseModel)
JsonObject = dict[str, JsonValue]


def _as_it_is(document: JsonObject) -> JsonValue:
    return document


@dataclass(frozen=True, slots=True)
class Single(Generic[DocumentT]):
    """One such kind. `compared` is its document in the form in which two of them are compared, by what is in them."""

    name: str
    export: Callable[[UnitOfWork], Awaitable[JsonObject]]
    put: Callable[[UnitOfWork, DocumentT, Author], Awaitable[object]]
    compared: Callable[[JsonObject], JsonValue] = _as_it_is

    async def write(self, uow: UnitOfWork, document: DocumentT, author: Author) -> list[ConfigChangeOut]:
        """Raises Invalid and Conflict, which say where in the whole document they are."""
        before = self.compared(await self.export(uow))
        try:
            await self.put(uow, document, author)
        except Invalid as error:
            raise Invalid(str(error), f"/{self.name}{error.pointer}") from error
        fields = list(differing(before, self.compared(await self.export(uow))))
        return [ConfigChangeOut(kind=self.name, name="", action=ConfigAction.CHANGE, fields=fields)] if fields else []


async def _routes(uow: UnitOfWork) -> JsonObject:
    stored = await route_table(uow)
    return as_written(await show_routes(uow, stored.spec if stored else RouteTable(())), RoutesDocument)


async def _put_routes(uow: UnitOfWork, document: RoutesDocument, author: Author) -> object:
    return await put_routes(uow, await read_routes(uow, document), author)


async def _users(uow: UnitOfWork) -> JsonObject:
    stored = await slack_users(uow)
    return as_written(show_users(stored.spec if stored else SlackUsers()), SlackUsersIn)


async def _put_users(uow: UnitOfWork, document: SlackUsersIn, author: Author) -> object:
    return await put_slack_users(uow, read_users(document), author)


async def _owners(uow: UnitOfWork) -> JsonObject:
    return {"items": [as_written(one, OwnerDocument) for one in await show_owners(uow, await owned(uow))]}


async def _put_owners(uow: UnitOfWork, document: OwnersDocument, author: Author) -> object:
    owners = Ownership().with_members(await read_owners(uow, document.items, author))
    return await put_ownership(uow, owners, author)


def _by_member(document: JsonObject) -> JsonValue:
    items = document["items"]
    assert isinstance(items, list)
    return {f"{one['source']} {one['member']}": one for one in items if isinstance(one, dict)}


SINGLES: tuple[Single[Any], ...] = (
    Single("routes", _routes, _put_routes),
    Single("slack_users", _users, _put_users),
    Single("owners", _owners, _put_owners, _by_member),
)
