"""Discord: a post that is kept current, a raise that is posted again, and no name that is more than text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from service.adapters.channels.discord import DiscordChannel, DiscordPost
from service.domain.messages.message import badge
from service.domain.messages.summary import MOST_LISTED
from service.domain.notify.channels.discord import Discord
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import FIRST_RETRY, Action, Listed, Message, Picture
from service.domain.values.severity import Severity
from service.workflows.notify.sending import send_whole
from tests.adapters.channels.posting_stand import MARKUP, VAULT, failure_of, hostile, way_out
from tests.adapters.channels.test_summaries_shown import SUMMARY
from tests.fakes.discord import WEBHOOK, FakeDiscord, characters_of, read
from tests.fakes.slack import Answer
from tests.sample_alerts import HOSTILE_NAMES, PUBLIC_URL, delivery, message

CHART = "https://tocsin.example.com/charts/FAKE.png"
PICTURE = Picture(b"", "Spend of eng", CHART)


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    async with way_out() as transport:
        yield transport


@pytest.fixture
def channel(discord: FakeDiscord, transport: httpx.AsyncBaseTransport) -> DiscordChannel:
    return at(discord.webhook_url, transport)


def at(url: str, transport: httpx.AsyncBaseTransport) -> DiscordChannel:
    return DiscordChannel(Discord(VAULT.seal(url)), VAULT, transport)


async def test_a_message_is_an_embed_with_a_way_to_the_alert(discord: FakeDiscord, channel: DiscordChannel) -> None:
    receipt = await send_whole(channel, delivery())
    (posted,), said = discord.messages, message()
    assert discord.paths == [f"POST {WEBHOOK}?wait=true"]
    assert (posted.username, posted.embed["url"]) == ("Tocsin", said.link)
    assert posted.embed["author"] == {"name": badge(said)}
    assert read(posted.embed["title"]).shown == said.headline
    told = read(posted.embed["description"])
    *lines, step, small_print = told.shown.splitlines()
    assert "\n".join(lines) == said.summary
    assert step == said.next_step.replace(said.page, "API keys in the Console")
    assert small_print == "critical, firing"
    assert told.links == [said.page]
    assert posted.fields == dict(said.facts)
    assert receipt.post is not None
    assert DiscordPost.parse(receipt.post) == DiscordPost(posted.id)


@pytest.mark.parametrize(
    ("severity", "colour"),
    [
        (Severity.INFO, 0x3498DB),
        (Severity.WARNING, 0xF1C40F),
        (Severity.ERROR, 0xE67E22),
        (Severity.CRITICAL, 0xE74C3C),
    ],
)
async def test_the_colour_says_how_bad_it_is(
    discord: FakeDiscord, channel: DiscordChannel, severity: Severity, colour: int
) -> None:
    await send_whole(channel, delivery(said=replace(message(), severity=severity)))
    assert discord.messages[0].embed["color"] == colour


@pytest.mark.parametrize("action", [Action.AMEND, Action.ACKNOWLEDGE, Action.SNOOZE, Action.RESOLVE])
async def test_all_that_follows_but_a_raise_edits_the_post(
    discord: FakeDiscord, channel: DiscordChannel, action: Action
) -> None:
    opened = await send_whole(channel, delivery())
    sent = delivery(action, post=opened.post)
    followed = await send_whole(channel, sent)
    (posted,) = discord.messages
    assert discord.paths[1:] == [f"PATCH {WEBHOOK}/messages/{posted.id}"]
    assert (posted.edits, posted.embed["author"]["name"]) == (1, badge(sent.message))
    assert followed.post == opened.post


async def test_a_resolved_alert_is_green(discord: FakeDiscord, channel: DiscordChannel) -> None:
    opened = await send_whole(channel, delivery())
    await send_whole(channel, delivery(Action.RESOLVE, post=opened.post))
    assert (discord.messages[0].embed["author"]["name"], discord.messages[0].embed["color"]) == ("RESOLVED", 0x2F7D4F)


async def test_a_raise_is_posted_again_and_takes_the_state_off_the_earlier_post(
    discord: FakeDiscord, channel: DiscordChannel
) -> None:
    opened = await send_whole(channel, delivery())
    raised = await send_whole(channel, delivery(Action.RAISE, post=opened.post))
    earlier, newest = discord.messages
    assert (earlier.edits, newest.edits) == (1, 0)
    assert earlier.embed.keys() == {"title", "url", "description", "color"}
    assert earlier.embed["description"] == "Continued in a newer message."
    assert raised.post is not None
    assert DiscordPost.parse(raised.post).id == newest.id
    await send_whole(channel, delivery(Action.RESOLVE, post=raised.post))
    assert (earlier.edits, newest.edits) == (1, 1)


async def test_a_raise_that_is_out_does_not_fail_over_the_earlier_post(
    discord: FakeDiscord, channel: DiscordChannel
) -> None:
    opened = await send_whole(channel, delivery())
    discord.messages.clear()
    raised = await send_whole(channel, delivery(Action.RAISE, post=opened.post))
    assert len(discord.messages) == 1
    assert raised.detail == "raise posted; not all was added: Discord: HTTP 404 (Unknown Message)"


async def test_a_post_that_somebody_deleted_is_replaced(discord: FakeDiscord, channel: DiscordChannel) -> None:
    opened = await send_whole(channel, delivery())
    discord.messages.clear()
    amended = await send_whole(channel, delivery(Action.AMEND, post=opened.post))
    (posted,) = discord.messages
    assert amended.post == str(DiscordPost(posted.id))


async def test_an_alert_that_was_never_posted_has_nothing_to_edit(
    discord: FakeDiscord, channel: DiscordChannel
) -> None:
    for action in (Action.AMEND, Action.ACKNOWLEDGE, Action.SNOOZE):
        assert (await send_whole(channel, delivery(action))).post is None
    assert discord.paths == []


@pytest.mark.parametrize("action", [Action.RAISE, Action.RESOLVE])
async def test_a_raise_or_an_end_of_what_was_never_posted_is_posted(
    discord: FakeDiscord, channel: DiscordChannel, action: Action
) -> None:
    await send_whole(channel, delivery(action))
    assert len(discord.messages) == 1


async def test_a_chart_stays_when_its_post_is_edited(discord: FakeDiscord, channel: DiscordChannel) -> None:
    opened = await send_whole(channel, replace(delivery(), picture=PICTURE))
    assert discord.messages[0].embed["image"] == {"url": CHART}
    await send_whole(channel, delivery(Action.AMEND, post=opened.post))
    assert discord.messages[0].embed["image"] == {"url": CHART}


async def test_a_webhook_can_lead_to_a_thread(discord: FakeDiscord, transport: httpx.AsyncBaseTransport) -> None:
    channel = at(f"{discord.webhook_url}/?thread_id=77", transport)
    opened = await send_whole(channel, delivery())
    await send_whole(channel, delivery(Action.AMEND, post=opened.post))
    assert discord.paths == [
        f"POST {WEBHOOK}?thread_id=77&wait=true",
        f"PATCH {WEBHOOK}/messages/{discord.messages[0].id}?thread_id=77",
    ]


async def test_nobody_is_pinged_by_a_post_or_an_edit(discord: FakeDiscord, channel: DiscordChannel) -> None:
    opened = await send_whole(channel, delivery())
    await send_whole(channel, delivery(Action.RAISE, post=opened.post))
    assert [one.pings for one in discord.messages] == [False, False]


@pytest.mark.parametrize(
    "name",
    [
        *HOSTILE_NAMES,
        MARKUP,
        "@everyone @here <@1234> <@&1234> <#1234> <t:1700000000> <:a:1>",
        "https://evil.example <https://evil.example> [free](https://evil.example)",
        "# heading\n- item\n> quote\n-# small ||spoiler|| ~~no~~ `code` __u__ \\*not\\*",
        "ends with a backslash \\",
    ],
)
async def test_markup_in_a_name_is_only_text(discord: FakeDiscord, channel: DiscordChannel, name: str) -> None:
    one = Listed(message().state, Severity.INFO, name[:100], name[:100], f"{PUBLIC_URL}/v1/alerts/(1)")
    said = replace(message(), headline=name, change=name, next_step=name, facts=((name, name),), listed=(one,))
    await send_whole(channel, delivery(said=said))
    (posted,) = discord.messages
    assert posted.live == []
    assert posted.links == [said.link, f"{PUBLIC_URL}/v1/alerts/%281%29", said.page]
    assert name[:50].encode("utf-8", "replace").decode() in posted.shown


async def test_a_hostile_message_is_cut_until_discord_takes_it(discord: FakeDiscord, channel: DiscordChannel) -> None:
    await send_whole(channel, delivery(said=hostile()))
    (posted,) = discord.messages
    assert posted.live == []
    assert len(posted.embed["title"].encode("utf-16-le")) // 2 <= 256
    assert characters_of(posted.embed) <= 6000


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (256, lambda text: replace(message(), headline=text)),
        (1000, lambda text: replace(message(), change=text)),
        (256, lambda text: replace(message(), facts=((text, "a"),))),
        (1024, lambda text: replace(message(), facts=(("a", text),))),
    ],
    ids=["title", "sentence", "name", "value"],
)
async def test_a_text_is_cut_at_its_limit_and_not_before(
    discord: FakeDiscord, channel: DiscordChannel, limit: int, said: Callable[[str], Message]
) -> None:
    for length in (limit, limit + 1):
        await send_whole(channel, delivery(said=said("x" * length)))
    whole, cut = (one.shown for one in discord.messages)
    assert "x" * limit in whole
    assert "x" * (limit - 1) + "…" in cut
    assert "x" * limit not in cut


async def test_more_than_25_facts_are_not_shown(discord: FakeDiscord, channel: DiscordChannel) -> None:
    await send_whole(channel, delivery(said=replace(message(), facts=tuple((f"fact {n}", "a") for n in range(26)))))
    assert list(discord.messages[0].fields) == [f"fact {n}" for n in range(25)]


@pytest.mark.parametrize("filler", ["x", "*", "\\", "🔥", "ש"])
async def test_the_largest_summary_is_within_discord_s_limits(
    discord: FakeDiscord, channel: DiscordChannel, filler: str
) -> None:
    endless, link = filler * 10_000, f"https://tocsin.example.com/{'x' * 270}"
    one = Listed(message().state, Severity.CRITICAL, endless, endless, link)
    said = replace(SUMMARY, headline=endless, change=endless, next_step=endless, link=link, listed=(one,) * MOST_LISTED)
    await send_whole(channel, delivery(said=said))
    (posted,) = discord.messages
    kept = posted.links.count(link) - 1
    assert 0 < kept < MOST_LISTED
    assert f"and {SUMMARY.unlisted + MOST_LISTED - kept} more" in posted.shown


async def test_a_summary_lists_its_alerts_with_their_links(discord: FakeDiscord, channel: DiscordChannel) -> None:
    await send_whole(channel, delivery(said=SUMMARY))
    (posted,) = discord.messages
    assert f"{PUBLIC_URL}/pages/alerts/alrt_00" in posted.links
    assert len(posted.links) == MOST_LISTED + 1
    assert (
        "Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00, 18 days left · warning, firing"
        in posted.shown.splitlines()
    )
    assert "and 2 more" in posted.shown.splitlines()


@pytest.mark.parametrize("label", ["", "a"])
async def test_an_empty_text_is_not_refused(discord: FakeDiscord, channel: DiscordChannel, label: str) -> None:
    await send_whole(channel, delivery(said=replace(message(), facts=((label, ""),))))
    assert discord.messages[0].fields == {label or "–": "–"}


async def test_the_wait_that_discord_asks_for_reaches_the_queue(discord: FakeDiscord, channel: DiscordChannel) -> None:
    discord.limit_rate(64.57, {"Retry-After": "65"})
    discord.limit_rate(64.57)
    discord.plan(Answer(429, text="<html>banned for a while</html>"))
    errors = [await failure_of(channel) for _ in range(3)]
    assert [error.retry_after for error in errors] == [timedelta(seconds=65), timedelta(seconds=64.57), FIRST_RETRY]
    assert {error.concerns for error in errors} == {Concern.MOMENT}


async def test_a_webhook_that_is_gone_is_given_up(discord: FakeDiscord, channel: DiscordChannel) -> None:
    opened = await send_whole(channel, delivery())
    discord.is_there = False
    for sent in (delivery(), delivery(Action.AMEND, post=opened.post)):
        error = await failure_of(channel, sent)
        assert (error.concerns, error.reason) == (Concern.CHANNEL, "Discord: HTTP 404 (Unknown Webhook)")


@pytest.mark.parametrize(
    ("status", "concerns"), [(400, Concern.MESSAGE), (401, Concern.CREDENTIAL), (403, Concern.CREDENTIAL)]
)
async def test_a_refusal_says_what_it_concerns(
    discord: FakeDiscord, channel: DiscordChannel, status: int, concerns: Concern
) -> None:
    discord.plan(Answer(status, {"message": "Invalid Webhook Token", "code": 50027}))
    error = await failure_of(channel)
    assert (error.concerns, error.reason) == (concerns, f"Discord: HTTP {status} (Invalid Webhook Token)")


async def test_a_server_that_is_down_is_tried_again(discord: FakeDiscord, channel: DiscordChannel) -> None:
    discord.plan(Answer(502, text="bad gateway"))
    assert (await failure_of(channel)).concerns is Concern.MOMENT


@pytest.mark.parametrize("answer", [Answer(204), Answer(200, text="<html>"), Answer(200, {"id": "1/../2"})])
async def test_an_answer_without_the_message_is_no_proof(
    discord: FakeDiscord, channel: DiscordChannel, answer: Answer
) -> None:
    discord.plan(answer)
    error = await failure_of(channel)
    assert (error.concerns, error.reason) == (Concern.MOMENT, "Discord: the answer did not come from Discord")


async def test_the_address_is_in_no_error(transport: httpx.AsyncBaseTransport) -> None:
    error = await failure_of(at(f"http://127.0.0.1:1{WEBHOOK}", transport))
    assert error.concerns is Concern.MOMENT
    assert "FAKE" not in error.reason
