"""Slack with a bot token: one post an alert, kept current by edits, a thread for what people must hear."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from service.adapters.channels.dependencies import Block, Controls, OpenConnector, no_controls
from service.adapters.channels.secret import opened
from service.adapters.channels.slack import blocks as slack_blocks
from service.adapters.channels.slack.transport import (
    GONE,
    NO_THREAD,
    QUIET,
    call,
    error_name,
    open_session,
    retry_handlers,
)
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.channels.traits import ANNOUNCED
from service.domain.notify.notification import (
    FIRING_ACTIONS,
    Action,
    Attachment,
    Delivery,
    Message,
    MessageForm,
    Picture,
    Receipt,
)
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import Vault

TITLE, ALT = 250, 1000
"""Characters of a file's title and of its description."""
_TS = re.compile(r"\d{1,20}\.\d{1,20}")
NOTHING_TO_EDIT = Receipt(post=None, detail="nothing to edit: this alert was never posted here")


@dataclass(frozen=True, slots=True)
class Post:
    """Where a message is in Slack: the channel's id and the message's timestamp."""

    channel: str
    ts: str

    @classmethod
    def parse(cls, reference: str) -> Post:
        found = json.loads(reference)
        return cls(found["channel"], found["ts"])

    def __str__(self) -> str:
        return json.dumps({"channel": self.channel, "ts": self.ts})


def _posted(answer: AsyncSlackResponse) -> Post:
    """Where it is. `ok` with `channel` and `ts` is the proof (docs.slack.dev, chat.postMessage)."""
    channel, ts = answer.get("channel"), answer.get("ts")
    if not (isinstance(channel, str) and isinstance(ts, str) and channel and _TS.fullmatch(ts)):
        raise DeliveryError("Slack: the answer has no proof of the post")
    return Post(channel, ts)


