"""Ways out: channels, replies in Slack, the heartbeat."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol, runtime_checkable

from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Delivery, Receipt
from service.domain.slack.hand_on import HolderQuestion


class DeliveryError(Exception):
    """A channel did not take a message. `concerns` says what the failure is about. No secret is in the text.

    `retry_after`: the channel wants no message at all before that.
    """

    def __init__(
        self, reason: str, concerns: Concern = Concern.MOMENT, *, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.concerns = concerns
        self.retry_after = retry_after


class Defect(DeliveryError):
    """A sender raised what no channel should: the text has its type alone, since messages may hold secrets."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"an error that nobody foresaw: {type(error).__name__}")


class Channel(Protocol):
    async def send(self, delivery: Delivery) -> Receipt:
        """Sends the message once. Raises DeliveryError; never retries by itself longer than a few seconds."""
        ...


@runtime_checkable
class ChannelWithSteps(Channel, Protocol):
    """A channel that adds to a message once it is out: a chart, a thread, a mark on the post before it."""

    async def add(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """Adds to the message of the receipt, and returns it with what was done. The message is not sent again.

        Raises DeliveryError where it cannot: the message counts as sent all the same, with a word about that.
        """
        ...


class Channels(Protocol):
    def open(self, config: ChannelConfig) -> Channel: ...


class SlackReplies(Protocol):
    async def tell(self, response_url: str, text: str) -> None:
        """Shows `text` (mrkdwn) to the person alone. Never raises: what cannot be sent is logged."""
        ...

    async def ask(self, response_url: str, question: HolderQuestion) -> None:
        """Shows the person alone a menu, whose choice is a press. Never raises."""
        ...

    async def settle(self, response_url: str, text: str) -> None:
        """Shows `text` in place of the question that the person has answered. Never raises."""
        ...


class HeartbeatError(Exception):
    """The watcher could not be reached. The text holds no address."""


class Heartbeat(Protocol):
    async def beat(self) -> None:
        """Tells the watcher that all is well. Raises HeartbeatError."""
        ...
