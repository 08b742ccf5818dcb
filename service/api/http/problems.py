"""Every error as RFC 9457 `application/problem+json`, the framework's own included."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TypeVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from service.api.http.headers import SAFE
from service.api.http.json_flaws import TOO_DEEP
from service.api.http.pages import is_a_browser, notice
from service.api.http.wording import NO_BODY, NO_OBJECT, Facts, in_words
from service.domain.values.errors import Conflict, DomainError, Invalid, NotFound, StaleVersion, UnreadableDocument
from service.workflows.access.idempotency import KeyReused
from service.workflows.ports.outages import StorageBusy, StorageRefuses, StorageUnavailable

MEDIA_TYPE = "application/problem+json"
WRITTEN_OVER_BY = ". Where no other release reads it: DELETE it by its id, or PATCH it with the whole document"
_IN_USE = "Others keep all of this server's connections to the database busy; try again"

log = structlog.get_logger(__name__)

Place = tuple[int | str, ...]
E = TypeVar("E", bound=Exception)


class Unauthorized(Exception):
    """No token, or none that is known: 401."""


class Forbidden(Exception):
    """The token's role is too small: 403."""


class PreconditionFailed(StaleVersion):
    """If-Match names another version than the stored one: 412."""


class ProblemError(BaseModel):
    """One thing that is wrong with the request."""

    pointer: str = Field(description="JSON pointer to the value", examples=["/thresholds/0/percent"])
    detail: str
    location: str = Field(default="body", alias="in", description="where the pointer starts: body, query, path, header")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str
    errors: list[ProblemError] = []


STATUSES: Mapping[type[Exception], int] = {
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    PreconditionFailed: 412,
    Invalid: 422,
    KeyReused: 422,
    UnreadableDocument: 500,
}


def problem(
    status: int, detail: str, errors: Sequence[ProblemError] = (), headers: Mapping[str, str] | None = None
) -> Response:
    document = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors)).model_dump(
        by_alias=True
    )
    if not errors:
        del document["errors"]
    return JSONResponse(document, status, headers, media_type=MEDIA_TYPE)


def answer_with_problems(app: FastAPI) -> None:
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(StorageUnavailable, _storage_unavailable)
    app.add_exception_handler(Unauthorized, _unauthorized)
    app.add_exception_handler(Forbidden, _domain_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _framework_error)
    app.add_exception_handler(Exception, _unexpected)


async def _domain_error(request: Request, error: Exception) -> Response:
    if isinstance(error, StaleVersion) and not isinstance(error, PreconditionFailed):
        # Somebody wrote between our reading and writing; whoever sent If-Match is answered 412.
        return problem(412 if "if-match" in request.headers else 409, str(error))
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    errors = []
    if isinstance(error, Invalid) and error.pointer:
        place = "query" if request.method == "GET" else "body"
        errors = [_located(error.pointer, str(error), place)]
    advice = WRITTEN_OVER_BY if isinstance(error, UnreadableDocument) else ""
    return _page_or_problem(request, status, str(error) + advice, errors)


