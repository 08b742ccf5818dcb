"""One post an alert, kept current, with a thread for what people must hear; and every way Slack can refuse."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import TCPConnector

from service.adapters.channels.slack.bot import SlackBotChannel
from service.adapters.vault import FernetVault
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import FIRST_RETRY, Action
from service.workflows.notify.sending import send_whole
from service.workflows.ports.channels import DeliveryError
from tests.fakes.slack import TOKEN, Answer, FakeSlack, Posted
from tests.sample_alerts import EVIDENCE, delivery, event, message

VAULT = FernetVault("FAKE key of the tests")
MENTION = "<!subteam^S0FAKE>"


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(channels=("claude-spend", "other")) as server:
        yield server


def bot(slack: FakeSlack, *, token: str = TOKEN, channel: str = "#claude-spend") -> SlackBotChannel:
    return SlackBotChannel(SlackBot(VAULT.seal(token), channel, MENTION, slack.api_url), VAULT, TCPConnector)


async def opened(slack: FakeSlack) -> tuple[str, Posted]:
    """An alert that has been posted: its reference and the post."""
    receipt = await send_whole(bot(slack), delivery(Action.OPEN))
    assert receipt.post is not None
    return receipt.post, [post for post in slack.posted if post.thread_ts is None][-1]


async def failing(slack: FakeSlack, action: Action = Action.OPEN, *, post: str | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await send_whole(bot(slack), delivery(action, post=post))
    return caught.value


async def test_an_open_posts_once_and_pings(slack: FakeSlack) -> None:
    _, post = await opened(slack)
    assert slack.messages("claude-spend") == [post]
    assert post.pings == [MENTION]
    assert "$12.34 of $10.00" in post.shown


async def test_a_raise_edits_the_post_and_broadcasts_a_reply_that_pings(slack: FakeSlack) -> None:
    reference, post = await opened(slack)
    receipt = await send_whole(bot(slack), delivery(Action.RAISE, post=reference))
    assert receipt.post == reference
    assert post.edits == 1
    assert "Now critical: Budget eng monthly (workspace Research) exceeded" in post.shown
    _, reply = slack.replies(post)
    assert reply.broadcast
    assert reply.pings == [MENTION]
    assert "Now critical: Budget eng monthly" in reply.text
    assert "$12.34 of $10.00" in reply.text


async def test_a_resolve_edits_the_post_and_replies_quietly(slack: FakeSlack) -> None:
    reference, post = await opened(slack)
    await send_whole(bot(slack), delivery(Action.RESOLVE, post=reference))
    assert "resolved by Ada" in post.shown
    assert post.pings == []
    _, reply = slack.replies(post)
    assert not reply.broadcast
    assert reply.pings == []
    assert slack.messages("claude-spend") == [post]


@pytest.mark.parametrize(
    ("action", "shown"),
    [(Action.AMEND, "Restated to $9.80, 98%."), (Action.ACKNOWLEDGE, "critical, acknowledged by Ada")],
)
async def test_an_amendment_or_acknowledgement_only_edits(slack: FakeSlack, action: Action, shown: str) -> None:
    reference, post = await opened(slack)
    await send_whole(bot(slack), delivery(action, post=reference))
    assert shown in post.shown
    assert slack.messages("claude-spend") == [post]
    assert len(slack.replies(post)) == 1


async def test_a_raise_without_an_earlier_post_is_posted(slack: FakeSlack) -> None:
    receipt = await send_whole(bot(slack), delivery(Action.RAISE))
    assert receipt.post is not None
    assert slack.posted[0].pings == [MENTION]
    assert slack.posted[0].thread_ts is None


async def test_an_end_without_an_earlier_post_is_posted_and_pings_nobody(slack: FakeSlack) -> None:
    receipt = await send_whole(bot(slack), delivery(Action.RESOLVE))
    assert receipt.post is not None
    assert slack.posted[0].pings == []


@pytest.mark.parametrize("action", [Action.AMEND, Action.ACKNOWLEDGE])
async def test_without_an_earlier_post_there_is_nothing_to_edit(slack: FakeSlack, action: Action) -> None:
    receipt = await send_whole(bot(slack), delivery(action))
    assert receipt.post is None
    assert receipt.detail.startswith("nothing to edit")
    assert slack.calls == []


@pytest.mark.parametrize("action", [Action.RAISE, Action.AMEND, Action.ACKNOWLEDGE, Action.RESOLVE])
async def test_a_deleted_post_is_posted_again(slack: FakeSlack, action: Action) -> None:
    reference, post = await opened(slack)
    slack.forget(post)
    receipt = await send_whole(bot(slack), delivery(action, post=reference))
    (second,) = slack.messages("claude-spend")
    assert receipt.post is not None
    assert receipt.post != reference
    assert second.ts in receipt.post
    assert second.pings == ([MENTION] if action is Action.RAISE else [])


@pytest.mark.parametrize("error", ["cant_update_message", "edit_window_closed"])
async def test_a_post_that_may_not_be_edited_is_posted_anew(slack: FakeSlack, error: str) -> None:
    reference, _ = await opened(slack)
    slack.refuse("chat.update", error)
    receipt = await send_whole(bot(slack), delivery(Action.AMEND, post=reference))
    assert receipt.post != reference
    assert len(slack.messages("claude-spend")) == 2


@pytest.mark.parametrize("action", [Action.RAISE, Action.RESOLVE])
@pytest.mark.parametrize("error", ["restricted_action_non_threadable_channel", "restricted_action_thread_locked"])
async def test_where_a_post_takes_no_replies_they_are_said_beside_it(
    slack: FakeSlack, action: Action, error: str
) -> None:
    reference, post = await opened(slack)
    slack.refuse("chat.postMessage", error)
    receipt = await send_whole(bot(slack), delivery(action, post=reference))
    assert (receipt.post, post.edits) == (reference, 1)
    _, beside = slack.messages("claude-spend")
    assert beside.pings == ([MENTION] if action is Action.RAISE else [])


async def test_a_reply_that_failed_is_made_up_for_by_the_next_attempt(slack: FakeSlack) -> None:
    reference, post = await opened(slack)
    slack.limit_rate("chat.postMessage", seconds=1)
    await failing(slack, Action.RAISE, post=reference)
    assert len(slack.replies(post)) == 1  # the details
    await send_whole(bot(slack), delivery(Action.RAISE, post=reference))
    assert len(slack.replies(post)) == 2
    assert len(slack.messages("claude-spend")) == 2  # the parent and its broadcast reply


async def test_too_many_requests_wait_in_the_queue_for_as_long_as_slack_asks(slack: FakeSlack) -> None:
    slack.limit_rate("chat.postMessage", seconds=30)
    error = await failing(slack)
    assert error.concerns is Concern.MOMENT
    assert error.retry_after == timedelta(seconds=30)
    assert slack.calls == ["chat.postMessage"]


@pytest.mark.parametrize("retry_after", ["soon", "-5", "", "9" * 30])
async def test_an_absurd_retry_after_asks_for_the_first_wait(slack: FakeSlack, retry_after: str) -> None:
    slack.plan("chat.postMessage", Answer(429, {"ok": False}, headers={"Retry-After": retry_after}))
    error = await failing(slack)
    assert error.concerns is Concern.MOMENT
    assert error.retry_after == FIRST_RETRY


async def test_one_server_error_is_overcome_at_once(slack: FakeSlack) -> None:
    slack.plan("chat.postMessage", Answer(500, {"ok": False, "error": "internal_error"}))
    await opened(slack)
    assert slack.calls == ["chat.postMessage", "chat.postMessage", "chat.postMessage"]  # the last is the details


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {"ok": False, "error": "internal_error"}),
        Answer(503, text="<html>unavailable</html>", headers={"Content-Type": "text/html"}),
        Answer(200, {"ok": False, "error": "fatal_error"}),
        Answer(200, {"ok": False, "error": "an_error_of_tomorrow"}),
        Answer(200, text="{ half an answer", headers={"Content-Type": "application/json"}),
        Answer(200, text="<html>a login page</html>", headers={"Content-Type": "text/html"}),
        Answer(200, text="hello", headers={"Content-Type": "text/plain"}),
    ],
)
async def test_trouble_on_the_way_is_tried_again_later(slack: FakeSlack, answer: Answer) -> None:
    slack.plan("chat.postMessage", answer, times=2)
    error = await failing(slack)
    assert error.concerns is Concern.MOMENT
    assert "html" not in error.reason


@pytest.mark.parametrize(
    ("name", "concerns"),
    [
        ("channel_not_found", Concern.CHANNEL),
        ("not_in_channel", Concern.CHANNEL),
        ("is_archived", Concern.CHANNEL),
        ("messages_tab_disabled", Concern.CHANNEL),
        ("restricted_action_read_only_channel", Concern.CHANNEL),
        ("restricted_action_thread_only_channel", Concern.CHANNEL),
        ("not_allowed_token_type", Concern.CREDENTIAL),
        ("team_access_not_granted", Concern.CREDENTIAL),
        ("invalid_auth", Concern.CREDENTIAL),
        ("token_revoked", Concern.CREDENTIAL),
        ("invalid_blocks", Concern.MESSAGE),
        ("msg_too_long", Concern.MESSAGE),
    ],
)
async def test_a_refusal_says_what_it_concerns_and_what_to_do(slack: FakeSlack, name: str, concerns: Concern) -> None:
    slack.refuse("chat.postMessage", name, times=2)
    error = await failing(slack)
    assert error.concerns is concerns
    assert error.reason.startswith(f"Slack: {name} (")


async def test_a_wrong_token_is_permanent_and_stays_secret(slack: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError) as caught:
        await send_whole(bot(slack, token="xoxb-FAKE-but-wrong"), delivery())
    assert caught.value.concerns is not Concern.MOMENT
    assert "FAKE-but-wrong" not in caught.value.reason + caplog.text


async def test_a_token_that_no_header_can_carry_is_permanent(slack: FakeSlack) -> None:
    with pytest.raises(DeliveryError) as caught:
        await send_whole(bot(slack, token="xoxb-FAKE\r\nX-Evil: 1"), delivery())
    assert caught.value.concerns is not Concern.MOMENT
    assert slack.calls == []


async def test_an_unknown_channel_is_permanent(slack: FakeSlack) -> None:
    with pytest.raises(DeliveryError, match="channel_not_found") as caught:
        await send_whole(bot(slack, channel="#nowhere"), delivery())
    assert caught.value.concerns is not Concern.MOMENT


async def test_a_redirect_is_not_followed(slack: FakeSlack) -> None:
    elsewhere = Answer(307, text="", headers={"Location": f"{slack.api_url}elsewhere"})
    slack.plan("chat.postMessage", elsewhere, times=5)
    error = await failing(slack)
    assert error.concerns is Concern.MOMENT
    assert "elsewhere" not in slack.calls


async def test_slack_that_is_not_there_is_tried_again_later() -> None:
    async with FakeSlack() as gone:
        channel = bot(gone)
    with pytest.raises(DeliveryError, match="cannot be reached") as caught:
        await send_whole(channel, delivery())
    assert caught.value.concerns is Concern.MOMENT


async def test_a_proxy_of_the_environment_is_ignored(slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    _, post = await opened(slack)
    assert slack.messages("claude-spend") == [post]


async def test_a_secret_of_another_key_says_what_to_do(slack: FakeSlack) -> None:
    sealed = FernetVault("another FAKE key").seal(TOKEN)
    config = SlackBot(sealed, "#claude-spend", "", slack.api_url)
    with pytest.raises(DeliveryError, match="TOCSIN_SECRET_KEY") as caught:
        await SlackBotChannel(config, VAULT, TCPConnector).send(delivery())
    assert caught.value.concerns is Concern.CREDENTIAL


async def test_names_from_outside_ping_nobody(slack: FakeSlack) -> None:
    hostile = "<!channel> <@U0FAKE> <!here|here>"
    evidence = replace(EVIDENCE, budget_name=hostile, scope_name=hostile, period_label=hostile)
    said = message(event(evidence=evidence))
    receipt = await send_whole(bot(slack), delivery(said=said))
    await send_whole(bot(slack), delivery(Action.RAISE, post=receipt.post, said=said))
    parent, details, reply = slack.posted
    assert parent.pings == details.pings == []  # edited: without the mention
    assert reply.pings == [MENTION]
