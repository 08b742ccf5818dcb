"""A Discord channel, by an incoming webhook."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels.documents import LINK, Form, JsonDocument, JsonField
from service.domain.notify.channels.doubts import discord_webhook
from service.domain.notify.channels.traits import EDITED, ChartUse, Rate, Traits
from service.domain.notify.page_links import LinkUse
from service.domain.values.resources import Sealed

ONE_A_SECOND = Rate(1, timedelta(seconds=1))
"""A webhook's posts and edits share 5 calls in 2 seconds (discord/discord-api-docs#2243); a raise takes two of them."""

_WEBHOOK = re.compile(r"https?://[^/?#]+/(?:[^?#]+/)?webhooks/[0-9]{1,20}/[\w-]+/?(?:\?[^#]*)?", re.ASCII)


def _webhook_address(url: str) -> str:
    if not _WEBHOOK.fullmatch(url):
        raise ValueError("write the address of a webhook, such as https://discord.com/api/webhooks/1234/...")
    return url


@dataclass(frozen=True, slots=True)
class Discord:
    """A webhook, which edits its own posts. The URL is the secret; `?thread_id=` in it leads to a thread."""

    webhook_url: Annotated[Sealed, JsonField(Form.SECRET_ADDRESS, read=_webhook_address, doubt=discord_webhook)]
    link: Annotated[LinkUse, LINK] = LinkUse.ANSWER
    kind: Literal["discord"] = "discord"

    document: ClassVar[JsonDocument] = JsonDocument(
        "discord", "A Discord channel, by the address of an incoming webhook."
    )
    traits: ClassVar[Traits] = Traits(EDITED, chart=ChartUse.LINKED, kept_current=True, rate=ONE_A_SECOND)

    @property
    def identity(self) -> str:
        return self.webhook_url.digest
