"""ETags are versions: `"3"`. A write with If-Match happens only to the version it names."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from service.api.http.problems import PreconditionFailed

IfMatch = Annotated[
    str | None, Header(description="Write only if the stored version still has this ETag", examples=['"3"'])
]


def etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def require_match(if_match: str | None, version: int) -> None:
    """Raises PreconditionFailed where the caller has read another version than the stored one."""
    if if_match is None or if_match.strip() == "*":
        return
    if f'"{version}"' not in (tag.strip() for tag in if_match.split(",")):
        raise PreconditionFailed(f'If-Match is {if_match}, the stored version is "{version}": read it again')