class SlackBotChannel:
    """Opens by posting, raises by an edit and a broadcast reply, resolves by an edit and a plain reply.

    An earlier post that can no longer be edited is replaced by a new one. Where there was none, a raise and an end
    are posted, and the rest has nothing to edit. The mention pings on opens and raises, and stands in no edit.
    Details and chart go into the thread, once the post is there: for the chart the app needs files:write.
    `controls` are the buttons below a post; an edit brings them up to date, too.
    """

    def __init__(
        self,
        config: SlackBot,
        vault: Vault,
        connector: OpenConnector,
        proxy: str | None = None,
        controls: Controls = no_controls,
    ) -> None:
        self._config = config
        self._controls = controls
        self._vault = vault
        self._connector = connector
        self._proxy = proxy

    async def send(self, delivery: Delivery) -> Receipt:
        async with self._client() as client:
            return await self._deliver(client, delivery)

    async def add(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """Adds details and chart to the thread."""
        if receipt.post is None or delivery.action not in FIRING_ACTIONS:
            return receipt
        post = Post.parse(receipt.post)
        receipt = await self._fill_thread(delivery, receipt, post)
        return receipt if delivery.attachment is None else await self._upload(delivery.attachment, receipt, post)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncWebClient]:
        token = opened(self._vault, self._config.token)
        async with open_session(self._connector) as session:
            client = AsyncWebClient(
                token=token,
                base_url=self._config.api_url,
                session=session,
                logger=QUIET,
                retry_handlers=retry_handlers(),
            )
            client.proxy = self._proxy  # else the SDK takes one from the environment
            yield client

    async def _fill_thread(self, delivery: Delivery, receipt: Receipt, post: Post) -> Receipt:
        """Details and chart, in one message where there are both.

        The message itself is out: a failure here is noted, and not tried again.
        """
        details = slack_blocks.details(delivery.message)
        if delivery.picture is not None:
            try:
                async with self._client() as client:
                    await self._attach(client, delivery.picture, post, details)
                return replace(receipt, detail=f"{receipt.detail}, with its chart")
            except DeliveryError as error:
                receipt = replace(receipt, detail=f"{receipt.detail}; without its chart: {error.reason}")
        if details and receipt.post != delivery.post:  # an older thread has had them
            try:
                async with self._client() as client:
                    await self._say(client, post, details)
            except DeliveryError as error:
                receipt = replace(receipt, detail=f"{receipt.detail}; without its details: {error.reason}")
        return receipt

    async def _upload(self, file: Attachment, receipt: Receipt, post: Post) -> Receipt:
        try:
            async with self._client() as client:
                await call(
                    client.files_upload_v2(
                        channel=post.channel,
                        thread_ts=post.ts,
                        content=file.text,
                        filename=file.name,
                        title=file.name[:TITLE],
                    )
                )
        except DeliveryError as error:
            return replace(receipt, detail=f"{receipt.detail}; without {file.name}: {error.reason}")
        return replace(receipt, detail=f"{receipt.detail}, with {file.name}")

    async def _attach(self, client: AsyncWebClient, picture: Picture, post: Post, details: str) -> None:
        await call(
            client.files_upload_v2(
                channel=post.channel,
                thread_ts=post.ts,
                file=picture.png,
                filename="chart.png",
                title=picture.alt[:TITLE],
                alt_txt=picture.alt[:ALT],
                initial_comment=details or None,
            )
        )

    async def _deliver(self, client: AsyncWebClient, delivery: Delivery) -> Receipt:
        if delivery.action is Action.OPEN:
            return await self._post(client, delivery)
        if delivery.post is None:
            return await self._post(client, delivery) if delivery.action in ANNOUNCED else NOTHING_TO_EDIT
        post = Post.parse(delivery.post)
        try:
            await self._edit(client, post, delivery)
        except SlackApiError as error:
            if error_name(error) not in GONE:
                raise
            return await self._post(client, delivery)
        # Should the reply fail, the next attempt repeats the edit, which then changes nothing.
        if delivery.action in {Action.RAISE, Action.RESOLVE}:
            await self._reply(client, post, delivery)
        return Receipt(post=delivery.post, detail=f"{delivery.action} in {post.channel}")

    def _content(self, delivery: Delivery, mention: str = "") -> tuple[str, list[Block]]:
        """Text and blocks; an edit needs the empty list, else the blocks that are there stay."""
        message = delivery.message
        if delivery.form is MessageForm.PLAIN:
            return slack_blocks.plainest(message, mention), []
        return slack_blocks.text(message), self._blocks(message, mention)

    def _blocks(self, message: Message, mention: str) -> list[Block]:
        return [*slack_blocks.parent(message, mention), *self._controls(message)]

    async def _post(self, client: AsyncWebClient, delivery: Delivery) -> Receipt:
        text, blocks = self._content(delivery, slack_blocks.mention_of(delivery, self._config.mention))
        answer = await call(
            client.chat_postMessage(
                channel=self._config.channel,
                text=text,
                blocks=blocks,
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        post = _posted(answer)
        return Receipt(post=str(post), detail=f"posted in {post.channel}")

    async def _edit(self, client: AsyncWebClient, post: Post, delivery: Delivery) -> None:
        text, blocks = self._content(delivery)
        await call(client.chat_update(channel=post.channel, ts=post.ts, text=text, blocks=blocks))

    async def _reply(self, client: AsyncWebClient, post: Post, delivery: Delivery) -> None:
        said = slack_blocks.reply(delivery.message, slack_blocks.mention_of(delivery, self._config.mention))
        try:
            await self._say(client, post, said, reply_broadcast=delivery.action is Action.RAISE)
        except SlackApiError as error:
            if error_name(error) not in NO_THREAD:
                raise
            await call(client.chat_postMessage(channel=post.channel, text=said, unfurl_links=False, unfurl_media=False))

    async def _say(self, client: AsyncWebClient, post: Post, said: str, *, reply_broadcast: bool = False) -> None:
        await call(
            client.chat_postMessage(
                channel=post.channel,
                thread_ts=post.ts,
                reply_broadcast=reply_broadcast,
                text=said,
                unfurl_links=False,
                unfurl_media=False,
            )
        )
