"""A Prometheus Alertmanager: `POST /api/v2/alerts` to every member of its cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from service.adapters.channels.alertmanager.alerts import Standing, api_body
from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.posting import Peer, json_words, no_words, post
from service.adapters.channels.secret import opened
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Delivery, Receipt
from service.workflows.ports.channels import Channel, DeliveryError
from service.workflows.ports.platform import Vault


class AlertmanagerChannel:
    """Sends to all members at once. They gossip of silences and of what was sent, but not of alerts.

    The alert is sent whole each time, and its labels make it the same one: repeating any message changes nothing.
    One member is enough: whatever fires is sent again every minute, so that the others catch up, and none that is down
    keeps the next message from those that are not.
    """

    def __init__(self, config: Alertmanager, vault: Vault, transport: httpx.AsyncBaseTransport) -> None:
        self._config = config
        self._vault = vault
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        body, urls, headers = api_body(delivery), self._config.urls, self._headers()
        answers = await asyncio.gather(*(self._send_to(url, body, headers) for url in urls))
        failures = [failure for failure in answers if failure]
        if len(failures) == len(urls):
            raise _failure(failures)
        return Receipt(post=str(Standing.of(delivery)), detail=f"{delivery.action} taken by {_takers(failures, urls)}")

    def _headers(self) -> dict[str, str]:
        login = self._config.authorization
        return {} if login is None else {"Authorization": opened(self._vault, login)}

    async def _send_to(self, url: str, body: bytes, headers: Mapping[str, str]) -> DeliveryError | None:
        # Behind a login it may be a stranger who answers, and repeats what we sent.
        peer = Peer(
            f"Alertmanager {urlsplit(url).netloc}", proves=_is_taken, explain=no_words if headers else json_words
        )
        try:
            await post(self._transport, peer, f"{url}/api/v2/alerts", body, headers)
        except DeliveryError as error:
            return error
        return None


def open_channel(config: Alertmanager, needed: Dependencies) -> Channel:
    return AlertmanagerChannel(config, needed.vault, needed.transport)


def _is_taken(status: int, _: bytes) -> bool:
    """200 alone (prometheus/alertmanager, api/v2/openapi.yaml, postAlerts)."""
    return status == 200


def _takers(failures: Sequence[DeliveryError], urls: Sequence[str]) -> str:
    """Says how many took it, and why the others did not."""
    members = "1 member" if len(urls) == 1 else f"{len(urls)} members"
    if not failures:
        return members
    return f"{len(urls) - len(failures)} of {members}, the others later: {_reasons(failures)}"


def _reasons(failures: Sequence[DeliveryError]) -> str:
    return "; ".join(failure.reason for failure in failures)


def _failure(failures: Sequence[DeliveryError]) -> DeliveryError:
    """Returns the failure of all members. It is the moment's where one of them might take it soon."""
    concerns = {failure.concerns for failure in failures}
    waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
    alone = len(failures) == 1
    return DeliveryError(
        _reasons(failures) if alone else f"all {len(failures)} members failed: {_reasons(failures)}",
        concerns.pop() if len(concerns) == 1 else Concern.MOMENT if Concern.MOMENT in concerns else Concern.CHANNEL,
        retry_after=max(waits, default=timedelta()) or None,
    )
