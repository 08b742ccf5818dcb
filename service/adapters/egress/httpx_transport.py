"""The guard in httpx: a name is resolved once a connection, and what was judged is what is connected to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from functools import cache

import httpcore
import httpx

from service.adapters.egress.guard import Endpoint, Guard
from service.adapters.egress.resolving import Resolve, look_up
from service.workflows.ports.platform import EgressRefused

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=2)
"""A connection is kept for the next message of a burst, and no longer: servers close idle ones after five seconds, and
what is sent in that moment is lost."""


def open_transport(guard: Guard, proxy: str | None, resolve: Resolve = look_up) -> httpx.AsyncHTTPTransport:
    """How httpx reaches the world; whoever opens it closes it. `proxy` is TOCSIN_PROXY.

    Its requests raise EgressRefused, besides httpx's errors. Raises ValueError for a proxy that makes no sense.
    """
    return GuardedTransport(guard, resolve) if proxy is None else ProxiedTransport(guard, proxy)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Connects to checked addresses. TLS and the Host header keep the name: both are decided above the socket."""

    def __init__(self, guard: Guard, resolve: Resolve = look_up) -> None:
        super().__init__(verify=_tls(), limits=_LIMITS)
        # httpx has no parameter for it. Should it rename the attribute one day, this fails instead of guarding nothing.
        if not isinstance(self._pool, httpcore.AsyncConnectionPool):
            raise TypeError("this version of httpx connects in another way than the egress guard knows")
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=_LIMITS.max_connections,
            max_keepalive_connections=_LIMITS.max_keepalive_connections,
            keepalive_expiry=_LIMITS.keepalive_expiry,
            network_backend=_GuardedBackend(guard, resolve),
        )


class ProxiedTransport(httpx.AsyncHTTPTransport):
    """Leaves names to the proxy, which alone knows what it will connect to; literal addresses are judged here."""

    def __init__(self, guard: Guard, proxy: str) -> None:
        Endpoint.of(proxy)  # httpx would take SOCKS as well, which aiohttp does not speak
        super().__init__(verify=_tls(), limits=_LIMITS, proxy=proxy)
        self._guard = guard

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        objection = self._guard.objection(str(request.url))
        if objection is not None:
            raise EgressRefused(objection)
        return await super().handle_async_request(request)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections, by asyncio."""

    def __init__(self, guard: Guard, resolve: Resolve) -> None:
        self._guard = guard
        self._resolve = resolve
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._checked(Endpoint(host, port), timeout)
        # Shared, so that an address that never answers leaves time for the next.
        share = None if timeout is None else timeout / max(1, len(addresses))
        failure: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._sockets.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _checked(self, place: Endpoint, seconds: float | None) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(seconds):
                found = await self._resolve(*place)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{place.host} was not resolved in time") from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return tuple(map(str, self._guard.passed(place, found)))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the trusted certificates takes longer than most polls."""
    return httpx.create_ssl_context(trust_env=False)
