"""A Prometheus Alertmanager: `POST /api/v2/alerts` to every member of its cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from service.adapters.channels.alertmanager_alerts import Standing, api_body
from service.adapters.channels.posting import Peer, json_words, post
from service.domain.notifications import Delivery, Receipt
from service.domain.receivers import Alertmanager
from service.workflows.ports import DeliveryError


class AlertmanagerChannel:
    """Tells all members at once. They gossip of silences and of what was sent, but not of alerts.

    The alert is sent whole each time, and its labels make it the same one: repeating any message changes nothing.
    So a member that failed is tried again together with those that took it.
    """

    def __init__(self, config: Alertmanager, transport: httpx.AsyncBaseTransport) -> None:
        self._config = config
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        body, urls = api_body(delivery), self._config.urls
        failures = [failure for failure in await asyncio.gather(*(self._tell(url, body) for url in urls)) if failure]
        if failures:
            raise _failure(failures, len(urls))
        members = "1 member" if len(urls) == 1 else f"{len(urls)} members"
        return Receipt(post=str(Standing.of(delivery)), detail=f"{delivery.action} taken by {members}")

    async def _tell(self, url: str, body: bytes) -> DeliveryError | None:
        peer = Peer(f"Alertmanager {urlsplit(url).netloc}", explain=json_words)
        try:
            await post(self._transport, peer, f"{url}/api/v2/alerts", body)
        except DeliveryError as error:
            return error
        return None


def _failure(failures: Sequence[DeliveryError], members: int) -> DeliveryError:
    """Permanent only if no member might take it later."""
    reasons = "; ".join(failure.reason for failure in failures)
    waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
    return DeliveryError(
        reasons if members == 1 else f"{len(failures)} of {members} members failed: {reasons}",
        permanent=len(failures) == members and all(failure.permanent for failure in failures),
        retry_after=max(waits, default=timedelta()) or None,
    )
