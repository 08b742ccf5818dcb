"""Several alerts in one message, in every channel that people read: each with its link, and harmless."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console as Terminal

from service.adapters.channels import teams
from service.adapters.channels.console import ConsoleChannel
from service.adapters.channels.email.mail import compose_mail
from service.adapters.channels.email.settings import address
from service.adapters.channels.slack import blocks as slack_blocks
from service.adapters.channels.slack.controls import controls
from service.domain.alerts.alert import AlertEvent, AlertState, Command, Reason
from service.domain.messages.summary import MOST_LISTED, summarise
from service.domain.notify.notification import Listed, Message
from service.domain.values.severity import Severity
from tests.fakes.slack import broken_limit, shown_texts
from tests.sample_alerts import ALERT, HOSTILE_NAMES, PUBLIC_URL, delivery, event, hostile

SENDER, OPS = address("tocsin@example.com"), address("ops@example.com")
TEAMS_LIMIT = 28 * 1024


def many(count: int) -> list[AlertEvent]:
    return [event(alert=replace(ALERT, id=f"alrt_{n:02}", severity=Severity.WARNING)) for n in range(count)]


TAKEN = event(Command.ACKNOWLEDGE, Reason.PERSON, alert=replace(ALERT, id="alrt_x"), actor="slack:U0ADAFAKE")
SUMMARY = summarise("ntf_1", [TAKEN, *many(13)], (), PUBLIC_URL)
SHORT = summarise("ntf_1", [TAKEN, *many(1)], (), PUBLIC_URL)


def hostile_summary(name: str) -> Message:
    events = [event(alert=replace(ALERT, id=f"alrt_{n}"), evidence=hostile(name)) for n in range(20)]
    return summarise("ntf_1", events, (), PUBLIC_URL)


def test_slack_lists_each_alert_with_sign_link_and_who_took_it() -> None:
    shown = "\n".join(shown_texts(slack_blocks.blocks(SHORT))).splitlines()
    headline = "Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00, 18 days left"
    assert shown[0] == "🟡 2 alerts: 1 critical, 1 warning"
    assert f"🟡 <{PUBLIC_URL}/pages/alerts/alrt_00|{headline}> · warning, firing" in shown
    assert f"👀 <{PUBLIC_URL}/pages/alerts/alrt_x|{headline}> · critical, acknowledged by <@U0ADAFAKE>" in shown
    assert controls(SHORT) == []


def test_slack_counts_what_is_not_listed() -> None:
    shown = "\n".join(shown_texts(slack_blocks.blocks(SUMMARY)))
    assert shown.count("/pages/alerts/alrt_") == MOST_LISTED
    assert "and 2 more" in shown.splitlines()


@pytest.mark.parametrize("filler", ["x", "&", "<", "🔥", "ש"])
def test_the_largest_summary_is_within_slacks_limits(filler: str) -> None:
    endless = filler * 10_000
    link = f"https://tocsin.example.com/{'x' * 270}"
    one = Listed(AlertState.FIRING, Severity.CRITICAL, endless, endless, link)
    said = replace(SUMMARY, headline=endless, change=endless, next_step=endless, link=link, listed=(one,) * MOST_LISTED)
    body = {"text": slack_blocks.text(said), "blocks": slack_blocks.blocks(said, "<!here>")}
    assert broken_limit(body) is None


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: name[:20])
def test_no_name_in_a_summary_comes_alive_in_slack(name: str) -> None:
    shown = "\n".join(shown_texts(slack_blocks.blocks(hostile_summary(name))))
    assert "<!" not in shown
    assert "<@" not in shown
    assert shown.count("<http") == MOST_LISTED + 1


def test_a_mail_lists_them_as_text_and_as_links() -> None:
    mail = compose_mail(replace(delivery(said=SUMMARY), id="ntf_1"), SENDER, (OPS,))
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    assert mail["Subject"] == "14 alerts: 1 critical, 13 warnings"
    assert mail["Message-ID"] == "<ntf_1@example.com>"
    line = "- Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00, 18 days left (warning, firing)\n"
    assert f"{line}  {PUBLIC_URL}/pages/alerts/alrt_00\n" in text.get_content()
    assert "\nand 2 more\n" in text.get_content()
    assert f'<a href="{PUBLIC_URL}/pages/alerts/alrt_00"' in page.get_content()
    assert page.get_content().count("/pages/alerts/alrt_") == MOST_LISTED


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: name[:20])
def test_no_name_in_a_summary_is_markup_in_a_mail(name: str) -> None:
    said = hostile_summary(name)
    page = compose_mail(delivery(said=said), SENDER, (OPS,)).get_body(("html",))
    assert page is not None
    assert "&lt;" in page.get_content() or "<" not in said.listed[0].headline
    assert "<script>" not in page.get_content()
    assert "<img" not in page.get_content()


def test_a_card_lists_them_and_each_leads_to_its_alert() -> None:
    card = teams.card(SHORT)
    assert f'"url": "{PUBLIC_URL}/pages/alerts/alrt_00"' in json.dumps(card)
    assert "acknowledged by slack:U0ADAFAKE" in json.dumps(card)
    assert "and 2 more" in json.dumps(teams.card(SUMMARY))


def test_a_card_that_is_too_long_lists_fewer_and_counts_them() -> None:
    one = replace(SHORT.listed[0], headline="ß" * 300, standing="ß" * 500)
    envelope = teams._fitting(replace(SUMMARY, listed=(one,) * MOST_LISTED, unlisted=0))
    text = json.dumps(envelope)
    assert len(json.dumps(text)) <= TEAMS_LIMIT
    kept = text.count("selectAction")
    assert 0 < kept < MOST_LISTED
    assert f"and {MOST_LISTED - kept} more" in text


async def test_the_terminal_lists_them_with_their_links() -> None:
    stream = io.StringIO()
    await ConsoleChannel(Terminal(file=stream, width=120)).send(delivery(said=SUMMARY))
    shown = stream.getvalue()
    assert "14 alerts: 1 critical, 13 warnings" in shown
    assert shown.count("(warning, firing)") == MOST_LISTED
    assert f"{PUBLIC_URL}/pages/alerts/alrt_00" in shown
    assert "and 2 more" in shown
