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
    assert [*shown[:2], shown[3]] == [
        "🟡 API key ci: $650 above normal on Tue 13 Oct",
        "Model claude-opus-4-5.\nWorkspace eng: $1,240 that day, normally $310. $1,700 above normal in all since Mon 12"
        " Oct. If it goes on: about $650 a day more.",
        f"*How this was judged*\n{RULE.cause}",
    ]
    assert "*Excess by API key*\nci $650\nbatch $120" in shown
    assert shown[2] == (
        "Find and stop API key ci: <https://platform.claude.com/settings/keys|API keys in the Console>"
        " – then acknowledge."
    )
    assert shown[-1].startswith("warning, firing · rule unusual spend · ")


def test_a_mail_shows_who_how_much_why_and_what_to_do() -> None:
    subject, text, html = mailed(told())
    assert subject == "API key ci: $650 above normal on Tue 13 Oct"
    assert text.startswith(f"{subject}\n\nModel claude-opus-4-5.\nWorkspace eng: $1,240 that day, normally $310.")
    assert "Excess by API key:   ci $650\n                     batch $120\n" in text
    assert "What next: Find and stop API key ci: https://platform.claude.com/settings/keys – then acknowledge." in text
    assert text.index("How this was judged") > text.index("What next")
    assert "ci $650\nbatch $120</td>" in html


async def test_the_terminal_shows_who_how_much_and_why() -> None:
    shown = await printed(told())
    assert shown.startswith("╭─ FIRING warning ─")
    assert "API key ci: $650 above normal on Tue 13 Oct" in shown
    assert "How this was judged" in shown


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
    assert subject.startswith("Person ")
    assert subject.endswith(": $700 above normal on Tue 13 Oct")
    assert {tag for tag in ("<script", "<img", "<a ") if tag in html} == {"<a "}
    assert html.count("<a ") == 1, "the page of the alert"
    assert "\x1b" not in subject + text + html
    assert "\u202e" not in subject + text + html
    assert len(text) < 10_000


@hostile_names
async def test_no_name_moves_the_terminal_or_colours_it(name: str) -> None:
    shown = await printed(told(hostile(name)))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.splitlines()[0].startswith("╭─ FIRING warning ─")
    assert "$1,240 that day, normally $310." in " ".join(shown.replace("│", " ").split())


async def test_a_terminals_markup_is_printed_as_it_is() -> None:
    shown = await printed(told(hostile("[bold red]eng[/] :bomb:")))
    assert "[bold red]eng[/] :bomb: $700" in shown
