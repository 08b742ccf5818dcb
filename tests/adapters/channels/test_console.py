"""The terminal shows a framed alert, and nothing that a name would do to it."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console as Terminal

from service.adapters.channels.console import ConsoleChannel
from service.domain.messages.message import sample
from service.domain.notify.notification import Action, Message
from tests.sample_alerts import EVIDENCE, OPENED, PUBLIC_URL, delivery, event, message


async def printed(said: Message | None = None, action: Action = Action.OPEN, *, width: int = 100) -> str:
    stream = io.StringIO()
    receipt = await ConsoleChannel(Terminal(file=stream, width=width)).send(delivery(action, said=said))
    assert receipt.post is None
    return stream.getvalue()


async def test_an_alert_is_framed_with_its_state_dollars_and_next_step() -> None:
    shown = await printed()
    lines = shown.splitlines()
    assert lines[0].startswith("╭─ FIRING critical ─")
    assert "Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00, 18 days left" in shown
    assert "Find and stop the largest spender, API key ci-runner" in shown
    assert {len(line) for line in lines} == {100}


async def test_a_resolved_alert_says_by_whom() -> None:
    shown = await printed(action=Action.RESOLVE)
    assert "RESOLVED" in shown
    assert "Resolved by Ada: Budget eng monthly (workspace Research) exceeded" in shown


async def test_markup_and_emoji_codes_in_a_name_are_printed_as_they_are() -> None:
    hostile = "[bold red]eng[/] [link=https://evil.example]x[/link] :bomb:"
    said = replace(message(), headline=hostile, change=hostile, next_step=hostile, facts=((hostile, hostile),))
    shown = await printed(said, width=200)
    assert shown.count(hostile) == 5


async def test_control_sequences_in_a_name_do_not_reach_the_terminal() -> None:
    hostile = "\x1b]0;owned\x07\x1b[2Jeng\r\n"
    shown = await printed(message(event(evidence=replace(EVIDENCE, budget_name=hostile))))
    assert "\x1b" not in shown
    assert "\x07" not in shown


async def test_a_narrow_terminal_folds_the_link_instead_of_cutting_it() -> None:
    shown = await printed(width=40)
    joined = "".join(line.strip("│ \n") for line in shown.splitlines())
    assert message().link in joined


async def test_a_test_message_is_called_one() -> None:
    assert "─ TEST ─" in await printed(sample(PUBLIC_URL, OPENED))
