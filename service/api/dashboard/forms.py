"""Reads the forms that pages send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from service.domain.values.errors import Invalid

MOST_FIELDS = 8_000
"""There are 500 routes at most, each of a dozen fields."""
AGAIN = "again"
"""The field of a form that was kept while somebody signed in: it is shown again before anything is done."""
_TYPE = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> Mapping[str, str]:
    """Returns the fields of a form, the last of each name. Raises Invalid for a body that is none."""
    if request.headers.get("content-type", "").partition(";")[0] != _TYPE:
        raise Invalid(f"send a form, as {_TYPE}")
    try:
        text = (await request.body()).decode("ascii")  # read whole already; anything else is percent-encoded
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError as error:
        raise Invalid("this is no form that a page of ours sends") from error


FormDep = Annotated[Mapping[str, str], Depends(read_form)]
