"""Answers as JSON, with their versions as ETags: a write with If-Match happens only to the version it names."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header
from fastapi.responses import Response
from pydantic import BaseModel

from service.api.http.problems import PreconditionFailed

JSON = "application/json"

IfMatch = Annotated[
    str | None, Header(description="Write only if the stored version still has this ETag", examples=['"3"'])
]


def respond(document: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(document.model_dump_json(by_alias=True), status, headers, JSON)


def etag(version: int) -> dict[str, str]:
    """Returns the header of a version, such as `"3"`."""
    return {"ETag": f'"{version}"'}


def require_match(if_match: str | None, version: int) -> None:
    """Raises PreconditionFailed where the caller has read another version than the stored one."""
    if if_match is None or if_match.strip() == "*":
        return
    if f'"{version}"' not in (tag.strip() for tag in if_match.split(",")):
        raise PreconditionFailed(f'If-Match is {if_match}, the stored version is "{version}": read it again')
