"""Delivered is what the vendor proves, and nothing less: every kind meets answers that only look well."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from aiohttp import TCPConnector

from service.adapters.channels.alertmanager.channel import AlertmanagerChannel
from service.adapters.channels.discord import DiscordChannel
from service.adapters.channels.jsm.channel import JsmChannel
from service.adapters.channels.pagerduty import PagerDutyChannel
from service.adapters.channels.slack.webhook import SlackWebhookChannel
from service.adapters.channels.teams import TeamsChannel
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.discord import Discord
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.slack import SlackWebhook
from service.domain.notify.channels.teams import Teams
from service.domain.notify.circuits import Concern
from service.workflows.ports.channels import Channel
from tests.adapters.channels.posting_stand import VAULT, failure_of, way_out
from tests.adapters.channels.slack.test_bot import bot
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import Answer, FakeSlack

LOGIN_PAGE = Answer(200, text="<html>Please log in</html>")
Opened = Callable[[str, httpx.AsyncBaseTransport], Channel]

POSTING: dict[str, Opened] = {
    "pagerduty": lambda url, way: PagerDutyChannel(PagerDuty(VAULT.seal("0" * 32), url), VAULT, way),
    "teams": lambda url, way: TeamsChannel(Teams(VAULT.seal(f"{url}/flow")), VAULT, way),
    "jsm": lambda url, way: JsmChannel(Jsm(VAULT.seal("FAKE"), url), VAULT, way),
    "discord": lambda url, way: DiscordChannel(Discord(VAULT.seal(f"{url}/api/webhooks/1/FAKE")), VAULT, way),
}
ALERTMANAGER: Opened = lambda url, way: AlertmanagerChannel(Alertmanager((url,)), VAULT, way)  # noqa: E731


@pytest.mark.parametrize("kind", POSTING)
async def test_a_login_page_is_no_proof(kind: str) -> None:
    async with FakeReceiver() as vendor, way_out() as way:
        vendor.plan(LOGIN_PAGE)
        failure = await failure_of(POSTING[kind](vendor.url, way))
    assert failure.concerns is Concern.MOMENT


@pytest.mark.parametrize(
    ("opened", "answer"),
    [
        pytest.param(POSTING["pagerduty"], Answer(202, {"status": "throttled"}), id="pagerduty, no success"),
        pytest.param(POSTING["pagerduty"], Answer(200, {"status": "success"}), id="pagerduty, not 202"),
        pytest.param(POSTING["teams"], Answer(200, text="failed with HTTP error 413"), id="teams, not 202"),
        pytest.param(POSTING["jsm"], Answer(202, text=""), id="jsm, no word"),
        pytest.param(ALERTMANAGER, Answer(202), id="alertmanager, not 200"),
        pytest.param(POSTING["discord"], Answer(200, {"id": ""}), id="discord, no id"),
    ],
)
async def test_an_answer_that_promises_nothing_is_tried_again(opened: Opened, answer: Answer) -> None:
    async with FakeReceiver() as vendor, way_out() as way:
        vendor.plan(answer)
        failure = await failure_of(opened(vendor.url, way))
    assert failure.concerns is Concern.MOMENT
    assert "proof" in failure.reason or "did not come from" in failure.reason


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer(200, {"ok": False, "error": "no_service"}),
            "Slack: no_service (the webhook was removed: make a new one)",
        ),
        (Answer(200, {"ok": True}), "Slack: the answer did not come from Slack"),
        (LOGIN_PAGE, "Slack: the answer did not come from Slack"),
        (Answer(200, text=""), "Slack: the answer did not come from Slack"),
    ],
)
async def test_a_slack_webhook_proves_by_ok_alone(answer: Answer, said: str) -> None:
    async with FakeSlack() as slack:
        slack.plan("webhook", answer)
        channel = SlackWebhookChannel(SlackWebhook(VAULT.seal(slack.webhook_url)), VAULT, TCPConnector)
        assert (await failure_of(channel)).reason == said


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {"ok": True}),
        Answer(200, {"ok": True, "channel": "C1"}),
        Answer(200, {"ok": True, "channel": "C1", "ts": None}),
        Answer(200, {"ok": True, "channel": "C1", "ts": "\u0000"}),
        LOGIN_PAGE,
    ],
)
async def test_a_slack_post_is_proved_by_its_timestamp(answer: Answer) -> None:
    async with FakeSlack() as slack:
        slack.plan("chat.postMessage", answer)
        failure = await failure_of(bot(slack))
    assert failure.concerns is Concern.MOMENT
