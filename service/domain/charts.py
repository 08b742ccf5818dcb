"""Charts of alerts, as Vega-Lite 5 specifications with their data inside: the browser and the pictures draw the same.

Amounts become floats here, since they are only drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from service.domain.money import Money
from service.domain.periods import Window

WIDTH, HEIGHT = 640, 240
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
BAND_OPACITY = 0.35
DAY_FORMAT, HOUR_FORMAT = "%d %b", "%d %b %H:%M"
SHORT = timedelta(days=2)
"""Spans up to this one are read by the hour."""
MEDIA = "image/png"

Layer = dict[str, object]
Row = dict[str, str | float]


class Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


class Series(StrEnum):
    """What a chart may show, in the words of its legend and the order of its layers."""

    USUAL = "Usual, 8 days in 10"
    EXPECTED = "Expected"
    FORECAST = "Forecast, 4 in 5"
    ACTUAL = "Actual"
    BUDGET = "Budget"


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
            Series.EXPECTED: "#1d1d1b",
            Series.FORECAST: "#c77700",
            Series.ACTUAL: "#1d5fae",
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
            Series.EXPECTED: "#ececea",
            Series.FORECAST: "#f2a93b",
            Series.ACTUAL: "#6cb0ff",
            Series.BUDGET: "#ff7a70",
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Point:
    """Spend in US dollars at an instant, aware UTC: of the bucket that begins there, or the sum so far."""

    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class Range:
    """What is usual or forecast at an instant."""

    at: datetime
    low: Money
    mid: Money
    high: Money


@dataclass(frozen=True, slots=True)
class Chart:
    """One alert's chart. `bars`: `actual` are separate buckets, else a sum that grows. `alt` says it in words.

    `span` is the whole time that the chart is about; None: as long as there are points.
    """

    title: str
    subtitle: str
    alt: str
    actual: tuple[Point, ...]
    bars: bool = False
    usual: tuple[Range, ...] = ()
    expected: tuple[Point, ...] = ()
    forecast: tuple[Range, ...] = ()
    budget: Money | None = None
    span: Window | None = None

    @property
    def shown(self) -> tuple[Series, ...]:
        """The series that there is anything of."""
        there = {
            Series.USUAL: bool(self.usual),
            Series.EXPECTED: bool(self.expected),
            Series.FORECAST: bool(self.forecast),
            Series.ACTUAL: bool(self.actual),
            Series.BUDGET: self.budget is not None,
        }
        return tuple(series for series in Series if there[series])


def specification(chart: Chart, theme: Theme) -> dict[str, object]:
    """The whole chart as one JSON document that needs nothing from anywhere."""
    palette = PALETTES[theme]
    return {
        "$schema": SCHEMA,
        "description": chart.alt,
        "width": WIDTH,
        "height": HEIGHT,
        "background": palette.background,
        "padding": 14,
        "title": {"text": chart.title, "subtitle": chart.subtitle},
        "layer": [
            *_band(chart, Series.FORECAST, chart.forecast, "linear"),
            *_actual(chart),
            *_band(chart, Series.USUAL, chart.usual, "step"),
            *_expected(chart),
            *_forecast(chart),
            *_budget(chart),
        ],
        "config": _config(palette),
        "encoding": {"color": _colours(chart, palette)},
    }


def _band(chart: Chart, series: Series, ranges: Sequence[Range], interpolate: str) -> list[Layer]:
    if not ranges:
        return []
    rows: list[Row] = [{"at": _instant(one.at), "low": _drawn(one.low), "high": _drawn(one.high)} for one in ranges]
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "area", "opacity": BAND_OPACITY, "interpolate": interpolate, "clip": True},
            "encoding": {
                "x": _x(chart),
                "y": {"field": "low", "type": "quantitative"},
                "y2": {"field": "high"},
                "color": {"datum": series.value},
            },
        }
    ]


def _expected(chart: Chart) -> list[Layer]:
    rows = _rows(chart.expected)
    return (
        [_layer(chart, Series.EXPECTED, rows, {"type": "tick", "thickness": 3, "size": _step(chart)})] if rows else []
    )


def _forecast(chart: Chart) -> list[Layer]:
    rows = _rows([Point(one.at, one.mid) for one in chart.forecast])
    return (
        [_layer(chart, Series.FORECAST, rows, {"type": "line", "strokeDash": [6, 4], "strokeWidth": 2})] if rows else []
    )


def _rows(points: Sequence[Point]) -> list[Row]:
    return [{"at": _instant(point.at), "amount": _drawn(point.amount)} for point in points]


def _step(chart: Chart) -> int:
    """Pixels of a bucket."""
    return max(4, min(32, int(WIDTH / max(len(chart.actual), 1))))


def _actual(chart: Chart) -> list[Layer]:
    rows = _rows(chart.actual)
    if not rows:
        return []
    if not chart.bars:
        return [_layer(chart, Series.ACTUAL, rows, {"type": "line", "strokeWidth": 2.5, "interpolate": "linear"})]
    return [_layer(chart, Series.ACTUAL, rows, {"type": "bar", "size": _step(chart) * 0.7, "cornerRadiusEnd": 2})]


def _budget(chart: Chart) -> list[Layer]:
    if chart.budget is None:
        return []
    rows: list[Row] = [{"amount": _drawn(chart.budget)}]
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "rule", "strokeWidth": 2, "strokeDash": [2, 2]},
            "encoding": {"y": _y(), "color": {"datum": Series.BUDGET.value}},
        }
    ]


def _layer(chart: Chart, series: Series, rows: list[Row], mark: Layer) -> Layer:
    return {
        "data": {"values": rows},
        "mark": {**mark, "tooltip": True},
        "encoding": {"x": _x(chart), "y": _y(), "color": {"datum": series.value}},
    }


def _x(chart: Chart) -> Layer:
    scale: Layer = {"type": "utc"}
    labels = DAY_FORMAT
    if chart.span is not None:
        scale["domain"] = [_instant(chart.span.start), _instant(chart.span.end)]
        labels = HOUR_FORMAT if chart.span.end - chart.span.start <= SHORT else DAY_FORMAT
    axis: Layer = {"title": None, "labelFlush": True, "tickCount": 7, "grid": False, "format": labels}
    return {"field": "at", "type": "temporal", "scale": scale, "axis": axis}


def _y() -> Layer:
    axis = {"title": "US dollars", "format": "$,~r", "tickCount": 5}
    return {"field": "amount", "type": "quantitative", "scale": {"zero": True, "nice": True}, "axis": axis}


def _colours(chart: Chart, palette: Palette) -> Layer:
    shown = chart.shown
    scale = {"domain": [series.value for series in shown], "range": [palette.series[series] for series in shown]}
    return {
        "type": "nominal",
        "scale": scale,
        "legend": {"title": None, "orient": "bottom", "direction": "horizontal", "symbolOpacity": 1},
    }


def _config(palette: Palette) -> Layer:
    return {
        "view": {"stroke": None},
        "axis": {
            "labelColor": palette.quiet,
            "titleColor": palette.quiet,
            "gridColor": palette.grid,
            "domainColor": palette.grid,
            "tickColor": palette.grid,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
        },
        "legend": {
            "labelColor": palette.text,
            "labelFontSize": 12,
            "symbolType": "square",
            "symbolSize": 60,
            "symbolStrokeWidth": 4,
        },
        "title": {
            "color": palette.text,
            "subtitleColor": palette.quiet,
            "fontSize": 16,
            "subtitleFontSize": 12,
            "anchor": "start",
            "offset": 10,
            "limit": WIDTH,
        },
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _drawn(amount: Money) -> float:
    return float(amount.usd)
