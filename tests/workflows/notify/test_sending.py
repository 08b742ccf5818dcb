"""What a channel refuses for its form is sent once more as text alone: every kind does so."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from aiohttp import TCPConnector

from service.adapters.channels.discord import DiscordChannel
from service.adapters.channels.jsm.channel import JsmChannel
from service.adapters.channels.pagerduty import PagerDutyChannel
from service.adapters.channels.slack.webhook import SlackWebhookChannel
from service.adapters.channels.teams import TeamsChannel
from service.adapters.channels.webhook import WebhookChannel
from service.domain.notify.channels.discord import Discord
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.slack import SlackWebhook
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Delivery, MessageForm, Receipt
from service.workflows.notify.sending import send_whole
from service.workflows.ports.channels import Channel, DeliveryError
from tests.adapters.channels.posting_stand import VAULT, way_out
from tests.adapters.channels.slack.test_bot import bot
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import Answer, FakeSlack
from tests.sample_alerts import delivery

Opened = Callable[[str, httpx.AsyncBaseTransport], Channel]
TOO_LARGE = Answer(413)

POSTING: dict[str, tuple[Opened, Answer]] = {
    "pagerduty": (
        lambda url, way: PagerDutyChannel(PagerDuty(VAULT.seal("0" * 32), url), VAULT, way),
        Answer(202, {"status": "success"}),
    ),
    "teams": (lambda url, way: TeamsChannel(Teams(VAULT.seal(f"{url}/flow")), VAULT, way), Answer(202)),
    "jsm": (
        lambda url, way: JsmChannel(Jsm(VAULT.seal("FAKE"), url), VAULT, way),
        Answer(202, {"result": "Request will be processed"}),
    ),
    "discord": (
        lambda url, way: DiscordChannel(Discord(VAULT.seal(f"{url}/api/webhooks/1/FAKE")), VAULT, way),
        Answer(200, {"id": "12"}),
    ),
    "webhook": (
        lambda url, way: WebhookChannel(Webhook(url, VAULT.seal("whsec_RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtF")), VAULT, way),
        Answer(204),
    ),
}


@pytest.mark.parametrize("kind", POSTING)
async def test_what_is_too_large_is_sent_once_more_and_shorter(kind: str) -> None:
    opened, taken = POSTING[kind]
    async with FakeReceiver() as vendor, way_out() as way:
        vendor.plan(TOO_LARGE, taken)
        receipt = await send_whole(opened(vendor.url, way), delivery())
    full, plain = (len(json.dumps(body)) for body in vendor.documents)
    assert plain < full
    assert "as text alone" in receipt.detail
    assert "HTTP 413" in receipt.detail


@pytest.mark.parametrize("word", ["invalid_blocks", "msg_too_long"])
async def test_slack_gets_text_without_blocks(word: str) -> None:
    async with FakeSlack() as slack:
        slack.refuse("chat.postMessage", word)
        receipt = await send_whole(bot(slack), delivery())
        (post,) = [one for one in slack.messages("claude-spend") if "$12.34 of $10.00" in one.text]
    assert post.blocks == []
    assert "/pages/alerts/" in post.text
    assert word in receipt.detail


async def test_a_slack_webhook_gets_text_without_blocks() -> None:
    async with FakeSlack() as slack:
        slack.plan("webhook", Answer(400, text="invalid_payload"))
        channel = SlackWebhookChannel(SlackWebhook(VAULT.seal(slack.webhook_url)), VAULT, TCPConnector)
        await send_whole(channel, delivery())
        (post,) = slack.messages("claude-spend")
    assert post.blocks == []
    assert "$12.34 of $10.00" in post.text


class Picky:
    """Refuses everything in its own way."""

    def __init__(self, concerns: Concern) -> None:
        self.concerns = concerns
        self.forms: list[MessageForm] = []

    async def send(self, delivery: Delivery) -> Receipt:
        self.forms.append(delivery.form)
        raise DeliveryError("no", self.concerns)


@pytest.mark.parametrize("concerns", list(Concern))
async def test_only_a_refused_message_is_tried_once_more(concerns: Concern) -> None:
    channel = Picky(concerns)
    with pytest.raises(DeliveryError):
        await send_whole(channel, delivery())
    tried_plain = [MessageForm.PLAIN] if concerns is Concern.MESSAGE else []
    assert channel.forms == [MessageForm.FULL, *tried_plain]
