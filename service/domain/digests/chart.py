"""The chart of a digest: its period in pieces, each beside the same piece of the period before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from itertools import pairwise

from service.domain.charts.chart import DAY, SHORT, Chart, Point, wall
from service.domain.digests.digest import Digest
from service.domain.digests.phrases import period, subject
from service.domain.values.calendars import zone_of
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.plain_text import clean

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
LONG = timedelta(days=62)
"""Periods beyond this one are cut into weeks."""


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


def digest_chart(digest: Digest, now: Sequence[Money], before: Sequence[Money]) -> Chart:
    """`now` and `before` are US dollars of the pieces of the digest's period and of the one before, in order.

    A month of 31 days beside one of 30: what the shorter one lacks is left out.
    """
    zone = zone_of(digest.timezone)
    own = [wall(piece.start, zone) for piece in pieces(digest.window, digest.timezone)]
    span = Window(wall(digest.window.start, zone), wall(digest.window.end, zone))
    bucket = _step(span.end - span.start)
    simulated = "Simulated data. " if digest.simulated else ""
    when = period(digest.window, digest.timezone)
    return Chart(
        title=subject(digest),
        subtitle=(clean(digest.name), f"{simulated}Spend from {when}"),
        alt=f"{simulated}Spend of {clean(digest.about)} from {when}: {subject(digest)}.",
        actual=tuple(Point(at, amount) for at, amount in zip(own, now, strict=True)),
        bucket=bucket if bucket != WEEK else (span.end - span.start) / len(own),
        before=tuple(Point(at, amount) for at, amount in zip(own, before, strict=False)),
        span=span,
    )
