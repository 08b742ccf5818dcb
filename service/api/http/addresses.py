"""Web addresses in documents: one that may not be connected to is not stored."""

from __future__ import annotations

from service.domain.values.errors import Invalid
from service.workflows.ports.platform import AddressCheck


def require_permitted(check: AddressCheck, url: str, pointer: str) -> None:
    """Raises Invalid for an address that is visibly private.

    Check new addresses only: a stored one passed, and a change of something else must not fail over it.
    """
    objection = check.objection(url)
    if objection is not None:
        raise Invalid(objection, pointer)
