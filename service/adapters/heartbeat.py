"""Signs of life to an outside watcher, which raises the alarm when they stop."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from service.workflows.ports.channels import HeartbeatError
from service.workflows.ports.platform import EgressRefused

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class HttpHeartbeat:
    """A GET of one address, through the caller's transport, which stays open. The address is a secret."""

    url: str
    transport: httpx.AsyncBaseTransport

    async def beat(self) -> None:
        request = httpx.Request("GET", self.url, extensions={"timeout": httpx.Timeout(TIMEOUT_SECONDS).as_dict()})
        try:
            response = await self.transport.handle_async_request(request)
            await response.aclose()
        except httpx.HTTPError as error:
            raise HeartbeatError(f"the watcher cannot be reached: {type(error).__name__}") from error
        except EgressRefused as error:
            raise HeartbeatError(str(error)) from error
        if not response.is_success:
            raise HeartbeatError(f"the watcher answered {response.status_code}")
