"""The days of a backtest as lines of a terminal, and as a specification of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby

from service.cli.remote.showing import sparkline
from service.client.errors import Json

MARK = "▲"
RED, GREY = "#b3261e", "#9db2bf"
WIDTH, HEIGHT = 900, 260
"""Pixels of the picture's panel."""

Days = Sequence[tuple[date, Decimal]]
"""US dollars by UTC day, in order."""


def lines(days: Days, fired: Mapping[date, int]) -> Iterator[str]:
    """Yields a line a month, a bar a day against the highest of all days, and below it a mark where it fired."""
    bars = dict(zip((day for day, _ in days), sparkline([amount for _, amount in days]), strict=True))
    for month, of_month in groupby((day for day, _ in days), key=lambda day: day.replace(day=1)):
        shown = list(of_month)
        indent = " " * (shown[0].day - 1)
        yield f"{month:%Y-%m}  {indent}{''.join(bars[day] for day in shown)}"
        marks = "".join(MARK if fired.get(day) else " " for day in shown).rstrip()
        if marks:
            yield f"         {indent}{marks}"


def specification(days: Days, fired: Mapping[date, int], title: str) -> dict[str, Json]:
    """Returns a Vega-Lite chart with its data inside: spend by day, and the days on which it fired."""
    spent: list[Json] = [{"day": f"{day}", "spent": float(amount), "fired": fired.get(day, 0)} for day, amount in days]
    form = "%d %b %Y" if len({day.year for day, _ in days}) > 1 else "%d %b"
    day: Json = {"field": "day", "type": "temporal", "axis": {"title": None, "format": form, "labelAngle": 0}}
    dollars: Json = {"field": "spent", "type": "quantitative", "axis": {"title": "US dollars a day", "format": "$,.0f"}}
    bars: Json = {
        "mark": {"type": "bar"},
        "encoding": {
            "x": day,
            "y": dollars,
            "color": {"condition": {"test": "datum.fired > 0", "value": RED}, "value": GREY},
        },
    }
    marks: Json = {
        "transform": [{"filter": "datum.fired > 0"}],
        "mark": {
            "type": "point",
            "shape": "triangle-down",
            "size": 70,
            "filled": True,
            "color": RED,
            "yOffset": -9,
        },
        "encoding": {"x": day, "y": dollars},
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": title, "anchor": "start"},
        "width": WIDTH,
        "height": HEIGHT,
        "background": "white",
        "data": {"values": spent},
        "layer": [bars, marks],
    }
