"""A body that just fits is sent whole; with one byte or character more its last fact goes, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from service.adapters.channels.discord import DiscordChannel
from service.adapters.channels.pagerduty import PagerDutyChannel
from service.adapters.channels.teams import TeamsChannel
from service.adapters.channels.webhook import WebhookChannel
from service.domain.notify.channels.discord import Discord
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.notification import Message
from service.workflows.ports.channels import Channel
from tests.adapters.channels.posting_stand import VAULT, way_out
from tests.fakes.discord import characters_of
from tests.fakes.receiver import FakeReceiver, Taken
from tests.fakes.slack import Answer
from tests.sample_alerts import delivery, message

SECRET = "whsec_RkFLRS1rZXktb2YtdGhlLXRlc3RzLW9mLXdlYmhvb2tz"
WIDE = "ß"
"""Several bytes, of which a body is filled up coarsely; what is then still missing is filled up with `x`."""


def in_bytes(request: Taken) -> int:
    return len(request.body)


def as_teams_counts(request: Taken) -> int:
    return len(json.dumps(json.dumps(request.json["attachments"][0]["content"])))


def as_discord_counts(request: Taken) -> int:
    return characters_of(request.json["embeds"][0])


@dataclass(frozen=True)
class Limit:
    """`longest` is how many characters of one fact are shown at most."""

    kind: str
    most: int
    longest: int
    measure: Callable[[Taken], int] = in_bytes


LIMITS = (
    Limit("pagerduty", 512_000, 5000),
    Limit("webhook", 20_000, 1000),
    Limit("teams", 27 * 1024, 500, as_teams_counts),
    Limit("discord", 6000, 1024, as_discord_counts),
)


@pytest.fixture
async def receiver() -> AsyncIterator[FakeReceiver]:
    async with FakeReceiver() as server:
        yield server


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.kind)
async def test_a_body_is_cut_where_it_would_outgrow_its_limit_and_not_before(
    receiver: FakeReceiver, limit: Limit
) -> None:
    async with way_out() as transport:
        channels: dict[str, Channel] = {
            "pagerduty": PagerDutyChannel(PagerDuty(VAULT.seal("FAKE-routing-key"), receiver.url), VAULT, transport),
            "webhook": WebhookChannel(Webhook(receiver.url, VAULT.seal(SECRET)), VAULT, transport),
            "teams": TeamsChannel(Teams(VAULT.seal(receiver.url)), VAULT, transport),
            "discord": DiscordChannel(Discord(VAULT.seal(receiver.url)), VAULT, transport),
        }

        async def sent(facts: list[str]) -> Taken:
            if limit.kind == "discord":  # the others' proof of delivery is what the receiver answers by itself
                receiver.plan(Answer(200, {"id": "1"}))
            await channels[limit.kind].send(delivery(said=_telling(facts)))
            return receiver.requests[-1]

        filling = await _filling(sent, limit)
        whole = await sent([*filling, "the last"])
        assert limit.measure(whole) == limit.most
        assert "the last" in whole.body.decode()
        cut = await sent([*filling[:-1], f"{filling[-1]}x", "the last"])
        assert "the last" not in cut.body.decode()
        assert filling[-1] in cut.body.decode()


async def _filling(sent: Callable[[list[str]], Awaitable[Taken]], limit: Limit) -> list[str]:
    """Facts with which, and with one more, a body is as long as it may be."""

    async def size(*facts: str) -> int:
        return limit.measure(await sent([*facts, "the last"]))

    long = WIDE * (limit.longest - 10)
    one = await size("x")
    room, wide, another = limit.most - one, await size(f"x{WIDE}") - one, await size("x", long) - one
    assert another >= len(long) * wide, "two facts are cut already"
    facts: list[str] = []
    while room > len(long) * wide:
        facts.append(long)
        room -= another
    return [*facts, "x" + WIDE * (room // wide) + "x" * (room % wide)]


def _telling(facts: list[str]) -> Message:
    return replace(message(), facts=tuple((f"{number:03}", text) for number, text in enumerate(facts)))
