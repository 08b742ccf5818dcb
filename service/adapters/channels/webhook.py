"""Somebody's own endpoint: one signed POST a move, as Standard Webhooks 1.0.0 has it.

The specification asks for bodies under 20 KB, and that whatever is neither 2xx nor 410 is tried again. Here a body
that was refused as such is not: it would be the same the next time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import httpx

from service.adapters.channels.alertmanager.alerts import webhook_body
from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.posting import RETRYABLE, Peer, clipped, encoded, fitted, post
from service.adapters.channels.secret import opened
from service.domain.alerts.alert import AlertState
from service.domain.notify.channels.webhook import Webhook, signature_headers, signing_key
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Delivery, Message, MessageType, Receipt
from service.workflows.ports.channels import Channel, DeliveryError
from service.workflows.ports.platform import Vault

MOST_BYTES = 20_000
TEXT = 1000
LABEL = 200
PEER = Peer("the webhook", retryable=RETRYABLE | {409})


class WebhookChannel:
    """Posts every move. `webhook-id` is the notification's id, by which a receiver knows a repetition."""

    def __init__(self, config: Webhook, vault: Vault, transport: httpx.AsyncBaseTransport) -> None:
        self._config = config
        self._vault = vault
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        reference = await self._post(delivery)
        if delivery.message.type is MessageType.TEST and self._config.format == "alertmanager":
            # Whoever understands Alertmanager would keep a test open.
            over = replace(delivery.message, state=AlertState.RESOLVED)
            await self._post(replace(delivery, id=f"{delivery.id}-end", message=over, post=reference))
        return Receipt(post=reference, detail=f"{delivery.action} taken")

    async def _post(self, delivery: Delivery) -> str | None:
        body, reference = self._body(delivery)
        headers = signature_headers(self._keys(), delivery.id, delivery.at, body)
        await post(self._transport, PEER, self._config.url, body, headers)
        return reference

    def _keys(self) -> list[bytes]:
        """The new one first."""
        secrets = [one for one in (self._config.secret, self._config.previous_secret) if one is not None]
        try:
            return [signing_key(opened(self._vault, secret)) for secret in secrets]
        except ValueError as error:
            raise DeliveryError(f"the webhook's secret cannot sign: {error}", Concern.CREDENTIAL) from None

    def _body(self, delivery: Delivery) -> tuple[bytes, str | None]:
        """The body, and what later ones need to know of it."""
        if self._config.format == "alertmanager":
            return webhook_body(delivery)
        return fitted(lambda shortened: _own_body(delivery, shortened), delivery.message, MOST_BYTES), None


def open_channel(config: Webhook, needed: Dependencies) -> Channel:
    return WebhookChannel(config, needed.vault, needed.transport)


def _type(delivery: Delivery) -> str:
    match delivery.message.type:
        case MessageType.DIGEST:
            return "digest"
        case MessageType.TEST:
            return "alert.test"
    return f"alert.{delivery.action}"


def _own_body(delivery: Delivery, message: Message) -> bytes:
    kind = _type(delivery)
    return encoded(
        {
            "type": kind,
            "timestamp": delivery.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "data": {
                "alert_id": message.alert_id,
                "state": None if kind == "digest" else message.state,
                "severity": message.severity,
                "simulated": message.simulated,
                "headline": clipped(message.headline, TEXT),
                "notice": clipped(message.one_line, TEXT),
                "summary": clipped(message.summary, TEXT),
                "change": clipped(message.change, TEXT),
                "small_print": [clipped(text, TEXT) for text in message.small_print],
                "facts": [
                    {"label": clipped(label, LABEL), "value": clipped(value, TEXT)} for label, value in message.facts
                ],
                "next_step": clipped(message.next_step, TEXT),
                "link": message.link,
            },
        }
    )
