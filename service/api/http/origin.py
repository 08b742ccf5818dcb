"""Where a request came from."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.requests import Request


def address_of(request: Request) -> str:
    """Returns the address that a request came from; empty where the server knows none."""
    try:
        return str(ip_address(request.client.host)) if request.client else ""
    except ValueError:  # a proxy's header may say anything
        return ""
