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


def test_a_terminal_without_room_for_the_figures_breaks_lines_and_loses_nothing() -> None:
    text = io.StringIO()
    row = ("support-assistant", "$194.50", "52%", "$254.92", "-$60.42 (-24%)")
    headings = ("workspace", "last 24h", "share", "before", "change")
    table(headings, [row], frozenset({1, 2, 3, 4}), Console(file=text, width=30))
    lines = text.getvalue().splitlines()
    assert "".join(line[:9].strip() for line in lines[1:]) == row[0]
    assert lines[1].split()[1:] == " ".join(row[1:]).split()