def _page_or_problem(
    request: Request,
    status: int,
    detail: str,
    errors: Sequence[ProblemError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Returns a page for who looks at one of ours, as by an old link; a problem for a program."""
    if not is_a_browser(request) or request.url.path.startswith("/v1/"):
        return problem(status, detail, errors, headers)
    answer = notice(status, "There is no such page" if status == 404 else "This is not possible", detail)
    answer.headers.update(headers or {})
    return answer


async def _unauthorized(request: Request, error: Exception) -> Response:
    if is_a_browser(request):
        text = "This address is for programs that send a token. Open an alert by the link in its newest message."
        return notice(401, "Tocsin's API needs a token", text)
    return problem(401, str(error), headers={"WWW-Authenticate": 'Bearer realm="tocsin"'})


async def _storage_unavailable(_: Request, error: Exception) -> Response:
    detail = _IN_USE if isinstance(error, StorageBusy) else "The database cannot be reached; try again"
    detail = str(error) if isinstance(error, StorageRefuses) else detail
    return problem(503, detail, headers={"Retry-After": "5"})


async def _framework_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and error.__cause__ is not None:
        return _unreadable(error.__cause__)
    headers = dict(error.headers or {})
    detail = error.detail
    if error.status_code == 405:
        # The framework names the methods of the first matching route only.
        headers["Allow"] = ", ".join(allowed_methods(request))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        if is_a_browser(request):
            return _not_a_page(headers)
        detail = f"{request.method} is not possible here"
    elif error.status_code == 404:
        detail = "There is nothing at this path"
    return _page_or_problem(request, error.status_code, detail, headers=headers)


def _unreadable(cause: BaseException) -> Response:
    """Returns why a body could not be parsed, where it may well be JSON."""
    match cause:
        case RecursionError():
            return problem(422, TOO_DEEP, [_located("", TOO_DEEP, "body")])
        case UnicodeError():
            return problem(400, "The body is not UTF-8 text")
        case ValueError():  # Python's bound for digits, against quadratic time
            detail = f"a number has more than {sys.get_int_max_str_digits()} digits"
            return problem(422, detail, [_located("", detail, "body")])
        case _:
            return problem(400, "The body cannot be read")


def _not_a_page(headers: Mapping[str, str]) -> Response:
    """Returns a page for who opens a form's address, as a reload after an answer does."""
    answer = notice(405, "There is no page here", "Nothing was changed. Open the link in the message again.")
    answer.headers.update(headers)
    return answer


def allowed_methods(request: Request) -> list[str]:
    """Returns the methods of all routes of the request's path."""
    path = request.scope["path"]
    methods = {"OPTIONS"}
    for route in iter_route_contexts(request.app.routes):
        if route.path and re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", route.path), path):
            methods |= route.methods or set()
    return sorted(methods) if len(methods) > 1 else ["GET", "HEAD", "OPTIONS"]  # the pages' files


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request_failed", method=request.method, path=_loggable(request), exc_info=error)
    # The framework answers this outside every middleware.
    return problem(500, "The server failed; its log says why", headers=SAFE)


def _loggable(request: Request) -> str:
    """Returns the path; of a link the route alone, since who reads the log could follow it."""
    path = request.url.path
    return path if path.startswith("/v1/") else getattr(request.scope.get("route"), "path", "unknown")


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return problem(400, "The body is not JSON")
    errors = problems_of(error)
    return _page_or_problem(request, 422, "; ".join(_line(one) for one in errors[:3])[:1000], errors)


def in_the_body(error: ValidationError, body: object) -> RequestValidationError:
    """Returns the error of a document that did not come as a request's body, so that it fails like one.

    `body` is that document: pointers lead to what is in it.
    """
    return RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()], body=body)


def problems_of(error: RequestValidationError) -> list[ProblemError]:
    """Returns each thing that is wrong, in our words."""
    return [_one(found, error.body) for found in error.errors()]


def _line(one: ProblemError) -> str:
    return f"{one.pointer}: {one.detail}" if one.pointer else one.detail


def _one(found: Facts, body: object) -> ProblemError:
    kind, location, path = found["type"], str(found["loc"][0]), tuple(found["loc"][1:])
    if location == "body":
        if not path and kind in NO_OBJECT:
            return _located("", NO_BODY, location)
        path = _within(body, path, missing=kind == "missing")
    if location == "query":
        path = path[:1]  # one of several values is at the parameter's name
    return _located(pointer(path), in_words(kind, found["msg"], found.get("ctx", {})), location)


def _located(pointer: str, detail: str, location: str) -> ProblemError:
    return ProblemError.model_validate({"pointer": pointer, "detail": detail, "in": location})


def pointer(path: Place) -> str:
    """Returns a JSON pointer (RFC 6901) in valid UTF-8, at most 500 characters long."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    text = "".join(f"/{part}" for part in parts)
    return text.encode("utf-8", "replace").decode()[:500]


def _within(body: object, path: Place, *, missing: bool) -> Place:
    """Returns the parts of pydantic's location that are in the document: it also names union members and validators."""
    kept: list[int | str] = []
    for part in path:
        inner = _child(body, part)
        if inner is not _ABSENT:
            body = inner
        elif not (missing and part == path[-1]):
            continue
        kept.append(part)
    return tuple(kept)


_ABSENT = object()


def _child(body: object, part: int | str) -> object:
    if isinstance(body, dict):
        return body.get(part, _ABSENT)
    if isinstance(body, list) and isinstance(part, int) and part < len(body):
        return body[part]
    return _ABSENT
