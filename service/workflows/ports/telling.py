"""Channels that tell people, and the vault that keeps their secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from service.domain.notify.notification import Delivery, Receipt
from service.domain.notify.receivers import ChannelConfig
from service.domain.values.resources import Sealed


class DeliveryError(Exception):
    """A channel did not take a message. `permanent`: trying again cannot help. No secret is in the text.

    `retry_after`: the channel wants no message at all before that.
    """

    def __init__(self, reason: str, *, permanent: bool, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after


class Channel(Protocol):
    async def send(self, delivery: Delivery) -> Receipt:
        """Say it once. Raises DeliveryError; never retries by itself longer than a few seconds."""
        ...


class Channels(Protocol):
    def open(self, config: ChannelConfig) -> Channel: ...


class VaultError(Exception):
    """A sealed secret cannot be opened. The text says what to do, and holds no secret."""


class Vault(Protocol):
    """Seals secrets for storage and opens them for their use."""

    def seal(self, secret: str) -> Sealed: ...

    def is_current(self, sealed: Sealed) -> bool:
        """Whether it is sealed with the key that seals now, not with an older one on its way out."""
        ...

    def open(self, sealed: Sealed) -> str:
        """Raises VaultError."""
        ...
