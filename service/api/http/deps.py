"""The dependencies of every request: its transaction, its instant, and its caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Path, Request
from fastapi._compat import field_annotation_is_sequence
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BeforeValidator

from service.api.http.json_flaws import flaws
from service.api.http.origin import address_of
from service.api.http.paths import read_segment
from service.api.http.problems import Forbidden, Unauthorized
from service.domain.access import Role, Token
from service.workflows.access.refusals import run_note_refusal
from service.workflows.access.tokens import run_authenticate
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

T = TypeVar("T")


def get_ports(request: Request) -> Ports:
    return cast("Ports", request.app.state.ports)


PortsDep = Annotated[Ports, Depends(get_ports)]


def read_clock(ports: PortsDep) -> datetime:
    """Returns the request's one instant: everything it writes bears it."""
    return ports.clock()


NowDep = Annotated[datetime, Depends(read_clock)]


async def open_uow(ports: PortsDep) -> AsyncIterator[UnitOfWork]:
    async with ports.uow() as uow:
        yield uow


async def in_one_transaction(ports: Ports, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
    """Does some work of a request that may need none: one that holds no connection while it waits for others."""
    async with ports.uow() as uow:
        return await work(uow)


class _Rehearsal(Exception):
    """Ends a transaction of which nothing is to remain."""


async def rehearsed(ports: Ports, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
    """Returns what the work comes to, and leaves nothing of it stored."""
    done: list[T] = []
    try:
        async with ports.uow() as uow:
            done.append(await work(uow))
            raise _Rehearsal
    except _Rehearsal:
        return done[0]


# With FastAPI's default scope the commit would come after the answer has been sent.
UowDep = Annotated[UnitOfWork, Depends(open_uow, scope="function")]

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="An API token, `tcn_...`")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def attempt_of(request: Request) -> str:
    """Names a request for the audit log: "DELETE /v1/budgets/{id}"."""
    return f"{request.method} {request.scope['route'].path}"


async def identify(request: Request, credentials: Credentials, ports: PortsDep) -> Token | None:
    """Returns the token of this request, None where it sends no Authorization at all."""
    if credentials is None:
        if "authorization" in request.headers:
            raise Unauthorized("Send the token as 'Authorization: Bearer tcn_...'")
        return None
    token = await run_authenticate(ports, credentials.credentials, attempt_of(request), address_of(request))
    if token is None:
        raise Unauthorized("This token is not known")
    return token


VisitorDep = Annotated[Token | None, Depends(identify)]


async def authenticate(visitor: VisitorDep) -> Token:
    if visitor is None:
        raise Unauthorized("Send a token: 'Authorization: Bearer tcn_...'")
    return visitor


CallerDep = Annotated[Token, Depends(authenticate)]


def author(request: Request, caller: CallerDep, now: NowDep) -> Author:
    return Author(caller.actor, now, caller.id, address_of(request))


AuthorDep = Annotated[Author, Depends(author)]


def role(needed: Role) -> Callable[[Request, Token, Author, Ports], Awaitable[None]]:
    """Returns a dependency that admits only this role or a larger one."""

    async def check(request: Request, caller: CallerDep, author: AuthorDep, ports: PortsDep) -> None:
        if not caller.role.allows(needed):
            refusal = f"This needs the role {needed}; the token {caller.name!r} is {caller.role}"
            await run_note_refusal(ports, author, attempt_of(request), refusal)
            raise Forbidden(refusal)

    return check


viewer = Depends(role(Role.VIEWER))
operator = Depends(role(Role.OPERATOR))
admin = Depends(role(Role.ADMIN))


REPLACED = "\N{REPLACEMENT CHARACTER}"
"""The character in place of bytes that are no UTF-8. Nothing that could be asked for has it."""


async def refuse_odd_query(request: Request) -> None:
    """Raises RequestValidationError: a filter that is misspelt or not read must not silently change an answer."""
    lists = _takes_lists(request.scope["route"].dependant)
    given = Counter(name for name, _ in request.query_params.multi_items())
    errors = [
        {"type": "extra_forbidden", "loc": ("query", name), "msg": "unknown"} for name in given if name not in lists
    ]
    errors += [
        {"type": "given_twice", "loc": ("query", name), "msg": "give it once: it takes one value"}
        for name, count in given.items()
        if count > 1 and not lists.get(name, True)
    ]
    errors += [
        {"type": "not_unicode", "loc": ("query", name), "msg": "this is not UTF-8 text"}
        for name, value in request.query_params.multi_items()
        if REPLACED in value
    ]
    if errors:
        raise RequestValidationError(errors)


def _takes_lists(dependant: Dependant) -> dict[str, bool]:
    """Returns the names of a route's query parameters, and whether each may be repeated."""
    lists = {field.alias: field_annotation_is_sequence(field.field_info.annotation) for field in dependant.query_params}
    for part in dependant.dependencies:
        lists |= _takes_lists(part)
    return lists


known_query = Depends(refuse_odd_query)


async def refuse_odd_json(request: Request) -> None:
    """Raises RequestValidationError, as `flaws` says, for a body that one reader could take for another document."""
    if request.scope["route"].body_field is None:
        return
    body = await request.body()  # read by the framework already
    found = [{"type": "odd_json", "loc": ("body", *path), "msg": words} for path, words in flaws(body)]
    if found:
        raise RequestValidationError(found, body=await request.json())


sound_json = Depends(refuse_odd_json)

IdOrName = Annotated[
    str,
    BeforeValidator(read_segment),
    Path(description="An id or a name", min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
Id = Annotated[str, Path(description="An id", pattern=r"^[A-Za-z0-9_-]{1,100}$")]
