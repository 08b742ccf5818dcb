"""What is said to one person in Slack, besides an alert's messages."""

from __future__ import annotations

from typing import Protocol


class SlackReplies(Protocol):
    async def tell(self, response_url: str, text: str) -> None:
        """Shows `text` (mrkdwn) to the person alone. Never raises: what cannot be said is logged."""
        ...
