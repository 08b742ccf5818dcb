"""A Slack incoming webhook: every message is a post of its own; there are no edits and no threads."""

from __future__ import annotations

from slack_sdk.webhook.async_client import AsyncWebhookClient

from service.adapters.channels.dependencies import OpenConnector
from service.adapters.channels.secret import opened
from service.adapters.channels.slack import blocks as slack_blocks
from service.adapters.channels.slack.transport import (
    QUIET,
    failure,
    open_session,
    retry_handlers,
    unproved,
)
from service.domain.notify.channels.slack import SlackWebhook
from service.domain.notify.notification import Delivery, MessageForm, Receipt
from service.workflows.ports.platform import Vault

PROOF = "ok"
"""The body of a 200 (docs.slack.dev, "Sending messages using incoming webhooks")."""


class SlackWebhookChannel:
    """Posts. Of a 404 or 410 the webhook or its channel is gone; a 4xx with a word of Slack's says what it concerns."""

    def __init__(self, config: SlackWebhook, vault: Vault, connector: OpenConnector, proxy: str | None = None) -> None:
        self._config = config
        self._vault = vault
        self._connector = connector
        self._proxy = proxy

    async def send(self, delivery: Delivery) -> Receipt:
        mention = slack_blocks.mention_of(delivery, self._config.mention)
        url = opened(self._vault, self._config.webhook_url)
        text = slack_blocks.text(delivery.message)
        blocks = [*slack_blocks.blocks(delivery.message, mention), *slack_blocks.image(delivery.picture)]
        if delivery.form is MessageForm.PLAIN:
            text, blocks = slack_blocks.plainest(delivery.message, mention), []
        async with open_session(self._connector) as session:
            client = AsyncWebhookClient(url, session=session, logger=QUIET, retry_handlers=retry_handlers())
            client.proxy = self._proxy  # else the SDK takes one from the environment
            answer = await client.send(
                text=text,
                blocks=blocks,
                unfurl_links=False,
                unfurl_media=False,
            )
        if answer.status_code != 200:
            raise failure(answer.status_code, answer.body.strip(), answer.headers)
        if answer.body.strip() != PROOF:
            raise unproved(answer.body, answer.headers)
        return Receipt(post=None, detail="posted")
