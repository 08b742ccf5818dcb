"""The terminal: a framed alert."""

from __future__ import annotations

from rich import box
from rich.console import Console as Terminal
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from service.adapters.channels.dependencies import Dependencies
from service.domain.alerts.alert import AlertState
from service.domain.messages.message import badge, unlisted_words
from service.domain.notify.channels.console import Console
from service.domain.notify.notification import Delivery, Message, Receipt
from service.domain.values.severity import Severity
from service.workflows.ports.channels import Channel

COLOURS = {
    Severity.INFO: "blue",
    Severity.WARNING: "yellow",
    Severity.ERROR: "dark_orange",
    Severity.CRITICAL: "red",
}


class ConsoleChannel:
    """Prints every message. Names are printed as they are: no markup of theirs is read."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def send(self, delivery: Delivery) -> Receipt:
        self._terminal.print(_framed(delivery.message), emoji=False, highlight=False)
        return Receipt(post=None, detail="printed")


def open_channel(config: Console, needed: Dependencies) -> Channel:
    return ConsoleChannel(needed.terminal)


def _framed(message: Message) -> Panel:
    colour = "green" if message.state is AlertState.RESOLVED else COLOURS[message.severity]
    return Panel(
        Group(
            Text(message.headline, style="bold"),
            *(Text(line) for line in (message.change, message.summary, message.next_step) if line),
            Text(message.link, style="dim", overflow="fold"),
            Text(),
            _facts(message),
            *_listed(message),
            *([Text(" · ".join(message.small_print), style="dim")] if message.small_print else []),
        ),
        title=Text(badge(message), style=f"bold {colour}"),
        title_align="left",
        border_style=colour,
        box=box.ROUNDED,
        padding=(1, 2),
    )


def _facts(message: Message) -> Table:
    # Text, not str: Rich reads markup such as "[red]" in strings.
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in message.facts:
        table.add_row(Text(label), Text(value))
    return table


def _listed(message: Message) -> list[Text]:
    """The alerts of a summary: each with how it stands, and its link."""
    lines: list[Text] = []
    for one in message.listed:
        colour = "green" if one.state is AlertState.RESOLVED else COLOURS[one.severity]
        lines.append(Text.assemble((one.headline, colour), f" ({one.standing})"))
        lines.append(Text(one.link, style="dim", overflow="fold"))
    return [*lines, *([Text(unlisted_words(message))] if message.unlisted else [])]
