"""The guard in aiohttp, which slack-sdk speaks: a resolver judges names, a socket factory judges literal addresses."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from service.adapters.egress.guard import Endpoint, Guard
from service.adapters.egress.resolving import Resolve, look_up
from service.workflows.ports.platform import EgressRefused


def connectors(guard: Guard, proxy: str | None, resolve: Resolve = look_up) -> Callable[[], aiohttp.TCPConnector]:
    """Makes connectors, one for every session, which then owns it. `proxy` is TOCSIN_PROXY.

    Their requests raise EgressRefused, besides aiohttp's errors. What `guard` trusts is of no use here:
    only sources are at trusted places.
    """
    if proxy is not None:
        return partial(_ProxiedConnector, guard)
    return lambda: aiohttp.TCPConnector(
        resolver=_GuardedResolver(guard, resolve), socket_factory=partial(_open_socket, guard)
    )


class _GuardedResolver(AbstractResolver):
    """Names no address but checked ones, to which aiohttp then connects."""

    def __init__(self, guard: Guard, resolve: Resolve) -> None:
        self._guard = guard
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = self._guard.passed(Endpoint(host, port), await self._resolve(host, port))
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


def _open_socket(guard: Guard, info: aiohttp.AddrInfoType) -> socket.socket:
    """The socket for one connection. Raises EgressRefused, and ValueError for what is not an address.

    aiohttp asks no resolver about a host that looks like an address: such a one is first seen here.
    """
    family, kind, protocol, _, (host, port, *_) = info
    guard.passed(Endpoint(str(host), int(port)), (ip_address(host),))
    return socket.socket(family, kind, protocol)


_WEB = {"ws": "http", "wss": "https"}
"""A websocket begins as a request like any other, to the same place."""


class _ProxiedConnector(aiohttp.TCPConnector):
    """Leaves names to the proxy, which alone knows what it will connect to; literal addresses are judged here."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the interface's
    ) -> Connection:
        if req.proxy is None:
            raise EgressRefused("TOCSIN_PROXY is set, and this request would not use it")
        objection = self._guard.objection(str(req.url.with_scheme(_WEB.get(req.url.scheme, req.url.scheme))))
        if objection is not None:
            raise EgressRefused(objection)
        return await super().connect(req, traces, timeout)
