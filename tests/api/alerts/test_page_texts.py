"""What the page of an alert says: the message's own next step and dollars, each thing once, names in full."""

from __future__ import annotations

import re
from datetime import timedelta

from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.delivery.deliver import run_delivery
from tests.api.alerts.test_page import MAIL, sent_link
from tests.api.stand import BUDGET, ENG, SLACK, SOURCE, Stand, answered

LONG = "platform engineering and research, everything that runs at night"


async def test_the_page_has_the_mails_next_step_with_the_consoles_page_as_a_link(stand: Stand) -> None:
    page = (await stand.stranger.get(await sent_link(stand))).text
    _, delivery = stand.channels.sent[-1]
    before, _, after = delivery.message.next_step.partition(delivery.message.page)
    link = f'<a href="{delivery.message.page}" rel="noreferrer">API keys in the Console</a>'
    assert f"{before}{link}{after}" in page
    assert re.search(r"<dd>Fired: (warning|critical)</dd>", page)


async def test_parts_stand_once_by_dimension_without_raw_labels(stand: Stand) -> None:
    page = (await stand.stranger.get(await sent_link(stand))).text
    assert "By API key" in page
    assert "api_key" not in page
    assert "Largest " not in page
    assert page.count("100%</td>") == page.count('<td class="figure share">')


async def test_a_name_that_the_headline_cuts_stands_in_full_in_the_message_and_on_the_page(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "oncall", "channels": [MAIL]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "oncall"}]}))
    await stand.create("/budgets", BUDGET | {"name": LONG})
    await stand.spend(ENG, "123.45")
    await run_evaluation(stand.ports, source["id"])
    await run_delivery(stand.ports)
    _, delivery = stand.channels.sent[-1]
    assert LONG not in delivery.message.headline
    assert dict(delivery.message.facts)["Name of the budget"] == LONG
    page = (await stand.stranger.get(delivery.message.link.removeprefix(stand.ports.public_url))).text
    assert page.count(LONG) == 1


async def test_a_second_snooze_says_until_when_now(stand: Stand) -> None:
    link = await sent_link(stand)
    await stand.stranger.post(f"{link}/snooze-1h")
    (alert,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
    stand.clock.advance(timedelta(minutes=5))
    answered(await stand.operator.post(f"/v1/alerts/{alert['id']}/snooze", json={"for": "4h"}))
    page = (await stand.stranger.get(link)).text
    assert len(re.findall(r"Snoozed by link to oncall \(email\) until", page)) == 1
    assert re.search(r"Snoozed again by the operator, now until \d\d:\d\d UTC", page)


async def test_a_page_that_only_shows_says_where_to_answer(stand: Stand) -> None:
    page = (await stand.stranger.get(await sent_link(stand, SLACK))).text
    assert "This link only shows the alert. Answer it in Slack, or with a token by the API." in page
