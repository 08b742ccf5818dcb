"""Web addresses in documents: one that may not be connected to is not stored."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from service.domain.values.errors import Invalid
from service.workflows.ports.platform import AddressCheck


def _web_address(text: str) -> str:
    parts = urlsplit(text)  # raises ValueError for a malformed host
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("write an address such as https://example.com")
    if "@" in parts.netloc or parts.fragment or parts.query:
        raise ValueError("an address has no user, password, query or fragment")
    return text


Address = Annotated[
    str,
    StringConstraints(min_length=8, max_length=500, pattern=r"^https?://[!-~]+$"),
    AfterValidator(_web_address),
]


def require_permitted(check: AddressCheck, url: str, pointer: str) -> None:
    """Raises Invalid for an address that is visibly private.

    Check new addresses only: a stored one passed, and a change of something else must not fail over it.
    """
    objection = check.objection(url)
    if objection is not None:
        raise Invalid(objection, pointer)
