"""The dependencies of every request: its transaction, its instant, and its caller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Path, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.api.http.problems import Forbidden, Unauthorized
from service.domain.access import Role, Token
from service.workflows.access.tokens import run_authenticate
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


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


# With FastAPI's default scope the commit would come after the answer has been sent.
UowDep = Annotated[UnitOfWork, Depends(open_uow, scope="function")]

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="An API token, `tcn_...`")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def identify(request: Request, credentials: Credentials, ports: PortsDep) -> Token | None:
    """Returns the token of this request, None where it sends no Authorization at all."""
    if credentials is None:
        if "authorization" in request.headers:
            raise Unauthorized("Send the token as 'Authorization: Bearer tcn_...'")
        return None
    token = await run_authenticate(ports, credentials.credentials)
    if token is None:
        raise Unauthorized("This token is not known")
    return token


VisitorDep = Annotated[Token | None, Depends(identify)]


async def authenticate(visitor: VisitorDep) -> Token:
    if visitor is None:
        raise Unauthorized("Send a token: 'Authorization: Bearer tcn_...'")
    return visitor


CallerDep = Annotated[Token, Depends(authenticate)]


def role(needed: Role) -> Callable[[Token], Awaitable[None]]:
    """Returns a dependency that admits only this role or a larger one."""

    async def check(caller: CallerDep) -> None:
        if not caller.role.allows(needed):
            raise Forbidden(f"This needs the role {needed}; the token {caller.name!r} is {caller.role}")

    return check


viewer = Depends(role(Role.VIEWER))
operator = Depends(role(Role.OPERATOR))
admin = Depends(role(Role.ADMIN))


def author(caller: CallerDep, now: NowDep) -> Author:
    return Author(f"token:{caller.name}", now)


AuthorDep = Annotated[Author, Depends(author)]


async def refuse_unknown_query(request: Request) -> None:
    """Raises RequestValidationError: a misspelt filter must not silently widen an answer."""
    known = _query_names(request.scope["route"].dependant)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise RequestValidationError(
            [{"type": "extra_forbidden", "loc": ("query", n), "msg": "unknown"} for n in unknown]
        )


def _query_names(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*(_query_names(part) for part in dependant.dependencies))


known_query = Depends(refuse_unknown_query)

IdOrName = Annotated[
    str,
    Path(description="An id or a name", min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
Id = Annotated[str, Path(description="An id", pattern=r"^[A-Za-z0-9_-]{1,100}$")]
