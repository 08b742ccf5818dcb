"""A webhook posts and nothing more; its URL is a secret."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import TCPConnector

from service.adapters.channels.slack.webhook import SlackWebhookChannel
from service.adapters.vault import FernetVault
from service.domain.notify.channels.slack import SlackWebhook
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action, MessageType
from service.workflows.ports.channels import DeliveryError
from tests.fakes.slack import Answer, FakeSlack
from tests.sample_alerts import delivery, message

VAULT = FernetVault("FAKE key of the tests")
MENTION = "<!here>"


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as server:
        yield server


def webhook(url: str) -> SlackWebhookChannel:
    return SlackWebhookChannel(SlackWebhook(VAULT.seal(url), MENTION), VAULT, TCPConnector)


@pytest.mark.parametrize(
    ("action", "pings"), [(Action.OPEN, [MENTION]), (Action.RAISE, [MENTION]), (Action.RESOLVE, [])]
)
async def test_every_message_is_a_post_and_only_bad_news_pings(
    slack: FakeSlack, action: Action, pings: list[str]
) -> None:
    receipt = await webhook(slack.webhook_url).send(delivery(action))
    (post,) = slack.messages("claude-spend")
    assert receipt.post is None
    assert post.pings == pings
    assert "$12.34 of $10.00" in post.shown


async def test_a_digest_pings_nobody(slack: FakeSlack) -> None:
    await webhook(slack.webhook_url).send(delivery(said=replace(message(), alert_id="dgr_1", type=MessageType.DIGEST)))
    (post,) = slack.messages("claude-spend")
    assert post.pings == []


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, "invalid_payload", "invalid_payload (the message was not understood)"),
        (403, "action_prohibited", "action_prohibited (the workspace's administrators do not allow this post)"),
        (404, "no_service", "no_service (the webhook was removed: make a new one)"),
        (404, "<html>nothing here</html>", "HTTP 404"),
        (410, "channel_is_archived", "channel_is_archived (restore the channel or choose another)"),
    ],
)
async def test_a_refused_webhook_is_permanent(slack: FakeSlack, status: int, body: str, said: str) -> None:
    slack.plan("webhook", Answer(status, text=body))
    with pytest.raises(DeliveryError) as caught:
        await webhook(slack.webhook_url).send(delivery())
    assert caught.value.concerns is not Concern.MOMENT
    assert caught.value.reason == f"Slack: {said}"


@pytest.mark.parametrize(("status", "body"), [(500, "rollup_error"), (503, ""), (502, "<html>bad gateway</html>")])
async def test_a_broken_slack_is_tried_again_later(slack: FakeSlack, status: int, body: str) -> None:
    slack.plan("webhook", Answer(status, text=body), times=2)
    with pytest.raises(DeliveryError) as caught:
        await webhook(slack.webhook_url).send(delivery())
    assert caught.value.concerns is Concern.MOMENT


async def test_too_many_requests_wait_in_the_queue(slack: FakeSlack) -> None:
    slack.plan("webhook", Answer(429, text="rate_limited", headers={"Retry-After": "7"}))
    with pytest.raises(DeliveryError) as caught:
        await webhook(slack.webhook_url).send(delivery())
    assert caught.value.concerns is Concern.MOMENT
    assert caught.value.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/services/FAKEsecretPath", "not a url/FAKEsecretPath", "http://[/FAKEsecretPath"],
)
async def test_the_url_is_in_no_error_and_no_log(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError) as caught:
        await webhook(url).send(delivery())
    assert "FAKEsecretPath" not in caught.value.reason + caplog.text


async def test_the_url_is_not_logged_when_all_goes_well(slack: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await webhook(slack.webhook_url).send(delivery())
    assert "FAKEhookOfTheTests" not in caplog.text


async def test_a_redirect_is_not_followed(slack: FakeSlack) -> None:
    slack.plan("webhook", Answer(308, headers={"Location": slack.webhook_url}), times=2)
    with pytest.raises(DeliveryError):
        await webhook(slack.webhook_url).send(delivery())
    assert slack.posted == []


async def test_a_proxy_of_the_environment_is_ignored(slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await webhook(slack.webhook_url).send(delivery())
    assert len(slack.posted) == 1
