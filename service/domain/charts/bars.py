"""Budgets as bars below a chart: how much of each is spent, and where it is heading."""

from __future__ import annotations

from service.domain.charts.chart import BudgetBar, Chart, Series
from service.domain.charts.palettes import LETTERS, Palette

WIDTH, HEIGHT_OF_ONE = 640, 26
WIDEST, WORDS = 1.5, 1.6
"""The share of a budget at which a bar ends, whatever is spent, and where its words begin: they say how much it is."""
END = 5.0
"""The share at the right edge: most of the width is for words."""
MOST_WIDE = 430
"""Pixels for the words of a line."""

Layer = dict[str, object]


def bars(chart: Chart, palette: Palette) -> Layer:
    """One line a budget, in the order given: a bar of what is spent, red where it is all; a tick at the forecast."""
    rows = [_row(place, one, palette) for place, one in enumerate(chart.bars)]
    x: Layer = {"field": "share", "type": "quantitative", "axis": None, "scale": {"domain": [0, END]}}
    y: Layer = {"field": "place", "type": "ordinal", "axis": None}
    tick: Layer = {"type": "tick", "thickness": 3, "size": 20, "opacity": 1, "color": palette.series[Series.FORECAST]}
    text: Layer = {"type": "text", "align": "left", "fontSize": LETTERS, "limit": MOST_WIDE, "color": palette.text}
    whole: Layer = {"type": "rule", "strokeDash": [2, 2], "strokeWidth": 2, "color": palette.quiet}
    colour: Layer = {"field": "colour", "scale": None, "legend": None}
    return {
        "width": WIDTH,
        "height": HEIGHT_OF_ONE * len(chart.bars),
        "title": {"text": chart.bars_title, "fontSize": LETTERS, "anchor": "start", "frame": "group"},
        "data": {"values": rows},
        "encoding": {"y": y, "x": x},
        "layer": [
            {"mark": {"type": "bar", "height": 14}, "encoding": {"color": colour}},
            {"mark": whole, "encoding": {"x": {"datum": 1}, "y": None}},
            {
                "transform": [{"filter": "datum.forecast >= 0"}],
                "mark": tick,
                "encoding": {"x": x | {"field": "forecast"}},
            },
            {"mark": text, "encoding": {"x": x | {"field": "words"}, "text": {"field": "said"}}},
        ],
    }


def _row(place: int, bar: BudgetBar, palette: Palette) -> dict[str, str | float]:
    return {
        "place": place,
        "share": _within(bar.share),
        "forecast": -1.0 if bar.forecast is None else _within(bar.forecast),
        "words": WORDS,
        "said": f"{bar.said}: {bar.name}",
        "colour": palette.series[Series.FIRED if bar.share > 1 else Series.ACTUAL],
    }


def _within(share: float) -> float:
    return min(max(share, 0.0), WIDEST)
