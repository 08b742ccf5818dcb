"""A channel's `link`: in its messages, on the page, and at its forms, as it is configured by now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.alerts.test_page import HOOK, MAIL, alert_of, is_a_plain_page, sent_link
from tests.api.stand import SLACK, Stand, answered

FORMS = ("acknowledge", "snooze-1h", "snooze-24h")
WEBHOOK = {"kind": "slack", "webhook_url": "https://hooks.slack.com/services/T0FAKE/B0FAKE/FAKEhook"}


async def configure(stand: Stand, *channels: dict[str, Any]) -> None:
    answered(await stand.admin.patch("/v1/receivers/oncall", json={"channels": list(channels)}))


async def pressed(stand: Stand, link: str) -> list[int]:
    return [(await stand.stranger.post(f"{link}/{form}")).status_code for form in FORMS]


@pytest.mark.parametrize("channel", [MAIL, SLACK | {"link": "answer"}, WEBHOOK, HOOK | {"link": "answer"}])
async def test_a_link_that_answers_shows_forms_that_work(stand: Stand, channel: dict[str, Any]) -> None:
    link = await sent_link(stand, channel)
    page = (await stand.stranger.get(link)).text
    assert [form for form in FORMS if f'action="{link}/{form}"' not in page] == []
    assert (await stand.stranger.post(f"{link}/acknowledge")).status_code == 303
    assert (await alert_of(stand))["state"] == "acknowledged"


@pytest.mark.parametrize("channel", [MAIL | {"link": "read"}, SLACK, HOOK, {"kind": "console", "link": "read"}])
async def test_a_link_that_reads_shows_no_form_and_takes_none(stand: Stand, channel: dict[str, Any]) -> None:
    link = await sent_link(stand, channel)
    page = await stand.stranger.get(link)
    assert page.status_code == 200
    assert "<form" not in page.text
    assert await pressed(stand, link) == [403, 403, 403]
    assert (await alert_of(stand))["state"] == "firing"


@pytest.mark.parametrize("channel", [MAIL | {"link": "none"}, SLACK | {"link": "none"}, {"kind": "console"}])
async def test_without_a_link_a_message_names_the_address_that_needs_a_token(
    stand: Stand, channel: dict[str, Any]
) -> None:
    assert await sent_link(stand, channel) == f"/pages/alerts/{(await alert_of(stand))['id']}"


async def test_a_link_loses_what_its_channel_no_longer_permits(stand: Stand) -> None:
    link = await sent_link(stand)
    await configure(stand, MAIL | {"link": "read"})
    page = await stand.stranger.get(link)
    assert (page.status_code, "<form" in page.text) == (200, False)
    assert await pressed(stand, link) == [403, 403, 403]
    await configure(stand, MAIL | {"link": "none"})
    is_a_plain_page(await stand.stranger.get(link), 410)
    assert await pressed(stand, link) == [410, 410, 410]
    assert (await alert_of(stand))["state"] == "firing"
    await configure(stand, MAIL)
    assert "<form" in (await stand.stranger.get(link)).text


async def test_a_link_that_was_sent_to_be_read_never_answers(stand: Stand) -> None:
    """Whoever it was forwarded to got no more with it."""
    link = await sent_link(stand, MAIL | {"link": "read"})
    await configure(stand, MAIL | {"link": "answer"})
    assert "<form" not in (await stand.stranger.get(link)).text
    assert await pressed(stand, link) == [403, 403, 403]


async def test_a_deleted_channels_link_answers_nothing(stand: Stand) -> None:
    link = await sent_link(stand)
    await configure(stand, {"kind": "console"})
    is_a_plain_page(await stand.stranger.get(link), 410)
    assert await pressed(stand, link) == [410, 410, 410]
    assert (await alert_of(stand))["state"] == "firing"


def mail_to(*names: str, **fields: str) -> dict[str, Any]:
    return MAIL | {"to": [f"{name}@example.com" for name in names]} | fields


async def test_a_link_goes_on_while_everybody_it_was_sent_to_is_still_reached(stand: Stand) -> None:
    link = await sent_link(stand, mail_to("finops"))
    for channel in (mail_to("finops", "ann"), mail_to("ann", "ben", "finops")):
        await configure(stand, channel)
        assert "<form" in (await stand.stranger.get(link)).text
    assert (await stand.stranger.post(f"{link}/acknowledge")).status_code == 303
    event = (await alert_of(stand))["events"][-1]
    assert (event["command"], event["actor"]) == ("acknowledge", "link to oncall (email)")


async def test_a_link_ends_once_somebody_it_was_sent_to_is_no_longer_reached(stand: Stand) -> None:
    link = await sent_link(stand, mail_to("finops", "ann"))
    for channel in (mail_to("finops"), mail_to("finops", "ben")):
        await configure(stand, channel)
        is_a_plain_page(await stand.stranger.get(link), 410)
        assert await pressed(stand, link) == [410, 410, 410]


async def test_a_link_permits_no_more_at_the_larger_channel_than_there(stand: Stand) -> None:
    link = await sent_link(stand, mail_to("finops"))
    await configure(stand, mail_to("finops", "ann", link="read"))
    assert await pressed(stand, link) == [403, 403, 403]


async def test_a_link_in_another_slack_channel_is_not_for_those_of_the_new_one(stand: Stand) -> None:
    """Whoever reads the old channel is not the one who is notified now."""
    link = await sent_link(stand, SLACK | {"link": "answer"})
    await configure(stand, SLACK | {"link": "answer", "channel": "#elsewhere"})
    is_a_plain_page(await stand.stranger.get(link), 410)
    assert await pressed(stand, link) == [410, 410, 410]
    await configure(stand, SLACK | {"link": "answer", "mention": "<!here>"})
    assert "<form" in (await stand.stranger.get(link)).text


async def test_another_channel_of_the_receiver_lends_a_link_nothing(stand: Stand) -> None:
    link = await sent_link(stand, MAIL | {"link": "read"})
    await configure(stand, MAIL | {"link": "read"}, MAIL | {"to": ["others@example.com"], "link": "answer"})
    assert await pressed(stand, link) == [403, 403, 403]


async def test_null_is_the_default_of_the_kind_where_two_are_written_alike(stand: Stand) -> None:
    channels = [SLACK | {"link": None}, WEBHOOK | {"link": None}]
    made = await stand.create("/receivers", {"name": "all", "channels": channels})
    assert [channel["link"] for channel in made["channels"]] == ["read", "answer"]


async def test_a_set_link_is_shown_and_can_be_sent_back(stand: Stand) -> None:
    channels = [MAIL | {"link": "none"}, SLACK | {"link": "answer"}, HOOK | {"link": "answer"}]
    made = await stand.create("/receivers", {"name": "all", "channels": channels})
    assert [channel["link"] for channel in made["channels"]] == ["none", "answer", "answer"]
    again = answered(await stand.admin.patch("/v1/receivers/all", json={"channels": made["channels"]}))
    assert (again["version"], again["channels"]) == (made["version"], made["channels"])


async def test_the_schema_names_the_values_and_each_kinds_default(stand: Stand) -> None:
    schemas = answered(await stand.stranger.get("/openapi.json"))["components"]["schemas"]
    assert schemas["LinkUse"]["enum"] == ["none", "read", "answer"]
    kinds = ("Email", "Console", "PagerDuty", "Webhook", "Alertmanager", "Teams", "Jsm", "Discord", "Slack")
    defaults = [schemas[f"{kind}In"]["properties"]["link"].get("default") for kind in kinds]
    assert defaults == ["answer", "none", "answer", "read", "read", "answer", "answer", "answer", None]
