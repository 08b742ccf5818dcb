"""All that channels are opened with, besides their configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
from rich.console import Console as Terminal

from service.domain.notify.notification import Message
from service.workflows.ports.platform import Vault

Block = dict[str, object]
"""An element of Slack's Block Kit."""

if TYPE_CHECKING:
    import aiohttp

OpenConnector = Callable[[], "aiohttp.BaseConnector"]
"""How aiohttp reaches the world: a connector for one session, which closes it."""

Controls = Callable[[Message], list[Block]]
"""Returns what stands below a message in Slack for people to press."""


def no_controls(message: Message) -> list[Block]:
    """Where nobody would hear of a press."""
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """All on the web is reached by `transport`, which stays the caller's; Slack by its `connector` and `proxy`.

    `smtp_url` is TOCSIN_SMTP_URL, None where mail is not set up.
    """

    vault: Vault
    transport: httpx.AsyncBaseTransport
    connector: OpenConnector
    proxy: str | None = None
    smtp_url: str | None = field(repr=False)
    email_from: str
    terminal: Terminal
    slack_controls: Controls = no_controls
