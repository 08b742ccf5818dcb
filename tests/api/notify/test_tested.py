"""The page behind the link of a receiver's test."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.alerts.test_page import MAIL, is_a_plain_page
from tests.api.stand import SLACK, Stand, answered


async def link_of_test(stand: Stand, channel: dict[str, Any]) -> str:
    await stand.create("/receivers", {"name": "night shift", "channels": [channel]})
    answered(await stand.admin.post("/v1/receivers/night shift/test"))
    _, delivery = stand.channels.sent[-1]
    return delivery.message.link.removeprefix(stand.ports.public_url)


@pytest.mark.parametrize(
    ("channel", "named", "buttons"),
    [(MAIL, "mail of receiver night shift", "Acknowledge and Snooze"), (SLACK, "Slack of receiver", "only show")],
)
async def test_the_link_of_a_test_says_what_was_tested_and_what_links_open_there(
    stand: Stand, channel: dict[str, Any], named: str, buttons: str
) -> None:
    link = await link_of_test(stand, channel)
    asked = stand.clock()
    stand.clock.advance(timedelta(hours=5))
    page = await stand.stranger.get(link)
    assert page.status_code == 200
    assert (await stand.stranger.head(link)).status_code == 200
    for words in (f"{asked:%H:%M} UTC", named, buttons, "Nothing is wrong", "nothing to do"):
        assert words in page.text
    assert "<form" not in page.text


async def test_a_tests_link_ends_as_others_do(stand: Stand) -> None:
    link = await link_of_test(stand, MAIL)
    is_a_plain_page(await stand.stranger.get(f"{link}x"), 404)
    is_a_plain_page(await stand.stranger.get(link.replace("/tests/", "/digests/")), 410)
    is_a_plain_page(await stand.stranger.get(link.replace("/tests/", "/alerts/")), 410)
    stand.clock.advance(timedelta(days=8))
    is_a_plain_page(await stand.stranger.get(link), 410)


async def test_a_channel_without_links_is_tested_with_the_address_that_needs_a_token(stand: Stand) -> None:
    assert await link_of_test(stand, MAIL | {"link": "none"}) == "/v1/receivers"
