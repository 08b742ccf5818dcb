"""A burn-up chart as shapes of a drawing of 100 by 100, which the page stretches; words stand beside it unstretched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from service.domain.budgets.budget import Budget, Threshold
from service.domain.charts.chart import SHORT, Point, Range
from service.domain.values.calendars import zone_of
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.plain_text import percentage, short_day
from service.workflows.dashboard.burn_up import BurnUp

HUNDRED = Decimal(100)
HEADROOM = Decimal("1.12")
FARTHEST = Decimal("1.6")
"""A threshold so many times above everything else would make all of it flat: it stands in the table alone."""
LINE = Decimal(8)
"""How far apart two lines have to be for both to have words."""


@dataclass(frozen=True, slots=True)
class LevelLine:
    """A threshold's line at `y`, with its words where there is room for them."""

    y: str
    words: str
    severity: str
    is_reached: bool
    has_words: bool


@dataclass(frozen=True, slots=True)
class HoverStrip:
    """A part of the width that says what was spent by its end."""

    x: str
    width: str
    words: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A date below the drawing: `anchor` is which end of the text stands at `x`."""

    x: str
    words: str
    anchor: str


@dataclass(frozen=True, slots=True)
class BurnUpDrawing:
    """`spent`, `middle` and `pace` are lines, `area` and `fan` are filled; each a list of points for SVG."""

    spent: str
    area: str
    fan: str
    middle: str
    pace: str
    now: str
    top: str
    levels: Sequence[LevelLine]
    strips: Sequence[HoverStrip]
    ticks: Sequence[Tick]


class _Paper:
    """Where an instant and an amount are on the drawing."""

    def __init__(self, window: Window, top: Money) -> None:
        self.window, self.top = window, top

    def x(self, at: datetime) -> Decimal:
        length = self.window.end - self.window.start
        return Decimal((at - self.window.start) / length * 100)

    def y(self, amount: Money) -> Decimal:
        return HUNDRED - amount.ratio_to(self.top) * HUNDRED if self.top else HUNDRED

    def line(self, points: Iterable[tuple[datetime, Money]]) -> str:
        return " ".join(f"{self.x(at):.2f},{self.y(amount):.2f}" for at, amount in points)


def draw(found: BurnUp) -> BurnUpDrawing:
    status, budget = found.status, found.status.terms
    zone, paper = zone_of(budget.period.timezone), _Paper(status.period.window, _top(found))
    start, end = status.period.window.start, status.period.window.end
    spent = [(point.at, point.amount) for point in found.spent]
    last = found.spent[-1].at
    return BurnUpDrawing(
        spent=paper.line(spent),
        area=paper.line([*spent, (last, Money.of("0"))]),
        fan=paper.line(_outline(found.ahead)),
        middle=paper.line((one.at, one.mid) for one in found.ahead),
        pace=paper.line([(start, Money.of("0")), (end, budget.amount)]),
        now=f"{paper.x(last):.2f}" if last < end else "",
        top=paper.top.brief(),
        levels=_levels(budget, found, paper),
        strips=[_strip(before, point, paper, zone) for before, point in pairwise(found.spent)],
        ticks=_ticks(status.period.window, last, zone, paper),
    )


def _top(found: BurnUp) -> Money:
    budget = found.status.terms
    amounts = [budget.amount, *(point.amount for point in found.spent), *(one.high for one in found.ahead)]
    highest = max(amounts)
    levels = [one.level(budget.amount) for one in budget.thresholds]
    return max([highest, *(one for one in levels if one <= highest * FARTHEST)]) * HEADROOM


def _outline(ahead: Sequence[Range]) -> list[tuple[datetime, Money]]:
    return [*((one.at, one.high) for one in ahead), *((one.at, one.low) for one in reversed(ahead))]


def _levels(budget: Budget, found: BurnUp, paper: _Paper) -> list[LevelLine]:
    """Returns the thresholds that fit onto the drawing, the most severe of each level, the highest first."""
    by_severity = sorted(budget.thresholds, key=lambda one: one.severity.rank)
    by_level = {one.level(budget.amount): one for one in by_severity}
    spent, lines, before = found.spent[-1].amount, list[LevelLine](), Decimal(-100)
    for level in sorted(by_level, reverse=True):
        y = paper.y(level)
        if y < 0:
            continue
        has_words = y - before >= LINE
        before = y if has_words else before
        one = by_level[level]
        lines.append(LevelLine(f"{y:.2f}", _said(one, level), one.severity, spent >= level, has_words))
    return lines


def _said(threshold: Threshold, level: Money) -> str:
    share = f"{percentage(threshold.percent)}, " if threshold.percent is not None else ""
    return f"{share}{level.brief()}"


def _strip(before: Point, point: Point, paper: _Paper, zone: ZoneInfo) -> HoverStrip:
    left, right = paper.x(before.at), paper.x(point.at)
    at = point.at.astimezone(zone)
    words = f"{point.amount.display()} by {short_day(at.date())}, {at:%H:%M}"
    return HoverStrip(f"{left:.2f}", f"{max(right - left, Decimal(0)):.2f}", words)


def _ticks(window: Window, last: datetime, zone: ZoneInfo, paper: _Paper) -> list[Tick]:
    """Returns the period's first and last day or hour, and now where it is apart from both."""
    ticks = [Tick("0", _when(window, window.start, zone), "start"), Tick("100", _when(window, window.end, zone), "end")]
    x = paper.x(last)
    return [*ticks, Tick(f"{x:.2f}", "now", "middle")] if 25 <= x <= 75 else ticks


def _when(window: Window, at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    if window.end - window.start <= SHORT or (local.hour, local.minute) != (0, 0):
        return f"{short_day(local.date())}, {local:%H:%M}"
    return short_day(local.date())
