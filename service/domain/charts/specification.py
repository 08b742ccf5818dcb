"""A chart as a Vega-Lite 5 specification with its data inside: the browser and the pictures draw the same.

Amounts become floats here, since they are only drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from service.domain.charts.bars import bars
from service.domain.charts.chart import DAY, SHORT, Chart, Point, Range, Series, Theme
from service.domain.charts.palettes import LETTERS, PALETTES, Palette
from service.domain.values.money import Money

WIDTH, HEIGHT = 640, 240
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
BAND_OPACITY = 0.35
DATE_FORMAT, WEEKDAY_FORMAT, HOUR_FORMAT = "%d %b", "%a %d %b", "%d %b %H:%M"
LABELLED = 6
"""Bars with a date under them, at most."""
TITLE_LETTERS = 20
LONGEST_LINE = 56
"""Letters of a title."""
STRIPES = 6
GAP = 0.12
"""The share of a bucket that is left free on either side of its bar."""
MEDIA = "image/png"

Layer = dict[str, object]
Row = dict[str, str | float]
NOTHING: Layer = {}


def specification(chart: Chart, theme: Theme) -> dict[str, object]:
    """The whole chart as one JSON document that needs nothing from anywhere."""
    palette = PALETTES[theme]
    return {
        "$schema": SCHEMA,
        "description": chart.alt,
        "background": palette.background,
        "padding": 14,
        "title": {"text": _folded(chart.title), "subtitle": list(chart.subtitle)},
        **(_with_bars(chart, palette) if chart.bars else _main(chart, palette)),
        "config": _config(palette),
    }


def _with_bars(chart: Chart, palette: Palette) -> Layer:
    apart: Layer = {"scale": {"color": "independent"}, "legend": {"color": "independent"}}
    return {"vconcat": [_main(chart, palette), bars(chart, palette)], "spacing": 24, "resolve": apart}


def _main(chart: Chart, palette: Palette) -> Layer:
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "layer": [
            *_fan(chart),
            *_bands(chart, Series.USUAL, chart.usual),
            *_bands(chart, Series.LIMITS, chart.limits),
            *_actual(chart),
            *_steps(chart, Series.EXPECTED, chart.expected),
            *_steps(chart, Series.BEFORE, chart.before),
            *_forecast(chart),
            *_budget(chart),
            *_name_of_budget(chart, palette),
        ],
        "encoding": {"color": _colours(chart, palette)},
    }


def _folded(title: str) -> str | list[str]:
    """In two lines where it does not fit into one: the time, which is after the last comma, is never cut off."""
    subject, comma, when = title.rpartition(", ")
    return [f"{subject},", when] if comma and len(title) > LONGEST_LINE else title


def _fan(chart: Chart) -> list[Layer]:
    """Between the forecast's limits."""
    rows: list[Row] = [
        {"at": _instant(one.at), "low": _drawn(one.low), "high": _drawn(one.high)} for one in chart.forecast
    ]
    mark = {"type": "area", "opacity": BAND_OPACITY, "clip": True}
    return [_layer(chart, Series.FORECAST, rows, mark, BETWEEN)] if rows else []


def _bands(chart: Chart, series: Series, ranges: Sequence[Range]) -> list[Layer]:
    """A box a bucket: where nothing was expected there is none."""
    if chart.bucket is None or not ranges:
        return []
    rows = [{**_side_by_side(one.at, chart.bucket), "low": _drawn(one.low), "high": _drawn(one.high)} for one in ranges]
    return [_layer(chart, series, rows, {"type": "rect", "opacity": BAND_OPACITY}, BETWEEN | UNTIL)]


def _steps(chart: Chart, series: Series, points: Sequence[Point]) -> list[Layer]:
    """A line across each bucket."""
    if chart.bucket is None or not points:
        return []
    rows = [{**_side_by_side(one.at, chart.bucket), "amount": _drawn(one.amount)} for one in points]
    return [_layer(chart, series, rows, {"type": "rule", "strokeWidth": 2}, UNTIL)]


def _forecast(chart: Chart) -> list[Layer]:
    rows = _rows([Point(one.at, one.mid) for one in chart.forecast])
    mark = {"type": "line", "strokeDash": [6, 4], "strokeWidth": 2}
    return [_layer(chart, Series.FORECAST, rows, mark)] if rows else []


def _actual(chart: Chart) -> list[Layer]:
    if not chart.actual:
        return []
    if chart.bucket is None:
        return [_layer(chart, Series.ACTUAL, _rows(chart.actual), {"type": "line", "strokeWidth": 2.5})]
    usual = [one for one in chart.actual if one.at not in chart.fired]
    fired = [one for one in chart.actual if one.at in chart.fired]
    return [*_bars(chart, chart.bucket, Series.ACTUAL, usual), *_bars(chart, chart.bucket, Series.FIRED, fired)]


