"""The colours of pictures on a light and a dark page, and the size of their letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.charts.chart import Series, Theme

LETTERS = 15
"""The size of letters that can be read where a phone shows the picture 400 pixels wide."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that stay apart for people who confuse red and green, on a background of their own."""

    background: str
    text: str
    quiet: str
    grid: str
    series: Mapping[Series, str]


PALETTES: Mapping[Theme, Palette] = {
    Theme.LIGHT: Palette(
        background="#ffffff",
        text="#1d1d1b",
        quiet="#5c5a54",
        grid="#e4e2dc",
        series={
            Series.USUAL: "#8a8880",
            Series.LIMITS: "#8a8880",
            Series.EXPECTED: "#1d1d1b",
            Series.BEFORE: "#1d1d1b",
            Series.FORECAST: "#c77700",
            Series.ACTUAL: "#1d5fae",
            Series.FIRED: "#c62828",
            Series.BUDGET: "#b3261e",
        },
    ),
    Theme.DARK: Palette(
        background="#16181c",
        text="#ececea",
        quiet="#b4b2ab",
        grid="#33363c",
        series={
            Series.USUAL: "#a3a19a",
            Series.LIMITS: "#a3a19a",
            Series.EXPECTED: "#ececea",
            Series.BEFORE: "#ececea",
            Series.FORECAST: "#f2a93b",
            Series.ACTUAL: "#6cb0ff",
            Series.FIRED: "#ff6b60",
            Series.BUDGET: "#ff7a70",
        },
    ),
}
