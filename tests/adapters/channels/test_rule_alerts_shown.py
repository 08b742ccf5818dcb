"""A rule's alert in every channel: understood at once, and harmless whatever its names are."""

from __future__ import annotations

import io

import pytest
from rich.console import Console as Terminal

from service.adapters.channels.console import ConsoleChannel
from service.adapters.channels.email.mail import compose_mail
from service.adapters.channels.email.settings import address
from service.adapters.channels.slack import blocks as slack_blocks
from service.domain.alerts.alert import Command, Reason
from service.domain.alerts.evidence import RuleEvidence
from service.domain.messages.message import compose
from service.domain.notify.notification import Action, Message
from tests.fakes.slack import broken_limit, shown_texts
from tests.sample_alerts import HOSTILE_NAMES, PUBLIC_URL, RULE, RULE_ALERT, delivery, event, hostile, message

SENDER, OPS = address("tocsin@example.com"), address("ops@example.com")
hostile_names = pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: name[:20])


def told(evidence: RuleEvidence = RULE) -> Message:
    return message(event(alert=RULE_ALERT, evidence=evidence))


def mailed(said: Message) -> tuple[str, str, str]:
    """Subject, text and HTML."""
    mail = compose_mail(delivery(said=said), SENDER, (OPS,))
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert [header for header in ("Bcc", "Cc") if mail[header]] == []
    return mail["Subject"], text.get_content(), html.get_content()


async def printed(said: Message) -> str:
    stream = io.StringIO()
    await ConsoleChannel(Terminal(file=stream, width=100)).send(delivery(said=said))
    return stream.getvalue()


def test_slack_shows_who_how_much_why_and_what_to_do() -> None:
    shown = shown_texts(slack_blocks.blocks(told()))
    assert shown[:4] == [
        "🟡 unusual spend: workspace eng $1,240.00, expected $310.00 (+300 %)",
        "*Spend is unusual: $930.00 more than expected on 13 October 2026, $1,700.00 in all since 12 October 2026.*",
        f"*Cause*\n{RULE.cause}",
        "*Spent*\n$1,240.00 on 13 October 2026; expected $310.00 (+300 %)",
    ]
    assert "*Excess by API key*\nci $650.00\nbatch $120.25" in shown
    assert "*State*\nwarning, firing" in shown
    assert shown[-2] == told().next_step


def test_a_mail_shows_who_how_much_why_and_what_to_do() -> None:
    subject, text, html = mailed(told())
    assert subject == "[FIRING warning] unusual spend: workspace eng $1,240.00, expected $310.00 (+300 %)"
    assert text.startswith("Spend is unusual: $930.00 more than expected on 13 October 2026")
    assert "Largest parts of the $930.00 excess: model claude-opus-4-5 $700.00, API key ci $650.00." in text
    assert "Excess by API key: ci $650.00\n                   batch $120.25\n" in text
    assert "What next: Expected? POST https://tocsin.example.com/v1/alerts/" in text
    assert "ci $650.00\nbatch $120.25</td>" in html


async def test_the_terminal_shows_who_how_much_and_why() -> None:
    shown = await printed(told())
    assert shown.startswith("╭─ FIRING warning ─")
    assert "unusual spend: workspace eng $1,240.00, expected $310.00 (+300 %)" in shown
    assert "Worked out from" in shown


@pytest.mark.parametrize(
    ("command", "reason", "action"),
    [
        (Command.OPEN, Reason.FIRST, Action.OPEN),
        (Command.AMEND, Reason.GREW, Action.AMEND),
        (Command.RESOLVE, Reason.RECOVERED, Action.RESOLVE),
    ],
)
@hostile_names
def test_no_name_pings_anybody_or_becomes_a_link_in_slack(
    name: str, command: Command, reason: Reason, action: Action
) -> None:
    said = compose(event(command, reason, alert=RULE_ALERT, evidence=hostile(name)), action, PUBLIC_URL)
    blocks = slack_blocks.blocks(said, "<!subteam^S0FAKE>")
    shown = "\n".join(shown_texts(blocks))
    assert broken_limit({"text": slack_blocks.text(said), "blocks": blocks}) is None
    assert shown.count("<") == 2, "the mention and the link to the alert"
    assert "<" not in slack_blocks.text(said) + slack_blocks.reply(said)


@hostile_names
def test_no_name_becomes_a_tag_or_a_header_of_a_mail(name: str) -> None:
    subject, text, html = mailed(told(hostile(name)))
    plain = mailed(told())[2]
    assert subject.startswith("[FIRING warning] ")
    assert subject.endswith(" $1,240.00, expected $310.00 (+300 %)")
    assert {tag for tag in ("<script", "<img", "<a ") if tag in html} == {"<a "}
    assert html.count("<a ") == plain.count("<a ")
    assert "\x1b" not in subject + text + html
    assert "\u202e" not in subject + text + html
    assert len(text) < 10_000


@hostile_names
async def test_no_name_moves_the_terminal_or_colours_it(name: str) -> None:
    shown = await printed(told(hostile(name)))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.splitlines()[0].startswith("╭─ FIRING warning ─")
    assert "$1,240.00 on 13 October 2026; expected $310.00 (+300 %)" in shown


async def test_a_terminals_markup_is_printed_as_it_is() -> None:
    shown = await printed(told(hostile("[bold red]eng[/] :bomb:")))
    assert "[bold red]eng[/] :bomb: $700.00" in shown