def _bars(chart: Chart, bucket: timedelta, series: Series, points: Sequence[Point]) -> list[Layer]:
    """A box a bucket; one that was not over is an outline with stripes."""
    whole = [_bar(one, bucket) for one in points if one.at != chart.partial]
    partial = [_bar(one, bucket) for one in points if one.at == chart.partial]
    box: Layer = {"type": "rect", "cornerRadius": 1}
    until = UNTIL | {"y2": {"field": "zero"}}
    layers = [_layer(chart, series, whole, box, until)] if whole else []
    if partial:
        layers.append(_layer(chart, series, partial, box | {"fillOpacity": 0.25}, until))
        layers.append(_layer(chart, series, partial, box | {"filled": False, "strokeWidth": 1.5}, until))
        stripes = [stripe for row in partial for stripe in _stripes(row)]
        layers.append(_layer(chart, series, stripes, {"type": "rule", "strokeWidth": 1.5}, until))
    return layers


def _bar(point: Point, bucket: timedelta) -> Row:
    return {**_side_by_side(point.at, bucket, GAP), "amount": _drawn(point.amount), "zero": 0.0}


def _stripes(row: Row) -> list[Row]:
    """Slanted lines from the left of a bar to its right."""
    step = float(row["amount"]) / STRIPES
    return [row | {"zero": step * number, "amount": step * (number + 1)} for number in range(STRIPES)]


def _rows(points: Sequence[Point]) -> list[Row]:
    return [{"at": _instant(point.at), "amount": _drawn(point.amount)} for point in points]


def _side_by_side(start: datetime, bucket: timedelta, gap: float = 0.0) -> Row:
    """Where a bucket begins and ends, without `gap` of it on either side."""
    return {"at": _instant(start + bucket * gap), "end": _instant(start + bucket * (1 - gap))}


def _budget(chart: Chart) -> list[Layer]:
    if chart.budget is None:
        return []
    rows: list[Row] = [{"amount": _drawn(chart.budget)}]
    line: Layer = {
        "data": {"values": rows},
        "mark": {"type": "rule", "strokeWidth": 2, "strokeDash": [2, 2]},
        "encoding": {"y": _y(), "color": {"datum": Series.BUDGET.value}},
    }
    return [line]


def _name_of_budget(chart: Chart, palette: Palette) -> list[Layer]:
    """The amount above the beginning of its line, where spend is still low; a halo keeps other lines off it."""
    if chart.span is None or chart.budget is None:
        return []
    name = f"Budget {chart.budget.brief()}"
    rows: list[Row] = [{"at": _instant(chart.span.start), "amount": _drawn(chart.budget), "name": name}]
    mark: Layer = {"type": "text", "align": "left", "baseline": "bottom", "dx": 6, "dy": -5, "fontSize": LETTERS}
    text: Layer = {"text": {"field": "name"}}
    halo: Layer = {"stroke": {"value": palette.background}}
    return [
        _layer(chart, Series.BUDGET, rows, mark | {"strokeWidth": 5, "strokeJoin": "round"}, text | halo),
        _layer(chart, Series.BUDGET, rows, mark, text),
    ]


BETWEEN: Layer = {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
UNTIL: Layer = {"x2": {"field": "end"}}


def _layer(chart: Chart, series: Series, rows: Sequence[Row], mark: Layer, more: Layer = NOTHING) -> Layer:
    """`more`: encodings beside, or instead of, the usual ones."""
    return {
        "data": {"values": list(rows)},
        "mark": {**mark, "tooltip": True},
        "encoding": {"x": _x(chart), "y": _y(), "color": {"datum": series.value}, **more},
    }


def _x(chart: Chart) -> Layer:
    scale: Layer = {"type": "utc"}
    axis: Layer = {"title": None, "grid": False, "labelFlush": True, "tickCount": 6, "format": DATE_FORMAT}
    if chart.span is not None:
        scale["domain"] = [_instant(chart.span.start), _instant(chart.span.end)]
        if chart.span.end - chart.span.start <= SHORT:
            axis["format"] = HOUR_FORMAT
    if chart.bucket == DAY:
        axis |= {"format": WEEKDAY_FORMAT, "values": _labelled(chart), "labelFlush": False, "labelOverlap": False}
    return {"field": "at", "type": "temporal", "scale": scale, "axis": axis}


def _labelled(chart: Chart) -> list[str]:
    """The middle of the last day, and of as many before it as there is room for."""
    step = -(-len(chart.actual) // LABELLED)
    return [_instant(point.at + DAY / 2) for point in chart.actual[::-1][:: max(step, 1)]][::-1]


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
            "labelFontSize": LETTERS,
            "titleFontSize": LETTERS,
            "titleFontWeight": "normal",
        },
        "legend": {
            "labelColor": palette.text,
            "labelFontSize": LETTERS,
            "symbolType": "square",
            "symbolSize": 30,
            "symbolStrokeWidth": 6,
        },
        "title": {
            "color": palette.text,
            "subtitleColor": palette.quiet,
            "fontSize": TITLE_LETTERS,
            "subtitleFontSize": LETTERS,
            "anchor": "start",
            "offset": 10,
            "limit": WIDTH,
        },
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _drawn(amount: Money) -> float:
    return float(amount.usd)
