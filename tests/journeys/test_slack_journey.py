"""From a post with buttons to the press, and back to the post: both ways in, and the product as it is set up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import TCPConnector
from pydantic import ValidationError

from service.adapters.slack.replies import EphemeralReplies
from service.adapters.slack.socket import SlackSocket
from service.bootstrap.product import open_product
from service.domain.slack.requests import Deed, SlackRole
from service.settings import Settings
from service.workflows.slack.requests import SlackAccess
from tests.factories import budget, percent
from tests.fakes.slack import Posted
from tests.fakes.slack_socket import APP_TOKEN, FakeSlackSocket
from tests.journeys.stage import CHANNEL, Stage
from tests.slack_presses import ADA, SIGNING_SECRET, press


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlackSocket]:
    async with FakeSlackSocket() as server:
        yield server


def buttons(post: Posted) -> list[dict[str, Any]]:
    return [element for block in post.blocks if block["type"] == "actions" for element in block["elements"]]


def pressed(post: Posted, deed: Deed) -> dict[str, Any]:
    """What Slack sends when a button of this very post is pressed."""
    options = [one for element in buttons(post) for one in element.get("options", [element])]
    (value,) = [one["value"] for one in options if one["value"].startswith(f"{deed}:")]
    payload = press({"id": "", "version": 0}, deed)
    payload["actions"][0] |= {"value": value, "selected_option": {"value": value}}
    return payload


async def told(stage: Stage) -> None:
    """Posts and edits of one channel are a second apart."""
    stage.clock.advance(timedelta(seconds=5))
    await stage.settle()


async def test_a_press_reaches_the_alert_and_the_post_says_who_acted(stage: Stage, slack: FakeSlackSocket) -> None:
    await stage.configure("eng monthly", budget("10.00", percent(100)))
    stage.bill("2026-10-19", "123400")
    await stage.poll()
    (post,) = stage.slack.messages(CHANNEL)
    access = SlackAccess(SlackRole.OPERATOR, None, EphemeralReplies(TCPConnector), stage.clock)
    socket = SlackSocket(APP_TOKEN, slack.api_url, TCPConnector, ping_seconds=0.05)
    async with socket.listening(stage.ports, access):
        await slack.connected()
        await slack.deliver("interactive", pressed(post, Deed.ACKNOWLEDGE), "env-1")
        await told(stage)
        assert f"acknowledged by <@{ADA}>" in post.shown
        left = ["tocsin_snooze", "tocsin_hand_on", "tocsin_resolve"]
        assert [element["action_id"] for element in buttons(post)] == left
        await slack.deliver("interactive", pressed(post, Deed.SNOOZE_4H), "env-2")
        await told(stage)
        assert "💤" in post.shown
        assert f"by <@{ADA}>" in post.shown
        await slack.deliver("interactive", pressed(post, Deed.RESOLVE), "env-3")
        await told(stage)
    assert f"resolved by <@{ADA}>" in post.shown
    assert buttons(post) == []
    assert f"Resolved by <@{ADA}>" in stage.slack.replies(post)[-1].text
    assert slack.told == []


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_BASE_URL", "TOCSIN_EGRESS_ALLOW", "TOCSIN_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOCSIN_SECRET_KEY", "a FAKE secret key of the tests")


@pytest.mark.usefixtures("_environment")
async def test_the_product_listens_where_its_settings_say(
    database_url: str, slack: FakeSlackSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_SLACK_APP_TOKEN", APP_TOKEN)
    monkeypatch.setenv("TOCSIN_SLACK_API_URL", slack.api_url.rstrip("/"))
    monkeypatch.setenv("TOCSIN_SLACK_SIGNING_SECRET", SIGNING_SECRET)
    monkeypatch.setenv("TOCSIN_SLACK_DEFAULT_ROLE", "viewer")
    async with open_product(Settings(), database_url) as product, product.listening():
        await slack.connected()
        payload = press({"id": "alert_none", "version": 1}, Deed.ACKNOWLEDGE, response_url=slack.response_url)
        await slack.deliver("interactive", payload, "env-1")
        await slack.until(lambda: slack.told)
        assert "yours is viewer" in slack.told[0]["text"]
        assert product.slack is not None
        assert product.slack.signing_secret == SIGNING_SECRET


@pytest.mark.usefixtures("_environment")
async def test_without_a_way_in_the_product_listens_nowhere(database_url: str) -> None:
    async with open_product(Settings(), database_url) as product, product.listening():
        assert product.slack is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOCSIN_SLACK_APP_TOKEN", "xoxb-FAKE-a-bot-token"),
        ("TOCSIN_SLACK_API_URL", "slack.com/api"),
        ("TOCSIN_SLACK_API_URL", "http://slack.example:99999/"),
        ("TOCSIN_SLACK_DEFAULT_ROLE", "king"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("TOCSIN_").lower()):
        Settings()
