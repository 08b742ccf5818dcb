"""The chart of a digest: its period in pieces, each beside the same piece of the period before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from service.domain.charts.alert import drawable
from service.domain.charts.chart import DAY, SHORT, BudgetBar, Chart, Point, wall
from service.domain.charts.usual import usual_ranges
from service.domain.digests.digest import BudgetStand, Digest
from service.domain.digests.phrases import period, subject
from service.domain.values.calendars import zone_of
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.plain_text import clean, percentage

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
LONG = timedelta(days=62)
"""Periods beyond this one are cut into weeks."""
MOST_BUDGETS = 8
"""Shown below it."""


def pieces(window: Window, timezone: str) -> list[Window]:
    """A period's hours, days or, where it is long, weeks, as a wall clock shows them.

    A day of a clock change is a piece like others. Weeks are equal parts, so that none is a sliver.
    """
    zone = zone_of(timezone)
    start, end = wall(window.start, zone), wall(window.end, zone)
    step = _step(end - start)
    count = max(1, round((end - start) / step))
    if step == WEEK:
        step = (end - start) / count
    shown = [start + step * n for n in range(1, count)]
    between = [one.replace(tzinfo=zone).astimezone(UTC) for one in shown]
    edges = [window.start, *(edge for edge in between if window.start < edge < window.end), window.end]
    return [Window(*pair) for pair in pairwise(dict.fromkeys(edges))]


def _step(length: timedelta) -> timedelta:
    return HOUR if length <= SHORT else DAY if length <= LONG else WEEK


NOTHING_BEFORE: Mapping[datetime, Money] = {}


def digest_chart(
    digest: Digest, now: Sequence[Money], before: Sequence[Money], history: Mapping[datetime, Money] = NOTHING_BEFORE
) -> Chart:
    """`now` and `before` are US dollars of the pieces of the digest's period and of the one before, in order.

    A month of 31 days beside one of 30: what the shorter one lacks is left out. `history` is spend by the start of
    the hours or days before the period, on the wall's clock: it says what is usual.
    """
    zone = zone_of(digest.timezone)
    own = [wall(piece.start, zone) for piece in pieces(digest.window, digest.timezone)]
    span = Window(wall(digest.window.start, zone), wall(digest.window.end, zone))
    bucket = step_of(digest)
    simulated = "Simulated data. " if digest.simulated else ""
    when = period(digest.window, digest.timezone)
    return Chart(
        title=subject(digest),
        subtitle=(clean(digest.name), f"{simulated}Spend from {when}"),
        alt=f"{simulated}Spend of {clean(digest.about)} from {when}: {subject(digest)}.{_said_of_budgets(digest)}",
        actual=tuple(Point(at, amount) for at, amount in zip(own, now, strict=True)),
        bucket=bucket if bucket != WEEK else (span.end - span.start) / len(own),
        usual=() if bucket == WEEK else usual_ranges(history, own, bucket),
        before=tuple(Point(at, amount) for at, amount in zip(own, before, strict=False)),
        span=span,
        bars=tuple(_bar(one) for one in digest.budgets[:MOST_BUDGETS]),
        bars_title=_bars_title(digest),
    )


def step_of(digest: Digest) -> timedelta:
    """The length of a digest's pieces: an hour, a day or, about, a week."""
    zone = zone_of(digest.timezone)
    return _step(wall(digest.window.end, zone) - wall(digest.window.start, zone))


def _bar(one: BudgetStand) -> BudgetBar:
    share = one.spent.ratio_to(one.amount)
    forecast = None if one.forecast is None else float(one.forecast.ratio_to(one.amount))
    said = f"{percentage(share * 100)} of {one.amount.brief()}"
    return BudgetBar(_name(one), said, float(share), forecast)


def _name(one: BudgetStand) -> str:
    name = clean(drawable(one.budget_name))
    return f"{name}, {clean(drawable(one.scope_name))}" if one.is_part else name


def _bars_title(digest: Digest) -> str:
    count = len(digest.budgets)
    left_out = f": the fullest {MOST_BUDGETS} of {count}" if count > MOST_BUDGETS else ""
    return f"Budgets now, spent and forecast{left_out}" if count else ""


def _said_of_budgets(digest: Digest) -> str:
    bars = [_bar(one) for one in digest.budgets[:MOST_BUDGETS]]
    return f" {_bars_title(digest)}. {'; '.join(f'{bar.name} {bar.said}' for bar in bars)}." if bars else ""
