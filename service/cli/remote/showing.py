"""Answers of a server as tables and lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.client.errors import Json
from service.domain.values.plain_text import moment, percentage

WIDE = 80
"""Columns of a terminal that has room for bars."""
NAME_WIDTH = 8
"""Columns that a longer name has at least: it is folded."""
BARS = "▁▂▃▄▅▆▇█"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], figures: frozenset[int], out: Console) -> None:
    """Shows rows of plain text; the columns `figures` stand to the right and are never broken into two lines.

    A column without a heading has bars, for which a narrow terminal has no room. One that has no room for all figures
    either breaks the lines by itself: nothing is cut off.
    """
    shown, lines = Table(box=None, pad_edge=False, header_style="dim"), list(rows)
    places = [place for place, heading in enumerate(headings) if heading or out.width >= WIDE]
    for place in places:
        whole = place in figures or not headings[place]
        side: Literal["left", "right"] = "right" if place in figures else "left"
        longest = max(len(text) for text in (headings[place], *(row[place] for row in lines)))
        narrowest = None if whole else min(NAME_WIDTH, longest)
        shown.add_column(headings[place], justify=side, overflow="fold", no_wrap=whole, min_width=narrowest)
    for row in lines:
        shown.add_row(*(Text(row[place]) for place in places))
    least = shown.__rich_measure__(out, out.options).minimum
    shown.width = least if least > out.width else None
    out.print(shown, crop=False)


def items(answer: dict[str, Json], name: str = "items") -> list[dict[str, Json]]:
    found = answer.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def inner(answer: dict[str, Json], name: str) -> dict[str, Json]:
    found = answer[name]
    assert isinstance(found, dict), f"{name} is an object"
    return found


def share(part: Json, whole: Json) -> str:
    amount, total = Decimal(str(part)), Decimal(str(whole))
    return percentage(amount / total * 100) if total > 0 else ""


def usd(value: Json) -> str:
    """Returns an amount as people read it: "$1,234.50", to the cent and rounded down, as everywhere."""
    cents = Decimal(str(value)).quantize(Decimal("0.01"), "ROUND_DOWN")
    return f"{'-' if cents < 0 else ''}${abs(cents):,f}"


def when(value: Json) -> str:
    """Returns a time of an answer as people read it: "09:31 UTC, Wed 14 Oct"; "never" for none."""
    return moment(datetime.fromisoformat(str(value))) if value else "never"


def sparkline(amounts: Sequence[Decimal]) -> str:
    """Returns a bar for each amount; the largest is full, what is not above zero is the lowest."""
    highest = max(amounts, default=Decimal(0))
    if highest <= 0:
        return BARS[0] * len(amounts)
    steps = len(BARS) - 1
    return "".join(BARS[max(0, int(amount / highest * steps))] for amount in amounts)


def bar(percent: Decimal, width: int = 12) -> str:
    filled = min(width, max(0, int(percent * width / 100)))
    return "█" * filled + "░" * (width - filled)
