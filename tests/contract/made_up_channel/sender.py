"""Sends pigeons. This file becomes service/adapters/channels/pigeon.py."""

from __future__ import annotations

import httpx

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.posting import Peer, encoded, post
from service.adapters.channels.secret import opened
from service.domain.notify.notification import Delivery, Receipt
from service.workflows.ports.channels import Channel
from service.workflows.ports.platform import Vault
from tests.contract.made_up_channel.configuration import Pigeon

PEER = Peer("the loft")


class PigeonChannel:
    def __init__(self, config: Pigeon, vault: Vault, transport: httpx.AsyncBaseTransport) -> None:
        self._config = config
        self._vault = vault
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        said = {
            "action": delivery.action,
            "headline": delivery.message.headline,
            "listed": [one.standing for one in delivery.message.listed],
            "chart": delivery.picture.url if delivery.picture else None,
            "earlier": delivery.post,
        }
        headers = {"x-whistle": opened(self._vault, self._config.whistle), "x-ring": self._config.ring}
        await post(self._transport, PEER, f"{self._config.loft}/home", encoded(said), headers)
        return Receipt(post=delivery.post or f"pigeon of {delivery.id}", detail="came home")


def open_channel(config: Pigeon, needed: Dependencies) -> Channel:
    return PigeonChannel(config, needed.vault, needed.transport)
