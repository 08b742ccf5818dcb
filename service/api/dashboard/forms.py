"""Reads the forms that pages send."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from service.domain.values.errors import Invalid

MOST_FIELDS = 8_000
"""There are 500 routes at most, each of a dozen fields."""
AGAIN = "again"
"""The field of a form that was kept while somebody signed in: it is shown again before anything is done."""
_TYPE, _WITH_FILES = "application/x-www-form-urlencoded", "multipart/form-data"
_NO_FORM = "this is no form that a page of ours sends"
MOST_PARTS = 100
"""The parts that a form with files has at most: each is a field with its text."""


async def read_form(request: Request) -> Mapping[str, str]:
    """Returns the fields of a form, the last of each name. Raises Invalid for a body that is none."""
    given = request.headers.get("content-type", "")
    kind, body = given.partition(";")[0].strip().lower(), await request.body()  # read whole already
    if kind == _WITH_FILES:
        return _parts(given, body)
    if kind != _TYPE:
        raise Invalid(f"send a form, as {_TYPE} or {_WITH_FILES}")
    try:
        text = body.decode("ascii")  # anything else is percent-encoded
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError as error:
        raise Invalid(_NO_FORM) from error


def _parts(content_type: str, body: bytes) -> Mapping[str, str]:
    """Returns the parts of a form with files (RFC 7578) by their names; a byte order mark is left out.

    A part is text, whatever it calls itself: what looks like further parts inside it is not looked into.
    """
    given = Message()
    given["Content-Type"] = content_type
    boundary = given.get_boundary()
    if not boundary:
        raise Invalid(_NO_FORM)
    _, *parts = (b"\r\n" + body).split(f"\r\n--{boundary}".encode("latin-1"), MOST_PARTS + 2)
    if not parts or len(parts) > MOST_PARTS + 1 or not parts[-1].startswith(b"--"):
        raise Invalid(_NO_FORM)
    return dict(map(_field, parts[:-1]))


def _field(part: bytes) -> tuple[str, str]:
    """Raises Invalid for a file that is no text."""
    head, _, content = part.partition(b"\r\n\r\n")
    name = BytesHeaderParser().parsebytes(head.lstrip()).get_param("name", "", "content-disposition")
    try:
        return str(name), content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"byte {error.start + 1}: the file is not UTF-8 text. Save it as CSV UTF-8") from error


FormDep = Annotated[Mapping[str, str], Depends(read_form)]
