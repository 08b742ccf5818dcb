"""Tables stay readable in a narrow terminal."""

from __future__ import annotations

import io

from rich.console import Console

from service.cli.remote.showing import table

HEADINGS = ("budget", "", "spent", "of")
ROW = ("demo: the whole organisation, monthly", "████████░░░░", "$15,201.19", "$20,000.00")


def shown(width: int) -> str:
    text = io.StringIO()
    table(HEADINGS, [ROW], frozenset({2, 3}), Console(file=text, width=width))
    return text.getvalue()


def test_a_figure_is_never_broken_and_bars_need_room() -> None:
    for width in (40, 60, 100):
        assert "$15,201.19  $20,000.00" in shown(width), width
    assert "████████░░░░" in shown(100)
    assert "█" not in shown(60)
