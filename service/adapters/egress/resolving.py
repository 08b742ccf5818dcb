"""From names to addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from service.adapters.egress.addresses import IPAddress

Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]
"""The addresses of a host, literal ones included, the best first. Raises OSError when there is none."""


async def look_up(host: str, port: int) -> Sequence[IPAddress]:
    """Resolves by the system, in the order that it recommends (RFC 6724)."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(f"{host[:80]} is not a host name") from None
    return tuple(dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in found))
