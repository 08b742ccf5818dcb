"""Charts in messages: inside a mail, in a Slack thread, and by address where others fetch them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage

import pytest
import pytest_asyncio
from aiohttp import TCPConnector

from service.adapters.channels import pagerduty
from service.adapters.channels.email.channel import EmailChannel
from service.adapters.channels.email.settings import SmtpServer
from service.adapters.channels.slack.blocks import image
from service.adapters.channels.slack.bot import Post, SlackBotChannel
from service.adapters.vault import FernetVault
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.notification import Action, Attachment, Delivery, Message, Picture
from service.workflows.notify.sending import send_whole
from tests.fakes.slack import TOKEN, Answer, FakeSlack
from tests.fakes.smtp import FakeSmtp
from tests.sample_alerts import RULE_ALERT, delivery, event, message

PNG = b"\x89PNG\r\n\x1a\nFAKE picture"
ALT = 'Spend of workspace "eng" & others: $12.34 of $10.00.'
PICTURE = Picture(PNG, ALT, None)
FILE = Attachment("tocsin-usage-2026-11-28.csv", "text/csv", "model,amount_usd\r\nclaude-sönnet,1.00\r\n")
PUBLIC = replace(PICTURE, url="https://tocsin.example.com/charts/FAKE.png")
LONG = message(event(alert=RULE_ALERT))
"""A message with more facts than a post shows."""
VAULT = FernetVault("FAKE key of the tests")


@pytest_asyncio.fixture
async def smtp() -> AsyncIterator[FakeSmtp]:
    async with FakeSmtp() as server:
        yield server


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as server:
        yield server


def pictured(action: Action = Action.OPEN, *, post: str | None = None, said: Message | None = None) -> Delivery:
    return replace(delivery(action, post=post, said=said), picture=PICTURE)


def bot(slack: FakeSlack) -> SlackBotChannel:
    return SlackBotChannel(SlackBot(VAULT.seal(TOKEN), "#claude-spend", "", slack.api_url), VAULT, TCPConnector)


async def test_a_mail_carries_its_chart_and_says_it_in_words(smtp: FakeSmtp) -> None:
    await EmailChannel(Email(("ops@example.com",)), SmtpServer.parse(smtp.url), "tocsin@example.com").send(pictured())
    (mail,) = smtp.mails
    assert isinstance(mail.message, EmailMessage)
    (chart,) = [part for part in mail.message.walk() if part.get_content_type() == "image/png"]
    assert isinstance(chart, EmailMessage)
    assert chart.get_content() == PNG
    assert chart.get_content_disposition() == "inline"
    cid = chart["Content-ID"].strip("<>")
    assert f'src="cid:{cid}"' in mail.html
    assert 'alt="Spend of workspace &#34;eng&#34; &amp; others: $12.34 of $10.00."' in mail.html
    assert [part.get_content_type() for part in mail.message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]


async def test_a_mail_without_a_chart_has_no_picture(smtp: FakeSmtp) -> None:
    await EmailChannel(Email(("ops@example.com",)), SmtpServer.parse(smtp.url), "tocsin@example.com").send(delivery())
    assert "<img" not in smtp.mails[0].html
    assert "multipart/related" not in [part.get_content_type() for part in smtp.mails[0].message.walk()]


async def test_in_slack_the_chart_stands_in_the_thread_of_the_post(slack: FakeSlack) -> None:
    receipt = await send_whole(bot(slack), pictured())
    (post,) = slack.messages("claude-spend")
    (file,) = slack.files.values()
    assert (file.content, file.alt, file.name) == (PNG, ALT, "chart.png")
    assert (file.channel, file.thread_ts) == (post.channel, post.ts)
    assert receipt.detail.endswith("with its chart")
    assert receipt.post == str(Post(post.channel, post.ts))
    assert slack.calls.index("chat.postMessage") < slack.calls.index("files.getUploadURLExternal")


async def test_the_details_stand_in_the_thread_beside_the_chart(slack: FakeSlack) -> None:
    await send_whole(bot(slack), pictured(said=LONG))
    (post,) = slack.posted
    (file,) = slack.files.values()
    assert "*How this was judged*" in file.comment
    assert "*Alert opened*" in file.comment
    assert "*How this was judged*" not in post.shown
    assert "warning, firing" in post.shown


async def test_without_leave_to_add_files_the_details_are_a_reply(slack: FakeSlack) -> None:
    slack.refuse("files.getUploadURLExternal", "missing_scope")
    receipt = await send_whole(bot(slack), pictured(said=LONG))
    (post,) = slack.messages("claude-spend")
    (reply,) = slack.replies(post)
    assert "*Alert opened*" in reply.text
    assert not reply.broadcast
    assert "without its chart: Slack: missing_scope" in receipt.detail


async def test_a_thread_that_cannot_be_written_to_does_not_fail_the_post(slack: FakeSlack) -> None:
    slack.plan("chat.postMessage", Answer(json={"ok": True, "channel": "C00000001", "ts": "1.0"}))
    slack.refuse("chat.postMessage", "restricted_action")
    receipt = await send_whole(bot(slack), replace(pictured(said=LONG), picture=None))
    assert receipt.post == str(Post("C00000001", "1.0"))
    assert "without its details: Slack: restricted_action" in receipt.detail


async def test_a_raise_adds_its_chart_to_the_same_thread(slack: FakeSlack) -> None:
    first = await send_whole(bot(slack), pictured())
    await send_whole(bot(slack), pictured(Action.RAISE, post=first.post))
    assert len({file.thread_ts for file in slack.files.values()}) == 1
    assert len(slack.files) == 2


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_refused_chart_does_not_fail_the_post(slack: FakeSlack, method: str) -> None:
    slack.refuse(method, "missing_scope")
    receipt = await send_whole(bot(slack), pictured())
    assert len(slack.messages("claude-spend")) == 1
    assert "without its chart: Slack: missing_scope" in receipt.detail
    assert receipt.post is not None


async def test_a_lost_upload_does_not_fail_the_post(slack: FakeSlack) -> None:
    slack.plan("upload", Answer(status=403, text="no"))
    receipt = await send_whole(bot(slack), pictured())
    assert len(slack.messages("claude-spend")) == 1
    assert "without its chart" in receipt.detail


def test_a_webhook_and_pagerduty_show_a_chart_by_its_public_address_alone() -> None:
    assert image(PICTURE) == []
    assert image(PUBLIC) == [{"type": "image", "image_url": PUBLIC.url, "alt_text": ALT}]
    body = json.loads(pagerduty._body("trigger", "FAKE-key", message(), PUBLIC))
    assert body["images"] == [{"src": PUBLIC.url, "href": PUBLIC.url, "alt": ALT}]
    assert "images" not in json.loads(pagerduty._body("trigger", "FAKE-key", message(), PICTURE))
    assert "images" not in json.loads(pagerduty._body("resolve", "FAKE-key", message(), PUBLIC))


async def test_a_file_is_attached_to_a_mail_beside_its_chart(smtp: FakeSmtp) -> None:
    sender = EmailChannel(Email(("ops@example.com",)), SmtpServer.parse(smtp.url), "tocsin@example.com")
    await sender.send(replace(pictured(), attachment=FILE))
    (mail,) = smtp.mails
    (file,) = [part for part in mail.message.iter_attachments() if part.get_content_type() == "text/csv"]
    assert isinstance(file, EmailMessage)
    assert file.get_filename() == FILE.name
    assert file.get_content().replace("\r\n", "\n") == FILE.text.replace("\r\n", "\n")
    assert "cid:" in mail.html
    assert mail.text.startswith(delivery().message.headline)


async def test_in_slack_a_file_follows_the_chart_and_its_refusal_is_only_noted(slack: FakeSlack) -> None:
    receipt = await send_whole(bot(slack), replace(pictured(), attachment=FILE))
    (post,) = slack.messages("claude-spend")
    chart, file = slack.files.values()
    assert (chart.name, file.name, file.thread_ts) == ("chart.png", FILE.name, post.ts)
    assert file.content.decode() == FILE.text
    assert receipt.detail.endswith(f"with its chart, with {FILE.name}")
    slack.plan("files.getUploadURLExternal", Answer(json={"ok": False, "error": "missing_scope"}))
    refused = await send_whole(bot(slack), replace(delivery(), attachment=FILE))
    assert f"without {FILE.name}: Slack: missing_scope" in refused.detail
    assert len(slack.messages("claude-spend")) == 2
